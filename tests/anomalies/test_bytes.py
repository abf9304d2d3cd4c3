"""Each rule that bytes decide: what trips it, what comes near and does not, and all that the vectors say."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from ssegauge.anatomy import dissect
from ssegauge.anomalies import JSON_JUDGES, JUDGES, anomalies, payload_anomalies
from ssegauge.anomalies.fields import empty_data
from ssegauge.rules import CATALOGUE
from tests.sse_bytes import BODIES, IDS, VECTORS, body_of

# Beyond the vectors' own lists, each by the letter of its rule: an end without an event (FRM-10), and lines without a
# field name among data lines (FRM-07) beside lines that are fields with another name (FLD-16).
MORE = {
    "cr-empty": {"FRM-10"},
    "cr-id-only": {"FRM-10"},
    "cr-retry-only": {"FRM-10"},
    "own-prime-no-data": {"FRM-10"},
    "wpt-field-parsing": {"FRM-07"},
    "wpt-field-unknown": {"FRM-07"},
    "cr-unrecognized": {"FRM-07"},
}


def tripped(body: bytes, *, ended: bool = True) -> set[str]:
    """Rules that these bytes break; REC-10 aside, as nearly all do."""
    return {anomaly.rule for anomaly in anomalies(dissect(body, ended=ended))} - {"REC-10"}


@pytest.mark.parametrize("vector", VECTORS, ids=IDS)
def test_a_vector_breaks_its_rules_and_no_others(vector: dict[str, Any]) -> None:
    anatomy = dissect(body_of(vector), vector.get("initial_last_event_id", ""))
    found = {anomaly.rule for anomaly in anomalies(anatomy)} - {"REC-10"}
    assert found == set(vector.get("breaks", [])) | MORE.get(vector["id"], set())
    as_json = {anomaly.rule for anomaly in payload_anomalies(anatomy)}
    assert as_json >= set(vector.get("breaks_as_json", []))


def test_every_judge_is_a_rule_of_the_catalogue() -> None:
    assert set(JUDGES) | set(JSON_JUDGES) <= set(CATALOGUE)
    assert not set(JUDGES) & set(JSON_JUDGES)


@given(BODIES)
def test_whatever_comes_is_judged_within_the_body_and_in_printable_ascii(body: bytes) -> None:
    for ended in (True, False):
        anatomy = dissect(body, ended=ended)
        for anomaly in anomalies(anatomy) + payload_anomalies(anatomy):
            assert 0 <= anomaly.start <= anomaly.end <= len(body)
            assert anomaly.text.isascii()
            assert anomaly.text.isprintable()


HTML = b"<!DOCTYPE html>\n<html>\n<head><style>p { color: red }</style></head>\n<body>data: none</body>\n</html>\n"

FRAME = b'{"text": "write data: x\\n\\ndata: y"}'

BREAKS = [
    ("ENC-01", b"data: caf\xe9\n\n"),
    ("ENC-01", b": caf\xe9\n\ndata: x\n\n"),
    ("ENC-02", b"data: caf\xef\xbf\xbd\n\n"),
    ("ENC-02", b'data: {"a": "caf\\ufffd"}\n\n'),
    ("ENC-02", b'data: {\ndata: "a": "\\\\\\uFFFD"}\n\n'),
    ("ENC-03", b"\xef\xbb\xbfdata: x\n\n"),
    ("ENC-04", b"data: \x1b[31mred\n\n"),
    ("ENC-04", b": \x07\ndata: x\n\n"),
    ("ENC-05", b"data: a\xe2\x80\xa8b\n\n"),
    ("ENC-05", b"data: a\xc2\x85b\n\n"),
    ("ENC-06", "data: cafÃ©\n\n".encode()),
    ("ENC-06", "data: itâ€™s\n\n".encode()),
    ("ENC-06", "data: Ð¿Ñ\x80Ð¸Ð²ÐµÑ\x82\n\n".encode()),
    ("ENC-06", "data: ð\x9f\x98\x80\n\n".encode()),
    ("ENC-08", b"data: x\n\n\xef\xbb\xbfdata: y\n\ndata: z\n\n"),
    ("ENC-08", b"data: x\n\nevent: a\n\xef\xbb\xbfdata: y\n\n"),
    ("FRM-01", b"data: x\n\ndata: y\n"),
    ("FRM-01", b"data: x\n\nevent: done\n"),
    ("FRM-01", b"data: x\n\n: pi"),
    ("FRM-01", b"data: x\n\ndata: [DONE]"),
    ("FRM-03", b"data: x\r\r"),
    ("FRM-05", HTML),
    ("FRM-05", b'{"detail": "Not Found"}'),
    ("FRM-05", b'{\n  "detail": "Not Found"\n}\n'),
    ("FRM-05", b'{"a": 1}\n{"a": 2}\n'),
    ("FRM-05", b"Internal Server Error"),
    ("FRM-07", b"data: one\ntwo\ndata: three\n\n"),
    ("FRM-07", b"data: one\ntwo\nthree: 3\n\n"),
    ("FRM-07", b'data: {\n  "a": 1\n}\n\n'),
    ("FRM-08", b"data: " + b"x" * (65536 - 6) + b"\n\n"),
    ("FRM-08", (b"data: " + b"x" * 1018 + b"\n") * 1024 + b"\n"),
    ("FRM-09", b"data: data: {}\n\n"),
    ("FRM-09", b"data: data:{}\n\ndata: data:{}\n\ndata: [DONE]\n\n"),
    ("FRM-09", b"data: event: a\ndata: data: {}\n\n"),
    ("FRM-10", b""),
    ("FRM-10", b": ping\n\n"),
    ("FRM-13", b"data: x\r\n\r\n"),
    ("FRM-15", b'data: {"a":1}\\n\\ndata: {"a":2}\\n\\n\n\n'),
    ("FRM-15", b'data: {"a":1}\\n\\ndata: {"a":2}\\n\\n'),
    ("FRM-15", b'data: "data: x\\n\\ndata: y\\n\\n"\n\n'),
    ("FRM-15", b'data: {"a":1}\\n\\n\ndata: {"a":2}\\n\\n\n'),
    ("FRM-15", b"data: one\\r\\n\\r\\n\n\ndata: two\\r\\n\\r\\n\n\n"),
    ("FRM-15", b"event: a\\ndata: x\\n\\n\n\ndata: y\n\n"),
    ("FRM-15", b"retry: 1500\\ndata: x\\n\\n\n\ndata: y\n\n"),
    ("FRM-15", b"id: 1\\nevent: a\\ndata: x\\n\\n\n\ndata: y\n\n"),
    ("FLD-01", b"Data: x\n\ndata: y\n\n"),
    ("FLD-01", b"Data: x\n\n"),
    ("FLD-01", b"event: a\nDATA: x\n\n"),
    ("FLD-01", b" data: x\n\n"),
    ("FLD-01", b"data : x\n\n"),
    ("FLD-02", b"id: a\0\ndata: x\n\n"),
    ("FLD-03", b"retry: 5s\ndata: x\n\n"),
    ("FLD-03", b"retry:\ndata: x\n\n"),
    ("FLD-03", b"retry: 5s\n\ndata: x\n\n"),
    ("FLD-04", b"retry: 0\ndata: x\n\n"),
    ("FLD-04", b"retry: 499\ndata: x\n\n"),
    ("FLD-04", b"retry: 300001\ndata: x\n\n"),
    ("FLD-05", b"id: 1\n\ndata: x\n\n"),
    ("FLD-06", b"event: a\nevent: b\ndata: x\n\n"),
    ("FLD-06", b"retry: 1000\nretry: 1000\ndata: x\n\n"),
    ("FLD-07", b"event: a\n\ndata: x\n\n"),
    ("FLD-08", b"data:\n\n"),
    ("FLD-11", b"event: a \ndata: x\n\n"),
    ("FLD-11", b"event:\ta\ndata: x\n\n"),
    ("FLD-12", b"id: 1\ndata: x\n\nid: 1\ndata: y\n\n"),
    ("FLD-13", b"id: " + b"9" * 129 + b"\ndata: x\n\n"),
    ("FLD-13", b"id: a b\ndata: x\n\n"),
    ("FLD-13", "id: é\ndata: x\n\n".encode()),
    ("FLD-14", b"id: 1\ndata: x\n\nid\ndata: y\n\n"),
    ("FLD-16", b'error: {"code": 1}\n\ndata: x\n\n'),
    ("FLD-16", b'error: {"code": 1}\ndata: x\n\n'),
    ("FLD-17", b"retry: 1000\n\ndata: x\n\n"),
    ("ERR-02", b"event: error\ndata: x\n\n"),
]


@pytest.mark.parametrize(("rule", "body"), BREAKS, ids=[f"{rule}-{len(body)}-{body[:40]!r}" for rule, body in BREAKS])
def test_one_cause_gives_one_anomaly(rule: str, body: bytes) -> None:
    assert tripped(body) == {rule}


def test_mixed_line_ends_name_each_kind() -> None:
    assert tripped(b"data: x\r\n\r\ndata: y\n\n") == {"FRM-12", "FRM-13"}
    [found] = JUDGES["FRM-12"](dissect(b"data: x\r\n\r\ndata: y\n\n"))
    assert found.text == "several kinds of line end: LF 2, CRLF 2"
    assert found.start == len(b"data: x\r\n\r\ndata: y")


def test_a_retry_anywhere_is_enough() -> None:
    def told(body: bytes) -> list[Any]:
        return list(JUDGES["REC-10"](dissect(body)))

    assert told(b"data: x\n\n")
    assert told(b"retry: 5s\ndata: x\n\n")
    assert not told(b"data: x\n\nretry: 1000\n")


CLEAN = [
    b"data: x\n\n",
    b"id: 1\nevent: a\nretry: 500\ndata: x\n\nid: 2\nretry: 300000\ndata: y\n\n",
    b"data: a\ndata: b\n\n\n\ndata: c\n\n",
    b"data: x\n\n: bye\n",
    b"data: x\n\nretry: 1000\n",
    "data: naïve café, «É», 5 € — SÃO, NÃO, „Ä“, привет, 你好, 😀\n\n".encode(),
    "data: Ã\n\ndata: CORAÇÃO\n\n".encode(),
    "data: «CAFÉ»\n\n".encode(),
    b"data: \xef\xbb\xbfx\n\n",
    b"data: a\tb\n\n",
    b"data: " + b"x" * (65535 - 6) + b"\n\n",
    (b"data: " + b"x" * 1017 + b"\n") * 1023 + b"\n",
    b"data: data:image/png;base64,AAAA\n\n",
    b"data: data: the word\n\ndata: b\n\ndata: c\n\n",
    b"data: id: please show it\n\n",
    b"data: event: what a day it was\n\n",
    b"data: " + FRAME + b"\n\n",
    b'data: {"cut": "x\\n\\ndata: y\n\n',
    b'data: res.write("data: hi\\n\\ndata: there\\n\\n")\n\n',
    b"data: yield 'data: hi\\n\\ndata: there'\n\n",
    b"data: a\\nb\\n\\nc\n\n",
    b"data: split at \\n\\n\n\ndata: and trim\n\n",
    b"data: \\n\\n\n\n",
    b'data: {"a": "write \\\\ufffd"}\n\n',
    b"data: {in Python: \\ufffd\n\n",
    b"id: 7\ndata: x\n\ndata: y\n\n",
    b"id: 7\ndata: x\n\nid: 7\ndata: x\n\n",
    b"id: " + b"9" * 128 + b"\ndata: x\n\n",
    b"id\ndata: x\n\nid: 1\ndata: y\n\n",
    b"event: a.b/c:d\ndata: x\n\n",
    b"event:\ndata: x\n\n",
    b"event: errors\ndata: x\n\n",
    b"data: <html>\n\n",
    b"data\ndata\n\n",
]


@pytest.mark.parametrize("body", CLEAN, ids=[f"{len(body)}-{body[:50]!r}" for body in CLEAN])
def test_what_is_right_trips_nothing(body: bytes) -> None:
    assert tripped(body) == set()


@pytest.mark.parametrize(
    "body",
    [b"", b": ping\n\n", b"data: x\n\ndata: y", b"data: x\n\ndata: caf\xc3", b"id: 1\n"],
    ids=ascii,
)
def test_a_stream_that_we_cut_is_not_blamed_for_its_end(body: bytes) -> None:
    assert tripped(body, ended=False) == set()


def test_the_first_half_of_a_crlf_is_no_lone_cr() -> None:
    assert tripped(b"data: x\r\n\r", ended=False) == {"FRM-13"}
    assert tripped(b"data: x\r\n\r") == {"FRM-03", "FRM-12", "FRM-13"}


def test_types_that_may_be_empty_are_let_pass() -> None:
    anatomy = dissect(b"event: ping\ndata:\n\n")
    assert list(empty_data(anatomy))
    assert not list(empty_data(anatomy, {"ping"}))


def test_a_long_run_of_bytes_that_are_not_utf_8_is_told_once() -> None:
    assert len(list(JUDGES["ENC-01"](dissect(b"data: " + b"\xff" * 100_000 + b"\n\n")))) == 1


def test_the_text_of_a_server_is_escaped() -> None:
    [found] = JUDGES["FLD-16"](dissect(b"\x1b]0;x: y\ndata: x\n\n"))
    assert "\x1b" not in found.text
    assert json.dumps(found.text).isascii()


def test_the_event_that_holds_a_bad_byte_is_named() -> None:
    told = [anomaly.text for anomaly in JUDGES["ENC-01"](dissect(b"data: x\n\n: \xff\n\ndata: \xe9\n\n"))]
    assert told == ["not UTF-8: bytes ff", "not UTF-8: bytes e9 in event 1"]
