"""A target that dies on the way: the rule that killed it says so, and the rest does not repeat it as failures of its own."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from ssegauge import profile, suite
from ssegauge.bench import Bench, Options
from ssegauge.judging import judge

STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\ndata: 1\n\n"


@pytest.fixture
def fragile() -> Iterator[str]:
    """The address of a server that dies of a HEAD request."""
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(0.1)
    url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
    over = threading.Event()

    def serve() -> None:
        with listening:
            while not over.is_set():
                with contextlib.suppress(TimeoutError):
                    peer, _ = listening.accept()
                    with peer:
                        if peer.recv(1 << 16).startswith(b"HEAD"):
                            return
                        peer.sendall(STREAM)

    thread = threading.Thread(target=serve)
    thread.start()
    yield url
    over.set()
    thread.join()


def test_death_is_told_once(fragile: str) -> None:
    contract = profile.from_url(fragile)
    bench = Bench(contract, contract.endpoint[0], Options(window=1.0))
    found = {rule: judge(suite.checks()[rule], bench) for rule in ("HDR-01", "HTTP-06", "HTTP-08", "HTTP-16", "HDR-04")}
    assert found["HTTP-06"].outcome == "fail"
    for acting in ("HTTP-08", "HTTP-16"):
        assert (found[acting].outcome, found[acting].reason) == ("error", "the target no longer answers: see HTTP-06")
    assert found["HDR-01"].outcome == "pass"
    assert found["HDR-04"].outcome == "fail"  # what was recorded before can still be judged
