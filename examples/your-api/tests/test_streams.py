"""Our own tests of our own streams, beside the suite: what only we know of them."""

import json

import pytest


def test_an_answer_tells_its_state_then_its_tokens_then_its_end(sse):
    stream = sse("answer")
    stream.assert_order("status token{7} done")
    stream.assert_conforms()
    assert stream.verdict == "complete"


def test_the_tokens_are_the_question(sse):
    stream = sse("answer", json={"text": "one\ntwo"})
    tokens = [json.loads(event.data)["text"] for event in stream.events if event.type == "token"]
    assert tokens == ["You", "asked:", "one", "two"]


def test_the_tokens_do_not_come_all_at_once(sse):
    tokens = [event.at for event in sse("answer").events if event.type == "token"]
    assert tokens[-1] - tokens[0] > 0.15  # seconds; a lower bound holds on a busy machine too


def test_a_failed_answer_says_so(sse):
    stream = sse("answer", params={"fail_after": 3})
    stream.assert_order("status token{2} error")
    assert stream.verdict == "error_event"
    assert "model went away" not in stream.events[-1].data  # what went wrong inside stays inside


@pytest.mark.parametrize("last", [1, 4])
def test_whoever_comes_back_goes_on_from_there(sse, last):
    stream = sse("progress", headers={"Last-Event-ID": str(last)})
    assert [event.last_event_id for event in stream.events] == [str(number) for number in range(last + 1, 7)]


def test_whoever_has_seen_it_all_is_sent_away(sse):
    assert sse("progress", headers={"Last-Event-ID": "6"}).status == 204
