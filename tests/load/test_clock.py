"""The wall clock, by which the kernel stamps, beside the monotonic one, by which all is told."""

import pytest

from ssegauge.load import clock

SECOND = 1_000_000_000


@pytest.fixture
def wall(monkeypatch):
    """The distance between the two clocks as `wall[0]` says, in nanoseconds."""
    distance = [100 * SECOND]
    monkeypatch.setattr(clock, "_distance", lambda: distance[0])
    return distance


def test_a_clock_that_is_set_is_noticed_each_time(wall):
    found = clock.Clock()
    found.look()
    assert (found.steps, found.offset_ns) == (0, 100 * SECOND)
    wall[0] += 3 * SECOND
    found.look()
    found.look()
    wall[0] -= 5 * SECOND
    found.look()
    assert (found.steps, found.largest_step_ns, found.offset_ns) == (2, 5 * SECOND, 98 * SECOND)


def test_what_a_clock_is_slewed_by_is_no_step(wall):
    """NTP moves a clock by at most 500 millionths, that is 25 us between two looks."""
    found = clock.Clock()
    for _ in range(1000):
        wall[0] += 25_000
        found.look()
    assert found.steps == 0
    assert found.offset_ns == wall[0]


def test_a_reading_that_was_interrupted_says_nothing(wall):
    found = clock.Clock()
    wall[0] = None
    found.look()
    assert (found.steps, found.offset_ns) == (0, 100 * SECOND)


def test_seconds_are_those_of_the_wall_clock(wall):
    assert clock.Clock().wall_second(7 * SECOND + SECOND // 2) == 107
