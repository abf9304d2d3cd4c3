"""Proxies and servers whose times vary, and are right."""

from __future__ import annotations

import asyncio
import contextlib
import random

import pytest

from ssegauge import suite
from ssegauge.judging import judge
from tests.mutants.catalogue import bench_for
from tests.mutants.contract import PROFILE
from tests.mutants.host import Host
from tests.mutants.http2 import Secure
from tests.mutants.intermediaries import BufferingRelay, ControlledAndProxied, Proxied, Relay
from tests.mutants.message import Call
from tests.mutants.planned_close import Controlled
from tests.mutants.server import Clean

from .near import held, outcome, outcomes

pytestmark = pytest.mark.slow  # each waits for what a target does when its clients leave or crowd it

WITHOUT_TIMES = PROFILE.replace('sent_at  = { pointer = "/sent_us", unit = "us" }\n', "")


class DelayingRelay(Relay):
    """Everything takes its time, in both directions."""

    delay = 0.03

    async def downward(self, behind: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await behind.read(1 << 16):
                asyncio.get_running_loop().call_later(self.delay, writer.write, data)
            await asyncio.sleep(self.delay + 0.01)


class SlowRelay(DelayingRelay):
    delay = 0.25


class Erratic(Proxied):
    """Pauses as a model does: anything up to a quarter of a second."""

    chance = random.Random(7)

    async def pause(self) -> None:
        await asyncio.sleep(self.chance.random() / 4)


class ErraticWithoutTimes(Erratic):
    profile = WITHOUT_TIMES


@pytest.mark.parametrize("kind", [Proxied, Erratic, ErraticWithoutTimes])
def test_an_honest_proxy_is_not_blamed(host: Host, kind: type[Clean]) -> None:
    held(host, kind(), "BUF-03", "BUF-04", "BUF-05", "BUF-06")


def test_a_proxy_may_take_a_moment(host: Host) -> None:
    class Near(Proxied):
        relay = DelayingRelay

    class Far(Proxied):
        relay = SlowRelay

    held(host, Near(), "BUF-03")
    assert outcome(host, Far(), "BUF-03") == "fail"


def test_buffering_is_seen_without_times_of_sending(host: Host) -> None:
    class Buffered(Proxied):
        profile = WITHOUT_TIMES
        relay = BufferingRelay
        count = 12

    assert outcome(host, Buffered(), "BUF-03") == "fail"


def test_lost_and_changed_events_are_seen(host: Host) -> None:
    class Losing(Relay):
        async def downward(self, behind: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(ConnectionError):
                while data := await behind.read(1 << 16):
                    writer.write(data.replace(b"event: delta", b"event: delte"))

    class Lossy(Proxied):
        relay = Losing

    assert "another event" in outcomes(host, Lossy(), "BUF-03")["BUF-03"]


def test_a_feed_without_events_cannot_be_compared(host: Host) -> None:
    assert outcome(host, Proxied(), "BUF-03", endpoint="feed") == "untestable"


def test_a_cache_that_only_passes_on_is_right(host: Host) -> None:
    class PassesOn(Clean):
        def stream_headers(self, call: Call) -> dict[str, str]:
            return {**super().stream_headers(call), "Age": "0", "X-Cache": "MISS, MISS", "Via": "1.1 varnish"}

    held(host, PassesOn(), "BUF-05")


def test_http_2_without_connection_fields_is_right(host: Host) -> None:
    held(host, Secure(), "HTTP-01", "HTTP-11", "HTTP-13", "HTTP-14")


def test_plain_http_is_not_asked_for_http_2(host: Host) -> None:
    found = outcomes(host, Clean(), "HTTP-13", "HTTP-14")
    assert {text.partition(":")[0] for text in found.values()} == {"untestable"}


def test_a_server_that_comes_back_is_right(host: Host) -> None:
    held(host, Controlled(), "HTTP-03")


def test_no_planned_close_in_sight_cannot_be_judged(host: Host) -> None:
    assert outcome(host, Clean(), "FRM-11") == "untestable"


def test_a_refusal_is_no_planned_close(host: Host) -> None:
    class NoTicks(Clean):
        def refusal(self, call: Call) -> tuple[int, dict[str, str]] | None:
            return (405, {"Allow": "POST"}) if call.path == "/ticks" else super().refusal(call)

    assert outcome(host, NoTicks(), "FRM-11") == "untestable"


class Elsewhere(ControlledAndProxied):
    """A proxy that leads to a server of the same kind at the port that it knows, not to the one that was started."""

    relay = None


def test_a_server_that_dies_behind_no_proxy_tells_nothing_of_the_proxy(host: Host) -> None:
    with host.serving(Clean()) as other, bench_for(host, Elsewhere()) as bench:
        target = bench.profile.target.model_copy(update={"proxied": other})
        bench.profile = bench.profile.model_copy(update={"target": target})
        finding = judge(suite.checks()["BUF-07"], bench)
    assert (finding.outcome, finding.reason.rpartition("; ")[2]) == (
        "untestable",
        "start it at the port that the proxy leads to: --port",
    )
