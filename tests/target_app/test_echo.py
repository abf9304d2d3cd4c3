"""What is sent comes back: docs/echo-contract.md."""

import json
from pathlib import Path

import pytest

from tests.target_app.reading import strict

VECTORS = Path(__file__).resolve().parents[1] / "vectors" / "roundtrip.json"

OWN = {
    "x\n": "x\n", "\n": "\n", "\n\n": "\n\n", "a\r\nb": "a\nb", "a\rb": "a\nb", "\r\n\r\n": "\n\n", "a\n\rb": "a\n\nb",
    " x": " x", "x ": "x ", "\tx": "\tx", ":x": ":x", "data: x": "data: x", "": "",
    "\u2028": "\u2028", "\u2029": "\u2029", "\x85": "\x85", "\x0b\x0c\x1c\x1d\x1e": "\x0b\x0c\x1c\x1d\x1e",
    "\x00": "\x00", "\ufeffdata: x": "\ufeffdata: x", "\U0001f600": "\U0001f600", "e\u0301": "e\u0301",
    "x\r\revent: pwn\rdata: y\r\r": "x\n\nevent: pwn\ndata: y\n\n",
}  # fmt: skip


def vectors():
    found = dict(OWN)
    if VECTORS.exists():
        for vector in json.loads(VECTORS.read_text(encoding="utf-8"))["vectors"]:
            text = vector.get("text") or vector["text_repeat"][0] * vector["text_repeat"][1]
            found[text] = text if vector["expected"] == "same" else vector["expected"]
    return found


@pytest.mark.parametrize(("sent", "expected"), vectors().items(), ids=lambda text: ascii(text[:30]))
def test_text_comes_back(app, sent, expected):
    (event,) = app.events("/echo", method="POST", json=[{"data": sent}])
    assert event == ("message", expected, None)
    event, end = app.events("/echo/one", method="POST", json={"data": sent, "type": "x", "id": "7"})
    assert event == ("x", expected, "7")
    assert end.type == "complete"
    if len(sent) < 1000:
        event, end = app.events("/echo", params={"data": sent})
        assert event == ("message", expected, None)


def test_blocks_come_back_as_they_were_sent(app):
    sent = [
        {"comment": "one\ntwo"},
        {"type": "greeting", "data": "two\nlines", "id": "1", "retry": 3000},
        {"data": ""},
        {"retry": 5},
        {"id": ""},
        {"type": "complete", "data": "{}"},
        {"data": "after"},
    ]
    response = app.client.post("/echo", json=sent)
    assert response.content == (
        b": one\n: two\n\n"
        b"id: 1\nevent: greeting\ndata: two\ndata: lines\nretry: 3000\n\n"
        b"data: \n\n"
        b"retry: 5\n\n"
        b"id: \n\n"
        b"event: complete\ndata: {}\n\n"
        b"data: after\n\n"
    )


def test_nothing_sent_is_nothing_echoed(app):
    assert app.client.post("/echo", json=[]).content == b""


@pytest.mark.parametrize("field", ["type", "id"])
@pytest.mark.parametrize("value", ["a\nb", "a\rb", "a\r\nb", "a\n", "\n", "a\0b"], ids=repr)
def test_a_line_end_in_a_type_or_an_id_is_refused(app, field, value):
    assert app.client.post("/echo", json=[{"data": "x", field: value}]).status_code == 422
    assert app.client.post("/echo/one", json={"data": "x", field: value}).status_code == 422
    query = {"type": "event"}.get(field, field)
    assert app.client.get("/echo", params={query: value}).status_code == 422


@pytest.mark.parametrize("field", ["type", "id"])
@pytest.mark.parametrize("value", [" x ", "\u2028", "\x85", "é", "x:y", ":", "a\x0bb"], ids=ascii)
def test_anything_else_in_a_type_or_an_id_comes_back(app, field, value):
    event = app.events("/echo/one", method="POST", json={"data": "x", field: value})[0]
    assert getattr(event, field) == value


@pytest.mark.parametrize(
    "body",
    [
        b"{}", b"[1]", b'[{"datum": 1}]', b'[{"data": 1}]', b'[{"retry": -1}]', b'[{"retry": "5"}]', b'[{"retry": true}]',
        b'[{"retry": 1.5}]', b'[{"data": "\\ud800"}]', b"[", b"\xff", b"", b'[{"\\ud800": 1}]', b"[" * 100_000,
        json.dumps([{"data": "x"}] * 1001).encode(),
    ],
    ids=lambda body: ascii(body[:30]),
)  # fmt: skip
def test_a_body_that_is_no_list_of_events_is_refused(app, body):
    response = app.client.post("/echo", content=body, headers={"Content-Type": "application/json"})
    assert 400 <= response.status_code < 500
    assert response.headers["content-type"] == "application/json"


def test_the_strict_reader_sees_what_is_wrong():
    for body in (
        b"data: x\n",
        b"data: x\r\n\r\n",
        b"datum: x\n\n",
        b"event: x\n\n",
        b"event: a\nevent: b\ndata: x\n\n",
    ):
        with pytest.raises(AssertionError):
            strict(body)
