"""The search for the capacity: its steps, what is said of each, and whole runs against servers whose end is known."""

import json
import math
from itertools import pairwise
from pathlib import Path

import pytest

from ssegauge.errors import UserError
from ssegauge.load.histogram import Histogram
from ssegauge.load.ledger import Slice
from ssegauge.load.limit import Found, Limit, Measured, judge_step, search, too_short
from tests.load.conftest import start, stop
from tests.load.web_page import locust_page
from tests.timing import MS, eventually

HERE = Path(__file__).resolve().parent


def measuring(holds_to, seen=math.inf):
    def measure(users):
        holds = None if users > seen else users <= holds_to
        return Found(users, users, 1.0, 0, 0, holds)

    return measure


@pytest.mark.parametrize(
    ("holds_to", "steps"),
    [
        (75, [20, 40, 80, 60, 70, 75]),
        (20, [20, 40, 30, 25, 22]),
        (3, [20, 10, 5, 2, 3, 4]),
        (0, [20, 10, 5, 2, 1]),
        (1000, [20, 40, 80, 160, 200]),
    ],
)
def test_the_search_doubles_until_it_breaks_and_then_halves(holds_to, steps):
    assert [found.users for found in search(measuring(holds_to), 20, 200)] == steps


def test_the_search_ends_where_nothing_can_be_said():
    assert [found.holds for found in search(measuring(75, seen=50), 20, 200)] == [True, True, None]


def times(*ms, waiting=()):
    histogram = Histogram()
    for value in ms:
        histogram.record(value * 1000)
    for value in waiting:
        histogram.censor(value * 1000)
    return histogram


def seconds(name="first_event", ms=(), **counters):
    sums = Slice()
    sums.counters.update(counters)
    if ms:
        sums.histogram(name).merge(times(*ms))
    return sums


FIRST = Limit("first_event", 0.95, 200.0, 0.001)
GAP = Limit("gap", 0.95, 200.0, 0.001)


def judged(users, *, limit=FIRST, ramp=(), full=(), waiting=(), **counters):
    """A step whose streams had these times (of `limit`) in its ramp, and while all were open."""
    counters.setdefault("started", users)
    whole = seconds(limit.name, [*ramp, *full], **counters)
    step = Measured(users, users, 3.0, whole, seconds(limit.name, full), times(waiting=waiting))
    return judge_step(step, limit)


@pytest.mark.parametrize(
    ("step", "holds", "why"),
    [
        (judged(20, ramp=[5] * 20), True, ""),
        (judged(80, ramp=[5] * 75 + [600] * 5), False, "first_event.p95 was 599 ms"),
        (judged(80, ramp=[5] * 76 + [600] * 4), True, ""),
        # short streams: those of the ramp, where fewer were open, make nothing better
        (judged(20, ramp=[5] * 900, full=[600] * 20), False, "first_event.p95 was 600 ms"),
        (judged(20, ramp=[600] * 20, full=[5] * 20), True, ""),
        (judged(20, ramp=[600] * 10, full=[5] * 19), False, "first_event.p95 was 599 ms"),
        # streams that are taken in and never served
        (judged(80, ramp=[5] * 70, waiting=[3100] * 10), False, "first_event.p95 was at least 3097 ms"),
        (judged(80, waiting=[3100] * 80), False, "first_event.p95 was at least 3097 ms"),
        (judged(80, full=[5] * 9000, waiting=[3100] * 10), False, "10 of 80 streams had no event while all were open"),
        (judged(80, full=[5] * 9000, waiting=[2000] * 10), True, ""),
        (judged(80, full=[5] * 9000, waiting=[3100] * 4), True, ""),
        (judged(10, limit=Limit("first_event", 0.9, 200.0, 0.001), full=[5] * 99, waiting=[3100]), True, ""),
        # failures
        (judged(80, ramp=[5] * 79, failed=1, truncated=1), False, "1 of 80 streams failed"),
        (judged(80, failed=80, connect_error=80), False, "80 of 80 streams failed"),
        (judged(80, full=[5] * 9000, started=9000, failed=9, truncated=9, complete=8900), True, ""),
        (judged(80, full=[5] * 9000, started=9000, failed=10, truncated=10), False, "10 of 9000 streams failed"),
        # gaps
        (judged(20, limit=GAP, ramp=[600] * 90, full=[5] * 10), True, ""),
        (judged(20, limit=GAP, ramp=[5] * 90, full=[600]), False, "gap.p95 was 600 ms"),
        (judged(20, limit=GAP, waiting=[3100] * 20), False, "gap.p95 was at least 3097 ms"),
        # nothing
        (judged(20), None, "no first_event was seen in 3 s, nor a wait past the limit"),
        (judged(20, limit=GAP, ramp=[5] * 20), None, "no gap was seen in 3 s, nor a wait past the limit"),
    ],
)
def test_what_is_said_of_a_step(step, holds, why):
    assert (step.holds, step.why) == (holds, why)


def test_a_step_counts_what_failed_and_what_waits():
    step = judged(80, ramp=[5] * 70, waiting=[3100] * 8, failed=2, truncated=2, complete=3)
    assert (step.failed, step.ended, step.values, step.waiting, step.at_least) == (2, 5, 78, 8, True)


def test_a_step_that_is_shorter_than_the_limit_shows_nothing():
    with pytest.raises(UserError, match=r"--sse-hold: 0\.2 s are too short to see a limit of 200 ms"):
        too_short(FIRST, 0.2)
    too_short(FIRST, 0.3)
    gaps = Limit.parse("gap.p95 < 200ms", 0.0)
    with pytest.raises(UserError, match="gaps are counted by whole seconds"):
        too_short(gaps, 1.9)
    too_short(gaps, 2.0)


@pytest.fixture
def crowded():
    """Starts a server with so many seats."""
    started = []

    def serve(seats, manner):
        process, port = start(str(HERE / "crowded.py"), str(seats), manner)
        started.append(process)
        return ["--host", f"http://127.0.0.1:{port}/", "--sse-settle", "1"]

    yield serve
    for process in started:
        stop(process)


def curve(ended):
    assert ended.results is not None, ended.output
    capacity = ended.results["capacity"]
    return capacity["holds"], capacity["breaks"], [(step["users"], step["holds"]) for step in capacity["curve"]]


PROBED = """
base_url = "{}"
probe = {{ url = "/status", active_streams = "/active" }}
[[endpoint]]
name = "ticks"
request = {{ path = "/" }}
"""
DOWN = [(10, True), (20, False), (15, True), (17, False), (16, False)]
"""With 15 seats, from 10 on."""


@pytest.mark.slow
@pytest.mark.parametrize("manner", ["late", "mute", "deaf"])
def test_the_capacity_for_endless_streams_is_found_on_the_way_down_as_well(locust, crowded, manner):
    options = [*crowded(15, manner), "--sse-hold", "1.5", "--sse-first", "10", "-r", "50"]
    ended = locust("capacity", *options).finish(within=90_000 * MS)
    assert curve(ended) == (15, 16, DOWN), ended.results["capacity"]
    opens = [
        min(step["users"], 15) if manner == "deaf" else step["users"] for step in ended.results["capacity"]["curve"]
    ]
    assert [step["open"] for step in ended.results["capacity"]["curve"]] == opens
    assert ended.code == 0, ended.output


@pytest.mark.slow
def test_two_workers_find_the_same(locust, crowded, port):
    options = [*crowded(15, "late"), "--sse-hold", "1.5", "--sse-first", "10", "-r", "50"]
    processes = ["--processes", "2", "--master-port", str(port), "--master-bind-port", str(port)]
    ended = locust("capacity", *options, *processes).finish(within=120_000 * MS)
    assert curve(ended) == (15, 16, DOWN), ended.results["capacity"]
    assert ended.code == 0, ended.output


@pytest.mark.slow
def test_a_step_begins_when_the_target_has_let_go_where_that_can_be_seen(locust, crowded, tmp_path):
    _, address, *_ = crowded(15, "clings")
    profile = tmp_path / "target.toml"
    profile.write_text(PROBED.format(address), encoding="utf-8")
    options = ["--sse-target", str(profile), "--sse-settle", "30", "--sse-hold", "1.5", "--sse-first", "10", "-r", "50"]
    ended = locust("capacity", *options).finish(within=180_000 * MS)
    assert curve(ended) == (15, 16, DOWN), ended.results["capacity"]
    begun = [step["t"] for step in ended.results["capacity"]["curve"]]
    assert max(later - sooner for sooner, later in pairwise(begun)) < 30, begun
    assert ended.code == 0, ended.output


def test_a_search_that_is_stopped_begins_no_other_run(tmp_path, crowded):
    """It woke up from a step while the last streams might still end, and started the users of the next."""
    results = tmp_path / "results.json"
    options = [*crowded(15, "late"), "--sse-hold", "1", "-s", "3s", "--sse-results", str(results)]
    with locust_page(tmp_path, *options, scenario="capacity") as page:
        page.post("/swarm", "user_count=1&spawn_rate=50&host=" + options[1])
        eventually(lambda: page.data()["users"] == 10, within=20_000 * MS)
        page.post("/stop", "")
        eventually(lambda: page.data()["final"] is not None, within=30_000 * MS)
        assert page.data()["users"] == 0
    assert json.loads(results.read_text())["streams"]["attempted"] == 11  # Locust's own first, and those of a step


def test_a_target_that_bears_more_than_is_asked_for(locust, crowded):
    options = [*crowded(15, "late"), "--sse-hold", "0.5", "--sse-first", "4", "--sse-most", "4"]
    ended = locust("capacity", *options, "-r", "50", "-s", "60s").finish()  # an endless stream must not hold it up
    assert curve(ended) == (4, None, [(4, True)])
    assert "held with 4 streams, its end was not reached" in ended.output
    assert ended.code == 0, ended.output


def test_a_step_of_which_nothing_can_be_said_is_not_one_that_breaks(locust, source):
    """Streams of one event have no gaps."""
    host = ["--host", f"{source}/ok?events=0", "--sse-settle", "1"]
    options = [*host, "--sse-limit", "gap.p95 < 200ms", "--sse-hold", "2", "-r", "50"]
    ended = locust("capacity", *options).finish()
    assert curve(ended) == (0, None, [(10, None)]), ended.results["capacity"]
    [reason] = ended.results["invalid_reasons"]
    assert reason.startswith("the step with 10 streams cannot be judged: no gap was seen in 2 s")
    assert ended.code == 3, ended.output


@pytest.mark.slow
def test_the_capacity_for_short_streams(locust):
    process, port = start(str(HERE / "narrow.py"), "12")
    try:
        options = ["--host", f"http://127.0.0.1:{port}/", "--sse-hold", "3", "--sse-settle", "1"]
        ended = locust("capacity", *options, "--sse-first", "4", "-r", "50").finish(within=90_000 * MS)
    finally:
        stop(process)
    capacity = ended.results["capacity"]
    assert capacity["holds"] in (11, 12), capacity
    assert capacity["breaks"] in (12, 13)
    assert capacity["limit"] == "first_event.p95 < 200 ms"
