"""One request under way: what a long look at a fast stream keeps in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from ssegauge.client import LONG, Limits, Stream
from ssegauge.exchange import Sent
from tests.mutants.host import Host

EVENT = b"data: %07d\n\n"
EVENTS = 200_000


class Fast:
    """Answers with numbered events, as fast as they are taken, and closes."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        for first in range(0, EVENTS, 1000):
            writer.write(b"".join(EVENT % number for number in range(first, first + 1000)))
            await writer.drain()


@pytest.fixture(scope="module")
def fast() -> Iterator[str]:
    host = Host()
    with host.serving(Fast()) as url:
        yield url
    host.stop()


def read(url: str, limits: Limits) -> Stream:
    with Stream(Sent("GET", url), limits=limits) as stream:
        stream.pump()
        return stream


def test_a_long_look_keeps_the_newest_bytes_and_counts_all(fast: str) -> None:
    stream = read(fast, replace(LONG, window=30.0, keep=100_000))
    kept = stream.exchange.raw_body
    assert stream.received == len(kept) + stream.forgotten == EVENTS * len(EVENT % 0)
    assert stream.events == EVENTS
    assert 100_000 <= len(kept) <= 200_000
    assert kept.endswith(EVENT % (EVENTS - 1))
    assert stream.exchange.end == "message_end"  # delimited by the close
    assert len(stream.arrived) <= len(kept) // len(EVENT % 0) + (64 << 10)


def test_a_look_without_that_bound_keeps_all(fast: str) -> None:
    stream = read(fast, replace(LONG, window=30.0, keep=None))
    assert (stream.forgotten, len(stream.exchange.raw_body)) == (0, stream.received)
