"""Servers that are slow to notice, or seem to leak, and are right; and counts that tell nothing."""

from __future__ import annotations

import asyncio
import gc
import itertools
import os
import ssl
import time
from collections.abc import AsyncIterator

import pytest

from ssegauge.bench import Options
from ssegauge.client.http2 import Http2Stream
from ssegauge.probe import Footprint
from tests.mutants.catalogue import bench_for
from tests.mutants.disconnect import GeneratorLeak, LargeTicks, NoWriteTimeout, QueueLeak, SharedCancel
from tests.mutants.host import Host
from tests.mutants.http2 import Secure
from tests.mutants.message import Call, Peer
from tests.mutants.server import Clean

from .near import held, outcome, outcomes

pytestmark = pytest.mark.slow  # each waits for what a target does when its clients leave or crowd it


class NoticesLate(Clean):
    """Takes most of the time that it has."""

    options = Options(window=2.0, scale=0.3)

    async def client_left(self, work: asyncio.Future[bool]) -> bool:
        await asyncio.sleep(0.5)
        return await super().client_left(work)


class CountsEverything(Clean):
    """Shows requests and uptime beside what matters."""

    options = Options(window=2.0, scale=0.3)

    def __init__(self) -> None:
        super().__init__()
        self.requests = itertools.count()

    async def probe(self, call: Call, peer: Peer) -> bool:
        counts = {
            "active_streams": self.active,
            "produced": self.produced,
            "up": time.monotonic(),
            "asked": next(self.requests),
        }
        return await self.reply(call, peer, 200, counts)


class VariesInLength(Clean):
    """Has now more, now fewer events."""

    def __init__(self) -> None:
        super().__init__()
        self.lengths = itertools.cycle((5, 3, 4))

    async def events(self, call: Call, start: int) -> AsyncIterator[bytes]:
        drop = 5 - next(self.lengths)
        number = 0
        async for frame in super().events(call, start):
            number += 1
            if not 2 <= number < 2 + drop:
                yield frame


class AnswersBetweenBytes(Clean):
    """Sends each event byte by byte."""

    async def produce(self, call: Call, peer: Peer, start: int) -> bool:
        await self.send_head(call, peer)
        async for frame in self.frames(call, start):
            self.produced += 1
            for byte in frame:
                await peer.content(bytes([byte]))
        await self.finish(call, peer)
        return True


@pytest.mark.parametrize(
    ("kind", "rules"),
    [
        (NoticesLate, ("DIS-01", "DIS-11")),
        (CountsEverything, ("DIS-01", "DIS-08")),
        (VariesInLength, ("DIS-04", "DIS-05")),
        (AnswersBetweenBytes, ("DIS-01", "DIS-04", "DIS-05")),
    ],
)
def test_a_server_that_notices_in_its_own_way_holds(host: Host, kind: type[Clean], rules: tuple[str, ...]) -> None:
    held(host, kind(), *rules)


def test_streams_that_do_not_wait_for_publishing_hold(host: Host) -> None:
    class Watched(Clean):
        options = Options(window=0.6)

    held(host, Watched(), "DIS-01", "DIS-04", "DIS-05", endpoint="feed")


class CountsNothing(Clean):
    """Its count never moves."""

    options = Options(window=2.0, scale=0.2)

    async def probe(self, call: Call, peer: Peer) -> bool:
        return await self.reply(call, peer, 200, {"active_streams": 0})


def test_a_count_that_never_moves_proves_nothing(host: Host) -> None:
    found = outcomes(host, CountsNothing(), "DIS-01", "DIS-11")
    assert {told.partition(":")[0] for told in found.values()} == {"untestable"}, found


class OtherClientsComeAndGo(CountsNothing):
    """Others use it, more and more of them."""

    def __init__(self) -> None:
        super().__init__()
        self.others = itertools.count(1)

    async def probe(self, call: Call, peer: Peer) -> bool:
        return await self.reply(call, peer, 200, {"active_streams": self.active + next(self.others)})


def test_a_count_in_which_others_move_is_left_alone(host: Host) -> None:
    assert outcome(host, OtherClientsComeAndGo(), "DIS-01") == "error"


def test_one_cause_has_one_red_line(host: Host) -> None:
    found = outcomes(host, GeneratorLeak(), "DIS-01", "DIS-08", "DIS-10")
    assert [name for name, told in found.items() if told.startswith("fail")] == ["DIS-01"], found


def test_streams_that_are_over_before_they_can_be_left_are_closed(host: Host) -> None:
    class HasNoIdleStream(Clean):
        def refusal(self, call: Call) -> tuple[int, dict[str, str]] | None:
            return (404, {}) if call.path == "/idle" else super().refusal(call)

    assert outcome(host, HasNoIdleStream(), "DIS-11") == "untestable"
    gc.collect()  # an unclosed socket is an error here


def test_streams_that_are_cut_with_another_are_told_from_streams_that_vary(host: Host) -> None:
    assert outcome(host, SharedCancel(), "DIS-05") == "fail"


# -- processes ------------------------------------------------------------------------------------------------------


class FillsACache(Clean):
    """Keeps the last twenty streams."""

    process = True
    options = Options(window=2.0, scale=0.2)

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[bytes] = []

    async def client_left(self, work: asyncio.Future[bool]) -> bool:
        self.kept = [*self.kept[-19:], os.urandom(48 << 10)]
        return await super().client_left(work)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [LargeTicks, FillsACache])
def test_memory_up_to_a_bound_is_no_leak(host: Host, kind: type[Clean]) -> None:
    found = outcomes(host, kind(), "DIS-02", "DIS-03", "DIS-06")
    assert not [told for told in found.values() if told.startswith(("fail", "error"))], found
    assert found["DIS-03"] == "pass"


@pytest.mark.parametrize(
    ("sizes", "grows"),
    [
        ([50.0, 50.0, 50.0, 50.0], False),
        ([50.0, 51.0, 51.5, 51.5], False),
        ([50.0, 60.0, 63.0, 64.0], False),  # ever less: a cache that fills up
        ([50.0, 51.2, 52.4, 53.6], True),
        ([50.0, 50.1, 50.2, 50.3], False),  # a page or two
    ],
)
def test_a_leak_grows_with_every_batch(sizes: list[float], grows: bool) -> None:
    from conformance.test_leftovers import _grows

    assert _grows([Footprint(0, 0, 10, 1, int(size * (1 << 20))) for size in sizes]) is grows


def test_a_process_that_keeps_queues_is_seen_by_its_size(host: Host) -> None:
    found = outcomes(host, QueueLeak(), "DIS-02", "DIS-03")
    assert found["DIS-02"] == "pass"
    assert found["DIS-03"].startswith("fail")


# -- the network ----------------------------------------------------------------------------------------------------


class NoticesSilence(NoWriteTimeout):
    """Gives up on what is not acknowledged."""

    silence_ms = 500


def test_a_server_with_a_user_timeout_misses_a_peer_that_vanished(host: Host) -> None:
    assert outcome(host, NoticesSilence(), "DIS-07") == "pass"


def test_two_minutes_are_not_waited_for_without_being_asked(host: Host) -> None:
    assert outcome(host, Clean(), "DIS-07") == "untestable"


def test_a_stream_over_http_2_is_read_and_cancelled(host: Host) -> None:
    with bench_for(host, Secure()) as bench, Http2Stream(bench.sent(), bench.options.transport) as stream:
        assert stream.pump(lambda: stream.content.count(b"\n\n") >= 2, 5)
        assert (stream.status, dict(stream.headers)["content-type"]) == (200, "text/event-stream")
        assert stream.content.startswith(b"retry: 1500\nid: 1\nevent: start\n")
        stream.cancel()
    with bench_for(host, Secure()) as bench, Http2Stream(bench.sent(), bench.options.transport) as stream:
        assert not stream.pump(lambda: False, 5)
        assert stream.ended
        assert stream.content.rstrip().endswith(b"}")


def test_what_is_trusted_is_read_once_for_all_connections(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[object] = []
    make = ssl.create_default_context
    monkeypatch.setattr(ssl, "create_default_context", lambda *args, **kw: read.append(args) or make(*args, **kw))
    with bench_for(host, Secure()) as bench:
        before = len(read)  # the server has one of its own
        for _ in range(3):
            with bench.open(bench.sent()) as stream:
                assert stream.until_head()
    assert len(read) - before == 1


def test_a_server_without_http_2_is_no_http_2_stream(host: Host) -> None:
    class Old(Secure):
        protocols = ("http/1.1",)

    with bench_for(host, Old()) as bench, pytest.raises(OSError, match=r"HTTP/2|ALPN|alert"):
        Http2Stream(bench.sent(), bench.options.transport)
