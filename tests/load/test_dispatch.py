"""Arrivals find free users, in a process of their own (Locust patches it), and with workers that come and go."""

import json
import subprocess
import sys

import pytest

from tests.timing import MS, eventually

KILLED = """
import json
from types import SimpleNamespace

import gevent
from gevent.pool import Group
from locust.env import Environment

from ssegauge.load import Dispatcher, SseUser
from ssegauge.load.session import session_of


class Reader(SseUser):
    pass


class Once:
    def at(self, n):
        if n == 0:
            STOP  # after this the arrival is given
        return 0.0 if n == 0 else 1e6


def wait():
    try:
        dispatcher.next(user)
    finally:
        try:
            gevent.sleep(0.05)
            said["cleaned up"] = True
        except BaseException as error:
            said["cleaned up"] = repr(error)


environment = Environment(user_classes=[Reader], host="http://127.0.0.1:9/", parsed_options=SimpleNamespace())
user, dispatcher, said = Reader(environment), Dispatcher(environment), {}
waiting = user._greenlet = gevent.spawn(wait)
user._group = Group()
user._group.add(waiting)
gevent.idle()
dispatcher.start(Once())
waiting.join()
dispatcher.stop()
books = session_of(environment).recorder.ledger.books.values()
said["dropped"] = sum(book.counters["dropped_arrivals"] for book in books)
print(json.dumps(said))
"""


def stopped_by(stop):
    done = subprocess.run(
        [sys.executable, "-c", KILLED.replace("STOP", stop)], capture_output=True, text=True, timeout=60_000 * MS
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_an_arrival_given_to_a_user_that_is_killed_is_dropped_and_wakes_nobody():
    """It is killed after the arrival was given, and before the user hears of it."""
    assert stopped_by("waiting.kill(block=False)") == {"cleaned up": True, "dropped": 1}


def test_an_arrival_given_to_a_user_that_is_told_to_stop_is_dropped():
    """It hears of the arrival before the kill comes, which is what Locust does to who waits."""
    assert stopped_by("gevent.spawn(user.stop)")["dropped"] == 1


WORKER = ["-m", "locust", "-f", "-", "--worker", "--master-host", "127.0.0.1"]


@pytest.mark.slow
def test_a_worker_that_joins_an_open_run_makes_no_arrivals_and_the_run_says_so(locust, source, port):
    workers = []

    def join():
        workers.append(
            subprocess.Popen(
                [sys.executable, *WORKER, "--master-port", str(port)],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.STDOUT,
            )
        )

    options = ["--host", f"{source}/ok?events=20&gap_ms=10", "--sse-rate", "20", "--sse-arrivals", "constant"]
    master = ["--master", "--expect-workers", "1", "--master-bind-port", str(port), "-u", "20", "-r", "20", "-t", "12s"]
    process = locust("time_to_first_byte", *options, *master)
    try:
        join()
        eventually(lambda: "total users)" in process.stdout.readline(), within=20_000 * MS)
        join()
        ended = process.finish(within=60_000 * MS)
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    [reason] = ended.results["invalid_reasons"]
    assert "came after the run had begun: it makes none of the arrivals" in reason, ended.output
    assert ended.code == 3
    assert len(ended.results["harness"]["workers"]) == 2
    whole = [row for row in ended.results["series"] if row["phase"] == "steady"][1:-1]
    made = sum(row["started"] + row["dropped_arrivals"] for row in whole) / len(whole)
    assert made == pytest.approx(20, rel=0.15), whole
