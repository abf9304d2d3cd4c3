"""Streams whose pace looks suspicious and is their own, beside those that something holds back."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from ssegauge.exchange import Exchange
from tests.mutants.buffering import BuffersAll, GzipNoFlush, OneEventLate
from tests.mutants.contract import PROFILE
from tests.mutants.host import Host
from tests.mutants.message import Call, Peer
from tests.mutants.server import Clean

from .near import held, outcome
from .recorded import at_once, exchange, paced, said

SENT_AT = {"sent_at": {"pointer": "/at", "unit": "s"}}


def made(*times: float) -> list[bytes]:
    """Events that say when they were made."""
    return [f"data: {json.dumps({'at': 1_000_000 + at})}\n\n".encode() for at in times]


def judged(rule: str, seen: Exchange, **keys: Any) -> str:
    return said(rule, seen, **keys).partition(":")[0]


# -- the blank line -------------------------------------------------------------------------------------------------

EVENT = b"data: 1\n"


@pytest.mark.parametrize(
    ("reads", "outcome"),
    [
        (paced(*[EVENT + b"\n"] * 5), "pass"),
        (paced(*[b"event: a\n", EVENT, b"\n"] * 3, step=0.02), "pass"),  # written line by line, at once
        (paced(EVENT, *[b"\n" + EVENT] * 4, b"\n"), "fail"),
        (paced(EVENT, b"\n"), "fail"),
        # one packet of many was cut just there
        ([*paced(*[EVENT + b"\n"] * 5), (1.0, EVENT), (1.2, b"\n" + EVENT + b"\n")], "pass"),
        (at_once(EVENT + b"\n"), "pass"),
        (paced(b": only\n", b"\n"), "pass"),
    ],
)
def test_blank_lines(reads: list[tuple[float, bytes]], outcome: str) -> None:
    assert judged("FRM-04", exchange(reads)) == outcome


def test_a_blank_line_that_is_late_once_was_delayed_on_the_way(host: Host) -> None:
    class LateOnce(OneEventLate):
        async def events(self, call: Call, start: int) -> AsyncIterator[bytes]:
            kind = OneEventLate if self.opened == 1 else Clean
            async for frame in kind.events(self, call, start):
                yield frame

    held(host, LateOnce(), "FRM-04")


# -- bursts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reads", "outcome"),
    [
        (paced(*made(0, 0.1, 0.2, 0.3, 0.4)), "pass"),
        ([(0.42, b"".join(made(0, 0.1, 0.2, 0.3, 0.4)))], "fail"),
        (at_once(*made(0, 0.001, 0.002)), "untestable"),  # made at once, too: nothing to tell
        (at_once(*made(-3600, -1800, -60)), "untestable"),  # history, made before the request
        # history, and then live
        ([(0.02, b"".join(made(-90, -60, -30))), *((at, made(at)[0]) for at in (0.5, 1.0, 1.5))], "pass"),
        # whole seconds say little: three events within one of them
        ([(0.02, b"".join(made(0, 0, 1))), (1.1, made(1)[0]), (2.0, made(2)[0])], "pass"),
        ([(3.02, b"".join(made(0, 1, 2, 3)))], "fail"),
        # a clock that runs elsewhere, an hour ahead
        (paced(*made(3600, 3600.1, 3600.2)), "pass"),
        # groups of 50 ms
        ([(0.05 * n, b"".join(made(*(0.05 * n - 0.01 * k for k in range(4, -1, -1))))) for n in range(1, 9)], "pass"),
    ],
)
def test_events_that_say_when_they_were_made(reads: list[tuple[float, bytes]], outcome: str) -> None:
    assert judged("BUF-01", exchange(reads), **SENT_AT) == outcome


TOKENS = [f"data: token {number}\n\n".encode() for number in range(12)]


@pytest.mark.parametrize(
    ("reads", "outcome"),
    [
        (at_once(*TOKENS), "untestable"),  # a fast finite stream
        ([(3.0, b"".join(TOKENS))], "fail"),  # nothing for long, then everything in one piece, and the end
        ([(0.02, b": open\n\n"), (3.0, b"".join(TOKENS))], "untestable"),  # bytes do come through
        ([(3.0 + number / 1000, token) for number, token in enumerate(TOKENS)], "untestable"),  # written one by one
        ([(0.5, b"".join(TOKENS))], "untestable"),
        ([(3.0, b"".join(TOKENS[:2]))], "untestable"),
        (paced(*TOKENS), "pass"),
        ([(0.02, TOKENS[0]), (3.0, b"".join(TOKENS[1:]))], "pass"),  # thinks after its first event
    ],
)
def test_bursts_of_events_without_times(reads: list[tuple[float, bytes]], outcome: str) -> None:
    assert judged("BUF-01", exchange(reads)) == outcome


def test_a_stream_that_goes_on_after_its_burst_is_not_held_back() -> None:
    assert judged("BUF-01", exchange([(3.0, b"".join(TOKENS))], end="client", end_at=10.0)) == "untestable"


LINES = b"".join(b"data: %d %s\n\n" % (number, b"x" * 80) for number in range(200))


def lumps(size: int, every: float) -> list[tuple[float, bytes]]:
    return [(0.02 + every * at / size, LINES[at : at + size]) for at in range(0, len(LINES), size)]


def test_lumps_end_inside_events() -> None:
    assert judged("BUF-01", exchange(lumps(4096, 0.5))) == "fail"
    assert judged("BUF-01", exchange(lumps(4096, 0.005))) == "untestable"  # one fast download
    assert judged("BUF-01", exchange(lumps(len(b"data: 1 \n\n") + 80, 0.1))) == "pass"  # every packet its own


def test_batches_that_end_with_an_event_are_a_producers_own() -> None:
    blocks = LINES.split(b"\n\n")[:-1]
    batches = [b"".join(block + b"\n\n" for block in blocks[at : at + 50]) for at in range(0, 200, 50)]
    assert judged("BUF-01", exchange(paced(*batches, step=0.5))) == "pass"


def test_one_huge_event_that_comes_in_pieces_is_no_lump() -> None:
    huge = b"data: " + b"x" * 60_000 + b"\n\n"
    pieces = [(0.02 + 0.1 * at / 8192, huge[at : at + 8192]) for at in range(0, len(huge), 8192)]
    assert judged("BUF-01", exchange([*pieces, (2.0, EVENT + b"\n"), (2.5, EVENT + b"\n")])) == "pass"


def test_a_stream_that_was_held_back_once_is_not_blamed(host: Host) -> None:
    class HeldOnce(BuffersAll):
        async def events(self, call: Call, start: int) -> AsyncIterator[bytes]:
            kind = BuffersAll if self.opened == 1 else Clean
            async for frame in kind.events(self, call, start):
                yield frame

    held(host, HeldOnce(), "BUF-01")


# -- compression ----------------------------------------------------------------------------------------------------


class GzipFlushed(GzipNoFlush):
    """Compresses, and flushes after each event."""

    async def produce(self, call: Call, peer: Peer, start: int) -> bool:
        if not self._packs(call):
            return await super().produce(call, peer, start)
        await self.send_head(call, peer)
        packer = zlib.compressobj(wbits=31)
        async for frame in self.frames(call, start):
            await peer.content(packer.compress(frame) + packer.flush(zlib.Z_SYNC_FLUSH))
        await peer.content(packer.flush())
        await self.finish(call, peer)
        return True


class ZstdUnread(GzipNoFlush):
    """A coding that cannot be undone here, flushed after each event: the pace of its bytes is seen all the same."""

    flushed = True

    def stream_headers(self, call: Call) -> dict[str, str]:
        fields = super().stream_headers(call)
        return {**fields, "Content-Encoding": "x-secret"} if self._packs(call) else fields

    async def produce(self, call: Call, peer: Peer, start: int) -> bool:
        if not self._packs(call):
            return await super().produce(call, peer, start)
        await self.send_head(call, peer)
        held_back = b""
        async for frame in self.frames(call, start):
            held_back += bytes(255 - byte for byte in frame)
            if self.flushed:
                await peer.content(held_back)
                held_back = b""
        await peer.content(held_back)
        await self.finish(call, peer)
        return True


class ZstdHeld(ZstdUnread):
    flushed = False


def test_compression_that_is_flushed_keeps_the_pace(host: Host) -> None:
    held(host, GzipFlushed(), "BUF-02")
    held(host, ZstdUnread(), "BUF-02")
    assert outcome(host, ZstdHeld(), "BUF-02") == "fail"


def test_a_stream_without_pace_has_none_to_lose(host: Host) -> None:
    class Instant(GzipNoFlush):
        async def pause(self) -> None:
            return

    assert outcome(host, Instant(), "BUF-02") == "untestable"


def test_a_server_that_does_not_compress_holds(host: Host) -> None:
    held(host, Clean(), "BUF-02")


# -- steps ----------------------------------------------------------------------------------------------------------


def delayed(*delays: float, step: float = 0.5) -> Exchange:
    times = [step * number for number in range(len(delays))]
    return exchange([(0.02 + at + late, frame) for at, late, frame in zip(times, delays, made(*times), strict=True)])


@pytest.mark.parametrize(
    ("delays", "outcome"),
    [
        ((0, 0, 0, 0, 0, 0), "pass"),
        ((0, 0.2, 0, 0.21, 0, 0.195), "fail"),
        ((0, 0.04, 0, 0.041, 0, 0.039), "fail"),
        ((0, 0.2, 0, 0, 0, 0, 0, 0, 0, 0), "pass"),  # once is no pattern
        ((0, 0.05, 0.11, 0.2, 0.26, 0.31, 0.2), "pass"),  # load: anything between
        ((0, 0.001, 0.003, 0.002, 0.004), "pass"),
    ],
)
def test_delays_of_events_that_say_when_they_were_made(delays: tuple[float, ...], outcome: str) -> None:
    assert judged("BUF-08", delayed(*delays), **SENT_AT) == outcome


@pytest.mark.parametrize(
    ("gaps", "outcome"),
    [
        ([0.7, 0.3] * 5, "fail"),  # every second one 200 ms late
        ([0.5] * 10, "pass"),
        ([0.2] * 10, "pass"),  # a producer's own 200 ms
        ([0.04] * 10, "pass"),
        ([0.4, 0.0] * 5, "pass"),  # pairs, by whom is not said
        ([0.3, 0.9, 0.4, 0.2, 0.7, 0.5, 0.3, 0.6, 0.1], "pass"),
        ([0.5] * 4, "untestable"),
    ],
)
def test_gaps_of_events_without_times(gaps: list[float], outcome: str) -> None:
    times = [0.02 + sum(gaps[:number]) for number in range(len(gaps) + 1)]
    assert judged("BUF-08", exchange([(at, EVENT + b"\n") for at in times])) == outcome


def test_the_clean_server_tells_its_pace(host: Host) -> None:
    held(host, Clean(), "FRM-04", "BUF-01", "BUF-02", "BUF-08")


def test_a_slow_and_irregular_stream_is_its_own(host: Host) -> None:
    class Thinking(Clean):
        profile = PROFILE.replace('sent_at  = { pointer = "/sent_us", unit = "us" }\n', "")

        async def pause(self) -> None:
            await asyncio.sleep(0.15 if self.produced % 3 else 0.02)

    held(host, Thinking(), "FRM-04", "BUF-01")
