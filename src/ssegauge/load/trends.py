"""Slopes over a run: what grows, and how fast. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ssegauge.load.collector import Collector


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


def before_and_after(collector: Collector, seconds: float, *, leave_out: str) -> dict[str, Any]:
    """Gaps of all endpoints but those with this suffix, before and after that time of the run, in milliseconds."""
    collector.fold(float("inf"))
    parts: dict[str, list[tuple[float, int]]] = {"before": [], "after": []}
    for name, rows in collector.endpoint_rows.items():
        if not name.endswith(leave_out):
            for row in rows:
                gap = row["latency"].get("gap")
                if gap and row["phase"] != "drain":
                    parts["before" if row["t"] < seconds else "after"].append((gap["p99"], gap["count"]))
    return {f"gap_p99_{part}_ms": _weighted(found) for part, found in parts.items()}


def _weighted(pairs: Sequence[tuple[float, int]]) -> float | None:
    """Of each second's percentile the mean by its number of events."""
    total = sum(count for _, count in pairs)
    return round(sum(value * count for value, count in pairs) / total, 3) if total else None


def _times(rows: Sequence[dict[str, Any]], name: str, quantile: str = "p99") -> list[tuple[float, float]]:
    return [(row["t"], row["latency"][name][quantile]) for row in rows if row["latency"].get(name)]


def _hourly(points: Sequence[tuple[float, float]]) -> float | None:
    found = slope(points)
    return None if found is None else round(found * 3600, 3)
