"""What a busy machine may excuse: delays of its own size, and none that are far larger."""

from __future__ import annotations

import pytest

from ssegauge.judging import CannotJudge
from ssegauge.means.timing import CLEAR, Delay, mostly
from ssegauge.pulse import Pulse
from tests.mutants.buffering import BuffersAll
from tests.mutants.catalogue import bench_for
from tests.mutants.host import Host
from tests.mutants.server import Clean

from .near import outcome

BUSY = 0.05


class Overslept(Pulse):
    """A machine that woke up so late, whatever the span."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds

    def start(self) -> None:
        """Nothing is measured."""

    def worst(self, since: float) -> float:
        return self.seconds


def judged(host: Host, overslept: float, *delays: float | None) -> list[float]:
    """The delays of the samples that count as late, where the samples look so; None is a sample in time."""
    coming = iter(delays)

    def delay(_: object) -> Delay | None:
        seconds = next(coming)
        return None if seconds is None else Delay(seconds)

    with bench_for(host, Clean()) as bench:
        bench.pulse = Overslept(overslept)
        seen = bench.observation
        return [sample.delay.seconds for sample in mostly(bench, seen, delay, lambda: seen, busy=BUSY)]


def test_most_of_three_samples_decide(host: Host) -> None:
    assert judged(host, 0.0, None) == []
    assert judged(host, 0.0, 3.0, None, None) == []
    assert judged(host, 0.0, 3.0, None, 2.0) == [3.0, 2.0]
    assert judged(host, 0.0, 3.0, 2.0) == [3.0, 2.0]


def test_a_busy_machine_excuses_what_it_may_have_done_itself(host: Host) -> None:
    with pytest.raises(CannotJudge, match="it woke up 100 ms late"):
        judged(host, 0.1, 3.0, 0.1 * CLEAR * 0.9)


def test_a_busy_machine_does_not_excuse_what_is_far_larger(host: Host) -> None:
    assert judged(host, 0.1, 3.0, 0.1 * CLEAR) == [3.0, 0.1 * CLEAR]


def test_a_machine_that_woke_up_in_time_excuses_nothing(host: Host) -> None:
    assert judged(host, BUSY, 0.06, 0.06) == [0.06, 0.06]


def test_a_busy_machine_needs_no_excuse_where_most_samples_are_in_time(host: Host) -> None:
    assert judged(host, 9.0, 3.0, None, None) == []


class BuffersLong(BuffersAll):
    """Takes over a second to make what it then sends in one piece."""

    count = 36


@pytest.mark.parametrize(("overslept", "expected"), [(0.12, "fail"), (3.0, "error")])
def test_a_stream_that_is_held_back_for_long_is_broken_on_a_busy_machine_too(
    host: Host, monkeypatch: pytest.MonkeyPatch, overslept: float, expected: str
) -> None:
    monkeypatch.setattr(Pulse, "shared", lambda: Overslept(overslept))
    assert outcome(host, BuffersLong(), "BUF-01") == expected
