"""The ten mistakes: what each of them does, and that its twin does not."""

import json
import socket
import time

import httpx
import pytest

from target_app.mistakes import MISTAKES
from tests.target_app.reading import strict
from tests.timing import MS, eventually

BY_NAME = {mistake.name: mistake for mistake in MISTAKES}


def test_there_are_ten(app):
    assert [mistake.number for mistake in MISTAKES] == list(range(1, 11))
    assert [row["rule"] for row in app.client.get("/mistakes").json()] == [mistake.rule for mistake in MISTAKES]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_a_twin_is_a_right_stream(app, mistake):
    if mistake.name == "no-disconnect":
        with app.client.stream("GET", mistake.right) as response:
            assert strict(next(response.iter_raw()))[0].payload == {"count": 0}
        return
    events = app.events(mistake.right)
    assert events[-1].type == "complete"
    assert [event.payload for event in events]


def test_return_sends_no_stream(app):
    response = app.client.get(BY_NAME["return"].wrong)
    assert (response.headers["content-type"], response.json()) == ("application/json", {"data": "Hello"})


def test_dict_sends_pythons_notation(app):
    first, _ = app.events(BY_NAME["dict"].wrong)
    assert first.data == "{'text': 'Hello'}"
    with pytest.raises(json.JSONDecodeError):
        _ = first.payload


def slowest(app, path):
    """Seconds until the last of twelve clients has its first event."""
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    connections = [socket.create_connection(("127.0.0.1", app.port), timeout=20_000 * MS) for _ in range(12)]
    started = time.monotonic()
    for connection in connections:
        connection.sendall(request)
    for connection in connections:
        seen = b""
        while b"data: " not in seen:
            seen += connection.recv(65536)
    took = time.monotonic() - started
    for connection in connections:
        connection.close()
    return took


def test_a_blocking_sleep_holds_up_everybody(app):
    assert slowest(app, BY_NAME["blocking-sleep"].wrong) > 2.0
    eventually(lambda: app.probe()["active_streams"] == 0, within=20_000 * MS)
    assert slowest(app, BY_NAME["blocking-sleep"].right) < 1500 * MS


def test_a_stream_without_end_has_none(app):
    with app.client.stream("GET", BY_NAME["no-end"].wrong) as response:
        reads = response.iter_raw()
        types = [strict(next(reads))[0].type for _ in range(15)]
    assert set(types) == {"message"}


def left(app, path):
    with app.client.stream("GET", path) as response:
        next(response.iter_raw())


def test_work_that_nobody_stops_goes_on(own_app):
    left(own_app, BY_NAME["no-disconnect"].wrong)
    eventually(lambda: own_app.probe()["orphaned"] == 1)
    assert own_app.probe()["active_streams"] == 1
    left(own_app, BY_NAME["no-disconnect"].right)
    eventually(lambda: own_app.probe()["active_streams"] == 1)
    assert own_app.probe()["orphaned"] == 1


def test_an_uncaught_exception_cuts_the_stream(app):
    with pytest.raises(httpx.RemoteProtocolError):
        app.client.get(BY_NAME["uncaught"].wrong, params={"fail_after": 1})
    assert app.events(BY_NAME["uncaught"].wrong)[-1].type == "complete"
    error = app.events(BY_NAME["uncaught"].right, params={"fail_after": 1})[-1]
    assert error.type == "error"


def test_swagger_is_told_the_wrong_type(app):
    mistake = BY_NAME["swagger"]
    paths = app.client.get("/openapi.json").json()["paths"]
    assert set(paths[mistake.wrong]["get"]["responses"]["200"]["content"]) == {"application/json"}
    assert set(paths[mistake.right]["get"]["responses"]["200"]["content"]) == {"text/event-stream"}
    assert app.events(mistake.wrong) == app.events(mistake.right)


def test_without_types_everything_is_a_message(app):
    assert [event.type for event in app.events(BY_NAME["no-types"].wrong)] == ["message"] * 3


def test_a_missing_import_shows_after_the_status(app):
    with app.client.stream("GET", BY_NAME["missing-import"].wrong) as response:
        assert response.status_code == 200
        with pytest.raises(httpx.RemoteProtocolError):
            response.read()


def test_without_cors_no_page_may_read(app):
    origin = {"Origin": "http://localhost:3000"}
    mistake = BY_NAME["no-cors"]
    assert "access-control-allow-origin" not in app.client.get(mistake.wrong, headers=origin).headers
    assert app.client.get(mistake.right, headers=origin).headers["access-control-allow-origin"] == origin["Origin"]
