"""SIGTERM: open streams end on an event boundary, as complete messages, and the process is gone."""

import contextlib
import itertools
import signal
import time

from tests.target_app.reading import strict
from tests.timing import MS

PATHS = [
    "/ticks?interval=0.02", "/idle", "/feed", "/stream?pace=10", "/slow-start?first_after=60",
    "/resumable?count=1000&pace=1", "/mistakes/no-end/wrong",
    "/mistakes/no-disconnect/wrong",
]  # fmt: skip


def test_open_streams_end_in_order_when_the_server_is_told_to_stop(own_app):
    with contextlib.ExitStack() as stack:
        responses = {path: stack.enter_context(own_app.client.stream("GET", path)) for path in PATHS}
        reads = {path: response.iter_raw() for path, response in responses.items()}
        begun = {path: next(iterator) for path, iterator in reads.items()}
        own_app.process.send_signal(signal.SIGTERM)
        started = time.monotonic()
        # httpx raises on a message that lacks its last chunk
        bodies = {path: begun[path] + b"".join(iterator) for path, iterator in reads.items()}
    # uvicorn passes the signal on when it has cleaned up
    assert own_app.process.wait(5000 * MS) in {0, -signal.SIGTERM}
    assert time.monotonic() - started < 4000 * MS
    for body in bodies.values():
        types = [event.type for event in strict(body)]
        assert "complete" not in types
        assert "error" not in types


def test_a_client_that_does_not_read_does_not_keep_the_server_from_stopping(own_app):
    with own_app.client.stream("GET", "/ticks?size=60000") as response:
        next(itertools.islice(response.iter_raw(), 1))
        before = -1
        while before != (before := own_app.probe()["events"]):  # until the server is blocked
            pass
        own_app.process.send_signal(signal.SIGTERM)
        assert own_app.process.wait(15_000 * MS) is not None
