"""Times do not cry wolf: what looks late is looked at again, the majority decides, and a busy machine is heard first."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from ssegauge.bench import Bench
from ssegauge.judging import CannotJudge
from ssegauge.observation import Evidence, Observation

SAMPLES = 3
"""Samples that a verdict on times rests on, where the target is live and the first looks broken."""
CLEAR = 5
"""A delay of so many times what this machine overslept at worst is not this machine's."""


class Delay(NamedTuple):
    """By how many seconds something is later than it may be, what it looks like, and where."""

    seconds: float
    text: str = ""
    evidence: tuple[Evidence, ...] = ()


class Late(NamedTuple):
    """A sample that looks broken."""

    seen: Observation
    delay: Delay


def mostly(
    bench: Bench,
    first: Observation,
    delay: Callable[[Observation], Delay | None],
    again: Callable[[], Observation],
    *,
    busy: float,
) -> list[Late]:
    """The samples that look broken, where most do; none where the rule holds. A recording is its own only sample.

    `delay` gives None for a sample that is as it should be. Raises CannotJudge where this machine woke up later than
    `busy` seconds while the samples were taken, and a delay is not far larger than that: what looks late may then be ours.
    """
    found = delay(first)
    if found is None:
        return []
    late = [Late(first, found)]
    if not bench.live:
        return late
    since = time.monotonic()
    needed = SAMPLES // 2 + 1
    fine = 0
    while len(late) < needed and fine < needed:
        sample = again()
        found = delay(sample)
        if found is None:
            fine += 1
        else:
            late.append(Late(sample, found))
    if fine >= needed:
        return []
    require_quiet(bench, since, min(sample.delay.seconds for sample in late), busy=busy)
    return late


def require_quiet(bench: Bench, since: float, seconds: float, *, busy: float) -> None:
    """Raise CannotJudge where a delay of so many seconds may be this machine's own: it woke up too late since then."""
    overslept = bench.pulse.worst(since)
    if overslept > busy and seconds < CLEAR * overslept:
        raise CannotJudge(f"this machine was too busy to judge times: it woke up {overslept * 1000:.0f} ms late")
