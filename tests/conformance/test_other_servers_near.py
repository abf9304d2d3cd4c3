"""What servers in Go, PHP, Rust and Java do, which looks like a fault and is none, or the other way round."""

from __future__ import annotations

import asyncio
import gzip
import time
import zlib
from collections.abc import AsyncIterator

import pytest

from ssegauge.bench import Options
from tests.mutants.contract import PROFILE
from tests.mutants.host import Host
from tests.mutants.message import Call, Peer, block
from tests.mutants.server import Clean

from .near import held, outcome, outcomes


class AsFastAsItCan(Clean):
    """Has all its events at hand: how long they take is a matter of the machine, and HTTP/1.0 needs less."""

    async def events(self, call: Call, start: int) -> AsyncIterator[bytes]:
        for number in range(start + 1, self.last_id() + 1):
            yield self.event(number)
            if call.version == "1.1":
                await self.pause()


def test_a_burst_that_is_faster_by_http_1_0_was_not_held_back(host: Host) -> None:
    held(host, AsFastAsItCan(), "HTTP-22")


class CompressesForEverybody(Clean):
    """Packs the stream although the request allows no coding, and flushes each event."""

    def stream_headers(self, call: Call) -> dict[str, str]:
        return {**super().stream_headers(call), "Content-Encoding": "gzip"}

    async def produce(self, call: Call, peer: Peer, start: int) -> bool:
        await self.send_head(call, peer)
        packer = zlib.compressobj(wbits=31)
        async for frame in self.frames(call, start):
            await peer.content(packer.compress(frame) + packer.flush(zlib.Z_SYNC_FLUSH))
        await peer.content(packer.flush())
        await peer.finish()
        return True


def test_events_are_counted_in_a_coding_that_nobody_asked_for(host: Host) -> None:
    found = outcomes(host, CompressesForEverybody(), "HDR-10", "ISO-08", "DIS-01", "LIF-02", "ERR-09")
    assert found.pop("HDR-10").startswith("fail")
    assert set(found.values()) == {"pass"}, found


def test_a_coding_that_is_none_is_no_reason_to_stop(host: Host) -> None:
    class Bomb(CompressesForEverybody):
        async def produce(self, call: Call, peer: Peer, start: int) -> bool:
            await self.send_head(call, peer)
            await peer.content(gzip.compress(bytes(1 << 23)))
            await peer.finish()
            return True

    class Lie(CompressesForEverybody):
        async def produce(self, call: Call, peer: Peer, start: int) -> bool:
            return await Clean.produce(self, call, peer, start)

    assert outcome(host, Bomb(), "HDR-10") == outcome(host, Lie(), "HDR-10") == "fail"
    assert outcome(host, Lie(), "HDR-07") == "fail"


class RefusesJson(Clean):
    """Answers 406 to those that cannot read event streams, and may be stored if it is asked each time."""

    def stream_headers(self, call: Call) -> dict[str, str]:
        return {**super().stream_headers(call), "Cache-Control": "no-cache"}

    def refusal(self, call: Call) -> tuple[int, dict[str, str]] | None:
        if call.headers.get("accept") == "application/json":
            return 406, {}
        return super().refusal(call)


def test_a_refusal_is_no_other_representation(host: Host) -> None:
    held(host, RefusesJson(), "HDR-08", "HTTP-17")


class WritesIntoTheVoid(Clean):
    """Closes the connection of a client that left, and goes on with its work, as a handler in Go that looks at no context."""

    process = True
    profile = PROFILE.replace('[probe]\nurl = "/probe"\nactive_streams = "/active_streams"\n', "")
    options = Options(window=2.0, scale=0.3)

    async def client_left(self, work: asyncio.Future[bool]) -> bool:
        self.left = work
        return False


@pytest.mark.slow
def test_a_closed_connection_does_not_show_that_the_work_stopped(host: Host) -> None:
    found = outcomes(host, WritesIntoTheVoid(), "DIS-01")["DIS-01"]
    assert found.startswith("untestable: its connections are closed"), found


class SlowToAnswer(Clean):
    """Thinks for a while before each head."""

    async def send_head(self, call: Call, peer: Peer) -> None:
        await asyncio.sleep(2.3)
        await super().send_head(call, peer)

    async def head_only(self, call: Call, peer: Peer) -> bool:
        await asyncio.sleep(2.3)
        return await super().head_only(call, peer)


@pytest.mark.slow
def test_head_takes_as_long_as_get_where_every_head_is_late(host: Host) -> None:
    found = outcomes(host, SlowToAnswer(), "LIF-01", "HTTP-06")
    assert found["LIF-01"].startswith("fail"), found
    assert found["HTTP-06"] == "pass", found


class KeepsItsHead(Clean):
    """Flushes nothing: an endless stream stays in a buffer, and its head with it."""

    async def produce(self, call: Call, peer: Peer, start: int) -> bool:
        await asyncio.sleep(30)
        return False


@pytest.mark.slow
def test_a_head_that_never_comes_is_late(host: Host) -> None:
    found = outcomes(host, KeepsItsHead(), "HTTP-01", "LIF-01")
    assert "accepted the request and sent nothing" in found["HTTP-01"], found
    assert found["LIF-01"].startswith("fail"), found


class BehindNginx(Clean):
    """nginx takes X-Accel-Buffering for itself, so that nobody sees it behind nginx."""

    def stream_headers(self, call: Call) -> dict[str, str]:
        fields = super().stream_headers(call)
        fields.pop("X-Accel-Buffering")
        return {**fields, "Server": "nginx/1.27.1"}


def test_nginx_does_not_pass_on_what_is_meant_for_it(host: Host) -> None:
    found = outcomes(host, BehindNginx(), "HDR-05")["HDR-05"]
    assert found.startswith("untestable: nginx"), found


class Stealing(Clean):
    """One queue for all: who asks first gets the next number."""

    profile = """
base_url = "http://127.0.0.1:1"
[[endpoint]]
name     = "main"
request  = { path = "/stream" }
data     = "json"
sequence = { pointer = "/seq" }

[target]
credentials = { headers = { Authorization = "Bearer a" } }
"""

    def __init__(self) -> None:
        super().__init__()
        self.next = 0

    async def events(self, call: Call, start: int) -> AsyncIterator[bytes]:
        while True:
            self.next += 1
            number = self.next
            yield block(f'{{"type": "delta", "seq": {number}, "text": "x"}}', event="delta", id=str(number))
            await self.pause()


@pytest.mark.slow
def test_endless_streams_that_take_numbers_from_each_other(host: Host) -> None:
    found = outcomes(host, Stealing(), "ISO-01")["ISO-01"]
    assert found.startswith("fail"), found
    assert "ORD-10" in found


class LimitsRequests(Clean):
    """Takes so many requests a second from one client, as API gateways do."""

    allowed = 8

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[float] = []

    def refusal(self, call: Call) -> tuple[int, dict[str, str]] | None:
        now = time.monotonic()
        self.taken = [at for at in self.taken if now - at < 1.0]
        if len(self.taken) >= self.allowed:
            return 429, {"Retry-After": "1"}
        self.taken.append(now)
        return super().refusal(call)


@pytest.mark.slow
def test_a_limit_of_requests_is_not_taken_for_what_it_hides(host: Host) -> None:
    rules = (
        "HTTP-08",
        "HTTP-16",
        "HTTP-17",
        "HDR-08",
        "HDR-09",
        "BUF-05",
        "ISO-01",
        "REC-04",
        "REC-13",
        "ISO-08",
        "DIS-04",
    )
    found = outcomes(host, LimitsRequests(), *rules)
    assert not {rule for rule, told in found.items() if told.startswith("fail")}, found
    assert found["HTTP-08"] == found["HDR-09"] == "pass", found
    assert not any("no longer answers" in told for told in found.values()), found


def test_a_limit_for_the_minute_is_told(host: Host) -> None:
    class PerMinute(LimitsRequests):
        def refusal(self, call: Call) -> tuple[int, dict[str, str]] | None:
            refused = super().refusal(call)
            return (429, {"Retry-After": "60"}) if refused and refused[0] == 429 else refused

        allowed = 2

    told = outcomes(host, PerMinute(), "HTTP-08")["HTTP-08"]
    assert told.startswith("error: the server refused"), told


def test_a_server_with_a_cap_refuses_and_is_right(host: Host) -> None:
    class Capped(Clean):
        def refusal(self, call: Call) -> tuple[int, dict[str, str]] | None:
            return (503, {"Retry-After": "1"}) if self.active >= 6 else super().refusal(call)

    told = outcomes(host, Capped(), "ISO-08")["ISO-08"]
    assert told.startswith("untestable: the server refuses"), told


class PanicsOnAnId(Clean):
    """Trips over a negative id after the head is out, while it holds a lock that everybody needs."""

    locks = True
    stuck = False

    async def produce(self, call: Call, peer: Peer, start: int) -> bool:
        if call.headers.get("last-event-id") == "-1":
            self.stuck = self.locks
            await self.send_head(call, peer)
            peer.cut()
            return False
        if self.stuck:
            await self.send_head(call, peer)
            await asyncio.sleep(30)
        return await super().produce(call, peer, start)


@pytest.mark.slow
def test_an_id_that_stops_a_server_is_found(host: Host) -> None:
    found = outcomes(host, PanicsOnAnId(), "REC-04", "HTTP-22")
    assert found["REC-04"].startswith("fail"), found
    assert "a plain request gets no event any more" in found["REC-04"]
    assert found["HTTP-22"] == "error: the target no longer answers: see REC-04"


def test_an_id_that_cuts_a_stream_is_found(host: Host) -> None:
    class Cuts(PanicsOnAnId):
        locks = False

    told = outcomes(host, Cuts(), "REC-04")["REC-04"]
    assert "connection cut before an event" in told, told
