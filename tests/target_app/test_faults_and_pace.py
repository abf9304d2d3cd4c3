"""Faults on request, pace, and requests that are refused before a stream starts."""

import time

import pytest

from tests.timing import MS

STREAMS = [
    ("GET", "/stream", {}),
    ("GET", "/stream/hello", {}),
    ("GET", "/stream/progress", {}),
    ("GET", "/process/stream", {}),
    ("GET", "/countdown/9", {}),
    ("POST", "/tasks/7/execute/stream", {}),
    ("GET", "/tasks/7/progress/stream", {}),
    ("POST", "/tasks/execute/stream", {"json": {"task_id": 1, "operation": "x"}}),
    ("POST", "/agent/process/stream?query=q", {}),
    ("GET", "/agent/think/stream?query=q", {}),
    ("GET", "/agent/stream?query=q", {}),
    ("GET", "/stream/safe?fail=never", {}),
    ("GET", "/stream/detect-disconnect", {}),
    ("GET", "/stream/timeout", {}),
    ("GET", "/resumable", {}),
    ("GET", "/slow-start?first_after=0.01", {}),
    ("GET", "/ticks", {}),
    ("GET", "/echo", {}),
    ("POST", "/echo", {"json": [{"data": "a"}, {"data": "b"}, {"data": "c"}]}),
    ("POST", "/echo/one", {"json": {"data": "a"}}),
]


@pytest.mark.parametrize("after", [0, 1])
@pytest.mark.parametrize(("method", "path", "request_"), STREAMS, ids=[f"{m} {p}" for m, p, _ in STREAMS])
def test_a_stream_fails_when_it_is_asked_to(app, method, path, request_, after):
    join = "&" if "?" in path else "?"
    *before, error = app.events(f"{path}{join}fail_after={after}", method=method, **request_)
    assert len(before) == after
    assert error.type == "error"
    assert error.payload["type"] == "InjectedFault"
    assert error.payload["error"] == error.payload["message"] == f"Injected fault after {after} events"


@pytest.mark.parametrize("path", ["/feed", "/idle"])
def test_a_silent_stream_fails_when_it_is_asked_to(app, path):
    assert [event.type for event in app.events(f"{path}?fail_after=0")] == ["error"]


def test_a_fault_later_than_the_stream_does_not_happen(app):
    for after in (6, 7, 100):
        assert app.events(f"/stream?fail_after={after}")[-1].type == "complete"
    assert app.events("/stream?fail_after=5")[-1].type == "error"


def test_an_error_names_its_context(app):
    payload = app.events("/tasks/7/execute/stream?fail_after=2", method="POST")[-1].payload
    assert list(payload) == ["error", "type", "task_id", "message"]
    assert payload["task_id"] == 7


def test_every_ended_stream_is_a_complete_message(app):
    # httpx raises on a message without its last chunk
    assert app.client.get("/stream?fail_after=2").content.endswith(b"\n\n")


def test_pace_scales_the_delays(app):
    def took(pace):
        started = time.monotonic()
        app.events(f"/stream?pace={pace}")
        return time.monotonic() - started

    assert took(0) < 200 * MS
    assert took(0.05) >= 0.25


def test_without_delays_events_still_go_out_one_by_one(app):
    with app.client.stream("GET", "/stream/detect-disconnect?pace=0") as response:
        reads = list(response.iter_raw())
    assert b"".join(reads).count(b"data: ") == 101
    assert len(reads) > 1


def test_the_first_byte_does_not_wait_for_the_pace(app):
    started = time.monotonic()
    with app.client.stream("GET", "/stream?pace=10") as response:
        assert b"data: " in next(response.iter_raw())
        assert time.monotonic() - started < 1000 * MS


REFUSED = [
    ("GET", "/stream?pace=nan", {}),
    ("GET", "/stream?pace=inf", {}),
    ("GET", "/stream?pace=-0.1", {}),
    ("GET", "/stream?pace=1e9", {}),
    ("GET", "/stream?fail_after=-1", {}),
    ("GET", "/stream/safe?fail=perhaps", {}),
    ("GET", "/countdown/-1", {}),
    ("GET", "/countdown/3601", {}),
    ("GET", "/countdown/soon", {}),
    ("GET", "/agent/stream", {}),
    ("GET", "/agent/stream?query=", {}),
    ("GET", "/agent/think/stream?query=" + 3000 * "x", {}),
    ("GET", "/tasks/9007199254740992/progress/stream", {}),
    ("POST", "/tasks/execute/stream", {}),
    ("POST", "/tasks/execute/stream", {"json": {"task_id": "x"}}),
    ("POST", "/tasks/execute/stream", {"content": b"{", "headers": {"Content-Type": "application/json"}}),
    ("GET", "/ticks?count=0", {}),
    ("GET", "/slow-start?first_after=1e9", {}),
    ("GET", "/resumable?run=a%0Ab", {}),
    ("GET", "/resumable?count=10001", {}),
]


@pytest.mark.parametrize(
    ("method", "path", "request_"), REFUSED, ids=[f"{m} {p[:40]} {r or ''}" for m, p, r in REFUSED]
)
def test_a_wrong_request_is_refused_before_the_stream_starts(app, method, path, request_):
    response = app.client.request(method, path, **request_)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/json"
    assert response.json()["type"] == "RequestValidationError"
    assert len(response.content) < 1000  # the input is not repeated


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("HEAD", "/stream", "GET"), ("PUT", "/echo", "GET, POST"), ("GET", "/agent/process/stream", "POST")],
)
def test_another_method_is_told_which_ones_there_are(app, method, path, allowed):
    response = app.client.request(method, path)
    assert (response.status_code, response.headers["allow"]) == (405, allowed)


def test_nothing_is_redirected(app):
    assert app.client.get("/stream/").status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"Accept": "application/json"},
        {"Accept": "Text/Event-Stream;q=0.9"},
        {"If-None-Match": "*"},
        {"If-Modified-Since": "Sun, 22 Nov 2026 00:00:00 GMT"},
        {"Accept-Encoding": "gzip, br, zstd"},
        {"Last-Event-ID": ""},
        {"Last-Event-ID": "nobody knows"},
    ],
    ids=str,
)
def test_a_stream_is_served_whatever_else_is_asked(app, headers):
    response = app.client.get("/stream?pace=0", headers=headers)
    assert response.status_code == 200
    assert "content-encoding" not in response.headers
    assert response.content.count(b"data: ") == 6


def test_headers_keep_caches_and_proxies_out(app):
    headers = app.client.get("/stream?pace=0").headers
    assert headers["cache-control"] == "no-store, no-transform"
    assert headers["x-accel-buffering"] == "no"
    assert not {"connection", "etag", "last-modified", "content-length"} & set(headers)


def test_a_finished_stream_is_not_run_again(app):
    last = app.events("/stream?pace=0")[-1].id
    assert last
    again = app.client.get("/stream?pace=0", headers={"last-event-id": last})
    assert (again.status_code, again.content) == (204, b"")
    assert "content-length" not in again.headers
