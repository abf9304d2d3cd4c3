"""What the probe counts, and that nothing runs on when a client leaves."""

import socket
import struct

import psutil
import pytest

from tests.timing import MS, eventually

ENDLESS = ["/ticks", "/ticks?interval=1", "/idle", "/feed", "/stream?pace=10", "/slow-start?first_after=60"]


def opened(app, path, *, read=True):
    connection = socket.create_connection(("127.0.0.1", app.port), timeout=5000 * MS)
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    if read:
        seen = b""
        while b"\r\n\r\n" not in seen or seen.endswith(b"\r\n\r\n"):
            seen += connection.recv(65536)
    return connection


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def leave(connection):
    connection.close()


@pytest.fixture
def quiet(app):
    eventually(lambda: app.probe()["active_streams"] == 0, within=30_000 * MS)
    return app


@pytest.mark.parametrize("go", [leave, reset])
@pytest.mark.parametrize("path", ENDLESS)
def test_a_stream_ends_when_its_client_leaves(quiet, path, go):
    connection = opened(quiet, path)
    assert quiet.probe()["active_streams"] == 1
    go(connection)
    eventually(lambda: quiet.probe()["active_streams"] == 0, within=1000 * MS)
    assert quiet.probe()["orphaned"] == 0


@pytest.mark.parametrize("go", [leave, reset])
def test_a_client_that_leaves_at_once_leaves_nothing(quiet, go):
    before = quiet.probe()["opened"]
    for _ in range(20):
        go(opened(quiet, "/ticks?interval=1", read=False))
    eventually(lambda: quiet.probe()["active_streams"] == 0)
    assert quiet.probe()["opened"] <= before + 20


def test_a_client_that_stops_reading_is_no_different_when_it_leaves(quiet):
    connection = opened(quiet, "/ticks?size=60000")
    before = -1
    while before != (before := quiet.probe()["events"]):  # until the server is blocked
        pass
    assert quiet.probe()["active_streams"] == 1
    leave(connection)
    eventually(lambda: quiet.probe()["active_streams"] == 0)


def test_events_and_failures_are_counted(quiet):
    before = quiet.probe()
    quiet.events("/stream")
    quiet.events("/stream?fail_after=2")
    after = quiet.probe()
    assert after["opened"] - before["opened"] == 2
    assert after["events"] - before["events"] == 6 + 3
    assert after["failed"] - before["failed"] == 1
    eventually(lambda: quiet.probe()["active_streams"] == 0)


def test_a_refused_request_opens_nothing(quiet):
    before = quiet.probe()
    quiet.client.head("/stream")
    quiet.client.get("/stream?pace=-1")
    assert quiet.probe() == before


def test_only_what_was_asked_to_start_a_job_starts_one(quiet):
    before = quiet.probe()["jobs_started"]
    quiet.events("/stream")
    quiet.events("/tasks/7/progress/stream")
    assert quiet.probe()["jobs_started"] == before
    quiet.events("/tasks/7/execute/stream", method="POST")
    assert quiet.probe()["jobs_started"] == before + 1


def test_the_process_is_named(app):
    assert app.probe()["pid"] == app.process.pid


def test_a_hundred_streams_that_were_left_leave_nothing_open(quiet):
    process = psutil.Process(quiet.process.pid)
    before = process.num_fds()
    for n in range(100):
        (leave if n % 2 else reset)(opened(quiet, "/ticks?interval=1" if n % 3 else "/idle"))
    eventually(lambda: quiet.probe()["active_streams"] == 0)
    eventually(lambda: process.num_fds() <= before)
