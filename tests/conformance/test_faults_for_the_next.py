"""Servers that break a rule for whoever comes after somebody, or go on for those who are gone: they are seen, too."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ssegauge import suite
from ssegauge.bench import Bench, Options
from ssegauge.judging import judge
from ssegauge.profile import Profile
from ssegauge.profile.endpoint import Endpoint
from ssegauge.serving import ServedApp
from tests.mutants.disconnect import ZombieUpstream
from tests.mutants.host import Host
from tests.mutants.lifecycle import Leaving
from tests.mutants.message import Call, Peer, block
from tests.mutants.server import Clean

from .near import held, outcome

pytestmark = pytest.mark.slow  # each waits for what a target does when its clients leave, fail or come together


# -- who comes next -------------------------------------------------------------------------------------------------


class GoesOnWhereTheLastOneLeft(Clean):
    """Keeps what a client did not read for whoever comes next."""

    rest = 0

    async def events(self, call: Call, start: int) -> AsyncIterator[bytes]:
        number, self.rest = max(start, self.rest), 0
        try:
            async for frame in super().events(call, number):
                number += 1
                yield frame
            number = 0
        finally:
            self.rest = number if "fail_after" not in call.query else 0


def test_a_stream_that_goes_on_where_another_client_left(host: Host) -> None:
    assert outcome(host, GoesOnWhereTheLastOneLeft(), "ISO-04") == "fail"


class BeginsAnew(Clean):
    """Each stream begins in another way: its own name, and the time."""

    def payload(self, number: int) -> dict[str, Any]:
        return super().payload(number) | {"run": os.urandom(4).hex()}


def test_a_stream_that_begins_with_its_own_name_is_independent(host: Host) -> None:
    held(host, BeginsAnew(), "ISO-01", "ISO-04")


class TellsTheLastQuestion(Clean):
    """An echo begins with what was asked before."""

    before = "nothing"

    async def echo(self, call: Call) -> AsyncIterator[bytes]:
        yield block(f"before: {self.before}", event="echo", id="0", retry=1500)
        await self.pause()
        yield block("bye", event="done", id="end")
        self.before = call.query.get("text", "hello")


def test_a_question_that_is_told_to_the_next_client(host: Host) -> None:
    assert outcome(host, TellsTheLastQuestion(), "ISO-02", endpoint="echo") == "fail"


class KnowsItsFirstSubscribers(Clean):
    """Who comes after the first message gets none."""

    known: list[asyncio.Queue[bytes]] | None = None

    async def publish(self, call: Call, peer: Peer) -> bool:
        self.known = list(self.subscribers) if self.known is None else self.known
        every, self.subscribers = self.subscribers, self.known
        try:
            return await super().publish(call, peer)
        finally:
            self.subscribers = every


def test_a_feed_that_passes_over_those_who_come_later(host: Host) -> None:
    assert outcome(host, KnowsItsFirstSubscribers(), "ISO-06", endpoint="feed") == "fail"


# -- who stops ------------------------------------------------------------------------------------------------------


class EndsOnlyTheIdle(Leaving):
    """Ends the streams that wait when it is told to stop, and goes on with those that have something to send."""

    options = Options(window=2.0, scale=0.1)  # 10 s of grace become one

    def frames(self, call: Call, start: int) -> AsyncIterator[bytes]:
        return Clean.frames(self, call, start) if call.path == "/ticks" else super().frames(call, start)


def test_a_busy_stream_that_keeps_its_server_from_stopping(host: Host) -> None:
    assert outcome(host, EndsOnlyTheIdle(), "LIF-08") == "fail"


# -- who comes back -------------------------------------------------------------------------------------------------


class WaitsForAnUnknownId(Clean):
    """Answers an id that it does not know with a head, and nothing."""

    async def events(self, call: Call, start: int) -> AsyncIterator[bytes]:
        if call.headers.get("last-event-id") and self.resume_point(call) is None:
            await asyncio.sleep(60)
        async for frame in super().events(call, start):
            yield frame


class TakesNothingForZero(Clean):
    """An empty id is one that has been seen."""

    def resume_point(self, call: Call) -> int | None:
        return 1 if call.headers.get("last-event-id") == "" else super().resume_point(call)


class CountsAnew(Clean):
    """Goes on in the right place, with ids that begin at 1 again."""

    async def events(self, call: Call, start: int) -> AsyncIterator[bytes]:
        async for frame in super().events(call, start):
            number = int(frame.partition(b"id: ")[2].partition(b"\n")[0])
            yield frame.replace(b"id: %d\n" % number, b"id: %d\n" % (number - start)) if start > 1 else frame


@pytest.mark.parametrize(
    ("kind", "rule"), [(WaitsForAnUnknownId, "REC-04"), (TakesNothingForZero, "REC-11"), (CountsAnew, "REC-07")]
)
def test_a_client_that_comes_back_is_served_wrongly(host: Host, kind: type[Clean], rule: str) -> None:
    assert outcome(host, kind(), rule) == "fail"


# -- work for nobody ------------------------------------------------------------------------------------------------


class NeverStopsItsModels(ZombieUpstream):
    """What earlier clients asked for goes on so long that the counters never stand still."""

    options = Options(window=2.0, scale=0.3)

    async def compute(self) -> None:
        for _ in range(800):
            self.produced += 1
            await asyncio.sleep(0.05)


def test_models_that_run_on_behind_those_of_earlier_clients(host: Host) -> None:
    assert outcome(host, NeverStopsItsModels(), "DIS-08") == "fail"


class WorksForOthersToo(Clean):
    """Its counters also show what other clients ask for."""

    options = Options(window=2.0, scale=0.3)

    async def probe(self, call: Call, peer: Peer) -> bool:
        others = int(asyncio.get_running_loop().time() * 20)
        counts = {"active_streams": self.active, "produced": self.produced + others, "up": others}
        return await self.reply(call, peer, 200, counts)


def test_work_for_other_clients_is_none_for_nobody(host: Host) -> None:
    assert outcome(host, WorksForOthersToo(), "DIS-08") in {"pass", "untestable"}


FORGETS_ITS_PRODUCERS = """
import asyncio

async def produce(queue):
    while True:
        await queue.put(b"data: {}\\n\\n")
        await asyncio.sleep(0.05)

async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    queue = asyncio.Queue(maxsize=4)
    producer = asyncio.create_task(produce(queue))  # nobody cancels it
    headers = [(b"content-type", b"text/event-stream")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    left = asyncio.create_task(receive())
    while not left.done():
        await send({"type": "http.response.body", "body": await queue.get(), "more_body": True})
        await asyncio.wait({left}, timeout=0.01)
        if left.done() and left.result()["type"] == "http.request":
            left = asyncio.create_task(receive())
"""


def test_a_task_that_is_left_behind_by_each_stream(tmp_path: Path) -> None:
    (tmp_path / "forgets.py").write_text(FORGETS_ITS_PRODUCERS)
    endpoint = Endpoint.model_validate({"name": "main", "request": {"path": "/"}})
    with ServedApp("forgets:app", root=tmp_path) as app:
        profile = Profile(base_url=app.url, endpoint=(endpoint,))
        found = judge(suite.checks()["DIS-02"], Bench(profile, endpoint, Options(window=1.0, scale=0.3), app=app))
    assert (found.outcome, found.actual.split(" from ")[0]) == ("fail", "tasks"), found
