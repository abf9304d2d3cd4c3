"""Whole runs: Locust as its users start it, with real workers, real signals, and a server that counts."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.load.damage import ONCE, PATHS, assert_counted
from tests.timing import MS, eventually


def workers(port, count=2):
    return ["--processes", str(count), "--master-port", str(port), "--master-bind-port", str(port)]


@pytest.fixture
def damage(profile):
    return str(profile(**PATHS))


def test_a_run_that_comes_to_nothing_leaves_no_results_of_another(tmp_path, source):
    results = tmp_path / "results.json"
    results.write_text("of an earlier run")
    words = [
        sys.executable,
        "-m",
        "ssegauge",
        "load",
        f"{source}/ok",
        "--results",
        str(results),
        "--",
        "--no-such-option",
    ]
    done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert not results.exists()


def test_a_stop_timeout_lets_all_streams_end_and_none_begin(locust, source):
    """Streams so short that at any moment some user is between two of them."""
    ended = locust(
        "concurrent_streams", "--host", f"{source}/ok?events=1", *["-u", "60", "-r", "60", "-t", "3s", "-s", "20s"]
    ).finish()
    assert ended.results["streams"]["by_verdict"].keys() == {"complete"}, ended.results["streams"]
    assert ended.results["streams"]["attempted"] > 500


def test_results_go_into_a_pipe_and_leave_it_one(tmp_path, source):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    command = [
        "-m",
        "ssegauge",
        "load",
        f"{source}/ok?events=2",
        "--results",
        str(path),
        "--",
        *["-u", "1", "-t", "1s"],
    ]
    with subprocess.Popen([sys.executable, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        assert json.loads(path.read_text())["kind"] == "load"
    assert path.is_fifo()


OWN_LIMIT = """
from locust import events, task
from ssegauge.load import SseUser, arguments

events.init_command_line_parser.add_listener(lambda parser, **_: arguments(parser, "own")("limit", 5, "NUMBER", "mine"))

class Own(SseUser):
    @task
    def read(self):
        self.stream()
"""


def test_a_scenario_may_call_its_own_arguments_as_those_of_another(tmp_path, locust, source):
    path = tmp_path / "own.py"
    path.write_text(OWN_LIMIT)
    ended = locust(
        str(path), "--host", f"{source}/ok?events=2", *["-u", "2", "-r", "2", "-t", "2s", "-s", "5s"]
    ).finish()
    assert "Traceback" not in ended.output
    assert ended.results["streams"]["by_verdict"].keys() == {"complete"}, ended.output


@pytest.fixture
def once(tmp_path):
    """A scenario in which each user opens each endpoint's stream once."""
    path = tmp_path / "once.py"
    path.write_text(ONCE)
    return str(path)


def test_damage_in_known_numbers_is_counted_exactly(locust, once, damage):
    ended = locust(once, "--sse-target", damage, "--sse-idle-timeout", "0.5", "-u", "7", "-r", "7", "-t", "5s").finish()
    assert ended.results is not None, ended.output
    assert_counted(ended.results, 7)
    assert ended.code == 1, ended.output
    assert "Traceback" not in ended.output


def test_the_sum_of_two_workers_is_exact(locust, once, damage, port):
    options = ["--sse-target", damage, "--sse-idle-timeout", "0.5", "-u", "6", "-r", "6", "-t", "5s"]
    ended = locust(once, *options, *workers(port)).finish()
    assert ended.results is not None, ended.output
    assert_counted(ended.results, 6)
    assert len(ended.results["harness"]["workers"]) == 2
    assert ended.results["valid"], ended.results["invalid_reasons"]
    assert "Traceback" not in ended.output


def test_no_stream_is_lost_at_the_end_of_a_distributed_run(locust, source, port):
    options = ["--host", f"{source}/ok?events=1000&gap_ms=50", "-u", "40", "-r", "40", "-t", "3s"]
    ended = locust("concurrent_streams", *options, *workers(port)).finish()
    streams = ended.results["streams"]
    # Nobody gave the streams time to end: each was closed by us, each is counted, none failed.
    assert streams["by_verdict"] == {"client_closed": 40}, ended.output
    assert (streams["attempted"], streams["peak_open"], streams["failed"]) == (40, 40, 0)
    assert ended.results["latency"]["duration"]["censored"] == 40
    assert ended.results["latency"]["first_event"]["count"] == 40
    assert ended.code == 0, ended.output


def test_the_stop_timeout_lets_streams_end(locust, source):
    options = ["--host", f"{source}/ok?events=30&gap_ms=50", "-u", "10", "-r", "10", "-t", "2s", "-s", "5s"]
    ended = locust("concurrent_streams", *options).finish()
    assert set(ended.results["streams"]["by_verdict"]) == {"complete"}, ended.output
    assert ended.code == 0
    assert ended.results["valid"], ended.results["invalid_reasons"]


SLOW_TO_IMPORT = """
import time
import ssegauge.load
time.sleep(1.5)
"""


def test_the_run_time_begins_with_the_run_however_long_the_imports_took(locust, source, once, tmp_path):
    slow = tmp_path / "slow.py"
    slow.write_text(SLOW_TO_IMPORT + Path(once).read_text())
    ended = locust(str(slow), "--host", f"{source}/ok?events=1000&gap_ms=20", "-u", "1", "-t", "2s").finish()
    assert ended.results["duration_s"] > 1.9, ended.output


def said(process, words, within=15_000 * MS):
    """Read the output until these words come."""
    deadline = time.monotonic() + within
    lines = []
    while time.monotonic() < deadline:
        line = process.stdout.readline()
        lines.append(line)
        if words in line:
            return "".join(lines)
    raise AssertionError("".join(lines))


@pytest.mark.parametrize("distributed", [False, True], ids=["local", "workers"])
def test_an_interrupted_run_has_its_figures(locust, source, port, distributed):
    options = ["--host", f"{source}/ok?events=1000&gap_ms=20", "-u", "8", "-r", "8", "-t", "60s"]
    process = locust("concurrent_streams", *options, *(workers(port) if distributed else []))
    said(process, "total users)")
    time.sleep(1500 * MS)  # the run's own time: something must have been received before it is cut short
    os.killpg(process.pid, signal.SIGINT)  # what a terminal does
    ended = process.finish()
    assert ended.results is not None, ended.output
    assert ended.results["streams"]["by_verdict"] == {"client_closed": 8}, ended.output
    assert ended.results["events"]["received"] > 100
    assert ended.results["valid"], ended.results["invalid_reasons"]
    assert ended.code == 0
    assert "Traceback" not in ended.output


HARD_TO_WAIT_FOR = ["-u", "8", "-r", "8", "-s", "300s"]


def sent(process, number):
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # what a terminal does
    else:
        process.send_signal(number)  # what a container's host does


@pytest.mark.slow
@pytest.mark.parametrize("distributed", [False, True], ids=["local", "workers"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["interrupt", "terminate"])
def test_a_second_signal_cuts_the_streams_and_has_their_figures(locust, source, port, distributed, number):
    options = ["--host", f"{source}/ok?events=100000&gap_ms=20", "-t", "300s", *HARD_TO_WAIT_FOR]
    process = locust("concurrent_streams", *options, *(workers(port) if distributed else []))
    said(process, "total users)")
    for _ in range(2):
        time.sleep(1000 * MS)  # the run's own time
        sent(process, number)
    ended = process.finish()
    assert ended.results is not None, ended.output
    assert ended.results["streams"]["by_verdict"] == {"client_closed": 8}, ended.output
    assert "Traceback" not in ended.output
    assert not psutil.pid_exists(process.pid)


@pytest.mark.slow
@pytest.mark.parametrize("distributed", [False, True], ids=["local", "workers"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["interrupt", "terminate"])
def test_a_signal_while_the_last_streams_may_end_cuts_them(locust, source, port, distributed, number):
    options = ["--host", f"{source}/ok?events=100000&gap_ms=20", "-t", "2s", *HARD_TO_WAIT_FOR]
    process = locust("concurrent_streams", *options, *(workers(port) if distributed else []))
    said(process, "run-time limit reached")
    time.sleep(500 * MS)  # the run's own time
    sent(process, number)
    ended = process.finish()
    assert ended.results is not None, ended.output
    assert ended.results["streams"]["by_verdict"] == {"client_closed": 8}, ended.output
    assert "Traceback" not in ended.output


@pytest.mark.slow
def test_workers_that_are_still_told_to_begin_users_open_none_once_the_run_ends(locust, source, port):
    options = ["--host", f"{source}/ok?events=100000&gap_ms=20", "-u", "300", "-r", "4", "-t", "60s", "-s", "4s"]
    process = locust("concurrent_streams", *options, *workers(port))
    said(process, "Sending spawn jobs")
    server = psutil.Process(source.pid)
    eventually(lambda: sum(c.status == "ESTABLISHED" for c in server.net_connections()) > 4, within=20_000 * MS)
    sent(process, signal.SIGINT)
    ended = process.finish()
    if "failed to send heartbeat" in ended.output:
        pytest.skip("this machine is so busy that workers were given up")
    streams = ended.results["streams"]
    assert 0 < streams["attempted"] == sum(streams["by_verdict"].values()), ended.output


@pytest.mark.slow
def test_an_interrupt_before_workers_have_come_is_one_line(locust, source, port):
    alone = ["--master", "--expect-workers", "1", "--master-bind-port", str(port), "--master-port", str(port)]
    process = locust("concurrent_streams", "--host", f"{source}/ok", "-u", "1", "-t", "9s", *alone)
    said(process, "Waiting for workers to be ready")
    sent(process, signal.SIGINT)
    ended = process.finish()
    assert "interrupted before the run began" in ended.output
    assert "Traceback" not in ended.output
    assert ended.code == 130


@pytest.mark.slow
def test_a_killed_worker_makes_the_run_invalid(locust, source, port):
    options = ["--host", f"{source}/ok?events=20&gap_ms=20", "-u", "8", "-r", "8", "-t", "9s", "-s", "2s"]
    process = locust("concurrent_streams", *options, *workers(port))
    said(process, "total users)")
    children = psutil.Process(process.pid).children()
    eventually(lambda: len(children) == 2)
    children[0].kill()
    ended = process.finish()
    assert ended.results is not None, ended.output
    assert not ended.results["valid"]
    [reason] = ended.results["invalid_reasons"]
    assert "did not answer" in reason
    assert ended.code == 3
    assert ended.results["streams"]["by_verdict"]["complete"] > 4
    assert "Traceback" not in ended.output


def test_a_target_that_is_not_there_is_inconclusive(locust):
    ended = locust("concurrent_streams", "--host", "http://127.0.0.1:1/", "-u", "2", "-t", "2s").finish()
    assert ended.code == 3, ended.output
    assert ended.results["invalid_reasons"] == ["the target was never reached"]
    assert ended.results["latency"]["first_event"]["at_least"] == ["p50", "p90", "p95", "p99", "p999"]


def test_a_run_without_a_target_is_one_clear_line(locust):
    ended = locust("concurrent_streams", "-u", "1", "-t", "2s").finish()
    assert "no target: give --host URL, or --sse-target PROFILE" in ended.output
    assert "Traceback" not in ended.output
    assert ended.code == 2, ended.output


@pytest.mark.slow
@pytest.mark.parametrize("distributed", [False, True], ids=["local", "workers"])
def test_figures_begin_anew_when_locusts_do(locust, source, port, distributed):
    options = [
        "--host",
        f"{source}/ok?events=30&gap_ms=50",
        "-u",
        "8",
        "-r",
        "4",
        "-t",
        "6s",
        "-s",
        "4s",
        "--reset-stats",
    ]
    ended = locust("concurrent_streams", *options, *(workers(port) if distributed else [])).finish()
    streams = ended.results["streams"]
    # Those that ran when the ramp was over belong to what follows: nothing ends that was not attempted.
    assert sum(streams["by_verdict"].values()) == streams["attempted"], ended.output
    assert streams["by_verdict"].keys() == {"complete"}
    assert {row["phase"] for row in ended.results["series"]} <= {"steady", "drain", "ramp"}
    assert [row["phase"] for row in ended.results["series"]].count("ramp") <= 1


HOGGED = """
import time

import gevent
from locust import User, task
from ssegauge.load import SseUser

class Reader(SseUser):
    @task
    def read(self):
        self.stream()

class Hog(User):
    fixed_count = 1

    @task
    def hold_the_core(self):
        until = time.perf_counter() + 0.3
        while time.perf_counter() < until:
            pass
        gevent.sleep(0.01)
"""


def test_a_generator_that_is_full_says_so_instead_of_reporting_its_lag(locust, source, tmp_path):
    path = tmp_path / "hogged.py"
    path.write_text(HOGGED)
    options = ["--host", f"{source}/ok?events=60&gap_ms=40", "-u", "9", "-r", "9", "-t", "5s", "-s", "4s"]
    ended = locust(str(path), *options, "--sse-max-read-lag", "50").finish()
    assert not ended.results["valid"], ended.output
    assert ended.code == 3
    reasons = " ".join(ended.results["invalid_reasons"])
    # whose fault it is depends on the share of a core that it got
    assert "add a worker" in reasons or "something else keeps this machine busy" in reasons
    assert "read together with later ones" in reasons
    assert ended.results["harness"]["coalesced_ratio"] > 0.3
    assert f"INVALID: {ended.results['invalid_reasons'][0]}" in ended.output
