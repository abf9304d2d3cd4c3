"""Servers whose clients meet, and do each other no harm."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator

import pytest

from ssegauge.bench import Options
from ssegauge.means.crowd import Matrix
from tests.mutants.contract import PROFILE
from tests.mutants.host import Host
from tests.mutants.isolation import LargeSharedTicks, SecondClientStarves, SharedIterator
from tests.mutants.message import Call, Peer, block
from tests.mutants.server import Clean

from .near import held, outcome, outcomes

pytestmark = pytest.mark.slow  # each waits for what a target does when its clients leave or crowd it

BRIEF = Options(window=0.5, scale=0.2)
"""A feed has no end; what it brings comes at once."""
ALL = ("ISO-01", "ISO-03", "ISO-04", "ISO-08")


class NoTwoStreamsAlike(Clean):
    """Has other words and another number of them each time."""

    def __init__(self) -> None:
        super().__init__()
        self.lengths = itertools.cycle((5, 3, 4, 2))

    async def events(self, call: Call, start: int) -> AsyncIterator[bytes]:
        length = next(self.lengths) + 2
        for number in range(1, length + 1):
            kind = "start" if number == 1 else "done" if number == length else "delta"
            progress = {"progress": round(100 * (number - 1) / (length - 2))} if kind == "delta" else {}
            yield block(json.dumps({"type": kind, "seq": number, **progress}), event=kind, id=str(number), retry=1500)
            await self.pause()


class AnswersLateTogether(Clean):
    """Is slower for many, as anything is."""

    async def events(self, call: Call, start: int) -> AsyncIterator[bytes]:
        await asyncio.sleep(min(0.02 * self.active, 0.5))
        async for frame in super().events(call, start):
            yield frame


@pytest.mark.parametrize("kind", [NoTwoStreamsAlike, AnswersLateTogether])
def test_streams_that_differ_without_harm_hold(host: Host, kind: type[Clean]) -> None:
    held(host, kind(), *ALL)


class FailsNowAndThen(Clean):
    """Breaks off every third stream, however many there are."""

    def __init__(self) -> None:
        super().__init__()
        self.turns = itertools.count()

    async def events(self, call: Call, start: int) -> AsyncIterator[bytes]:
        fails = next(self.turns) % 3 == 2
        async for frame in super().events(call, start):
            yield frame
            if fails:
                return


def test_streams_that_fail_now_and_then_are_not_called_isolation(host: Host) -> None:
    found = outcomes(host, FailsNowAndThen(), "ISO-01", "ISO-04")
    assert not [told for told in found.values() if told.startswith("fail")], found


@pytest.mark.parametrize(("kind", "rule"), [(SecondClientStarves, "ISO-01"), (SharedIterator, "ISO-04")])
def test_one_cause_has_one_red_line(host: Host, kind: type[Clean], rule: str) -> None:
    found = outcomes(host, kind(), *ALL, "ISO-05")
    assert [name for name, told in found.items() if told.startswith("fail")] == [rule], found


def test_large_streams_from_tasks_of_their_own_do_not_wait_for_each_other(host: Host) -> None:
    held(host, LargeSharedTicks(), "ISO-05")


# -- feeds ----------------------------------------------------------------------------------------------------------


class SubscribesAfterTheHead(Clean):
    """Sends the head first and subscribes a moment later."""

    options = BRIEF

    async def feed(self, call: Call) -> AsyncIterator[bytes]:
        await asyncio.sleep(0.1)
        async for frame in super().feed(call):
            yield frame


class TellsOnlyThatThereIsNews(Clean):
    """Does not repeat what was published."""

    options = BRIEF

    profile = PROFILE.replace('data      = "json"\nignore', 'data      = "json"\norder = "news*"\nignore')

    async def publish(self, call: Call, peer: Peer) -> bool:
        return await super().publish(Call(**{**vars(call), "body": b'{"news": true}'}), peer)


class RefusesStrangeMessages(Clean):
    """Takes no message but an empty one."""

    options = BRIEF

    async def publish(self, call: Call, peer: Peer) -> bool:
        if call.body:
            return await self.reply(call, peer, 422, {"error": "no"})
        return await super().publish(Call(**{**vars(call), "body": b"{}"}), peer)


@pytest.mark.parametrize("kind", [SubscribesAfterTheHead, TellsOnlyThatThereIsNews, RefusesStrangeMessages])
def test_a_feed_that_reaches_everybody_holds(host: Host, kind: type[Clean]) -> None:
    held(host, kind(), "ISO-06", "ISO-07", endpoint="feed")


class RefusesToPublish(Clean):
    """Lets nobody publish."""

    options = BRIEF

    async def publish(self, call: Call, peer: Peer) -> bool:
        return await self.reply(call, peer, 403, {"error": "no"})


def test_a_feed_that_cannot_be_fed_is_not_judged(host: Host) -> None:
    assert outcome(host, RefusesToPublish(), "ISO-06", endpoint="feed") == "untestable"


class LosesOne(Clean):
    """Leaves out one subscriber at every message."""

    options = BRIEF

    async def publish(self, call: Call, peer: Peer) -> bool:
        everybody = list(self.subscribers)
        self.subscribers = everybody[1:]
        answered = await super().publish(call, peer)
        self.subscribers = everybody
        return answered


def test_a_single_hole_in_the_matrix_is_seen(host: Host) -> None:
    found = outcomes(host, LosesOne(), "ISO-06", "ISO-07", endpoint="feed")
    assert found["ISO-06"].startswith("fail")
    assert "1 subscribers got 0 of 10; 39 subscribers got 10 of 10" in found["ISO-06"].replace("\n", " ").replace(
        "            ", ""
    )
    assert found["ISO-07"] == "pass"


@pytest.mark.parametrize(
    ("rows", "full", "shared_out"),
    [
        (["01", "01"], True, False),
        (["0", "1"], False, True),
        (["0", "0", "1", "1"], False, False),  # two workers
        (["01", ""], False, True),  # one takes all
        (["", ""], False, False),
        (["01"], True, False),
    ],
)
def test_a_matrix_tells_who_got_what(rows: list[str], full: bool, shared_out: bool) -> None:
    seen = Matrix(2, tuple(frozenset(map(int, row)) for row in rows))
    assert (seen.full, seen.shared_out) == (full, shared_out)


# -- whose data -----------------------------------------------------------------------------------------------------


def test_clients_that_get_their_own_text_back_hold(host: Host) -> None:
    held(host, Clean(), "ISO-02", endpoint="echo")
    held(host, Clean(), "ISO-02")


class LogsRequestsIntoStreams(Clean):
    """Tells every stream which requests came in."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    async def events(self, call: Call, start: int) -> AsyncIterator[bytes]:
        self.seen.append(call.headers.get("x-request-id", ""))
        async for frame in super().events(call, start):
            yield f": {self.seen}\n".encode() + frame


def test_request_ids_of_others_are_seen_without_an_input_that_comes_back(host: Host) -> None:
    assert outcome(host, LogsRequestsIntoStreams(), "ISO-02") == "fail"
