"""The short ways of the contract are the long ones, only shorter."""

import pytest

from ssegauge.load.contract import _has_id, _type_of
from ssegauge.wire import LazyDecoder


@pytest.mark.parametrize(
    "block",
    [
        b"data: x",
        b"event: token\ndata: x",
        b"event:token\ndata: x",
        b"event:  token\ndata: x",
        b"event: \ndata: x",
        b"event:\ndata: x",
        b"event\ndata: x",
        b"data: x\nevent: late",
        b"event: one\nevent: two\ndata: x",
        b"event: one\ndata: event",
        b"data: event: no",
        b"event: event\ndata: x",
        b": event\nevent: token\ndata: x",
        b"event: t\xc3\xa4\ndata: x",
        b"event: a:b\ndata: x",
    ],
    ids=repr,
)
def test_the_type_is_the_decoders(block):
    [event] = LazyDecoder().feed(block + b"\n\n")
    assert _type_of(event) == event.raw_type


@pytest.mark.parametrize("data", [b"event: token", b"id: 1", b"x\nevent: y"], ids=repr)
def test_what_data_says_is_no_field_however_many_events_come_at_once(data):
    block = b"".join(b"data: " + line + b"\n" for line in data.split(b"\n")).replace(
        b"data: event: y", b"data:event: y"
    )
    events = LazyDecoder().feed(3 * (block + b"\n"))
    assert [_type_of(event) for event in events] == [b"message"] * 3
    assert [event.raw_data for event in events] == [data] * 3
    assert not any(_has_id(event) for event in events)
