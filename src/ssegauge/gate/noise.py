"""How much two runs differ, and how much of that is noise: a ratio with its confidence interval.

The point is the ratio of the figures. The interval comes from resampling (the bootstrap): of repeated runs where
there are four or more in all, since only they show how runs differ from one another; else of stretches of seconds
within the runs, which hold together what neighbours share. Its width is that of Student's t, because a few runs or
stretches know their own spread badly. Both sides are taken as logarithms: twice as slow is as far as twice as fast.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, stdev
from typing import Any, Final

from ssegauge.gate import metrics
from ssegauge.gate.metrics import Metric

RESAMPLES: Final = 400  # the spread itself is known to some 4 % then, which is less than what it is taken for
FEWEST_STRETCHES: Final = 4
BETWEEN_RUNS: Final = 0.02
"""What two runs differ by that the seconds of neither show (memory layout, neighbours, temperature): assumed, one
standard deviation. Repeated runs measure it instead."""
_COARSE: Final = 1.01  # width of the buckets that are resampled

Document = Mapping[str, Any]
Estimate = Callable[[Sequence[Any]], float | None]


@dataclass(frozen=True)
class Ratio:
    """How many times the second figure is the first. `low` and `high` are None where nothing shows the noise.

    basis: "runs", "seconds", or "" where there is no interval. at_least: the second is known as a bound only.
    """

    first: float
    second: float
    value: float
    low: float | None = None
    high: float | None = None
    confidence: float = 0.95
    basis: str = ""
    at_least: bool = False

    def worsening(self, wanted: Metric) -> Ratio:
        """The same as a ratio that is above one where the second is worse."""
        if not wanted.more_is_better:
            return self
        low, high = self.high, self.low
        return Ratio(
            self.first,
            self.second,
            math.inf if self.value == 0 else 1 / self.value,
            None if low is None else 1 / low if low else math.inf,
            None if high is None else 1 / high if high else math.inf,
            self.confidence,
            self.basis,
            self.at_least,
        )


class NoRatio(ValueError):
    """Raised where two sides cannot be divided; the message says why."""


def ratio(
    first: Sequence[Document],
    second: Sequence[Document],
    wanted: Metric,
    endpoint: str | None = None,
    confidence: float = 0.95,
) -> Ratio:
    """The second side's figure over the first's, each side one run or several. Raises NoRatio."""
    sides = [_values(side, wanted, endpoint) for side in (first, second)]
    (before, before_bound), (after, after_bound) = sides
    if before_bound:
        raise NoRatio("the first figure is known as a lower bound only")
    was, now = _centre(before), _centre(after)
    if was == 0:
        if now == 0:
            return Ratio(0, 0, 1.0, 1.0, 1.0, confidence, "both are zero")
        raise NoRatio("the first figure is zero, and nothing is a multiple of it; set a threshold instead")
    value = now / was
    spread = _spread_of_runs(before, after) or _spread_of_seconds(first, second, wanted, endpoint)
    if spread is None or value == 0:
        return Ratio(was, now, value, confidence=confidence, at_least=after_bound)
    deviation, freedom, basis = spread
    reach = student(0.5 + confidence / 2, freedom) * deviation
    return Ratio(was, now, value, value * math.exp(-reach), value * math.exp(reach), confidence, basis, after_bound)


def _values(side: Sequence[Document], wanted: Metric, endpoint: str | None) -> tuple[list[float], bool]:
    readings = [metrics.read(document, wanted, endpoint) for document in side]
    for reading in readings:
        if reading.value is None:
            raise NoRatio(reading.lack)
    return [reading.value for reading in readings if reading.value is not None], any(
        reading.at_least for reading in readings
    )


def _centre(values: Sequence[float]) -> float:
    if any(value <= 0 for value in values):
        return fmean(values)
    return math.exp(fmean(math.log(value) for value in values))


def _spread_of_runs(before: Sequence[float], after: Sequence[float]) -> tuple[float, float, str] | None:
    freedom = len(before) + len(after) - 2
    if freedom < 2 or any(value <= 0 for value in (*before, *after)):
        return None
    residuals = []
    for values in (before, after):
        if len(values) > 1:
            middle = fmean(math.log(value) for value in values)
            residuals += [math.log(value) - middle for value in values]
    # residuals are smaller than errors, for each side's mean was fitted to them
    scale = math.sqrt(len(residuals) / sum(len(values) - 1 for values in (before, after) if len(values) > 1))
    dice = random.Random(0)
    differences = [
        fmean(dice.choices(residuals, k=len(after))) - fmean(dice.choices(residuals, k=len(before)))
        for _ in range(RESAMPLES)
    ]
    return stdev(differences) * scale, freedom, "runs"


def _spread_of_seconds(
    first: Sequence[Document], second: Sequence[Document], wanted: Metric, endpoint: str | None
) -> tuple[float, float, str] | None:
    variance, freedom = 0.0, 0
    for side in (first, second):
        variance += BETWEEN_RUNS**2 / len(side)
        stretches, estimate = _stretches(side, wanted, endpoint)
        if len(stretches) < FEWEST_STRETCHES:
            return None
        dice = random.Random(0)
        found = [estimate(dice.choices(stretches, k=len(stretches))) for _ in range(RESAMPLES)]
        logs = [math.log(value) for value in found if value is not None and value > 0]
        if len(logs) < RESAMPLES * 0.9:
            return None
        variance += stdev(logs) ** 2 * len(stretches) / (len(stretches) - 1)
        freedom += len(stretches) - 1
    return math.sqrt(variance), freedom, "seconds"


def _stretches(side: Sequence[Document], wanted: Metric, endpoint: str | None) -> tuple[list[Any], Estimate]:
    taken: list[Any] = []
    for document in side:
        taken += _joined([found for _, found in items(steady(document, endpoint), wanted)])
    return taken, estimate_of(wanted, taken[0] if taken else ())


def steady(document: Document, endpoint: str | None) -> list[Mapping[str, Any]]:
    """The seconds of a run, or of one endpoint of it, in which all users were there."""
    part = document if endpoint is None else (document.get("endpoints") or {}).get(endpoint) or {}
    rows = part.get("series") or []
    return [row for row in rows if row.get("phase", "steady") == "steady"]


def items(rows: Sequence[Mapping[str, Any]], wanted: Metric) -> list[tuple[float, Any]]:
    """What seconds say of a figure, each with its second, in a form that adds up (`sum_of`).

    The counts of a percentile where seconds have them; else (sum, weight).
    """
    share = metrics.percentile(wanted.stat or "")
    counted: list[tuple[float, Any]] = []
    if wanted.distribution is not None and share is not None:
        entries = [(row.get("t", 0), (row.get("latency") or {}).get(wanted.distribution)) for row in rows]
        counted = [
            (second, metrics.buckets(entry["histogram"], _COARSE))
            for second, entry in entries
            if isinstance(entry, Mapping) and entry.get("histogram")
        ]
    return counted or [(row.get("t", 0), pair) for row in rows if (pair := _amount(row, wanted)) is not None]


def estimate_of(wanted: Metric, one: Any) -> Estimate:
    """How the figure is had from several items such as this one."""
    share = metrics.percentile(wanted.stat or "")
    return _weighted_mean if share is None or isinstance(one, tuple) else _percentile_of(share)


def _amount(row: Mapping[str, Any], wanted: Metric) -> tuple[float, float] | None:
    """(sum, weight) of a row, so that the figure of several rows is the sum of sums over the sum of weights."""
    if wanted.distribution is not None:
        entry = (row.get("latency") or {}).get(wanted.distribution)
        entry = entry if isinstance(entry, Mapping) else {}
        value, weight = entry.get(str(wanted.stat)), entry.get("count") or 1
        return None if not isinstance(value, int | float) else (value * weight, weight)
    path = wanted.path
    if path in {"events.per_second", "events.received"} and "events" in row:
        return row["events"], 1
    if path in {"events.bytes_per_second", "events.bytes"} and "bytes" in row:
        return row["bytes"], 1
    if path.startswith("streams.") and path.endswith("_ratio"):
        word = path.removeprefix("streams.").removesuffix("_ratio")
        counted = row.get("failed") if word == "failed" else (row.get("by_verdict") or {}).get(word, 0)
        return None if counted is None else (counted, row.get("ended") or 0)
    return None


def _joined(seconds: list[Any]) -> list[Any]:
    """Neighbouring seconds as one stretch: what holds two seconds together shall not count as two proofs.

    The square root of their number holds the false alarms near what the confidence allows where seconds hang together;
    with the cube root, which is often advised, there were three times as many (simulated, see tests/gate/test_noise.py).
    """
    length = max(1, min(round(math.sqrt(len(seconds))), len(seconds) // (FEWEST_STRETCHES + 1)))
    return [sum_of(seconds[start : start + length]) for start in range(0, len(seconds) - length + 1, length)]


def sum_of(several: Sequence[Any]) -> Any:
    """Several items as one."""
    if isinstance(several[0], tuple):
        return sum(pair[0] for pair in several), sum(pair[1] for pair in several)
    total: dict[float, int] = {}
    for counts in several:
        for value, count in counts.items():
            total[value] = total.get(value, 0) + count
    return total


def _percentile_of(share: float) -> Estimate:
    def estimate(stretches: Sequence[dict[float, int]]) -> float | None:
        total: dict[float, float] = {}
        for stretch in stretches:
            for value, count in stretch.items():
                total[value] = total.get(value, 0) + count
        return metrics.quantile(total, share)

    return estimate


def _weighted_mean(stretches: Sequence[tuple[float, float]]) -> float | None:
    weight = sum(pair[1] for pair in stretches)
    return sum(pair[0] for pair in stretches) / weight if weight else None


def student(share: float, freedom: float) -> float:
    """Quantile of Student's t by its expansion about the normal (Abramowitz and Stegun 26.7.5); 3 % short at two degrees."""
    z = NormalDist().inv_cdf(share)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / freedom**power for power, term in enumerate(terms, 1))
