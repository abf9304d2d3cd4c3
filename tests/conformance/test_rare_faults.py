"""Servers that break a rule only now and then, only for some clients, or only after something else: they are seen, too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from ssegauge.bench import Options
from tests.mutants.disconnect import Watched
from tests.mutants.host import Host
from tests.mutants.message import Call, Peer, block
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


class LosesAnEventPerLeaver(Watched):
    """A write to a client that has left ends the round in which everybody gets the event."""

    count = 20
    gone = 0

    async def abandoned(self, call: Call, peer: Peer) -> None:
        self.gone += 1

    async def events(self, call: Call, start: int) -> AsyncIterator[bytes]:
        gone = self.gone
        async for frame in super().events(call, start):
            if self.gone != gone and b"event: delta" in frame:
                gone = self.gone
                continue
            yield frame


class LosesItWithoutNumbers(LosesAnEventPerLeaver):
    """The same, and no number tells it."""

    profile = Clean.profile.replace('sequence = { pointer = "/seq" }\n', "")


class FeedOfTheFirst(Watched):
    """One producer for all, which belongs to whoever came first; it has little to tell."""

    options = Options(window=2.5)
    producers = 0

    async def abandoned(self, call: Call, peer: Peer) -> None:
        self.producers += 1

    async def frames(self, call: Call, start: int) -> AsyncIterator[bytes]:  # type: ignore[override]
        own = self.producers
        while True:
            if own == self.producers:
                yield block('{"hello": true}', event="hello", retry=1500)
            await asyncio.sleep(0.3)


@pytest.mark.parametrize(
    ("kind", "endpoint"), [(LosesAnEventPerLeaver, "main"), (LosesItWithoutNumbers, "main"), (FeedOfTheFirst, "feed")]
)
def test_a_stream_that_suffers_where_others_leave(host: Host, kind: type[Clean], endpoint: str) -> None:
    assert outcome(host, kind(), "DIS-05", endpoint=endpoint) == "fail"


# -- who fails ------------------------------------------------------------------------------------------------------


class UsesUpItsPool(Clean):
    """Each failure keeps one of ten workers."""

    failed = 0

    def failure(self) -> bytes:
        self.failed += 1
        return super().failure()

    async def stream(self, call: Call, peer: Peer) -> bool:
        if self.failed >= 10:
            await asyncio.sleep(30)
        return await super().stream(call, peer)


class LosesAnEventPerFailure(UsesUpItsPool):
    """A failure costs the streams beside it an event."""

    count = 20

    async def stream(self, call: Call, peer: Peer) -> bool:
        return await Clean.stream(self, call, peer)

    async def events(self, call: Call, start: int) -> AsyncIterator[bytes]:
        failed = self.failed
        async for frame in super().events(call, start):
            if self.failed != failed and b"event: delta" in frame:
                failed = self.failed
                continue
            yield frame


class TellsEverybody(LosesAnEventPerFailure):
    """A failure is told to whoever is there."""

    async def events(self, call: Call, start: int) -> AsyncIterator[bytes]:
        failed = self.failed
        async for frame in Clean.events(self, call, start):
            if self.failed != failed and b"event: error" not in frame:
                yield super().failure()
                return
            yield frame


@pytest.mark.parametrize("kind", [UsesUpItsPool, LosesAnEventPerFailure, TellsEverybody])
def test_a_server_that_suffers_from_failures(host: Host, kind: type[Clean]) -> None:
    assert outcome(host, kind(), "ERR-10") == "fail"


# -- what a failure takes with it -----------------------------------------------------------------------------------


class DropsItsBuffer(Clean):
    """What waits to be sent is dropped by a failure: so many events, or all there are."""

    held_back = 2

    async def events(self, call: Call, start: int) -> AsyncIterator[bytes]:
        limit = int(call.query.get("fail_after", "1000"))
        number = 0
        async for frame in super().events(call, start):
            number += 1
            if limit == 1000 or b"event: error" in frame or number <= limit - self.held_back:
                yield frame


class DropsAll(DropsItsBuffer):
    """Nothing is sent before four kilobytes are together."""

    held_back = 1000


class DropsByPath(DropsItsBuffer):
    """The same, and the number stands in the path."""

    profile = Clean.profile.replace(
        "fault      = { params = { fail_after = 3 } }", 'fault = { path = "/stream?fail_after=3" }'
    )


@pytest.mark.parametrize("kind", [DropsItsBuffer, DropsAll, DropsByPath])
def test_a_failure_that_drops_more_than_the_last_event(host: Host, kind: type[Clean]) -> None:
    assert outcome(host, kind(), "ERR-08") == "fail"


class FailsAfterSeconds(Clean):
    """`fail_after` is a time, and an event comes with every second of it."""

    profile = Clean.profile.replace("fail_after = 3", "fail_after = 2").replace('deadline = "3s"', 'deadline = "9s"')

    async def events(self, call: Call, start: int) -> AsyncIterator[bytes]:
        seconds = float(call.query.pop("fail_after", "1000"))
        due = asyncio.get_running_loop().time() + seconds - 0.05
        async for frame in super().events(call, start):
            if asyncio.get_running_loop().time() >= due:
                yield self.failure()
                return
            yield frame

    async def pause(self) -> None:
        await asyncio.sleep(1.0)


def test_a_number_of_seconds_is_no_number_of_events(host: Host) -> None:
    assert outcome(host, FailsAfterSeconds(), "ERR-08") in {"pass", "untestable"}
