"""Slopes over a run: what grows, and how fast. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from ssegauge.load.collector import Collector
from ssegauge.load.figures import coarse_quantile

_ENOUGH = 100  # gaps: of fewer, the p99 is the longest by another name
_NOTICED_MS = 50.0  # a difference below is in no stream that people look at


def slope(points: Sequence[tuple[float, float]]) -> float | None:
    """Least squares: change a second; None for fewer than three points or no time between them."""
    if len(points) < 3:
        return None
    n = len(points)
    mean_t = sum(t for t, _ in points) / n
    mean_v = sum(v for _, v in points) / n
    spread = sum((t - mean_t) ** 2 for t, _ in points)
    return sum((t - mean_t) * (v - mean_v) for t, v in points) / spread if spread else None


def slopes(rows: Sequence[dict[str, Any]], memory: Sequence[tuple[float, float]]) -> dict[str, Any]:
    """Change an hour of the target's memory, of the gap, of first events and of failures, over the steady part."""
    steady = [row for row in rows if row["phase"] == "steady"]
    first = steady[0]["t"] if steady else 0
    last = steady[-1]["t"] if steady else 0
    return {
        "seconds": last - first,
        "target_rss_mb_per_hour": _hourly([(t, v / 2**20) for t, v in memory if first <= t <= last]),
        "gap_p99_ms_per_hour": _hourly(_times(steady, "gap")),
        "first_event_p95_ms_per_hour": _hourly(_times(steady, "first_event", "p95")),
        "failed_per_second_per_hour": _hourly([(row["t"], row["failed"]) for row in steady]),
        "open_per_hour": _hourly([(row["t"], row["open"]) for row in steady]),
    }


class Side(NamedTuple):
    """What streams had before a moment of the run, or after it. `gap_p99_ms`: None where there was no gap."""

    gaps: int
    gap_p99_ms: float | None
    events_per_stream: float | None

    @classmethod
    def of(cls, rows: Sequence[dict[str, Any]]) -> Side:
        """Of their seconds."""
        counts: Counter[int] = Counter()
        for row in rows:
            gap = row["latency"].get("gap", {}).get("histogram")
            if gap:
                counts.update(dict(zip(gap["index"], gap["count"], strict=True)))
        p99 = round(coarse_quantile(counts, 0.99) / 1000, 3) if counts else None
        events, open_ = sum(row["events"] for row in rows), sum(row["open"] for row in rows)
        return cls(counts.total(), p99, round(events / open_, 3) if open_ else None)


def before_and_after(collector: Collector, seconds: float, *, leave_out: str, times: float) -> dict[str, Any]:
    """All endpoints but those with this suffix, before and after that time of the run.

    `noticed`: whether the p99 of their gaps became more than so many `times` what it was, or their events so many times
    fewer: a stream that gets nothing has no gap. None where too little came to tell.
    """
    collector.fold(float("inf"))
    series = [rows for name, rows in collector.endpoint_rows.items() if not name.endswith(leave_out)]
    read_on = [row for rows in series for row in rows if row["phase"] != "drain"]
    # A row begins with a second of the clock, the run within one: which of the two sides the one between is on is not known.
    before, after = (
        Side.of([row for row in read_on if row["t"] + 1 <= seconds]),
        Side.of([row for row in read_on if row["t"] >= seconds + 1]),
    )
    found = {f"gap_p99_{name}_ms": side.gap_p99_ms for name, side in (("before", before), ("after", after))}
    found |= {
        f"events_per_stream_{name}": side.events_per_stream for name, side in (("before", before), ("after", after))
    }
    return {**found, "noticed": _noticed(before, after, times)}


def _noticed(before: Side, after: Side, times: float) -> bool | None:
    if before.gaps < _ENOUGH or not before.events_per_stream or after.events_per_stream is None:
        return None
    if after.events_per_stream * times < before.events_per_stream:
        return True
    if before.gap_p99_ms is None or after.gap_p99_ms is None or after.gaps < _ENOUGH:
        return None
    return after.gap_p99_ms > times * before.gap_p99_ms and after.gap_p99_ms - before.gap_p99_ms > _NOTICED_MS


def _times(rows: Sequence[dict[str, Any]], name: str, quantile: str = "p99") -> list[tuple[float, float]]:
    return [(row["t"], row["latency"][name][quantile]) for row in rows if row["latency"].get(name)]


def _hourly(points: Sequence[tuple[float, float]]) -> float | None:
    found = slope(points)
    return None if found is None else round(found * 3600, 3)
