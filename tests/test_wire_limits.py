"""The limits of the decoders: an endless line or event ends in an error, and nothing less does."""

from __future__ import annotations

import sys
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssegauge.wire import (
    MIB,
    Decoder,
    Event,
    EventTooLong,
    LazyDecoder,
    LimitError,
    LineTooLong,
)
from tests.sse_bytes import BODIES, split

DECODERS = [Decoder, LazyDecoder]


def fed(decoder: Decoder | LazyDecoder, pieces: list[bytes]) -> list[tuple[str, str, str]]:
    return [(event.type, event.data, event.last_event_id) for piece in pieces for event in decoder.feed(piece)]


LIMITS = st.sampled_from([1, 3, 7, 8, 12, 20, 1000])


def limited(kind: type[Decoder | LazyDecoder], pieces: list[bytes], line: int, event: int) -> tuple[Any, ...]:
    decoder = kind(max_line=line, max_event=event)
    events: list[tuple[str, str, str]] = []
    try:
        for piece in pieces:
            events += fed(decoder, [piece])
    except LimitError as error:
        events += [(event.type, event.data, event.last_event_id) for event in error.events]
        for more in (b"", b"data: x\n\n"):
            with pytest.raises(type(error)):
                decoder.feed(more)
        return events, type(error), error.limit, error.offset
    return events, None, None, None


@given(body=BODIES, cuts=st.lists(st.integers(0, 80), max_size=5), line=LIMITS, event=LIMITS)
def test_limits_strike_at_the_same_byte_in_every_split(body: bytes, cuts: list[int], line: int, event: int) -> None:
    wanted = limited(Decoder, [body], line, event)
    for kind in DECODERS:
        assert limited(kind, [body], line, event) == wanted
        assert limited(kind, split(body, cuts), line, event) == wanted
        assert limited(kind, [body[at : at + 1] for at in range(len(body))], line, event) == wanted


@pytest.mark.parametrize("eol", [b"\n", b"\r\n", b"\r"], ids=["lf", "crlf", "cr"])
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_the_line_that_is_too_long_is_named_and_earlier_events_are_kept(eol: bytes, size: int) -> None:
    before = b"\xef\xbb\xbfdata: a" + eol + eol + b"event: b" + eol
    body = before + b"data: " + b"x" * 95 + eol + eol
    decoder, events = Decoder(max_line=100), []
    told = f"line of more than 100 bytes at byte offset {len(before)}"
    with pytest.raises(LineTooLong, match=told) as caught:  # noqa: PT012 - any piece may raise
        for piece in split(body, range(0, len(body), size)):
            events += decoder.feed(piece)
    assert events + caught.value.events == [Event("message", "a", "")]
    assert caught.value.offset == len(before)


def test_exactly_the_limit_passes() -> None:
    line = b"data: " + b"x" * 94
    assert len(Decoder(max_line=100, max_event=100).feed(line + b"\n\n")) == 1
    with pytest.raises(LineTooLong):
        Decoder(max_line=99).feed(line + b"\n\n")
    with pytest.raises(EventTooLong):
        Decoder(max_event=99).feed(line + b"\n\n")


@pytest.mark.parametrize("kind", DECODERS)
@pytest.mark.parametrize("size", [1021, 2 * MIB], ids=["1021 B", "whole"])
@pytest.mark.parametrize("eol", [b"\n", b"\r\n"], ids=["lf", "crlf"])
def test_the_usual_limits_are_a_mebibyte_and_not_a_byte_more(
    kind: type[Decoder | LazyDecoder], size: int, eol: bytes
) -> None:
    before = b"data: a" + eol + eol
    half = b"data: " + b"x" * (MIB // 2 - 6) + eol
    for line, event in ((MIB, MIB), (MIB + 1, MIB), (MIB // 2, MIB), (MIB // 2, MIB + 1)):
        last = b"data: " + b"y" * ((line if line >= MIB else event - MIB // 2) - 6) + eol
        body = before + (b"" if line >= MIB else half) + last + eol
        got = limited(kind, [body[at : at + size] for at in range(0, len(body), size)], MIB, MIB)
        if line > MIB:
            assert got == ([("message", "a", "")], LineTooLong, MIB, len(before))
        elif event > MIB:
            assert got == ([("message", "a", "")], EventTooLong, MIB, len(before + half))
        else:
            assert (len(got[0]), *got[1:]) == (2, None, None, None)


@pytest.mark.parametrize("kind", DECODERS)
@pytest.mark.parametrize("piece", [b"x", b"x" * 100, b"data: x\n", b"d\n"], ids=["byte", "hundred", "lines", "short"])
def test_an_endless_line_or_event_ends_in_an_error_and_bounded_memory(
    kind: type[Decoder | LazyDecoder], piece: bytes
) -> None:
    decoder, limit = kind(max_line=1 << 16, max_event=1 << 16), 1 << 16
    tracemalloc.start()
    try:
        with pytest.raises(LimitError):  # noqa: PT012 - any piece may raise
            for _ in range(4 * limit):
                decoder.feed(piece)
        assert tracemalloc.get_traced_memory()[1] < 16 * limit
    finally:
        tracemalloc.stop()


def test_comments_without_end_are_no_endless_event() -> None:
    decoder = LazyDecoder(max_line=100, max_event=200)
    for _ in range(1000):
        decoder.feed(b": ping\n")
    assert decoder.comments == 1000
    assert len(decoder.feed(b"data: x\n\n")) == 1


def steps(kind: type[Decoder | LazyDecoder], size: int, piece: int, **limits: int) -> int:
    """Bytes that the decoder copies or searches while it takes one long line: calls and their sizes, not time."""
    decoder = kind(**limits)
    work = 0

    def count(frame: Any, event: str, _: Any) -> None:
        nonlocal work
        if event == "call" and frame.f_code.co_name in ("look", "_close"):
            work += len(frame.f_locals["self"]._tail) + len(frame.f_locals["self"]._kept)
        elif event == "call":
            work += 1

    body = b"data: " + b"x" * size + b"\n\n"
    sys.setprofile(count)
    try:
        for at in range(0, len(body), piece):
            decoder.feed(body[at : at + piece])
    finally:
        sys.setprofile(None)
    return work


@pytest.mark.parametrize("kind", DECODERS)
@pytest.mark.parametrize("limits", [{}, {"max_event": 1 << 20, "max_line": 1 << 20}], ids=["default", "set"])
def test_a_long_line_in_small_pieces_takes_linear_work(
    kind: type[Decoder | LazyDecoder], limits: dict[str, int]
) -> None:
    assert steps(kind, 80_000, 10, **limits) < 2.5 * steps(kind, 40_000, 10, **limits)
