"""When a run says nothing of its target: figures in, reasons out."""

import pytest

from ssegauge.load.histogram import Histogram
from ssegauge.load.validity import Evidence, Limits, reasons


def evidence(
    *, received=10_000, bounds=(), lag=0.0, lags=10_000, busiest=0.1, gap=100.0, loop=0.0, schedule=0.0, **said
):
    bound = Histogram()
    for ms in bounds:
        bound.record(ms * 1000)
    return Evidence(
        total={
            "streams": {"attempted": 10, "opened": 10, "by_verdict": {}},
            "events": {"received": received},
            "latency": {"gap": {"p99": gap}, "first_event_from_intended": {"p99": 300.0}},
        },
        harness={
            "read_lag": {"count": lags, "p95": lag, "p99": lag},
            "loop_lag": {"count": lags, "p99": loop},
            "schedule_lag": {"count": lags, "p95": schedule, "p99": schedule},
        },
        stamp_bound=bound,
        busiest=busiest,
        **{"clock": "kernel", "clock_steps": 0, "own_faults": 0} | said,
    )


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (evidence(), ""),
        (evidence(lag=40), ""),
        (evidence(lag=60, busiest=0.3), ""),
        (evidence(lag=60, busiest=0.6), "add a worker"),
        (evidence(lag=300, busiest=0.3), "something else keeps this machine busy"),
        (evidence(lag=20, busiest=0.95), "so it was full: add a worker"),
        (evidence(bounds=[80] * 300), "something else keeps this machine busy"),
        (evidence(bounds=[80] * 300, busiest=0.8), "add a worker"),
        (evidence(bounds=[80] * 50), ""),
        (evidence(bounds=[80] * 300, gap=900.0), ""),
        (evidence(missing=("w1 did not answer",)), "worker w1 did not answer"),
        (evidence(clock_steps=2), "the wall clock was set 2 times during the run"),
        (evidence(own_faults=3), "3 streams were not opened for want of our own files or ports"),
        (evidence(unjudged=1), "1 streams could not be judged"),
        (evidence(held_up=1), "1 times a task read its stream more slowly than it came"),
        (evidence(loop=15), ""),  # the kernel has stamped what came meanwhile
        (evidence(loop=15, clock="user"), "without the kernel's stamps times are 15 ms late at p99"),
        (evidence(loop=9, clock="user"), ""),
        (evidence(schedule=29), ""),
        (evidence(schedule=31), "arrivals were made 31 ms late at p99"),
    ],
)
def test_a_run_is_invalid_where_its_generator_would_be_measured(found, said):
    told = "; ".join(reasons(found, Limits()))
    assert said in told
    assert bool(told) == bool(said)


def test_five_users_on_a_slow_stream_are_not_judged_by_one_hiccup():
    """Of 250 events three came together once: the p99 would be that moment alone."""
    assert reasons(evidence(received=250, bounds=[60] * 3, lag=8, lags=250), Limits()) == []


@pytest.mark.parametrize(
    ("late", "figure", "said"),
    [
        (30, 100, ["arrivals were made 30 ms late at p99: add a worker"]),
        (30, 400, []),  # less than a tenth of what is measured
        (9, 20, []),  # nobody's concern
        (60, 400, ["arrivals were made 60 ms late at p99: add a worker"]),
    ],
)
def test_a_run_whose_arrivals_are_late_is_invalid(late, figure, said):
    found = evidence()
    found.harness["schedule_lag"] = {"count": 1000, "p95": late / 2, "p99": late}
    found.total["latency"].update(ttfb_from_intended={"p99": figure}, first_event_from_intended={"p99": 2 * figure})
    assert reasons(found, Limits()) == said


@pytest.mark.parametrize(
    ("verdicts", "opened", "reached"),
    [
        ({"connect_error": 10}, 0, False),
        ({"connect_error": 9, "client_closed": 1}, 0, False),  # cut off by the run's end while it was refused
        ({"connect_error": 9, "client_closed": 1}, 1, True),
        ({"connect_error": 9, "http_error": 1}, 0, True),
        ({"client_closed": 10}, 0, True),  # it took them all, and said nothing
    ],
)
def test_whether_the_target_was_reached(verdicts, opened, reached):
    found = evidence()
    found.total["streams"].update(by_verdict=verdicts, opened=opened)
    assert reasons(found, Limits()) == ([] if reached else ["the target was never reached"])
