"""The decoders, by every vector in every split, and against a second reading of the standard."""

from __future__ import annotations

import random
import sys
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssegauge.anatomy import Dissector
from ssegauge.wire import (
    MIB,
    Decoder,
    Event,
    EventTooLong,
    LazyDecoder,
    LimitError,
    LineTooLong,
    data_in,
    decode,
    encode,
    id_in,
    type_in,
)
from tests.naive import read
from tests.sse_bytes import BODIES, IDS, VECTORS, body_of, expected, split

DECODERS = [Decoder, LazyDecoder]


def fed(decoder: Decoder | LazyDecoder, pieces: list[bytes]) -> list[tuple[str, str, str]]:
    return [(event.type, event.data, event.last_event_id) for piece in pieces for event in decoder.feed(piece)]


def splits(vector: dict[str, Any]) -> list[list[int]]:
    size = len(body_of(vector))
    dice = random.Random(vector["id"])
    found = [[], *([dice.randint(0, size) for _ in range(dice.randint(1, 6))] for _ in range(8))]
    if isinstance(vector.get("chunk_offsets"), list):
        found.append(vector["chunk_offsets"])
    found.append(list(range(1, size, 1 if size < 10_000 else 61)))
    return found


@pytest.mark.parametrize("vector", VECTORS, ids=IDS)
@pytest.mark.parametrize("kind", DECODERS)
def test_every_vector_gives_its_events_in_every_split(
    kind: type[Decoder | LazyDecoder], vector: dict[str, Any]
) -> None:
    for cuts in splits(vector):
        decoder = kind(vector.get("initial_last_event_id", ""))
        assert fed(decoder, split(body_of(vector), cuts)) == expected(vector), cuts
        assert decoder.last_event_id == vector["final_last_event_id"]
        assert decoder.retry == (vector["retry_updates"] or [None])[-1]
        if isinstance(decoder, LazyDecoder):
            assert decoder.comments == len(vector["comments"])


@pytest.mark.parametrize("vector", VECTORS, ids=IDS)
def test_every_vector_is_dissected_alike_in_every_split(vector: dict[str, Any]) -> None:
    for cuts in splits(vector):
        dissector = Dissector(vector.get("initial_last_event_id", ""))
        for piece in split(body_of(vector), cuts):
            dissector.feed(piece)
        anatomy = dissector.anatomy()
        assert [tuple(event) for event in anatomy.events] == expected(vector), cuts
        assert anatomy.last_event_id == vector["final_last_event_id"]
        assert anatomy.retries == vector["retry_updates"]
        assert [comment.text for comment in anatomy.comments] == vector["comments"]


@given(
    body=BODIES, cuts=st.lists(st.integers(0, 80), max_size=5), start=st.sampled_from(["", "7"]), looks=st.booleans()
)
def test_any_split_of_any_bytes_reads_as_the_standard_says(
    body: bytes, cuts: list[int], start: str, *, looks: bool
) -> None:
    wanted = read(body, start)
    for pieces in ([body], split(body, cuts), [body[at : at + 1] for at in range(len(body))]):
        for kind in DECODERS:
            decoder = kind(start)
            got = []
            for piece in pieces:
                got += fed(decoder, [piece])
                if looks:
                    assert decoder.pending in (True, False)
            assert got == wanted.events
            assert decoder.last_event_id == wanted.last_event_id
            assert decoder.retry == (wanted.retries or [None])[-1]
            if isinstance(decoder, LazyDecoder):
                assert decoder.comments == len(wanted.comments)


@given(body=BODIES, cuts=st.lists(st.integers(0, 80), max_size=5), turns=st.lists(st.booleans(), min_size=6))
def test_blocks_are_those_of_the_events_however_they_are_asked_for(
    body: bytes, cuts: list[int], turns: list[bool]
) -> None:
    wanted = read(body)
    for pieces in ([body], split(body, cuts), [body[at : at + 1] for at in range(len(body))]):
        told, counted, both = LazyDecoder(), LazyDecoder(), LazyDecoder()
        blocks: list[bytes] = []
        for number, piece in enumerate(pieces):
            found = counted.blocks(piece)
            assert found == told.feed(piece)
            assert found == (both.blocks if turns[number % len(turns)] else both.feed)(piece)
            blocks += found
        shown = [
            (type_in(block).decode("utf-8", "replace"), data_in(block).decode("utf-8", "replace")) for block in blocks
        ]
        assert shown == [event[:2] for event in wanted.events]
        for decoder in (counted, both):
            assert (decoder.last_event_id, decoder.retry) == (wanted.last_event_id, (wanted.retries or [None])[-1])
            assert (decoder.comments, decoder.pending) == (len(wanted.comments), told.pending)


@pytest.mark.parametrize(
    ("block", "number"),
    [
        (b"data: id: 1", None),
        (b"identity: 1\ndata", None),
        (b"id: 1\ndata: x\nid: 2", b"2"),
        (b"id: 1\nid: 2\0\ndata", b"1"),
        (b"id\ndata: x", b""),
        (b"id:  1\ndata", b" 1"),
    ],
    ids=repr,
)
def test_a_block_says_its_own_id(block: bytes, number: bytes | None) -> None:
    assert id_in(block) == number


@pytest.mark.parametrize(
    "block", [b"event: a", b"event: a\ndata", b"event:a", b"event: a:b", b"event: e\nevent: a", b"data\nevent: event"]
)
def test_a_block_says_its_own_type(block: bytes) -> None:
    assert [type_in(block).decode()] == [event.type for event in decode(b"data\n" + block + b"\n\n")]


# Pieces that lead a decoder from each of its ways into each other: short and long blocks, every line end, odd fields.
LIFE = [
    *(b"data: x\n\n", b"data: x\r\n\r\n", b"data: z\r\r", b"id: 5\r\ndata: y\r\n\r\n", b"data:n\ndata: o\n\n"),
    *(b"event: e\ndata: q\ndata: r\nid: 4\n\n", b"event: a\ndata: m\nevent:\n\n", b"id: 3\nid: 4\ndata: k\n\n"),
    *(b"id\ndata\n\n", b"id: 1\0\ndata: p\nretry: 77\n\n", b"retry: 5\n", b": c\n", b"\n", b"\r\n", b"d"),
    *(b"data: " + b"w" * 1500 + b"\n\n", b"data: " + b"v" * 1100 + b"\r\n\r\n", b"data: \xf0\x9f\x98\x80\n\n"),
]


@pytest.mark.parametrize("kind", DECODERS)
@pytest.mark.parametrize("size", [1, 13, 97, 1024])
def test_a_long_life_in_any_pieces_reads_as_the_standard_says(kind: type[Decoder | LazyDecoder], size: int) -> None:
    dice = random.Random(size)
    for _ in range(20):
        body = b"".join(dice.choices(LIFE, k=30))
        decoder, wanted = kind(), read(body)
        assert fed(decoder, [body[at : at + size] for at in range(0, len(body), size)]) == wanted.events
        assert (decoder.last_event_id, decoder.retry) == (wanted.last_event_id, (wanted.retries or [None])[-1])
        if isinstance(decoder, LazyDecoder):
            assert decoder.comments == len(wanted.comments)


TEXT = st.text(
    st.one_of(st.sampled_from(" :\t\0\ufeff\u2028\x85\x0bdatid"), st.characters(exclude_categories=["Cs"])), max_size=12
)
LINE = TEXT.map(lambda text: text.replace("\r", "").replace("\n", ""))
EVENTS = st.builds(
    Event,
    LINE.filter(bool),
    st.lists(TEXT.map(lambda text: text.replace("\r", "")), max_size=3).map("\n".join),
    LINE.map(lambda text: text.replace("\0", "")),
)


@given(EVENTS, st.sampled_from(["\n", "\r", "\r\n"]))
def test_encode_then_decode_is_the_identity(event: Event, eol: str) -> None:
    assert decode(encode(event, eol=eol)) == [event]


@given(st.lists(EVENTS, max_size=4), st.integers(0, 10_000), st.none() | LINE)
def test_a_sequence_round_trips_when_each_event_knows_the_id_before_it(
    events: list[Event], retry: int, comment: str | None
) -> None:
    decoder, previous, got = Decoder(), "", []
    for event in events:
        got += decoder.feed(encode(event, previous_id=previous, retry=retry, comment=comment))
        previous = event.last_event_id
    assert got == events
    assert decoder.retry == (retry if events else None)


@pytest.mark.parametrize(
    "event",
    [
        Event("message", "x", "a\0"),
        Event("message", "x", "a\n"),
        Event("message", "x", "a\r"),
        Event("a\nb", "x", ""),
        Event("a\r", "x", ""),
        Event("", "x", ""),
        Event("message", "\ud800", ""),
        Event("\udfff", "x", ""),
        Event("message", "x", "\ud800"),
    ],
    ids=ascii,
)
def test_encode_refuses_what_the_standard_cannot_carry(event: Event) -> None:
    with pytest.raises(ValueError, match="cannot"):
        encode(event)


def test_encode_starts_a_data_line_at_every_line_end() -> None:
    assert encode(Event("message", "a\r\nb\rc\nd\n", "")) == b"data: a\ndata: b\ndata: c\ndata: d\ndata: \n\n"


def test_a_lone_cr_holds_no_event_back() -> None:
    decoder = Decoder()
    assert decoder.feed(b"data: x\r\r") == [Event("message", "x", "")]
    assert decoder.feed(b"\ndata: y\r\n\r") == [Event("message", "y", "")]
    assert decoder.feed(b"\ndata: z\n") == []
    assert decoder.feed(b"\n") == [Event("message", "z", "")]


@pytest.mark.parametrize("kind", DECODERS)
@pytest.mark.parametrize(
    ("body", "pending"),
    [
        (b"", False),
        (b"data: x\n\n", False),
        (b"data: x\n", True),
        (b"data: x\n\nid: 1\n", True),
        (b"data: x\n\n: ping\n", False),
        (b"data: x\n\n: pin", True),
        (b"data: x\n\nretry: 9\n", False),
        (b"\xef\xbb", True),
        (b"data: x\r\n\r", False),
    ],
    ids=ascii,
)
def test_pending_is_what_the_end_of_the_stream_would_cut_off(
    kind: type[Decoder | LazyDecoder], body: bytes, *, pending: bool
) -> None:
    for size in (1, 4, 100):
        decoder = kind()
        fed(decoder, [body[at : at + size] for at in range(0, len(body), size)])
        assert decoder.pending is pending


@pytest.mark.parametrize("kind", DECODERS)
@pytest.mark.parametrize("eol", [b"\n", b"\r\n", b"\r"], ids=["lf", "crlf", "cr"])
def test_the_retry_of_the_open_block_is_later_than_those_of_the_same_chunk(
    kind: type[Decoder | LazyDecoder], eol: bytes
) -> None:
    body = b"retry: 1\nretry: x\n\nretry: 2\n".replace(b"\n", eol)
    for size in (1, 7, 100):
        decoder = kind()
        fed(decoder, [body[at : at + size] for at in range(0, len(body), size)])
        assert decoder.retry == 2
        decoder.feed(b"retry: 3\n\ndata: " + b"x" * 2000)
        assert decoder.retry == 3


def test_a_retry_beyond_any_clock_is_a_number() -> None:
    decoder = Decoder()
    decoder.feed(b"retry: " + b"9" * 10_000 + b"\n")
    assert decoder.retry is not None
    assert decoder.retry > 10**100


def test_a_raw_event_decodes_when_asked() -> None:
    [event] = LazyDecoder().feed(b"event: caf\xc3\xa9\nid: 1\ndata: a\ndata:\xff\n\n")
    assert (event.raw_type, event.raw_data) == (b"caf\xc3\xa9", b"a\n\xff")
    assert (event.type, event.data, event.last_event_id) == ("café", "a\n\ufffd", "1")
    assert event.size == len(b"event: caf\xc3\xa9\nid: 1\ndata: a\ndata:\xff")


# -- limits

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
