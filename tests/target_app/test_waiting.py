"""Idle, slow and endless streams."""

import itertools
import time

from tests.target_app.reading import strict
from tests.timing import MS


def test_an_idle_stream_says_only_that_it_is_there(app):
    with app.client.stream("GET", "/idle?keepalive=0.05") as response:
        seen = b"".join(itertools.islice(response.iter_raw(), 4))
    assert seen == b": open\n\n" + 3 * b": keepalive\n\n"


def test_an_idle_stream_has_its_first_byte_at_once(app):
    started = time.monotonic()
    with app.client.stream("GET", "/idle") as response:
        assert next(response.iter_raw()) == b": open\n\n"
        assert time.monotonic() - started < 1000 * MS


def test_a_slow_start_is_filled_with_keepalives(app):
    body = app.client.get("/slow-start?first_after=0.3&keepalive=0.1").content
    assert body.startswith(b": open\n\n: keepalive\n\n")
    assert [event.type for event in strict(body)] == ["message", "complete"]


def test_ticks_are_numbered_and_timed(app):
    *ticks, end = app.events("/ticks?count=50&size=10")
    assert [tick.payload["seq"] for tick in ticks] == list(range(1, 51))
    times = [tick.payload["sent_us"] for tick in ticks]
    assert times == sorted(times)
    assert abs(times[-1] / 1e6 - time.time()) < 60
    assert {tick.payload["pad"] for tick in ticks} == {"x" * 10}
    assert (end.type, end.payload) == ("complete", {"ticks": 50})


def test_an_endless_stream_starves_nobody(app):
    with app.client.stream("GET", "/ticks") as response:
        reads = response.iter_raw()
        for _ in range(5):
            next(reads)
            started = time.monotonic()
            app.client.get("/")
            assert time.monotonic() - started < 1000 * MS
