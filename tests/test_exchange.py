"""Recordings: saved and loaded alike, without credentials; content codings undone with their times."""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path

import pytest

from ssegauge import exchange
from ssegauge.errors import UserError
from ssegauge.exchange import Exchange, Hop, Read, Sent, decode_content

SENT = Sent(
    "POST",
    "http://me:pw@127.0.0.1:1/s?api_key=k1&q=1&mine=k2",
    (("Authorization", "Bearer k3"), ("X-Mine", "k4"), ("Accept", "x")),
    b"k5",
)


def recorded() -> Exchange:
    return Exchange(
        "main", SENT, started="2026-11-22T12:00:00+00:00", http_version="1.1", status=200, reason="OK",
        headers=[("Content-Type", "text/event-stream"), ("Set-Cookie", "id=k6")], framing="chunked", connect_s=0.001,
        first_byte_at=0.01, head_at=0.01, reads=[Read(0.02, b"data: \xff\n"), Read(0.5, b"\n")], end="message_end", end_at=0.6,
        excess=b"x", redirects=[Hop(302, "http://a/?token=k7", "/b?token=k8")],
    )  # fmt: skip


def test_a_recording_comes_back_as_it_was_but_for_its_credentials(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    exchange.save(recorded(), path, frozenset({"x-mine", "mine"}))
    again = exchange.load(path)
    assert again.reads == recorded().reads
    assert (again.status, again.end, again.end_at, again.framing, again.excess) == (
        200,
        "message_end",
        0.6,
        "chunked",
        b"x",
    )
    assert again.value("content-type") == "text/event-stream"
    text = path.read_text()
    assert [key for number in range(1, 9) if (key := f"k{number}") in text] == []
    assert "q=1" in text


def test_no_part_of_a_file_is_left_where_writing_fails(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        exchange.save(recorded(), tmp_path / "missing" / "r.json")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"schema": "ssegauge/recording/9"}', '{"schema": "ssegauge/recording/1"}', "\x00"]
)
def test_what_is_no_recording_is_one_clear_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "r.json"
    path.write_text(text)
    with pytest.raises(UserError) as caught:
        exchange.load(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_a_recording_of_a_foreign_type_in_a_field_is_refused(tmp_path: Path) -> None:
    document = recorded().to_json()
    document["reads"] = [{"at": "soon", "b64": "!"}]
    path = tmp_path / "r.json"
    path.write_text(json.dumps(document))
    with pytest.raises(UserError, match="not a recording"):
        exchange.load(path)


PLAIN = b"data: one\n\ndata: two\n\n"


def raw_deflate(data: bytes) -> bytes:
    machine = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return machine.compress(data) + machine.flush()


@pytest.mark.parametrize(
    ("codings", "body"),
    [
        (["gzip"], gzip.compress(PLAIN, mtime=0)),
        (["x-gzip"], gzip.compress(PLAIN, mtime=0)),
        (["deflate"], zlib.compress(PLAIN)),
        (["deflate"], raw_deflate(PLAIN)),
        (["gzip", "deflate"], zlib.compress(gzip.compress(PLAIN, mtime=0))),
        (["identity"], PLAIN),
    ],
    ids=["gzip", "x-gzip", "deflate", "raw-deflate", "deflate-of-gzip", "identity"],
)
def test_codings_are_undone_in_any_split_and_keep_their_times(codings: list[str], body: bytes) -> None:
    whole = decode_content([Read(1.0, body)], codings)
    bytewise = decode_content([Read(float(at), body[at : at + 1]) for at in range(len(body))], codings)
    assert not whole.problem
    assert not bytewise.problem
    assert b"".join(read.data for read in whole.reads) == b"".join(read.data for read in bytewise.reads) == PLAIN
    assert [read.at for read in bytewise.reads] == sorted(read.at for read in bytewise.reads)


def test_a_flushed_event_is_there_before_the_next_one_is_sent() -> None:
    machine = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
    first = machine.compress(b"data: one\n\n") + machine.flush(zlib.Z_SYNC_FLUSH)
    second = machine.compress(b"data: two\n\n") + machine.flush()
    decoded = decode_content([Read(1.0, first), Read(2.0, second)], ["gzip"])
    assert decoded.reads[0] == Read(1.0, b"data: one\n\n")


@pytest.mark.parametrize(("codings", "body"), [(["gzip"], PLAIN), (["deflate"], b"\x78data"), (["zork"], PLAIN)])
def test_a_body_in_another_coding_is_a_problem_with_words(codings: list[str], body: bytes) -> None:
    assert decode_content([Read(1.0, body)], codings).problem


def test_a_bomb_is_cut_at_the_limit() -> None:
    decoded = decode_content([Read(1.0, gzip.compress(b"a" * (64 << 20)))], ["gzip"])
    assert sum(len(read.data) for read in decoded.reads) <= exchange.MAX_DECODED
    assert "passes" in decoded.problem
