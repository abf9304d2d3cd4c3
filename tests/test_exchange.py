"""Recordings: saved and loaded alike, without credentials; content codings undone with their times."""

from __future__ import annotations

import gzip
import json
import zlib
from importlib import resources
from pathlib import Path

import pytest

from ssegauge import exchange
from ssegauge.cli import main
from ssegauge.errors import UserError
from ssegauge.exchange import Exchange, Hop, Read, Sent, decode_content
from ssegauge.verdict import END_KINDS

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


NO_RECORDING = {
    "empty": (b"", "not a recording of ssegauge: not valid JSON (Expecting value: line 1 column 1 (char 0))"),
    "list": (b"[]", "not a recording of ssegauge: it holds no object"),
    "number": (b"5", "not a recording of ssegauge: it holds no object"),
    "other object": (b"{}", 'not a recording of ssegauge: it has no "schema"'),
    "results": (
        b'{"schema": "ssegauge/results/1"}',
        "not a recording of ssegauge: its schema is ssegauge/results/1, not ssegauge/recording/1",
    ),
    "lines in a schema": (
        b'{"schema": "a\\nb"}',
        "not a recording of ssegauge: its schema is a\\nb, not ssegauge/recording/1",
    ),
    "newer": (
        b'{"schema": "ssegauge/recording/9"}',
        "not a recording of ssegauge: its schema is ssegauge/recording/9, not ssegauge/recording/1",
    ),
    "schema alone": (
        b'{"schema": "ssegauge/recording/1"}',
        "not a recording of ssegauge: the document: 'endpoint' is a required property",
    ),
    "cut": (
        b'{"schema": ',
        "not a recording of ssegauge: not valid JSON (Expecting value: line 1 column 12 (char 11))",
    ),
    "binary": (b"\x7fELF\xd0", "not a text file in UTF-8 (byte 4)"),
    "deep": (b"[" * 100_000, "not a recording of ssegauge: nested too deeply"),
}


@pytest.mark.parametrize("name", NO_RECORDING)
def test_what_is_no_recording_is_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    content, said = NO_RECORDING[name]
    path = tmp_path / "r.json"
    path.write_bytes(content)
    assert main(["check", "--recording", str(path)]) == 2
    assert capsys.readouterr().err == f"ssegauge: {path}: {said}\n"


def test_a_folder_is_no_recording(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--recording", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"ssegauge: {tmp_path}: cannot be read: is a directory\n"


WRONG = {
    "reads": [
        5,
        [5],
        [{}],
        [{"at": "soon", "b64": ""}],
        [{"at": 1, "b64": "!"}],
        [{"at": 1, "b64": "ä"}],
        [{"at": 1, "b64": 5}],
    ],
    "request": [None, 5, [], {}, {"method": "GET"}, {"url": 5, "method": "GET", "headers": [], "body": None}],
    "headers": [None, 5, [5], [["a"]], [["a", "b", "c"]], [[1, 2]], {"a": "b"}],
    "redirects": [None, 5, [[302]], [["302", "http://a/", None]], [[1, 2, 3, 4]]],
    "status": ["200", [], 2.5, True],
    "end": [None, "strange", 5],
    "end_at": [None, "late", []],
    "first_byte_at": ["soon"],
    "excess": [None, 5, "!"],
    "endpoint": [None, 5],
    "closed_after_end": ["yes", 1],
    "unknown": [1],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_a_recording_of_a_foreign_type_in_a_field_is_refused(tmp_path: Path, name: str, value: object) -> None:
    path = tmp_path / "r.json"
    path.write_text(json.dumps(recorded().to_json() | {name: value}))
    with pytest.raises(UserError) as caught:
        exchange.load(path)
    said = str(caught.value)
    assert said.startswith(f"{path}: not a recording of ssegauge: ")
    assert name in said or "Base64" in said
    assert "\n" not in said
    assert "Error" not in said


@pytest.mark.parametrize("name", ["schema", "endpoint", "request", "headers", "reads", "excess", "redirects"])
def test_a_recording_without_what_was_seen_is_refused(name: str) -> None:
    document = recorded().to_json()
    del document[name]
    with pytest.raises(UserError, match=name):
        Exchange.from_json(document)


def test_the_schema_knows_every_field_and_every_end() -> None:
    schema = json.loads(resources.files("ssegauge").joinpath("recording.schema.json").read_text(encoding="utf-8"))
    assert schema["properties"].keys() == recorded().to_json().keys()
    assert schema["properties"]["request"]["properties"].keys() == recorded().to_json()["request"].keys()
    assert tuple(schema["properties"]["end"]["enum"]) == END_KINDS
    assert schema["properties"]["schema"]["const"] == exchange.SCHEMA


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
