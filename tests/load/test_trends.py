"""What grows over a run, and what changed at a moment of it: rows in, figures out."""

import pytest

from ssegauge.load.collector import Collector
from ssegauge.load.trends import before_and_after, slope, slopes


@pytest.mark.parametrize(
    ("points", "found"),
    [
        ([(0, 1), (1, 3), (2, 5)], 2.0),
        ([(10, 5), (20, 0), (30, -5)], -0.5),
        ([(0, 4), (1, 4), (2, 4)], 0.0),
        ([(0, 0), (1, 3), (2, 0), (3, 3)], 0.6),
        ([(0, 1), (1, 3)], None),
        ([(5, 1), (5, 2), (5, 3)], None),
    ],
)
def test_a_slope_is_the_change_a_second(points, found):
    assert slope(points) == (None if found is None else pytest.approx(found))


def row(t, phase="steady", failed=0, opened=5, **latency):
    return {"t": t, "phase": phase, "failed": failed, "open": opened, "latency": latency}


def test_a_soak_grows_by_the_hour_over_its_steady_part():
    rows = [row(0, "ramp", failed=90, gap={"p99": 900.0})]
    rows += [row(t, failed=t, gap={"p99": 100.0 + t}, first_event={"p95": 50.0 - t / 2}) for t in range(1, 11)]
    rows += [row(11, "drain", failed=90, opened=0, gap={"p99": 900.0})]
    memory = [(0.5, 0)] + [(t, 2**20 * (100 + 3 * t)) for t in range(1, 11)] + [(11, 0)]
    assert slopes(rows, memory) == {
        "seconds": 9,
        "target_rss_mb_per_hour": 10_800.0,
        "gap_p99_ms_per_hour": 3600.0,
        "first_event_p95_ms_per_hour": -1800.0,
        "failed_per_second_per_hour": 3600.0,
        "open_per_hour": 0.0,
    }


def test_gaps_before_and_after_are_those_of_the_streams_that_read_on():
    collector = Collector("run")
    collector.endpoint_rows = {
        "ticks": [
            row(0, "ramp", gap={"p99": 10.0, "count": 1}),
            row(1, gap={"p99": 20.0, "count": 3}),
            row(2, gap={"p99": 80.0, "count": 1}),
            row(3, gap={"p99": 40.0, "count": 3}),
            row(4),
            row(5, "drain", gap={"p99": 900.0, "count": 9}),
        ],
        "ticks (stopped)": [row(1, gap={"p99": 500.0, "count": 9}), row(3, gap={"p99": 700.0, "count": 9})],
    }
    found = before_and_after(collector, 2.0, leave_out=" (stopped)")
    assert found == {"gap_p99_before_ms": 17.5, "gap_p99_after_ms": 50.0}


def test_without_gaps_nothing_is_said_of_them():
    found = before_and_after(Collector("run"), 2.0, leave_out=" (stopped)")
    assert found == {"gap_p99_before_ms": None, "gap_p99_after_ms": None}
