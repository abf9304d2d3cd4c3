"""Times do not cry wolf: what looks late is looked at again, and the majority decides."""

from __future__ import annotations

import time
from collections.abc import Callable

from ssegauge.bench import Bench
from ssegauge.judging import CannotJudge
from ssegauge.observation import Observation

SAMPLES = 3
"""Samples that a verdict on times rests on, where the target is live and the first looks broken."""


def mostly(
    bench: Bench,
    first: Observation,
    looks_broken: Callable[[Observation], bool],
    again: Callable[[], Observation],
    *,
    busy: float,
) -> list[Observation]:
    """The samples that look broken, where most do; none where the rule holds. A recording is its own only sample.

    Raises CannotJudge where this machine woke up later than `busy` seconds while the samples were taken: what looks
    late may then be ours.
    """
    if not looks_broken(first):
        return []
    late = [first]
    if not bench.live:
        return late
    since = time.monotonic()
    needed = SAMPLES // 2 + 1
    fine = 0
    while len(late) < needed and fine < needed:
        sample = again()
        if looks_broken(sample):
            late.append(sample)
        else:
            fine += 1
    if fine >= needed:
        return []
    overslept = bench.pulse.worst(since)
    if overslept > busy:
        raise CannotJudge(f"this machine was too busy to judge times: it woke up {overslept * 1000:.0f} ms late")
    return late
