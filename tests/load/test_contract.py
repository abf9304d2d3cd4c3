"""The short ways of the contract are the long ones, only shorter."""

from collections import Counter

import pytest

from ssegauge.load.contract import Contract, Delivery, Watch
from ssegauge.profile.endpoint import Endpoint
from ssegauge.profile.presets import PRESETS
from ssegauge.wire import LazyDecoder, decode, id_in, type_in


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
    assert type_in(event).decode() == decode(block + b"\n\n")[0].type


@pytest.mark.parametrize("data", [b"event: token", b"id: 1", b"x\nevent: y"], ids=repr)
def test_what_data_says_is_no_field_however_many_events_come_at_once(data):
    block = b"".join(b"data: " + line + b"\n" for line in data.split(b"\n")).replace(
        b"data: event: y", b"data:event: y"
    )
    events = LazyDecoder().feed(3 * (block + b"\n"))
    assert [type_in(event) for event in events] == [b"message"] * 3
    assert [event.raw_data for event in events] == [data] * 3
    assert not any(id_in(event) for event in events)


@pytest.mark.parametrize("line", [b"identity: 5", b"id: 5\0", b"id:", b"id"], ids=repr)
def test_an_event_without_an_id_of_its_own_repeats_none(line):
    delivery = Delivery()
    endpoint = {"resume": {"from": "Last-Event-ID"}}
    watch = Watch(Contract(Endpoint(name="e", **endpoint)), delivery, lambda _: None)
    for block in LazyDecoder().blocks(b"id: 1\ndata: x\n\n" + 3 * (line + b"\ndata: x\n\n")):
        watch.see(block, 0.0)
    assert delivery.duplicated == 0


SCHEMA = {"type": "object", "required": ["seq"], "properties": {"seq": {"type": "integer"}}}


def faults(payloads, *, data="json", each=4, **shares):
    """Of so many streams with these payloads, under one contract."""
    contract = Contract(Endpoint(name="e", data=data, schema={"token": SCHEMA}), **shares)
    found = Counter()
    for _ in range(each):
        watch = Watch(contract, Delivery(), lambda _: None)
        for event in LazyDecoder().feed(b"".join(b"event: token\ndata: %s\n\n" % payload for payload in payloads)):
            watch.see(event, 0.0)
        found.update(watch.faults)
    return dict(found)


def test_payloads_are_held_against_the_schema_of_their_type():
    assert faults([b'{"seq": 1}', b'{"seq": "1"}', b"{}"]) == {"schema": 8}
    assert faults([b'{"seq": 1}', b"{"]) == {"json": 4}
    assert faults([b"{"], data="text") == {"schema": 4}


def test_a_share_of_the_payloads_is_counted_over_all_streams():
    assert faults([b"{}"], each=100, schema_share=0.1) == {"schema": 10}
    assert faults([b"{}"], each=100, schema_share=0) == {}
    assert faults([b"no"], each=100, json_share=0.1, schema_share=0) == {"json": 10}


def test_other_types_have_no_schema():
    contract = Contract(Endpoint(name="e", schema={"token": SCHEMA}))
    watch = Watch(contract, Delivery(), lambda _: None)
    for event in LazyDecoder().feed(b"event: other\ndata: {}\n\n"):
        watch.see(event, 0.0)
    assert watch.faults == {}


def seen_by(endpoint, stream):
    watch = Watch(Contract(Endpoint(name="e", **endpoint)), Delivery(), lambda _: None)
    for event in LazyDecoder().feed(stream):
        watch.see(event, 0.0)
    watch.close(ended=True)
    return watch


DONE = b"event: done\ndata: {}\n\n"
SENTINEL = b"data: [DONE]\n\n"


@pytest.mark.parametrize(
    ("stream", "faults"),
    [(DONE + SENTINEL, {}), (DONE + DONE, {"terminal": 1}), (DONE + SENTINEL + SENTINEL, {"terminal": 1})],
)
def test_a_terminal_event_may_be_followed_by_one_sentinel_as_in_a_check(stream, faults):
    keys = {"data": "json", "terminal": ["done"], "terminal_data": ["[DONE]"]}
    assert seen_by(keys, stream).faults == faults


UNNAMED = b"".join(
    b'data: {"type":"response.%s","response":{}}\n\n' % name for name in (b"created", b"in_progress", b"completed")
)
"""What LiteLLM's proxy sends: OpenAI's events without their names. The official client never looks at the names."""


def test_events_whose_name_stands_in_the_payload_alone_end_a_stream_where_clients_go_by_it():
    seen = seen_by(PRESETS["openai-responses"], UNNAMED)
    assert seen.terminal_seen
    assert not seen.faults
    assert not seen_by({**PRESETS["openai-responses"], "discriminator": {"pointer": "/type"}}, UNNAMED).terminal_seen


@pytest.mark.parametrize("said", ['"error"', "7", '""', '"\\ud800"', "null"])
def test_what_a_payload_calls_itself_may_be_anything(said):
    seen = seen_by(PRESETS["openai-responses"], f'data: {{"type": {said}}}\n\n'.encode())
    assert seen.error_seen == (said == '"error"')


BEYOND = "1" + "0" * 400


@pytest.mark.parametrize("said", [BEYOND, f"-{BEYOND}", "1e400", "-1e400", "1e300", "true", '"now"', "null", "NaN"])
@pytest.mark.parametrize("unit", ["ns", "us", "ms", "s"])
def test_a_time_that_is_none_is_not_taken_for_one(said, unit):
    lags = []
    contract = Contract(Endpoint(name="e", data="json", sent_at={"pointer": "/sent", "unit": unit}))
    watch = Watch(contract, Delivery(), lags.append)
    assert watch.see(f'data: {{"sent": {said}}}'.encode(), 1e9)
    assert lags == []
    assert watch.see(b'data: {"sent": 0}', 1e9)
    assert lags == [1e9]


@pytest.mark.parametrize("said", [BEYOND, f"-{BEYOND}", "1e400", "-5", '"many"'])
def test_a_count_of_tokens_that_is_none_is_not_taken_for_one(said):
    contract = Contract(Endpoint(name="e", data="json", first_match=["message"], tokens={"pointer": "/n"}))
    watch = Watch(contract, Delivery(), lambda _: None)
    watch.see(b'data: {"n": 3}', 0.0)
    watch.see(f'data: {{"n": {said}}}'.encode(), 0.0)
    assert watch.tokens in {3, 0}  # none is less than none


def test_a_payload_that_leads_its_schema_down_without_end_does_not_keep_it():
    schema = {"type": "object", "additionalProperties": {"$ref": "#"}}
    watch = Watch(Contract(Endpoint(name="e", schema={"message": schema})), Delivery(), lambda _: None)
    assert watch.see(b"data: " + b'{"a":' * 150 + b"{}" + b"}" * 150, 0.0)
    assert watch.see(b"data: " + b'{"a":' * 900 + b"{}" + b"}" * 900, 0.0)
    assert watch.faults == {"schema": 1}


@pytest.mark.parametrize("numbers", [(1, 2, 4), ("1.0", 2, "4.0"), ('"1"', '"2"', '"4"')])
def test_a_number_of_the_sequence_may_be_written_in_any_way_that_a_check_takes(numbers):
    delivery = Delivery()
    watch = Watch(Contract(Endpoint(name="e", data="json", sequence={"pointer": "/n"})), delivery, lambda _: None)
    for number in numbers:
        watch.see(f'data: {{"n": {number}}}'.encode(), 0.0)
    assert (delivery.numbers.first, delivery.lost) == (1, 1)
