"""Durations, pointers, and times read from payloads."""

import itertools
import json

import pytest

from ssegauge.profile import Endpoint, pointer
from ssegauge.profile.fields import duration
from ssegauge.profile.pointer import MISSING


@pytest.mark.parametrize(
    ("text", "seconds"), [("500ms", 0.5), ("30s", 30), ("2m", 120), ("1h", 3600), ("1.5 s", 1.5), (3, 3), (0.25, 0.25)]
)
def test_durations(text, seconds):
    assert duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["", "30", "s", "-1s", "1d", "1e3s", 0, -1, float("inf"), float("nan"), True, None, []]
)
def test_no_durations(text):
    with pytest.raises(ValueError):
        duration(text)


@pytest.mark.parametrize(
    ("at", "value"),
    [("", {"a": [{"b/c": None}, 2], "s": "text"}), ("/a/0/b~1c", None), ("/a/1", 2), ("/a/2", MISSING), ("/a/01", MISSING),
     ("/a/-", MISSING), ("/s/0", MISSING), ("/none", MISSING)],
)  # fmt: skip
def test_pointers_find_members_of_objects_and_lists_alone(at, value):
    assert pointer.find({"a": [{"b/c": None}, 2], "s": "text"}, pointer.parts(at)) == value


def test_sent_at_is_read_in_its_unit():
    def seconds(unit, value):
        place = Endpoint(name="a", sent_at={"pointer": "/t", "unit": unit}).sent_at
        return place.seconds({"t": value})

    assert seconds("ns", 1_500_000_000) == 1.5
    assert seconds("ms", 1500) == 1.5
    assert seconds("iso", "1970-01-01T00:00:01.5+00:00") == 1.5
    assert seconds("iso", "1970-01-01T00:00:01") is None
    assert seconds("s", "1") is seconds("s", True) is None


@pytest.mark.parametrize(
    "data",
    [
        *('{"a": 1, "a": [2.50, -0, 1e400]}', '"\\ud800"', '"\\ud83d\\ude00"', "NaN", "[Infinity, -Infinity]", "null"),
        *("[" * 300 + "]" * 300, "[" * 100_000, "1" * 4_300, "1" * 5_000, "123456789012345678901234567890", "\ufeff1"),
        *("", " ", "01", "1.", "+1", "-", "-NaN", "nan", '{"a":}', '{"a":1,}', "[1] 2", '"\x01"', '"\\x"', "True"),
    ],
    ids=itertools.count(),
)
def test_a_payload_is_what_json_says_it_is(data):
    try:
        expected = json.loads(data)
    except (ValueError, RecursionError):
        expected = MISSING
    assert repr(pointer.payload(data)) == repr(expected)
