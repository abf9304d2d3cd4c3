"""The decoders, by every vector in every split, and against a second reading of the standard."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssegauge.anatomy import Dissector
from ssegauge.wire import (
    Decoder,
    Event,
    LazyDecoder,
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


@pytest.mark.parametrize("cut", range(1, 9))
def test_more_blank_lines_than_one_are_no_part_of_a_block(cut: int) -> None:
    for body in (b"data:b\n\n\n", b"data:b\n\n\ndata:c\n\n\n"):
        decoder = LazyDecoder()
        found = [decoder.feed(piece) for piece in split(body, [cut])]
        assert [bytes(event) for events in found for event in events] == [b"data:b", b"data:c"][: body.count(b"data")]


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
