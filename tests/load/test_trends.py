"""What grows over a run, and what changed at a moment of it: rows in, figures out."""

import pytest

from ssegauge.load.collector import Collector
from ssegauge.load.figures import _coarse
from ssegauge.load.histogram import Histogram
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


def gaps(*values):
    """A second's gaps as its row has them."""
    histogram = Histogram()
    for ms in values:
        histogram.record(ms * 1000)
    return {"p99": 0.0, "count": len(values), "histogram": _coarse(histogram)}


def second(t, *values, phase="steady", opened=5, events=None):
    """A row in which these gaps ended."""
    latency = {"gap": gaps(*values)} if values else {}
    return row(t, phase, opened=opened, **latency) | {"events": len(values) if events is None else events}


def compared(rows, stopped=(), times=2.0):
    collector = Collector("run")
    collector.endpoint_rows = {"ticks": list(rows), "ticks (stopped)": list(stopped)}
    return before_and_after(collector, 2.0, leave_out=" (stopped)", times=times)


def test_gaps_before_and_after_are_those_of_the_streams_that_read_on():
    rows = [
        second(0, *[10.0] * 50, phase="ramp"),
        second(1, *[20.0] * 150),
        second(2, *[900.0] * 100),  # some of it before, some after
        second(3, *[20.0] * 197),
        second(4, *[400.0] * 3, opened=0),  # three in two hundred: no mean of percentiles shows it
        second(5, *[900.0] * 100, phase="drain"),
    ]
    found = compared(rows, stopped=[second(1, *[500.0] * 100), second(3, *[700.0] * 100)])
    assert found["gap_p99_before_ms"] == pytest.approx(20.0, rel=0.01)
    assert found["gap_p99_after_ms"] == pytest.approx(400.0, rel=0.01)
    assert (found["events_per_stream_before"], found["events_per_stream_after"]) == (20, 40)
    assert found["noticed"] is True


@pytest.mark.parametrize(
    ("before", "after", "times", "noticed"),
    [
        ([100.0] * 100, [190.0] * 100, 2.0, False),
        ([100.0] * 100, [220.0] * 100, 2.0, True),
        ([100.0] * 100, [220.0] * 100, 3.0, False),
        ([10.0] * 100, [50.0] * 100, 2.0, False),  # 40 ms more
        ([0.0] * 100, [80.0] * 100, 2.0, True),
        ([100.0] * 99, [900.0] * 100, 2.0, None),  # too few
        ([100.0] * 190, [100.0] * 99, 2.0, None),
        ([100.0] * 100, [], 2.0, True),  # nothing any more, though the streams are open
        ([100.0] * 100, [100.0] * 40, 2.0, True),
    ],
)
def test_who_noticed_that_others_do_not_read(before, after, times, noticed):
    assert compared([second(1, *before), second(3, *after)], times=times)["noticed"] is noticed


def test_without_streams_nothing_is_said_of_them():
    assert set(compared([]).values()) == {None}
    assert compared([second(1, *[100.0] * 100), second(3, opened=0)])["noticed"] is None
