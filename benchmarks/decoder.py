"""Events per second of the two decoders beside httpx-sse's, on the same bytes in the same run.

    python benchmarks/decoder.py

Each shape of event has about 80 bytes. Runs are interleaved and the median is taken, so that a busy machine slows all
three alike. `httpx-sse` is what its users run for each chunk: incremental UTF-8 decoding, its line decoder, its event
decoder, without the cost of httpx itself. Goals: 2.0 with every event built, 4.0 where payloads are decoded only when
asked for.
"""

from __future__ import annotations

import codecs
import gc
import statistics
import sys
import time
from collections.abc import Callable

from httpx_sse._decoders import SSEDecoder, SSELineDecoder

from ssegauge.wire import Decoder, LazyDecoder

EVENTS = 4000
ROUNDS = 7

Reader = Callable[[list[bytes]], int]

TEXT = "lorem ipsum dolor sit amet consectetur adipiscing elit"
SHAPES: dict[str, Callable[[int], str]] = {
    "data": lambda n: f'data: {{"seq":{n:06d},"text":"{TEXT}"}}\n\n',
    "event, data": lambda n: f'event: token\ndata: {{"seq":{n:06d},"text":"{TEXT[:40]}"}}\n\n',
    "id, event, data": lambda n: f'id: {n:06d}\nevent: token\ndata: {{"seq":{n:06d},"text":"{TEXT[:30]}"}}\n\n',
    "the same, CRLF": lambda n: f'id: {n:06d}\r\nevent: token\r\ndata: {{"seq":{n:06d},"text":"{TEXT[:28]}"}}\r\n\r\n',
}
"""Shape to the n-th event of it."""


def by_size(size: int) -> Callable[[list[bytes]], list[bytes]]:
    def cut(events: list[bytes]) -> list[bytes]:
        body = b"".join(events)
        return [body[at : at + size] for at in range(0, len(body), size)]

    return cut


SPLITS: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "whole": lambda events: [b"".join(events)],
    "64 KiB": by_size(65536),
    "1 KiB": by_size(1024),
    "an event": lambda events: events,
    "half an event": lambda events: [half for event in events for half in (event[:40], event[40:])],
}
"""How the bytes reach the decoder."""


def with_httpx_sse(chunks: list[bytes]) -> int:
    """Number of events, read as httpx-sse reads a response."""
    text = codecs.getincrementaldecoder("utf-8")("replace")
    lines, decoder, count = SSELineDecoder(), SSEDecoder(), 0
    for chunk in chunks:
        for line in lines.decode(text.decode(chunk)):
            if decoder.decode(line.rstrip("\n")) is not None:
                count += 1
    return count


def with_decoder(chunks: list[bytes]) -> int:
    """Number of events, every one built."""
    decoder, count = Decoder(), 0
    for chunk in chunks:
        count += len(decoder.feed(chunk))
    return count


def with_lazy_decoder(chunks: list[bytes]) -> int:
    """Number of events, none decoded."""
    decoder, count = LazyDecoder(), 0
    for chunk in chunks:
        count += len(decoder.feed(chunk))
    return count


def rates(chunks: list[bytes], readers: list[Reader]) -> list[float]:
    """Median events per second of each reader."""
    taken: list[list[float]] = [[] for _ in readers]
    for _ in range(ROUNDS):
        for times, reader in zip(taken, readers, strict=True):
            gc.collect()
            start = time.perf_counter()
            count = reader(chunks)
            times.append(time.perf_counter() - start)
            if count != EVENTS:
                sys.exit(f"{reader.__name__} found {count} events of {EVENTS}")
    return [EVENTS / statistics.median(times) for times in taken]


def main() -> None:
    """Print a row for each shape and split."""
    readers = [with_httpx_sse, with_decoder, with_lazy_decoder]
    print(
        f"{'shape':16} {'chunks of':14} {'httpx-sse':>10} {'Decoder':>10} {'ratio':>6} {'LazyDecoder':>12} {'ratio':>6}"
    )
    for shape, event in SHAPES.items():
        events = [event(number).encode() for number in range(EVENTS)]
        for split, cut in SPLITS.items():
            theirs, built, lazy = rates(cut(events), readers)
            ratios = f"{theirs:10,.0f} {built:10,.0f} {built / theirs:6.2f} {lazy:12,.0f} {lazy / theirs:6.2f}"
            print(f"{shape:16} {split:14} {ratios}", flush=True)


if __name__ == "__main__":
    main()
