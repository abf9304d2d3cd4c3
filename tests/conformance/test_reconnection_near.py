"""Servers that resume in a way of their own, and those that only seem to."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from ssegauge.bench import Options
from ssegauge.exchange import Exchange, Read, Sent
from ssegauge.means.resumption import Identity, Resumed, common_identity, cuts, own_id
from ssegauge.observation import Observation
from ssegauge.profile.endpoint import Endpoint
from tests.mutants.catalogue import bench_for
from tests.mutants.contract import PROFILE
from tests.mutants.host import Host
from tests.mutants.isolation import SecondClientStarves
from tests.mutants.message import Call, Peer, block
from tests.mutants.reconnection import Latin1Id, LeaksById, NeedsAlways, SilentOnLongId
from tests.mutants.server import STEP, Clean

from .near import held, outcome, outcomes

RESUMING = ("REC-01", "REC-02", "REC-07", "REC-08", "REC-12")
ODD = ("REC-03", "REC-04", "REC-05", "REC-11", "REC-13")


def observed(body: bytes) -> Observation:
    exchange = Exchange("main", Sent("GET", "http://t/"), status=200, reads=[Read(0.1, body)], end="message_end")
    return Observation(exchange, Endpoint(name="main"))


def resumed(uncut: str, after: int, came: str) -> Resumed:
    """Events named by one letter each, with their number in the uncut run as id."""
    whole = observed("".join(f"id: {n}\ndata: {x}\n\n" for n, x in enumerate(uncut, 1)).encode()).contract_arrivals
    seen = observed("".join(f"id: {uncut.find(x) + 1}\ndata: {x}\n\n" for x in came).encode())
    return Resumed(Identity(), str(after), whole[:after], [], whole[after:], seen)


@pytest.mark.parametrize(
    ("came", "missing", "repeated", "foreign"),
    [
        ("cde", "", "", ""),
        ("de", "c", "", ""),
        ("bcde", "", "b", ""),
        ("abcde", "", "ab", ""),
        ("cdx", "e", "", "x"),
        ("cdde", "", "", ""),  # a second time, which REC-08 judges
        ("", "cde", "", ""),
    ],
)
def test_what_a_resumed_stream_lacks_and_repeats(came: str, missing: str, repeated: str, foreign: str) -> None:
    found = resumed("abcde", 2, came).difference()
    told = ["".join(each.data for each in part) for part in (found.missing, found.repeated, found.foreign)]
    assert told == [missing, repeated, foreign]


@pytest.mark.parametrize(("came", "stray"), [("cde", None), ("ce", None), ("dce", "d"), ("cdde", "d"), ("cdec", "c")])
def test_missed_events_come_in_order_and_once(came: str, stray: str | None) -> None:
    found = resumed("abcde", 2, came).disorder()
    assert (found and found.data) == stray


@pytest.mark.parametrize(("came", "stray"), [("cdef", None), ("cde", None), ("fcde", "f"), ("gcde", None)])
def test_what_is_new_on_a_feed_comes_behind_what_was_missed(came: str, stray: str | None) -> None:
    cut = resumed("abcdefg", 2, came)
    known = replace(cut, expected=cut.expected[:3], later=cut.expected[3:4], live=True)  # of g nobody knows
    found = known.disorder()
    assert (found and found.data) == stray


def test_values_that_change_from_run_to_run_identify_nothing() -> None:
    one = observed(b'data: {"n": 1, "at": 17}\n\ndata: {"n": 2, "at": 18}\n\n').contract_arrivals
    two = observed(b'data: {"n": 1, "at": 99}\n\ndata: {"n": 2, "at": 98}\n\n').contract_arrivals
    identity = common_identity(one, two)
    assert identity == Identity(frozenset({"/at"}))
    assert identity.keys(one) == identity.keys(two)
    assert len(set(identity.keys(one))) == 2
    assert common_identity(one, two[:1]) is None


def test_an_id_with_nul_is_no_id() -> None:
    assert [own_id(each) for each in observed(b"id: a\0b\ndata: 1\n\nid\ndata: 2\n\n").arrivals] == [None, ""]


class NewIdsEachRun(Clean):
    """Keeps every run under a name of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.names = itertools.count(1)

    def resume_point(self, call: Call) -> int | None:
        number = call.headers.get("last-event-id", "").partition(".")[2]
        return int(number) if number.isdigit() and call.path == "/stream" else None

    async def events(self, call: Call, start: int) -> AsyncIterator[bytes]:
        name = call.headers["last-event-id"].partition(".")[0] if start else f"run{next(self.names)}"
        async for frame in super().events(call, start):
            head, _, rest = frame.partition(b"id: ")
            yield head + f"id: {name}.".encode() + rest


class NoTwoRunsAlike(NewIdsEachRun):
    """Answers in other words, and more or fewer of them, each time; a run that it keeps stays as it is."""

    def __init__(self) -> None:
        super().__init__()
        self.lengths: dict[str, int] = {}

    async def events(self, call: Call, start: int) -> AsyncIterator[bytes]:
        name = call.headers["last-event-id"].partition(".")[0] if start else f"run{next(self.names)}"
        length = self.lengths.setdefault(name, 3 + len(self.lengths) % 4)
        dice = random.Random(name)
        for number in range(1, length + 1):
            kind = "done" if number == length else "delta" if number > 1 else "start"
            frame = block(json.dumps({"type": kind, "word": dice.random()}), event=kind, id=f"{name}.{number}")
            if number > start:
                yield frame
                await self.pause()


class TheSameWordAgain(Clean):
    """Repeats itself, like a model does."""

    def payload(self, number: int) -> dict[str, object]:
        return {"type": self.type_of(number), "text": "the"}


class LastEventHasNoId(Clean):
    """After its terminal there is nothing to resume."""

    def event(self, number: int) -> bytes:
        frame = super().event(number)
        return frame.replace(b"id: %d\n" % number, b"") if number == self.last_id() else frame


@pytest.mark.parametrize("kind", [NewIdsEachRun, NoTwoRunsAlike, TheSameWordAgain, LastEventHasNoId])
def test_a_server_that_resumes_in_its_own_way_holds(host: Host, kind: type[Clean]) -> None:
    held(host, kind(), *RESUMING, *ODD)


class IdsOfBatches(Clean):
    """Gives events that belong together one id, and goes on after all of them."""

    batches = (1, 3, 3, 3, 6, 6, 7)
    forgets = False

    def event(self, number: int) -> bytes:
        return super().event(number).replace(b"id: %d\n" % number, b"id: %d\n" % self.batches[number - 1])

    def resume_point(self, call: Call) -> int | None:
        given = super().resume_point(call)
        if given is None or (self.forgets and given < self.last_id()):
            return None
        return max((number for number, batch in enumerate(self.batches, 1) if batch == given), default=None)


class OneIdForAll(IdsOfBatches):
    """Has one id for all that is not the end."""

    batches = (1, 1, 1, 1, 1, 1, 7)


@pytest.mark.parametrize("kind", [IdsOfBatches, OneIdForAll])
def test_ids_that_stand_for_several_events_are_one_fault(host: Host, kind: type[Clean]) -> None:
    found = outcomes(host, kind(), "FLD-12", "HTTP-04", "HTTP-15", *RESUMING)
    assert [name for name, told in found.items() if told.startswith("fail")] == ["FLD-12"], found


def test_an_id_of_its_own_is_one_to_resume_from_whatever_the_others_are(host: Host) -> None:
    class BeginsAnew(IdsOfBatches):
        forgets = True

    found = outcomes(host, BeginsAnew(), "HTTP-15", "REC-02")
    assert [told.partition(":")[0] for told in found.values()] == ["fail", "fail"], found


def test_a_server_that_reads_ids_as_utf_8_knows_them_again(host: Host) -> None:
    class Reads(Latin1Id):
        reads_as = "utf-8"

    held(host, Reads(), *RESUMING, "REC-06")


def test_ids_that_are_looked_up_among_the_callers_own_hold(host: Host) -> None:
    class Checks(LeaksById):
        checks = True

    held(host, Checks(), "REC-02", "REC-09")


def test_a_stream_that_starves_beside_another_had_no_events_of_its_own_to_hide(host: Host) -> None:
    class OneAtATime(SecondClientStarves):
        async def events(self, call: Call, start: int) -> AsyncIterator[bytes]:
            if call.headers["authorization"] == "Bearer b" and not start:
                await asyncio.sleep(STEP)  # the other one comes first
            async for frame in super().events(call, start):
                yield frame

    held(host, OneAtATime(), "REC-09")


def test_streams_that_starve_each_other_are_cut_one_by_one(host: Host) -> None:
    class CutStreamsStarve(Clean):
        """Of several clients at once only the first gets anything."""

        served = 0

        async def events(self, call: Call, start: int) -> AsyncIterator[bytes]:
            self.served += 1
            if not start and self.served in {3, 4, 5}:
                return
            async for frame in super().events(call, start):
                yield frame

    with bench_for(host, CutStreamsStarve()) as bench:
        bench.together = lambda runs: [run() for run in runs]  # who is the first is no matter of luck here
        resumed = cuts(bench)
    assert [str(each.difference()) for each in resumed] == [""]


def test_who_has_no_events_gets_none_of_another_either(host: Host) -> None:
    class EmptyForB(Clean):
        async def events(self, call: Call, start: int) -> AsyncIterator[bytes]:
            if call.headers["authorization"] == "Bearer b" and not start:
                return
            async for frame in super().events(call, start):
                yield frame

    assert outcome(host, EmptyForB(), "REC-09") == "fail"


class SendsReset(Clean):
    """Tells a client with an unknown id to begin anew."""

    async def events(self, call: Call, start: int) -> AsyncIterator[bytes]:
        given = call.headers.get("last-event-id")
        if given and not start:
            yield block("", event="ping")
            yield block(json.dumps({"reset": True}), event="reset")
        async for frame in super().events(call, start):
            yield frame


class RefusesInJson(Clean):
    """Refuses an unknown id, names it in its error text, and in a field of its answer."""

    async def stream(self, call: Call, peer: Peer) -> bool:
        given = call.headers.get("last-event-id", "").encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        if given and not given.isdigit():
            told = {"X-Unknown-Id": given.encode("ascii", "replace").decode()}
            return await self.reply(call, peer, 400, {"error": f"no such id: {given}"}, told)
        return await super().stream(call, peer)


class EchoesInData(Clean):
    """Tells in its first payload, as JSON, after which id it was asked to go on."""

    def payload(self, number: int) -> dict[str, object]:
        return {**super().payload(number), "after": self.after} if number == 1 else super().payload(number)

    after = ""

    async def run(self, call: Call, peer: Peer, start: int) -> bool:
        self.after = call.headers.get("last-event-id", "").encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        return await super().run(call, peer, start)


@pytest.mark.parametrize("kind", [SendsReset, RefusesInJson, EchoesInData])
def test_an_unknown_id_may_be_answered_in_many_ways(host: Host, kind: type[Clean]) -> None:
    held(host, kind(), *ODD)


def test_an_id_without_which_nothing_is_served_is_seen_without_a_profile_too(host: Host) -> None:
    assert outcome(host, NeedsAlways(), "REC-03") == "fail"


@pytest.mark.slow
def test_silence_is_no_answer(host: Host) -> None:
    assert outcome(host, SilentOnLongId(), "REC-04") == "fail"


class LiveFeed(Clean):
    """Has numbered news all the time, and keeps them."""

    profile = PROFILE.replace('request  = { path = "/stream" }', 'request  = { path = "/ticks" }').replace(
        'order    = "start delta+ done"\nterminal = ["done"]\n', ""
    )
    options = Options(window=0.6)
    began = 0.0

    def now(self) -> int:
        """The number of the newest event."""
        if not self.began:
            self.began = asyncio.get_running_loop().time()
        return 1 + int((asyncio.get_running_loop().time() - self.began) / 0.04)

    def first(self, call: Call) -> int:
        """The number to begin with."""
        given = call.headers.get("last-event-id", "")
        return int(given) + 1 if given.isascii() and given.isdigit() and int(given) <= self.now() else self.now()

    async def ticks(self, call: Call) -> AsyncIterator[bytes]:
        number = self.first(call)
        while True:
            while number > self.now():  # noqa: ASYNC110 - time is what it waits for
                await asyncio.sleep(0.005)
            yield block(json.dumps({"seq": number, "sent_ns": random.random()}), id=str(number), retry=1500)
            number += 1


class ForgetsTheLast(LiveFeed):
    """Begins one too late."""

    def first(self, call: Call) -> int:
        return super().first(call) + (call.headers.get("last-event-id", "").isdigit())


class NeverResumes(LiveFeed):
    """Has only what happens now."""

    def first(self, call: Call) -> int:
        return self.now()


class SendsTheMissedTwice(LiveFeed):
    """Replays, and then takes the same from its queue."""

    async def ticks(self, call: Call) -> AsyncIterator[bytes]:
        count = 0
        async for frame in super().ticks(call):
            yield frame
            count += 1
            if count == 2 and call.headers.get("last-event-id", "").isdigit():
                yield frame


def test_a_live_feed_that_goes_on_where_it_was_cut_holds(host: Host) -> None:
    held(host, LiveFeed(), "REC-02", "REC-07", "REC-08", "REC-12")


@pytest.mark.parametrize(
    ("kind", "rule"), [(ForgetsTheLast, "REC-02"), (NeverResumes, "REC-02"), (SendsTheMissedTwice, "REC-08")]
)
def test_a_live_feed_that_loses_or_repeats_does_not(host: Host, kind: type[Clean], rule: str) -> None:
    found = outcomes(host, kind(), "REC-02", "REC-08")
    assert [name for name, told in found.items() if told.startswith("fail")] == [rule], found
