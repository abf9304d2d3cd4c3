"""What is wrong with payloads that should be JSON."""

from __future__ import annotations

import pytest

from ssegauge.anatomy import dissect
from ssegauge.anomalies import payload_anomalies


def tripped_as_json(body: bytes, *exempt: str) -> set[str]:
    return {anomaly.rule for anomaly in payload_anomalies(dissect(body), exempt)}


JSON_BREAKS = [
    ({"JSON-01"}, b'data: {"a": 1\n\n'),
    ({"JSON-01"}, b"data: hello\n\n"),
    ({"JSON-01"}, b'data: {"a": 1,}\n\n'),
    ({"JSON-01"}, b'data: {"a": 1} x\n\n'),
    ({"JSON-01"}, b'data: {"a":\n\ndata:  1}\n\n'),
    ({"JSON-01"}, b"data: " + b"[" * 60_000 + b"\n\n"),
    ({"JSON-02"}, b'data: {"a": NaN}\n\n'),
    ({"JSON-02"}, b"data: -Infinity\n\n"),
    ({"JSON-03"}, b'data: {"a": 1, "a": 2}\n\n'),
    ({"JSON-04"}, b'data: {"a": 9007199254740992}\n\n'),
    ({"JSON-04"}, b"data: " + b"9" * 5000 + b"\n\n"),
    ({"JSON-07"}, b"data: {'a': 1, 'b': None}\n\n"),
    ({"JSON-07"}, b"data: True\n\n"),
    ({"JSON-07"}, b"data: {'at': datetime.datetime(2026, 1, 1), 'x': nan}\n\n"),
    ({"JSON-07"}, b"data: [<Tool object at 0x7f00>, 'x']\n\n"),
    ({"JSON-07"}, b"data: Message(text='x', n=1)\n\n"),
    ({"JSON-01"}, b"data: {a: 1, b: 'x'}\n\n"),
    ({"JSON-01"}, b"data: it's\n\n"),
    ({"JSON-01"}, b"data: print('x')\n\n"),
    ({"JSON-09"}, b'data: "{\\"a\\": 1}"\n\n'),
    ({"FRM-06", "JSON-01"}, b'data: {"a": 1}\ndata: {"a": 2}\n\n'),
    ({"FRM-14", "JSON-01"}, b'event: a\nevent: b\ndata: {"a":\ndata: {"b": 1}\n\ndata: 1}\n\n'),
    ({"FRM-14", "JSON-01"}, b'data: {"a":\ndata: {"b": 1}\n\ndata:  1}\n\n'),
    ({"FRM-14", "JSON-01"}, b'data: {"a":\n\ndata: {"b": 1}\n\ndata:  1}\n\n'),
    ({"LIF-04", "JSON-01"}, b'data: {"a":\n: ping\n\ndata:  1}\n\n'),
    ({"LIF-04"}, b"event: a\ndata: 1\n\nevent: a\n: ping\n\ndata: 2\n\n"),
    (set(), b"event: ping\n: alive\n\ndata: 2\n\nevent: a\ndata: 1\n\n"),  # it is the type of nothing
    (set(), b"event: a\ndata: 1\n\nevent: a\n: ping\n\nevent: a\ndata: 2\n\n"),
    ({"LIF-10"}, b"id: 1\ndata: 1\n\n: ping\n\n"),
]


@pytest.mark.parametrize(("rules", "body"), JSON_BREAKS, ids=[ascii(body[:60]) for _, body in JSON_BREAKS])
def test_what_is_wrong_with_json_is_named(rules: set[str], body: bytes) -> None:
    assert tripped_as_json(body) == rules


@pytest.mark.parametrize(
    "body",
    [
        b'data: {"a": 1}\n\ndata: [DONE]\n\n',
        b'data: {\ndata:   "a": 1\ndata: }\n\n',
        b'data: {"a": 9007199254740991, "b": 1e400, "c": 1.0}\n\n',
        b'data: {"a": {"x": 1}, "b": {"x": 1}}\n\n',
        b'data: "plain text"\n\ndata: "5"\n\n',
        b": ping\n\nid: 1\ndata: 1\n\n: ping\ndata: 2\n\n",
        b'data: {"a": 1}\n: ping\n\ndata: {"b": 2}\n\n',
        b"data:\n\n",
    ],
    ids=lambda body: ascii(body[:60]),
)
def test_right_json_trips_nothing(body: bytes) -> None:
    assert tripped_as_json(body, "[DONE]") == set()


def test_a_sentinel_that_is_not_quite_the_declared_one_is_left_to_its_own_rule() -> None:
    for data in (b"'[DONE]'", b"[DONE] ", b" [done]"):
        assert tripped_as_json(b"data: " + data + b"\n\n", "[DONE]") == set()
        assert tripped_as_json(b"data: " + data + b"\n\n") != set()
    assert tripped_as_json(b"data: [DONE!]\n\n", "[DONE]") == {"JSON-01"}


def test_events_of_an_ignored_type_need_not_be_json() -> None:
    anatomy = dissect(b"event: ping\ndata: pong\n\n")
    assert payload_anomalies(anatomy)
    assert not payload_anomalies(anatomy, ignored={"ping"})
