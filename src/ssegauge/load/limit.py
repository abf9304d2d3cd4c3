"""A limit, whether a step kept it, and the search for the most users with which it holds. Pure: no clock, no Locust."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from ssegauge.errors import UserError
from ssegauge.load.histogram import Histogram
from ssegauge.load.ledger import Slice
from ssegauge.profile.fields import duration
from ssegauge.verdict import VERDICTS


class Limit(NamedTuple):
    """What must hold: a time of `name` in milliseconds under its percentile, and a share of failed streams."""

    name: str
    quantile: float
    most_ms: float
    failed_share: float

    @classmethod
    def parse(cls, text: str, failed_share: float) -> Limit:
        """Of "first_event.p95 < 200ms". Raises UserError."""
        found = re.fullmatch(r"\s*(first_event|gap)\.p(\d\d)\s*<\s*(\S+)\s*", text)
        if found is None:
            raise UserError(f'--sse-limit: "{text}" is no limit; write first_event.p95 < 200ms, or gap.p99 < 1s')
        try:
            most = duration(found[3]) * 1000
        except ValueError as error:
            raise UserError(f"--sse-limit: {error}") from None
        return cls(found[1], int(found[2]) / 100, most, failed_share)

    @property
    def figure(self) -> str:
        """The figure that is limited, as first_event.p95."""
        return f"{self.name}.p{self.quantile * 100:.0f}"

    def __str__(self) -> str:
        return f"{self.figure} < {self.most_ms:g} ms"


@dataclass
class Measured:
    """What was seen of a step: its seconds as sums, and those of them in which all its streams were open (`full`).

    All figures are of streams that began in the step. `waits`: of the streams that still ran when it was judged, the
    times that they have waited so far, where these are past the limit: for their first event, or for the next one.
    """

    users: int
    open: int
    hold: float
    whole: Slice
    full: Slice
    waits: Histogram = field(default_factory=Histogram)


@dataclass
class Found:
    """One step as it went. `holds` is None where too little was seen to say; `why` says what it broke by, or lacked.

    `values`: how many times `ms` was taken from; `waiting` of them had not ended yet (`at_least`: so `ms` is a bound).
    """

    users: int
    open: int
    ms: float | None
    failed: int
    ended: int
    holds: bool | None
    at_least: bool = False
    values: int = 0
    waiting: int = 0
    why: str = ""


def judge_step(step: Measured, limit: Limit) -> Found:
    """What a step's figures say of the limit.

    A stream that waits for longer than the limit counts as one that waited at least so long: left out, a target that
    takes everybody in and serves the first of them would have no end.
    """
    counters = step.whole.counters
    ended = sum(counters[name] for name in counters if name in VERDICTS)
    values, waiting = _values(step, limit), step.waits.censored_count
    quantile = values.quantile(limit.quantile)
    found = Found(step.users, step.open, None, counters["failed"], ended, None, waiting=waiting)
    found.values = values.count + waiting
    if quantile is not None:
        found.ms, found.at_least = quantile.us / 1000, quantile.at_least
    found.holds, found.why = _judged(found, step, limit)
    return found


def _values(step: Measured, limit: Limit) -> Histogram:
    values = Histogram()
    full = step.full.histograms.get(limit.name, values)
    # Gaps are those between streams that are all open. First events are, too, where each place has had one: streams
    # that follow one another. Where streams last, all that there is are those of the ramp.
    enough = limit.name == "gap" or full.count + step.waits.censored_count >= step.users
    values.merge(full if enough else step.whole.histograms.get(limit.name, Histogram()))
    values.merge(step.waits)
    return values


def _judged(found: Found, step: Measured, limit: Limit) -> tuple[bool | None, str]:
    begun = step.whole.counters["started"]
    if found.failed > limit.failed_share * max(begun, found.ended):
        return False, f"{found.failed} of {begun} streams failed"
    if found.ms is None:
        return None, f"no {limit.name} was seen in {step.hold:g} s, nor a wait past the limit"
    if found.at_least or found.ms >= limit.most_ms:
        return False, f"{limit.figure} was {'at least ' if found.at_least else ''}{found.ms:.0f} ms"
    # A place that waits opens no further streams: among those of the others it would hardly count.
    starved = _longer_than(step.waits, step.hold)
    if starved > (1 - limit.quantile) * step.users + 1e-9:  # 1 - 0.9 is a little less than a tenth
        return False, f"{starved} of {step.users} streams had no event while all were open"
    return True, ""


def _longer_than(waits: Histogram, seconds: float) -> int:
    bound = Histogram()
    bound.record(seconds * 1e6)
    [least] = bound.counts
    return sum(count for index, count in waits.censored.items() if index >= least)


SHORTEST_FOR_GAPS = 2.0
"""Seconds of which one is whole, whenever they begin."""


def too_short(limit: Limit, hold: float) -> None:
    """Raises UserError where a step would be over before a stream can be past the limit."""
    if limit.name == "gap" and hold < SHORTEST_FOR_GAPS:
        raise UserError(
            f"--sse-hold: gaps are counted by whole seconds; hold each step for {SHORTEST_FOR_GAPS:g} s at least, not {hold:g}"
        )
    if hold * 1000 <= limit.most_ms:
        raise UserError(
            f"--sse-hold: {hold:g} s are too short to see a limit of {limit.most_ms:g} ms broken; hold each step for longer"
        )


def search(
    measure: Callable[[int], Found], first: int, most: int, *, factor: float = 2.0, until: float = 0.1
) -> list[Found]:
    """Steps up by `factor` until the limit breaks, then halves the interval until it is narrow. In the order measured.

    Ends at a step of which nothing can be said.
    """
    curve: list[Found] = []
    good, bad = 0, 0
    users = min(first, most)
    while True:
        found = measure(users)
        curve.append(found)
        if found.holds is None:
            return curve
        if found.holds:
            good = users
        else:
            bad = users
        if good >= most or bad == 1 or (bad and bad - good <= max(1, until * bad)):
            return curve
        users = (good + bad) // 2 if bad else min(most, max(good + 1, int(good * factor)))
