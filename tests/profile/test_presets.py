"""The streams that providers document keep their presets."""

import pytest

from ssegauge.order import Order
from ssegauge.profile import load
from ssegauge.profile.presets import PRESETS

E = '[[endpoint]]\nname = "a"\n'


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_makes_an_endpoint_and_gives_way_to_what_the_profile_says(written, name):
    endpoint = load(written(f'base_url = "http://h"\n{E}preset = "{name}"\nterminal = ["mine"]')).endpoint[0]
    assert endpoint.terminal == ("mine",)
    assert {"order", "terminal", "errors"} <= endpoint.declares


STREAMS = {
    "openai-chat": ["message"] * 4,
    "anthropic-messages": [
        ("message_start", None), ("content_block_start", 0), ("content_block_delta", 0), ("content_block_stop", 0),
        ("content_block_start", 1), ("content_block_delta", 1), ("content_block_stop", 1), ("message_delta", None),
        ("message_stop", None),
    ],
    "openai-responses": [
        ("response.created", None), ("response.in_progress", None), ("response.output_item.added", 0),
        ("response.output_item.added", 1), ("response.content_part.added", 1), ("response.output_text.delta", 1),
        ("response.output_item.done", 0), ("response.output_item.done", 1), ("response.completed", None),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", STREAMS)
def test_the_documented_stream_keeps_its_preset(name):
    order = Order.compile(PRESETS[name]["order"])
    events = [event if isinstance(event, tuple) else (event, None) for event in STREAMS[name]]
    for indices in order.parts(events).values():
        assert order.deviation(events[index][0] for index in indices) is None


def test_a_block_that_is_not_closed_breaks_the_anthropic_order():
    order = Order.compile(PRESETS["anthropic-messages"]["order"])
    events = [event for event in STREAMS["anthropic-messages"] if event != ("content_block_stop", 1)]
    parts = order.parts(events)
    assert order.deviation(events[index][0] for index in parts[0]) is None
    assert order.deviation(events[index][0] for index in parts[1]) is not None
