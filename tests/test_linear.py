"""Time grows with the length of what is read, not with its square, whatever a server sends.

Each shape is read at a length and at four times that length, in processor time: linear work takes some four times as
long, quadratic work sixteen times. What takes no time to speak of is right anyhow.
"""

import gc
import time
from collections.abc import Callable, Iterator

import pytest

from ssegauge.anatomy import Anatomy, Dissector, dissect
from ssegauge.anomalies import JSON_JUDGES, JUDGES
from ssegauge.wire import Decoder, LazyDecoder

LENGTH = 20_000
NOTHING = 0.2
"""Seconds of processor time: what is done sooner is not looked at."""

SHAPES = {
    "one line without end": b"data: " + b"x" * 94,
    "a line of brackets": b"data: " + b"[" * 94,
    "quotes and colons": b"data: \"':{`" * 9 + b"\n",
    "lines without a blank one": b"data: x\n",
    "names without a colon": b"data\n",
    "blank lines": b"\n",
    "lone CRs": b"\r",
    "CRLFs": b"\r\n",
    "comments": b":\n",
    "events of a byte": b"data:x\n\n",
    "blank lines between events": b"data: x\n\n\n",
    "events without data": b"event: x\n\n",
    "ids and retries": b"id: 1\nretry: 5\n",
    "NULs": b"id: \0\n",
    "broken characters": b"data: \xc3\xc3\xe2\x82\xff",
    "twice encoded": b"data: \xc3\x83\xc2\xa9\xc3\xa2\xe2\x82\xac\n\n",
    "events in a line": b"data: a\\n\\ndata: b",
    "framed twice": b"data: data: x\n\n",
    "spaces": b"data: " + b" " * 94,
    "markup": b"<a href='x'>&amp;</a>",
}


def _length_of(shape: bytes, length: int, head: bytes = b"") -> bytes:
    # lines repeat whole; what has no line end is one line
    return head + (shape * (length // len(shape) + 1))[:length]


def _pieces(body: bytes) -> Iterator[bytes]:
    return (body[at : at + 700] for at in range(0, len(body), 700))


def _dissected_in_pieces(body: bytes) -> Anatomy:
    dissector = Dissector()
    for piece in _pieces(body):
        dissector.feed(piece)
    return dissector.anatomy()


READERS: dict[str, Callable[[bytes], object]] = {
    "Decoder": lambda body: Decoder().feed(body),
    "LazyDecoder": lambda body: LazyDecoder().feed(body),
    "LazyDecoder, blocks": lambda body: LazyDecoder().blocks(body),
    "Decoder, in pieces": lambda body: [feed(piece) for feed in [Decoder().feed] for piece in _pieces(body)],
    "LazyDecoder, in pieces": lambda body: [feed(piece) for feed in [LazyDecoder().feed] for piece in _pieces(body)],
    "LazyDecoder, blocks in pieces": lambda body: [
        take(piece) for take in [LazyDecoder().blocks] for piece in _pieces(body)
    ],
    "Dissector": dissect,
    "Dissector, in pieces": _dissected_in_pieces,
}


def _seconds(work: Callable[[], object]) -> float:
    gc.collect()
    gc.disable()  # one collection of all that a test run holds takes longer than what is measured
    try:
        start = time.process_time()
        work()
        return time.process_time() - start
    finally:
        gc.enable()


def _grows_no_faster(work: Callable[[bytes], object], shape: bytes, head: bytes = b"") -> None:
    long = _length_of(shape, 4 * LENGTH, head)
    took = _seconds(lambda: work(long))
    if took > NOTHING:
        short = min(_seconds(lambda: work(_length_of(shape, LENGTH, head))) for _ in range(3))
        took = min(took, _seconds(lambda: work(long)))
        assert took < NOTHING or took / short < 9, (
            f"{short:.2f} s for {LENGTH:,} bytes, {took:.2f} s for four times that"
        )


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("reader", READERS)
def test_reading_takes_time_in_proportion(reader: str, shape: str) -> None:
    _grows_no_faster(READERS[reader], SHAPES[shape])
    _grows_no_faster(READERS[reader], SHAPES[shape], b"data: first\n\nevent: x\n")


@pytest.mark.parametrize("shape", SHAPES)
def test_judging_takes_time_in_proportion(shape: str) -> None:
    def judged(body: bytes) -> int:
        anatomy = dissect(body)
        return sum(len(list(judge(anatomy))) for judge in (*JUDGES.values(), *JSON_JUDGES.values()))

    _grows_no_faster(judged, SHAPES[shape], b"data: first\n\n")
