"""Arrivals are a function of a count, a rate and a seed; no clock is asked."""

import tracemalloc
from itertools import pairwise

import pytest

from ssegauge.load.arrivals import Constant, Poisson, Share


def test_constant_arrivals_are_evenly_spaced():
    assert [Constant(4).at(n) for n in range(4)] == [0.0, 0.25, 0.5, 0.75]


def test_poisson_arrivals_are_the_same_for_the_same_seed_in_any_order():
    forward, backward = Poisson(10, seed=7), Poisson(10, seed=7)
    there = [forward.at(n) for n in range(100)]
    back = [backward.at(n) for n in reversed(range(100))]
    assert there == back[::-1]
    assert there != [Poisson(10, seed=8).at(n) for n in range(100)]


def test_poisson_arrivals_ascend_at_the_rate_asked_for():
    schedule = Poisson(50, seed=1)
    times = [schedule.at(n) for n in range(20_000)]
    assert times == sorted(times)
    assert times[-1] == pytest.approx(400, rel=0.03)
    gaps = [b - a for a, b in pairwise(times)]
    mean = sum(gaps) / len(gaps)
    deviation = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5
    assert deviation == pytest.approx(mean, rel=0.05)  # the exponential distribution's own mark


def test_the_arrivals_of_hours_are_not_kept():
    schedule = Share(Poisson(500, seed=1), 0, 2)
    schedule.at(0)
    tracemalloc.start()
    try:
        for n in range(20_000):
            schedule.at(n)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 20_000  # bytes: less than one for each


@pytest.mark.parametrize("workers", [1, 2, 3, 7])
def test_the_shares_of_all_workers_are_the_schedule(workers):
    schedule = Poisson(5, seed=3)
    together = sorted(Share(schedule, k, workers).at(n) for k in range(workers) for n in range(42 // workers))
    assert together == [schedule.at(n) for n in range(42 // workers * workers)]


@pytest.mark.parametrize("rate", [0, -1, float("nan")], ids=str)
def test_a_rate_of_nothing_is_refused(rate):
    with pytest.raises(ValueError, match="above 0"):
        Constant(rate)
