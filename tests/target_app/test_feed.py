"""A shared feed: everybody gets everything."""

import contextlib
import json

import pytest


class Listener:
    def __init__(self, response):
        self._lines = response.iter_lines()
        assert next(self._lines) == ": open"

    def next(self):
        data = next(line for line in self._lines if line.startswith("data: "))
        return json.loads(data.removeprefix("data: "))


@pytest.fixture
def listeners(app):
    with contextlib.ExitStack() as stack:
        yield [Listener(stack.enter_context(app.client.stream("GET", "/feed"))) for _ in range(3)]


def test_every_subscriber_gets_every_message_in_order(app, listeners):
    sent = [{"n": n} for n in range(30)]
    answers = [app.client.post("/publish", json=message).json() for message in sent]
    assert [answer["subscribers"] for answer in answers] == [3] * 30
    for listener in listeners:
        got = [listener.next() for _ in sent]
        assert [message["data"] for message in got] == sent
        assert [message["seq"] for message in got] == [answer["seq"] for answer in answers]


@pytest.mark.parametrize(
    ("content", "data"),
    [(b"", None), (b"plain text", "plain text"), (b"NaN", "NaN"), (b'"\\ud800"', "\ud800"), (b"a\n\nb", "a\n\nb")],
    ids=repr,
)
def test_anything_can_be_published(app, listeners, content, data):
    assert app.client.post("/publish", content=content).status_code == 202
    assert listeners[0].next()["data"] == data


def test_a_message_too_large_is_refused(app):
    assert app.client.post("/publish", content=b"x" * 70_000).status_code == 413


def test_one_who_does_not_read_holds_up_nobody(app, listeners):
    big = "x" * 60_000
    for n in range(60):
        app.client.post("/publish", content=big)
        assert len(listeners[0].next()["data"]) == 60_000, n


def test_a_feed_begins_with_its_subscription(app):
    app.client.post("/publish", content=b"before")
    with app.client.stream("GET", "/feed") as response:
        listener = Listener(response)
        app.client.post("/publish", content=b"after")
        assert listener.next()["data"] == "after"
