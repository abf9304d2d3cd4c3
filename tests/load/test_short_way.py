"""What `ssegauge load` adds to Locust's arguments, and what a run says at its end."""

import json
import os
import signal
import subprocess
import sys

import pytest

from ssegauge.cli.load import _defaults
from tests.timing import MS

RUN = {
    "streams": {"attempted": 9, "peak_open": 3, "dropped_arrivals": 0, "by_verdict": {"complete": 9}},
    "events": {"received": 27, "lost": 0, "duplicated": 0, "reordered": 0},
    "latency": {},
    "harness": {},
    "invalid_reasons": [],
}


def test_what_is_given_goes_before_the_defaults():
    assert _defaults((), "churn") == [
        "--users",
        "10",
        "--spawn-rate",
        "10",
        "--run-time",
        "30s",
        "--stop-timeout",
        "30",
    ]
    assert _defaults(("-u", "5", "-r5", "--run-time=1m", "-s", "9"), "churn") == []


@pytest.mark.parametrize(("given", "scenario"), [((), "capacity"), (("--sse-steps=1x2s",), "concurrent_streams")])
def test_a_run_that_ends_by_itself_gets_no_run_time(given, scenario):
    assert "--run-time" not in _defaults(given, scenario)
    assert "--users" in _defaults(given, scenario)


def said_of(*documents):
    # in a process of its own, for it imports Locust, which patches its process
    code = "import json, sys; from ssegauge.load.results_of import summary; print(json.dumps([list(summary(d)) for d in json.load(sys.stdin)]))"
    done = subprocess.run(
        [sys.executable, "-c", code], input=json.dumps(documents), capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_the_capacity_is_said_at_the_end():
    limit = {"limit": "first_event.p95 < 300 ms", "curve": []}
    found = [
        {"holds": 75, "breaks": 80},
        {"holds": 400, "breaks": None},
        {"holds": 0, "breaks": 10},
        {"holds": 0, "breaks": None},
    ]
    *capacities, plain = said_of(*(RUN | {"capacity": limit | each} for each in found), RUN)
    assert [lines[-1] for lines in capacities] == [
        "capacity: first_event.p95 < 300 ms held with 75 streams, not with 80",
        "capacity: first_event.p95 < 300 ms held with 400 streams, its end was not reached",
        "capacity: first_event.p95 < 300 ms did not even hold with 10 streams",
        "capacity: whether first_event.p95 < 300 ms holds could not be judged",
    ]
    assert plain == [
        "streams: 9 attempted, at most 3 open; 9 complete",
        "events: 27 received, 0 lost, 0 duplicated, 0 reordered",
    ]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ("--sse-limit", "first_evnt.p95 < 1s"),
            '--sse-limit: "first_evnt.p95 < 1s" is no limit; write first_event.p95',
        ),
        (("--userz", "5"), "locust: error: unrecognized arguments: --userz\nDid you mean '--users'?"),
    ],
    ids=["ours", "Locust's"],
)
def test_a_mistake_behind_the_hyphens_is_told_without_a_traceback(words, told):
    command = [sys.executable, "-m", "ssegauge", "load", "http://127.0.0.1:9/x", "--scenario", "capacity", "--", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60_000 * MS)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_an_interrupt_while_locust_is_still_imported_ends_it_quietly(tmp_path):
    (tmp_path / "locust.py").write_text("import time\nprint('importing', flush=True)\ntime.sleep(60)\n")
    command = [sys.executable, "-m", "ssegauge.load"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"importing\n"
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20_000 * MS)
    assert process.returncode == -signal.SIGINT
    assert said == b""
