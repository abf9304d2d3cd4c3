"""Percentile curves from the histograms of a results document."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ssegauge.gate import metrics

STEPS: Final = 120
FLOOR_MS: Final = 0.1
"""Where a logarithmic axis shows a gap of nothing, of events that came in one read."""


@dataclass(frozen=True)
class Curve:
    """Milliseconds by share of values; `bounds` are those shares from which on only lower bounds are known."""

    shares: tuple[float, ...]
    values: tuple[float, ...]
    bounds: tuple[float, ...]

    def __bool__(self) -> bool:
        return bool(self.shares)


def position(share: float) -> float:
    """Where a share stands on a percentile axis: 0 at 0, 1 at p90, 2 at p99, 3 at p99.9."""
    return -math.log10(1 - share)


def curve(entry: Any) -> Curve:
    """The curve of a distribution, as far as its number of values carries: no p99.9 of 200 values."""
    histogram = entry.get("histogram") if isinstance(entry, Mapping) else None
    if not isinstance(histogram, Mapping):
        return Curve((), (), ())
    everything = metrics.buckets(histogram)
    known = metrics.buckets({**histogram, "censored_index": (), "censored_count": ()})
    total, complete = sum(everything.values()), sum(known.values())
    if not total:
        return Curve((), (), ())
    end = position(1 - 1 / total) if total > 1 else 0.0
    shares = [1 - 10 ** -(end * step / STEPS) for step in range(STEPS + 1)]
    values, bounds = [], []
    for share in shares:
        rank = max(1, math.ceil(share * total - 1e-9))
        is_known = rank <= complete
        value = metrics.quantile(known, rank / complete) if is_known else metrics.quantile(everything, share)
        values.append(max(value or 0.0, FLOOR_MS))
        if not is_known:
            bounds.append(share)
    return Curve(tuple(shares), tuple(values), tuple(bounds))
