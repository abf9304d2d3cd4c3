"""Openings, keepalives, ends and shutdowns that are slow, odd, and right."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from ssegauge.bench import Options
from ssegauge.verdict import EndKind
from tests.mutants.contract import PROFILE
from tests.mutants.host import Host
from tests.mutants.lifecycle import LONG, Hurried, Leaving, SigtermCuts, WorkerTimeout
from tests.mutants.message import Call, Peer, block
from tests.mutants.server import Clean

from .near import held, outcome, outcomes
from .recorded import at_once, exchange, said

IDLE = {"idle": {"path": "/stream"}, "ignore": ["ping"]}
KEEPALIVE = b": keepalive\n\n"


def test_hurried_server_keeps_the_long_rules(host: Host) -> None:
    held(host, Hurried(), "LIF-03", "LIF-05", "LIF-07", "LIF-12")


@pytest.mark.parametrize(("head_at", "outcome"), [(0.9, "pass"), (1.1, "fail")])
def test_the_head_within_a_second(head_at: float, outcome: str) -> None:
    assert said("LIF-01", exchange([(head_at, b"data: 1\n\n")], head_at=head_at)).startswith(outcome)


def test_one_slow_head_of_three_is_an_accident(host: Host) -> None:
    class SlowOnce(Clean):
        async def send_head(self, call: Call, peer: Peer) -> None:
            await asyncio.sleep(1.2 if self.opened == 1 else 0)
            await super().send_head(call, peer)

    held(host, SlowOnce(), "LIF-01", "LIF-02")


@pytest.mark.parametrize(
    ("reads", "end", "end_at", "outcome"),
    [
        ([(0.02, b":\n")], "client", 10.0, "pass"),  # a comment will do
        ([(2.0, b"data: 1\n\n")], "client", 10.0, "fail"),
        ([], "client", 10.0, "fail"),
        ([], "message_end", 0.05, "pass"),  # empty, and at once: FRM-10's
    ],
)
def test_the_first_byte_of_the_body(
    reads: list[tuple[float, bytes]], end: EndKind, end_at: float, outcome: str
) -> None:
    assert said("LIF-02", exchange(reads, end=end, end_at=end_at)).startswith(outcome)


@pytest.mark.parametrize(
    ("times", "until", "outcome"),
    [
        ([0.02, 15, 30, 45, 60], 65.0, "pass"),
        ([0.02, 29, 58], 65.0, "pass"),
        ([0.02, 31, 62], 65.0, "fail"),
        ([0.02], 65.0, "fail"),
        ([0.02], 12.0, "untestable"),
        ([0.02, 10.0], 12.0, "pass"),  # it does send them
    ],
)
def test_silence_of_an_idle_stream(times: list[float], until: float, outcome: str) -> None:
    seen = exchange([(at, KEEPALIVE) for at in times], end="client", end_at=until)
    assert said("LIF-03", seen, **IDLE).startswith(outcome)


@pytest.mark.parametrize(
    ("times", "outcome"),
    [
        ([0.02, 1.02, 2.02, 3.02, 4.02], "pass"),  # one a second
        ([0.02, 0.05, 0.1, 2.1, 4.1], "pass"),  # opens with several comments
        ([0.02, 1.0, 1.95, 3.0, 3.95], "pass"),
        ([0.02, 5.0, 5.1, 20.0, 20.1, 35.0, 35.1], "pass"),  # two at a time, but seldom
        ([0.02, 0.6, 1.1, 1.6, 2.1, 2.6, 3.1], "fail"),
        ([0.02, *(1 + number / 100 for number in range(100))], "fail"),
    ],
)
def test_number_of_keepalives(times: list[float], outcome: str) -> None:
    seen = exchange([(at, KEEPALIVE) for at in times], end="client", end_at=65.0)
    assert said("LIF-12", seen, **IDLE).startswith(outcome)


def test_comment_lines_without_a_blank_line_are_keepalives_too() -> None:
    seen = exchange([(number / 10, b": ka\n") for number in range(1, 40)], end="client", end_at=5.0)
    assert said("LIF-12", seen, **IDLE).startswith("fail")
    slow = exchange([(number * 1.0, b": ka\n") for number in range(1, 5)], end="client", end_at=5.0)
    assert said("LIF-12", slow, **IDLE) == "pass"


PING = block("{}", event="ping")


@pytest.mark.parametrize(
    ("frames", "outcome"),
    [
        ([KEEPALIVE] * 4, "pass"),
        ([PING] * 4, "pass"),  # listed under ignore
        ([block('{"hello": 1}', event="hello"), KEEPALIVE, KEEPALIVE], "pass"),  # says hello once
        ([block("{}"), KEEPALIVE, block('{"news": 1}')], "pass"),  # news that came meanwhile
        ([block("ping")] * 2, "fail"),
        ([block(f'{{"at": {number}}}', event="heartbeat") for number in range(4)], "fail"),  # with a time in it
        ([block("{}", event="ping", id="7")], "fail"),
        ([b"id: 7\n: keepalive\n\n"], "fail"),
        ([], "untestable"),
    ],
)
def test_what_a_keepalive_is(frames: list[bytes], outcome: str) -> None:
    seen = exchange([(1.0 + number, frame) for number, frame in enumerate(frames)], end="client", end_at=5.0)
    assert said("LIF-05", seen, **IDLE).startswith(outcome)


@pytest.mark.parametrize(
    ("payloads", "outcome"),
    [
        (('{"at": 1.5}', '{"at": 2.75}', '{"at": 3.25}'), "fail"),
        (("2026-11-22T10:00:00Z", "2026-11-22T10:00:01Z", "2026-11-22T10:00:03Z"), "fail"),
        (('{"price": 1.5}', '{"price": 2.75}', '{"price": 2.25}'), "untestable"),  # news
        (('{"n": 1, "text": "a"}', '{"n": 2, "text": "b"}', '{"n": 3, "text": "c"}'), "untestable"),
        (('{"n": 1}', '{"n": 2}'), "untestable"),
    ],
)
def test_a_clock_at_an_uneven_pace_is_a_keepalive(payloads: tuple[str, ...], outcome: str) -> None:
    frames = [block(text, event="beat") for text in payloads]
    seen = exchange(list(zip((0.9, 1.5, 3.4), frames, strict=False)), end="client", end_at=5.0)
    assert said("LIF-05", seen, **IDLE).startswith(outcome)


def test_numbered_events_before_the_silence_are_no_keepalives() -> None:
    frames = [block(f'{{"n": {number}}}', event="tick") for number in range(3)]
    seen = exchange([*zip((0.1, 0.3, 0.4), frames, strict=True), (2.0, KEEPALIVE)], end="client", end_at=5.0)
    assert said("LIF-05", seen, **IDLE) == "pass"


def test_a_recording_of_another_request_tells_nothing_of_the_idle_one() -> None:
    seen = exchange(at_once(b"data: 1\n\n"))
    assert said("LIF-12", seen, idle={"path": "/idle"}) == "untestable: the recording is not one of the idle request"


@pytest.mark.parametrize(
    ("end", "end_at", "frames", "outcome"),
    [
        ("message_end", 1.9, [b"data: 1\n\n"], "pass"),
        ("message_end", 2.1, [b"data: 1\n\n"], "fail"),
        ("timeout_total", 2.0, [b"data: 1\n\n"], "fail"),
        ("client", 1.0, [b"data: 1\n\n"], "untestable"),
        ("timeout_total", 2.5, [b"event: done\ndata: 1\n\n"], "untestable"),  # ORD-04's
    ],
)
def test_deadline(end: EndKind, end_at: float, frames: list[bytes], outcome: str) -> None:
    seen = exchange(at_once(*frames), end=end, end_at=end_at)
    assert said("LIF-06", seen, deadline="2s", terminal=["done"]).startswith(outcome)


def slow_start(*times: float, first: float) -> str:
    reads = [*((at, KEEPALIVE) for at in times), (first, b"data: 1\n\n")]
    seen = exchange(reads, end="client", end_at=first)
    return said("LIF-09", seen, slow_start={"path": "/stream"}).partition(":")[0]


def test_waiting_for_the_first_event() -> None:
    assert slow_start(0.02, 15, 30, first=40) == "pass"
    assert slow_start(0.02, first=40) == "fail"
    assert slow_start(0.02, first=2) == "untestable"  # too short to tell
    assert slow_start(0.02, 1.5, first=2) == "pass"


class FinishesEarly(WorkerTimeout):
    """Its streams are over before their time, as their contract says."""

    profile = PROFILE.replace('idle       = { path = "/idle" }\n', "").replace('endless    = { path = "/ticks" }\n', "")


def test_a_stream_that_was_finished_did_not_die(host: Host) -> None:
    held(host, FinishesEarly(), "LIF-07")


class CutOnce(Hurried):
    """One idle stream is cut by an accident."""

    async def idle(self, call: Call) -> AsyncIterator[bytes]:
        number = self.opened
        async for frame in super().idle(call):
            yield frame
            if number <= 3 and not hasattr(self, "cut"):
                self.cut = True
                return


def test_one_accident_is_no_limit(host: Host) -> None:
    held(host, CutOnce(), "LIF-07")


def test_a_server_that_leaves_in_order_holds_and_is_back(host: Host) -> None:
    held(host, Leaving(), "LIF-08", "LIF-11", "ORD-02", "ISO-04")


class LeavesSlowly(Leaving):
    """Lets its streams run on for a while before it goes: within its grace period."""

    options = Options(window=2.0, scale=0.3)

    async def leave(self) -> None:
        await asyncio.sleep(1.0)
        await super().leave()


def test_a_server_may_take_its_grace_period(host: Host) -> None:
    held(host, LeavesSlowly(), "LIF-08", "LIF-11")


class CutsBriefStreams(SigtermCuts):
    profile = PROFILE.replace('idle       = { path = "/idle" }\n', "").replace('endless    = { path = "/ticks" }\n', "")


def test_without_a_stream_that_stays_nothing_is_stopped(host: Host) -> None:
    told = outcomes(host, CutsBriefStreams(), "LIF-08", "LIF-11")
    assert all(text.startswith("untestable: no stream stays open long enough") for text in told.values())


class Busy(Leaving):
    profile = PROFILE.replace('idle       = { path = "/idle" }\n', "")


def test_endless_streams_do_for_a_shutdown(host: Host) -> None:
    held(host, Busy(), "LIF-08", "LIF-11")


def test_long_rules_wait_for_long(host: Host) -> None:
    assert outcome(host, Clean(), "LIF-03") == "untestable"
    assert LONG.scale < 1
