"""Servers that break a rule only now and then, only for some clients, or only after something else: they are seen, too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from ssegauge.bench import Options
from tests.mutants.disconnect import Watched
from tests.mutants.host import Host
from tests.mutants.message import Call, Peer
from tests.mutants.server import Clean

from .near import outcome

pytestmark = pytest.mark.slow  # each waits for what a target does when its clients leave, fail or come together


# -- who leaves -----------------------------------------------------------------------------------------------------


class ForgetsOneInSix(Watched):
    """Goes on with every sixth stream that was left."""

    options = Options(window=2.0, scale=0.3)
    left = 0

    async def abandoned(self, call: Call, peer: Peer) -> None:
        self.left += 1
        if self.left % 6 == 0:
            self.active += 1


class WorksOutTheFirstEvent(Watched):
    """What is under way before the first event cannot be stopped."""

    options = Options(window=2.0, scale=0.3)

    async def events(self, call: Call, start: int) -> AsyncIterator[bytes]:
        self.active += 1  # the work; what starts it is cut off by its client's leave
        await asyncio.sleep(0.2)
        self.active -= 1
        async for frame in super().events(call, start):
            yield frame


@pytest.mark.parametrize("kind", [ForgetsOneInSix, WorksOutTheFirstEvent])
def test_work_that_goes_on_for_some_who_left(host: Host, kind: type[Clean]) -> None:
    assert outcome(host, kind(), "DIS-01") == "fail"
