"""When streams are to start: pure functions of a count, a rate and a seed.

A schedule names the intended start of arrival `n`, in seconds from the start of the run. It never shifts: an
arrival that could not be made is counted, not moved (coordinated omission: Schroeder et al., NSDI'06).
"""

from __future__ import annotations

import random
from typing import Protocol


class Schedule(Protocol):
    """Intended starts, in seconds from the beginning, ascending."""

    def at(self, n: int) -> float:
        """The intended start of arrival `n`, counted from 0."""
        ...


class Constant:
    """One arrival every 1/rate seconds."""

    def __init__(self, rate: float) -> None:
        self._rate = _positive(rate)

    def at(self, n: int) -> float:
        """N intervals from the beginning."""
        return n / self._rate


class Poisson:
    """Independent arrivals, `rate` a second on average: gaps drawn from the exponential distribution by `seed`."""

    def __init__(self, rate: float, seed: int) -> None:
        self._rate = _positive(rate)
        self._seed = seed
        self._begin()

    def _begin(self) -> None:
        self._dice = random.Random(self._seed)
        self._drawn, self._time = 0, 0.0

    def at(self, n: int) -> float:
        """The sum of the first n + 1 gaps."""
        # Drawn in order, so that the same n always gives the same time, and not kept: in hours there are millions.
        # Whoever goes back begins anew.
        if n + 1 < self._drawn:
            self._begin()
        while self._drawn <= n:
            self._time += self._dice.expovariate(self._rate)
            self._drawn += 1
        return self._time


class Share:
    """What one of `of` generators makes of a schedule: every `of`-th arrival. Together they make exactly the schedule."""

    def __init__(self, schedule: Schedule, index: int, of: int) -> None:
        if not 0 <= index < of:
            raise ValueError(f"share {index} of {of}")
        self._schedule, self._index, self._of = schedule, index, of

    def at(self, n: int) -> float:
        """The nth of this share."""
        return self._schedule.at(n * self._of + self._index)


def _positive(rate: float) -> float:
    if not rate > 0:
        raise ValueError(f"an arrival rate is above 0 a second, not {rate}")
    return rate
