"""The seconds of a load run as rows that a plot can draw and a table can list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ssegauge.report.lenient import mapping, number
from ssegauge.verdict import VERDICTS

MOST_POINTS: Final = 600
"""What a plot shows at most; longer runs are drawn with several seconds a point."""
STATS: Final = ("p50", "p95", "p99")


@dataclass(frozen=True)
class Stretch:
    """One second or several: `t` from the start; rates are per second; of several, p50 is the mean and the rest the worst."""

    t: float
    phase: str
    open: float | None
    events: float | None
    verdicts: dict[str, float] = field(default_factory=dict)
    times: dict[str, dict[str, float]] = field(default_factory=dict)
    lag: float | None = None
    cpu: float | None = None

    def time(self, name: str, stat: str) -> float | None:
        """A percentile of this stretch in milliseconds."""
        return self.times.get(name, {}).get(stat)


def stretches(part: Mapping[str, Any], most: int = MOST_POINTS) -> tuple[list[Stretch], int]:
    """The series of a document or an endpoint in at most so many stretches, and how many seconds each of them is."""
    rows = part.get("series") or []
    step = max(1, -(-len(rows) // most))
    return [_stretch(rows[start : start + step]) for start in range(0, len(rows), step)], step


def _stretch(rows: Sequence[Mapping[str, Any]]) -> Stretch:
    first, count = rows[0], len(rows)
    open_ = _numbers(row.get("open") for row in rows)
    events = _numbers(row.get("events") for row in rows)
    harness = [mapping(row.get("harness")) for row in rows]
    return Stretch(
        t=float(first.get("t") or 0),
        phase=str(first.get("phase") or ""),
        open=max(open_) if open_ else None,
        events=sum(events) / count if events else None,
        verdicts={
            name: sum(_numbers(mapping(row.get("by_verdict")).get(name) for row in rows)) / count for name in VERDICTS
        },
        times={name: _times(rows, name) for name in ("first_event", "gap", "lag")},
        lag=max(_numbers(mapping(found.get("read_lag")).get("p99") for found in harness), default=None),
        cpu=max(_numbers(found.get("cpu") for found in harness), default=None),
    )


def _times(rows: Sequence[Mapping[str, Any]], name: str) -> dict[str, float]:
    entries = [entry for row in rows if isinstance(entry := (row.get("latency") or {}).get(name), Mapping)]
    found = {}
    for stat in STATS:
        values = _numbers(entry.get(stat) for entry in entries)
        if values:
            found[stat] = sum(values) / len(values) if stat == "p50" else max(values)
    return found


def _numbers(values: Any) -> list[float]:
    return [found for value in values if (found := number(value)) is not None]
