"""The anatomy: the events of the decoders, and a place for every byte."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ssegauge.anatomy import Anatomy, Dissector, dissect
from ssegauge.wire import Decoder, Event, decode
from tests.naive import read
from tests.sse_bytes import BODIES, split


@given(body=BODIES, start=st.sampled_from(["", "7"]))
def test_it_sees_the_events_that_the_decoder_dispatches(body: bytes, start: str) -> None:
    anatomy, wanted = dissect(body, start), read(body, start)
    assert anatomy.events == decode(body, start)
    assert [tuple(event) for event in anatomy.events] == wanted.events
    assert anatomy.last_event_id == wanted.last_event_id
    assert anatomy.retries == wanted.retries
    assert [comment.text for comment in anatomy.comments] == wanted.comments


@given(body=BODIES, cuts=st.lists(st.integers(0, 80), max_size=5))
def test_splits_do_not_matter(body: bytes, cuts: list[int]) -> None:
    dissector = Dissector()
    closed = [block for piece in split(body, cuts) for block in dissector.feed(piece)]
    anatomy = dissector.anatomy()
    assert anatomy == dissect(body)
    assert closed == anatomy.blocks[: len(closed)]


@given(BODIES)
def test_every_byte_belongs_to_one_block_or_the_mark(body: bytes) -> None:
    anatomy = dissect(body)
    at = 3 if anatomy.bom else 0
    for block in anatomy.all_blocks:
        assert block.start == at
        at = block.start
        for field in block.fields:
            assert field.start == at
            assert body[field.start : field.end].endswith(field.value)
            assert body[field.end : field.end + len(field.eol)] == field.eol
            at = field.end + len(field.eol)
        rest = body[at : block.end]
        if block.closed and block.fields:
            assert rest in (b"\n", b"\r", b"\r\n")
        else:
            assert rest.strip(b"\r\n") == b""
            assert bool(rest) is block.closed
        at = block.end
    assert at == len(body)
    assert anatomy.body == body
    assert sum(anatomy.line_ends.values()) == len(body.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")) - 1


@given(BODIES)
def test_its_pending_block_is_the_decoders(body: bytes) -> None:
    decoder = Decoder()
    decoder.feed(body)
    assert decoder.pending == _cuts_something_off(dissect(body))


def _cuts_something_off(anatomy: Anatomy) -> bool:
    if anatomy.pending is None:
        return False
    return any(not field.eol or field.kind not in ("comment", "retry") for field in anatomy.pending.fields)


def test_a_block_and_its_fields_know_their_places() -> None:
    body = b"\xef\xbb\xbf: hi\r\nid:1\ndata: a\nDATA: b\rdata\n\n\nretry: 5\ndata: c"
    anatomy = dissect(body)
    first, blank = anatomy.blocks
    assert [(field.kind, field.name, field.value, field.eol) for field in first.fields] == [
        ("comment", b"", b" hi", b"\r\n"),
        ("id", b"id", b"1", b"\n"),
        ("data", b"data", b"a", b"\n"),
        ("unknown", b"DATA", b"b", b"\r"),
        ("data", b"data", b"", b"\n"),
    ]
    assert (first.start, first.event, first.index) == (3, Event("message", "a\n", "1"), 0)
    assert (blank.fields, blank.event, blank.end - blank.start) == ((), None, 1)
    assert anatomy.pending is not None
    assert [body[field.start : field.end] for field in anatomy.pending.fields] == [b"retry: 5", b"data: c"]
    assert anatomy.retries == [5]
    assert anatomy.line_ends == {b"\r\n": 1, b"\n": 6, b"\r": 1}
    assert [field.name for field in anatomy.unknown] == [b"DATA"]


def test_an_index_counts_events_and_not_blocks() -> None:
    anatomy = dissect(b": a\n\ndata: x\n\nid: 1\n\ndata: y\n\n")
    assert [block.index for block in anatomy.blocks] == [None, 0, None, 1]
    assert [block.index for block in anatomy.event_blocks] == [0, 1]
