"""What `ssegauge load` adds to Locust's arguments, and what a run says at its end."""

import json
import subprocess
import sys

import pytest

from ssegauge.cli.load import _defaults

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
    found = [{"holds": 75, "breaks": 80}, {"holds": 400, "breaks": None}, {"holds": 0, "breaks": 10}]
    *capacities, plain = said_of(*(RUN | {"capacity": limit | each} for each in found), RUN)
    assert [lines[-1] for lines in capacities] == [
        "capacity: first_event.p95 < 300 ms held with 75 streams, not with 80",
        "capacity: first_event.p95 < 300 ms held with 400 streams, its end was not reached",
        "capacity: first_event.p95 < 300 ms did not even hold with 10 streams",
    ]
    assert plain == [
        "streams: 9 attempted, at most 3 open; 9 complete",
        "events: 27 received, 0 lost, 0 duplicated, 0 reordered",
    ]
