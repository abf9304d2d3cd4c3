"""The short ways of the contract are the long ones, only shorter."""

import pytest

from ssegauge.load.contract import _type_of
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
