"""Counters of the status address that show work done for a stream, and whether it goes on when nobody reads it."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from ssegauge.bench import Bench
from ssegauge.judging import Untestable
from ssegauge.means.leaving import lasting, notice, patience
from ssegauge.probe import StatusGauge

READERS = 4
"""Streams whose work is told from work that goes on anyway (DIS-08)."""
ALREADY = 2.0
"""By how much a counter rises in a second that is somebody's work (DIS-08); our own looks count once."""


def restless(status: StatusGauge, within: float) -> set[str]:
    """The counters that never stand still, though no stream of ours is open: requests, uptime, other clients' work."""
    deadline = time.monotonic() + within
    ones: Counter[str] = Counter()
    last = _counts(status)
    while True:  # what earlier rules started may still run out
        time.sleep(0.25)
        now = _counts(status)
        moving = {place for place in now if now[place] != last.get(place)}
        ones.update(place for place in moving if now[place] - last.get(place, 0.0) == 1)
        by_asking = {place for place, times in ones.items() if times >= 3}  # it counts our looking at it
        if moving <= by_asking or time.monotonic() > deadline:
            return moving | by_asking
        last = now


def still_counting(bench: Bench, status: StatusGauge, restless: set[str]) -> dict[str, tuple[float, float]]:
    """The counters that rise while a stream is read and still do after its client left, without the restless ones."""
    with bench.open(lasting(bench)) as stream:
        stream.until_events(1, patience(bench))
        before = _counts(status)
        stream.pump(within=0.5)
        after = _counts(status)
    rising = {place for place, value in after.items() if value > before.get(place, value)} - restless
    if not rising:
        kept = ", ".join(sorted(restless - {status.pointer})) or "none"
        raise Untestable(
            f"no counter of the status address rises while a stream is read, but for restless ones: {kept}"
        )
    deadline = time.monotonic() + notice(bench)
    last = _counts(status)
    while True:
        time.sleep(min(0.5, notice(bench) / 4))
        now = _counts(status)
        moving = {place: (last[place], now[place]) for place in rising if now.get(place) != last.get(place)}
        if not moving or time.monotonic() > deadline:
            return moving
        last = now


def still_faster(bench: Bench, status: StatusGauge, restless: set[str]) -> dict[str, tuple[float, float]]:
    """The restless counters that rise faster while streams are read, and still do after their clients left."""
    before = _rates(status, lambda: time.sleep(1.0))
    if not any(rate > ALREADY for place, rate in before.items() if place in restless):
        return {}
    with contextlib.ExitStack() as opened:
        streams = [opened.enter_context(bench.open(lasting(bench))) for _ in range(READERS)]
        for stream in streams:
            stream.until_events(1, patience(bench))
        during = _rates(status, lambda: [stream.pump(within=1.0 / READERS) for stream in streams])
    time.sleep(notice(bench))
    after = _rates(status, lambda: time.sleep(1.0))
    more = {place: during.get(place, 0.0) - rate for place, rate in before.items() if place in restless}
    return {
        place: (before[place], after[place])
        for place, rise in more.items()
        if min(rise, after.get(place, 0.0) - before[place]) > max(ALREADY, 0.2 * before[place])
    }


def _rates(status: StatusGauge, meanwhile: Callable[[], object]) -> dict[str, float]:
    """By how much the counters rise in a second."""
    began, first = time.monotonic(), _counts(status)
    meanwhile()
    last, took = _counts(status), time.monotonic() - began
    return {place: (value - first.get(place, value)) / took for place, value in last.items()}


def _counts(status: StatusGauge) -> dict[str, float]:
    return dict(_numbers(status.document(), ""))


def _numbers(value: Any, place: str) -> list[tuple[str, float]]:
    if isinstance(value, dict):
        return [pair for name, item in value.items() for pair in _numbers(item, f"{place}/{name}")]
    return [(place, value)] if isinstance(value, int | float) and not isinstance(value, bool) else []
