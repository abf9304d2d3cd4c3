"""Many clients at once: streams that are silent together for good reasons, and servers that refuse in their own way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from ssegauge import suite
from ssegauge.bench import Options
from ssegauge.judging import judge
from ssegauge.means.burst import Burst, Client, frozen
from ssegauge.means.timing import Delay
from ssegauge.observation import Observation
from ssegauge.profile.endpoint import Endpoint
from tests.mutants.catalogue import bench_for
from tests.mutants.host import Host
from tests.mutants.isolation import QUICK, FewWorkers
from tests.mutants.message import Call, Peer
from tests.mutants.server import Clean

from .near import held, outcome
from .recorded import exchange

ENDPOINT = Endpoint.model_validate({"name": "main", "request": {"path": "/stream"}})
COUNT = 50
WATCHED = 4.0
Times = Sequence[tuple[float, str]]


def burst_of(alone: Sequence[float], times: Callable[[int], Times]) -> Burst:
    """A burst of made-up streams: when each got which data, on one clock, having come a little after the one before."""

    usual = Observation(exchange([(at, b"data: x\n\n") for at in alone], end="message_end"), ENDPOINT)

    def client(number: int) -> Client:
        began = number * 0.8 / COUNT
        reads = [(at - began, f"data: {data}\n\n".encode()) for at, data in times(number) if at > began]
        return Client(exchange(reads, end="client", end_at=WATCHED - began), usual, began, WATCHED)

    return Burst(usual, tuple(map(client, range(COUNT))), 0.0)


def paced(step: float, number: int) -> Times:
    """A stream of its own: events at an even pace since it was opened."""
    began = number * 0.8 / COUNT + 0.01
    return [(began + turn * step, f"{turn}") for turn in range(int((WATCHED - began) / step))]


def frozen_from(start: float, end: float, times: Times) -> Times:
    """The same, and what was due in a certain time came after it."""
    return [(end + index * 1e-4 if start < at < end else at, data) for index, (at, data) in enumerate(times)]


ALONE = [0.01 + 0.1 * turn for turn in range(20)]


def test_streams_of_their_own_pace_are_not_frozen() -> None:
    assert frozen(burst_of(ALONE, lambda number: paced(0.1, number))) is None


def test_streams_that_all_wait_longer_than_one_alone_are_frozen() -> None:
    found = frozen(burst_of(ALONE, lambda number: frozen_from(1.5, 2.6, paced(0.1, number))))
    assert isinstance(found, Delay)
    assert found.seconds == pytest.approx(1.1, abs=0.05)
    assert "50 streams" in found.text


def test_a_short_hitch_is_no_freeze() -> None:
    assert frozen(burst_of(ALONE, lambda number: frozen_from(1.5, 1.9, paced(0.1, number)))) is None


def test_a_feed_without_news_is_not_frozen() -> None:
    news = [(1.0, "a"), (1.1, "b"), (1.2, "c"), (3.1, "d"), (3.2, "e")]
    assert frozen(burst_of(ALONE, lambda _: news)) is None


def test_a_feed_that_ticks_is_not_frozen() -> None:
    ticks = [(0.5 * turn, f"{turn}") for turn in range(1, 8)]
    assert frozen(burst_of([0.5, 1.0, 1.5], lambda _: ticks)) is None


def test_a_silence_that_is_usual_is_no_freeze() -> None:
    """A model thinks for a second in the middle of each of its answers."""

    def thinking(number: int) -> Times:
        return [(at + (1.0 if int(data) > 5 else 0.0), data) for at, data in paced(0.1, number)]

    assert frozen(burst_of([0.1, 0.2, 1.2, 1.3], thinking)) is None


def test_half_of_the_streams_may_be_silent() -> None:
    """One of two workers has stopped."""
    half = burst_of(ALONE, lambda n: frozen_from(1.5, 2.6, paced(0.1, n)) if n % 2 else paced(0.1, n))
    assert frozen(half) is None


def test_streams_that_are_served_one_at_a_time_wait_for_each_other() -> None:
    """A call of 40 ms for each event, which stops the loop: the turns go round."""
    found = frozen(burst_of(ALONE, lambda number: [(1.0 + 0.04 * (number + COUNT * turn), "x") for turn in range(2)]))
    assert isinstance(found, Delay)
    assert "one at a time" in found.text


def test_a_queue_in_front_of_steady_streams_is_not_frozen() -> None:
    """Eight at a time are served as one alone is, the others wait for their first event."""
    assert frozen(burst_of(ALONE, lambda number: paced(0.1, number) if number < 8 else [])) is None


def test_a_slow_machine_makes_all_late_and_none_silent_together() -> None:
    def crowded(number: int) -> Times:
        return [(0.9 + 0.001 * (number + turn * 16 * COUNT), "x") for turn in range(4)]

    assert frozen(burst_of(ALONE, crowded)) is None


# -- servers --------------------------------------------------------------------------------------------------------


class Refuses(Clean):
    """Serves thirty at a time, and refuses more."""

    options = QUICK
    most = 30

    async def stream(self, call: Call, peer: Peer) -> bool:
        if call.path == "/stream" and self.active >= self.most:
            return await self.refuse(call, peer)
        return await super().stream(call, peer)

    async def pause(self) -> None:
        await asyncio.sleep(0.15)

    async def refuse(self, call: Call, peer: Peer) -> bool:
        """The answer to one too many."""
        return await self.reply(call, peer, 503, {"error": "full"}, {"Retry-After": "1"})


class HangsUp(Refuses):
    async def refuse(self, call: Call, peer: Peer) -> bool:
        peer.cut()
        return False


class SaysSoInBand(Refuses):
    async def refuse(self, call: Call, peer: Peer) -> bool:
        payload = json.dumps({"type": "error", "code": "overloaded", "message": "come again"})
        peer.chunked = True
        await self.send_head(call, peer)
        await peer.content(f"event: error\ndata: {payload}\n\n".encode())
        await peer.finish()
        return True


def test_a_run_that_allows_no_burst_says_so(host: Host) -> None:
    with bench_for(host, Clean(), options=Options(window=2.0, burst=10)) as bench:
        finding = judge(suite.checks()["SEC-06"], bench)
        recorded = judge(suite.checks()["SEC-06"], replace(bench, recording=bench.observation.exchange))
    assert (finding.outcome, recorded.outcome) == ("untestable", "untestable")
    assert finding.reason == "needs more than 20 clients at once, and --burst allows 10"
    assert recorded.reason == "needs the server: a recording cannot show it"


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Refuses, HangsUp, SaysSoInBand])
def test_who_refuses_quickly_may_refuse_in_any_way(host: Host, kind: type[Clean]) -> None:
    held(host, kind(), "SEC-06", "ISO-09")


class Sheds(Refuses):
    """Makes room for who comes by cutting who is there."""

    def __init__(self) -> None:
        super().__init__()
        self.served: list[Peer] = []

    async def run(self, call: Call, peer: Peer, start: int) -> bool:
        if self.active >= self.most:
            self.served.pop(0).cut()
        self.served.append(peer)
        try:
            return await super().run(call, peer, start)
        finally:
            if peer in self.served:
                self.served.remove(peer)

    async def stream(self, call: Call, peer: Peer) -> bool:
        return await Clean.stream(self, call, peer)


@pytest.mark.slow
def test_who_sheds_open_streams_does_harm(host: Host) -> None:
    assert outcome(host, Sheds(), "SEC-06") == "fail"


@pytest.mark.slow
def test_who_serves_fewer_than_twenty_is_left_to_another_rule(host: Host) -> None:
    assert outcome(host, FewWorkers(), "SEC-06") == "untestable"
