"""Events per second of the two decoders beside httpx-sse's, on the same bytes in the same run.

    python benchmarks/decoder.py [--quick]

Each event has about 80 bytes, and each reader hands over every one. `httpx-sse` is its own `EventSource.iter_sse`, on
a response that gives httpx's text decoder the chunks: all that httpx-sse does with bytes, without httpx's own cost.
`LazyDecoder` gives blocks, as a load run takes them: type and data are decoded when asked for. `split` is the floor: it
only cuts at blank lines, whose bytes it is told, and would pass anything for an event. The readers take turns in short
runs, and the best run of each counts, in seconds of processor time: a busy machine then disturbs all alike, and least.
Goals: twice as fast with every event built, four times where type and data are decoded only when asked for.
"""

from __future__ import annotations

import gc
import itertools
import platform
import random
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import httpx
from httpx._decoders import TextDecoder
from httpx_sse import EventSource

from ssegauge.wire import Decoder, LazyDecoder

EVENTS = 1000
ROUNDS = 60
GOALS = (2.0, 4.0)

Chunks = list[bytes]
Reader = Callable[[Chunks], int]

TEXT = "lorem ipsum dolor sit amet consectetur adipiscing elit"
SHAPES: dict[str, Callable[[int], str]] = {
    "data": lambda n: f'data: {{"seq":{n:06d},"text":"{TEXT}"}}\n\n',
    "event, data": lambda n: f'event: token\ndata: {{"seq":{n:06d},"text":"{TEXT[:40]}"}}\n\n',
    "id, event, data": lambda n: f'id: {n:06d}\nevent: token\ndata: {{"seq":{n:06d},"text":"{TEXT[:30]}"}}\n\n',
    "data, event, id": lambda n: f'data: {{"seq":{n:06d},"text":"{TEXT[:30]}"}}\nevent: token\nid: {n:06d}\n\n',
    "two data lines": lambda n: f'event: token\ndata: {{"seq":{n:06d},\ndata: "text":"{TEXT[:33]}"}}\n\n',
    "the first, CRLF": lambda n: f'data: {{"seq":{n:06d},"text":"{TEXT[:52]}"}}\r\n\r\n',
    "the third, CRLF": lambda n: f'id: {n:06d}\r\nevent: token\r\ndata: {{"seq":{n:06d},"text":"{TEXT[:28]}"}}\r\n\r\n',
}
"""Shape to the n-th event of it."""


def by_size(size: int) -> Callable[[Chunks], Chunks]:
    """Cuts the stream into chunks of this many bytes."""

    def cut(events: Chunks) -> Chunks:
        body = b"".join(events)
        return [body[at : at + size] for at in range(0, len(body), size)]

    return cut


def anywhere(events: Chunks) -> Chunks:
    """Cuts the stream at random, into chunks of half an event to two events."""
    dice, body, cuts = random.Random(1), b"".join(events), [0]
    while cuts[-1] < len(body):
        cuts.append(cuts[-1] + dice.randint(40, 160))
    return [body[start:end] for start, end in itertools.pairwise(cuts)]


SPLITS: dict[str, Callable[[Chunks], Chunks]] = {
    "whole": lambda events: [b"".join(events)],
    "64 KiB": by_size(65536),
    "1 KiB": by_size(1024),
    "an event": lambda events: events,
    "half an event": lambda events: [half for event in events for half in (event[:40], event[40:])],
    "40 to 160 B": anywhere,
}
"""How the bytes reach the decoder."""


class Response:
    """As much of `httpx.Response` as httpx-sse asks for."""

    headers = httpx.Headers({"content-type": "text/event-stream"})

    def __init__(self, chunks: Chunks) -> None:
        self._chunks = chunks

    def iter_text(self) -> Iterator[str]:
        """The chunks as text."""
        decoder = TextDecoder(encoding="utf-8")
        for chunk in self._chunks:
            yield decoder.decode(chunk)


def with_httpx_sse(chunks: Chunks) -> int:
    """Number of events, read as httpx-sse reads a response."""
    count = 0
    for _ in EventSource(cast("httpx.Response", Response(chunks))).iter_sse():
        count += 1
    return count


def with_decoder(chunks: Chunks) -> int:
    """Number of events, every one built."""
    decoder, count = Decoder(), 0
    for chunk in chunks:
        for _ in decoder.feed(chunk):
            count += 1
    return count


def with_lazy_decoder(chunks: Chunks) -> int:
    """Number of events, none decoded."""
    decoder, count = LazyDecoder(), 0
    for chunk in chunks:
        for _ in decoder.blocks(chunk):
            count += 1
    return count


class Split:
    """Cuts at blank lines and knows nothing else: no comment, id, limit, mark, nor other line end."""

    __slots__ = ("_blank", "_rest")

    def __init__(self, blank: bytes) -> None:
        self._blank = blank
        self._rest = b""

    def feed(self, chunk: bytes) -> list[bytes]:
        """What stands before the blank lines."""
        blocks = (self._rest + chunk).split(self._blank)
        self._rest = blocks.pop()
        return blocks


def with_split(chunks: Chunks) -> int:
    """Number of blank lines."""
    splitter, count = Split(b"\r\n\r\n" if any(b"\r" in chunk for chunk in chunks[:3]) else b"\n\n"), 0
    for chunk in chunks:
        for _ in splitter.feed(chunk):
            count += 1
    return count


READERS: list[Reader] = [with_httpx_sse, with_decoder, with_lazy_decoder, with_split]


def rates(chunks: Chunks, rounds: int) -> list[float]:
    """Events per second of each reader, in its best round."""
    best = [float("inf")] * len(READERS)
    for _ in range(rounds):
        for place, reader in enumerate(READERS):
            gc.collect()
            start = time.process_time_ns()
            count = reader(chunks)
            best[place] = min(best[place], (time.process_time_ns() - start) / 1e9)
            if count != EVENTS:
                sys.exit(f"{reader.__name__} found {count} events of {EVENTS}")
    return [EVENTS / seconds for seconds in best]


def _busy() -> str:
    try:
        return f"load {Path('/proc/loadavg').read_text().split()[0]}"
    except OSError:
        return "load unknown"


def main() -> None:
    """Print a row for each shape and split, and how many of them reach the goals."""
    rounds = 10 if "--quick" in sys.argv[1:] else ROUNDS
    print(f"Python {platform.python_version()}, {_busy()}; events per second, and how many times httpx-sse's")
    print(
        f"{'lines':16} {'chunks of':14} {'httpx-sse':>10} {'Decoder':>10} {'':>6} {'LazyDecoder':>12} {'':>6} {'split':>11}"
    )
    reached, rows = [0, 0], 0
    for shape, event in SHAPES.items():
        events = [event(number).encode() for number in range(EVENTS)]
        for split, cut in SPLITS.items():
            theirs, *ours = rates(cut(events), rounds)
            ratios = [rate / theirs for rate in ours]
            rows += 1
            reached = [total + (ratio >= goal) for total, ratio, goal in zip(reached, ratios, GOALS, strict=False)]
            figures = (
                f"{theirs:10,.0f} {ours[0]:10,.0f} {ratios[0]:6.2f} {ours[1]:12,.0f} {ratios[1]:6.2f} {ratios[2]:11.2f}"
            )
            print(f"{shape:16} {split:14} {figures}", flush=True)
    print(
        f"goals: {GOALS[0]} by Decoder in {reached[0]} of {rows} rows, {GOALS[1]} by LazyDecoder in {reached[1]}; {_busy()}"
    )


if __name__ == "__main__":
    main()
