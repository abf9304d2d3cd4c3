"""Results that nobody measured, for tests of reports."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

from ssegauge import gate
from ssegauge.gate import thresholds

HOSTILE = "</pre><script>alert(1)</script>\x1b[31m\u202e`|*_#]]>\0" + "x" * 500
MARKUP = "\"'><img src=x onerror=alert(1)></script><script>alert(1)</script><!--" + HOSTILE


def finding(rule: str, level: str, outcome: str, **more: Any) -> dict[str, Any]:
    """A finding with every key of the results file."""
    plain = {
        "rule": rule, "endpoint": "main", "level": level, "outcome": outcome, "requirement": "It holds.", "source": "WHATWG HTML 9.2.6",
        "source_url": "https://html.spec.whatwg.org/", "expected": "", "actual": "", "evidence": [], "reproduce": "", "mend": "",
        "reason": "", "duration_s": 0.01,
    }  # fmt: skip
    if outcome == "fail":
        plain |= {
            "expected": "this", "actual": "that", "mend": "Mend it.", "reproduce": f"ssegauge check URL --rule {rule}",
            "evidence": [{"note": "event 0", "bytes": "data: x\\n", "offset": 12, "at": 0.25}],
        }  # fmt: skip
    elif outcome != "pass":
        plain["reason"] = "needs the process id: pass --pid or --app"
    return plain | more


def conformance(*findings: dict[str, Any]) -> dict[str, Any]:
    """A conformance document of these findings."""
    return {
        "schema": "ssegauge/results/1", "kind": "conformance", "target": "http://127.0.0.1:8000", "profile": "sse-target.toml",
        "tool": {"name": "ssegauge", "version": "0"}, "started": "2026-11-22T12:00:00+00:00", "duration_s": 1.5,
        "rules": list(findings), "summary": {}, "machine": {},
    }  # fmt: skip


GROWTH = 1.002


def times(*milliseconds: float, cut: tuple[float, ...] = ()) -> dict[str, Any]:
    """A distribution of these values; `cut` are those that were still growing when last seen."""
    every = sorted([*milliseconds, *cut])

    def nearest(share: float) -> float:
        return every[max(0, math.ceil(share * len(every)) - 1)]

    return {
        "count": len(milliseconds), "censored": len(cut), "mean": sum(every) / len(every), "p50": nearest(0.5), "p90": nearest(0.9),
        "p95": nearest(0.95), "p99": nearest(0.99), "p999": nearest(0.999), "max": every[-1],
        "histogram": {"unit": "us", "growth": GROWTH, **_counts("", milliseconds), **_counts("censored_", cut)},
    }  # fmt: skip


def _counts(prefix: str, milliseconds: tuple[float, ...]) -> dict[str, list[int]]:
    counts = Counter(int(math.log(ms * 1000) / math.log(GROWTH)) if ms >= 0.001 else -1 for ms in milliseconds)
    return {f"{prefix}index": sorted(counts), f"{prefix}count": [counts[index] for index in sorted(counts)]}


def row(t: int, phase: str = "steady", **more: Any) -> dict[str, Any]:
    """A second of a series."""
    brief = {"count": 40, "p50": 20.0, "p95": 30.0, "p99": 40.0 + t, "max": 50.0}
    return {
        "t": t, "phase": phase, "open": 40, "opened": 40, "ended": 40, "failed": 0, "events": 400, "comments": 0, "bytes": 40_000,
        "by_verdict": {"complete": 40}, "latency": {"first_event": brief, "gap": brief},
        "harness": {"read_lag": {"p99": 0.5, "max": 1.0}, "cpu": 0.2}, **more,
    }  # fmt: skip


def load(**more: Any) -> dict[str, Any]:
    """A load document of a run in which nothing went wrong, half a minute long."""
    spread = [20.0 + value / 10 for value in range(200)]
    part = {
        "streams": {
            "attempted": 1200, "opened": 1200, "peak_open": 40, "failed": 0, "dropped_arrivals": 0, "by_verdict": {"complete": 1200},
        },
        "events": {"received": 12_000, "comments": 0, "bytes": 1_200_000, "lost": 0, "duplicated": 0, "reordered": 0},
        "latency": {"ttfb": times(*spread), "first_event": times(*spread), "gap": times(*spread), "duration": times(*spread)},
    }  # fmt: skip
    return {
        "schema": "ssegauge/results/1", "kind": "load", "scenario": "concurrent_streams", "target": "https://sse.example",
        "tool": {"name": "ssegauge", "version": "0"}, "started": "2026-11-22T12:00:00+00:00", "duration_s": 30.0, "clock": "kernel",
        "command": "ssegauge load https://sse.example", "asked": {"num_users": 40, "run_time": 30}, "valid": True, "invalid_reasons": [],
        **part, "harness": {"read_lag": times(0.2, 0.4), "coalesced_ratio": 0.0, "cpu": 0.2, "workers": [{"clock_steps": 0, "cpu": 0.2}]},
        "series": [row(0, "ramp"), *(row(t) for t in range(1, 30)), row(30, "drain")],
        "endpoints": {"main": part}, "machine": {"cpu": "a processor", "cores": 2, "memory_mb": 4096, "packages": {"locust": "2"}},
        **more,
    }  # fmt: skip


BROKEN = conformance(
    finding("HTTP-01", "MUST", "pass"),
    finding("HDR-01", "MUST", "fail", evidence=[
        {"note": "event 1", "bytes": "data: b\\n\\n", "offset": 9, "at": 0.5},
        {"note": "event 0", "bytes": "data: a\\n\\n", "offset": 0, "at": 0.25},
    ]),
    finding("HDR-01", "MUST", "pass", endpoint="other"),
    finding("HDR-04", "SHOULD", "fail", endpoint="other"),
    finding("HDR-05", "RECOMMENDED", "fail"),
    finding("HDR-03", "MUST", "fail", accepted="the gateway mends it"),
    finding("DIS-02", "MUST", "untestable"),
    finding("ORD-01", "MUST", "not_declared", reason="the profile does not declare order"),
)  # fmt: skip

GATES = """
[conformance]
must = "all"
[load]
"first_event.p95" = "< 20ms"
"gap.p95" = "< 1s"
"lag.p95" = "< 1s"
[baseline]
"first_event.p50" = { worse_by = "10%" }
"""


def judged(text: str, *documents: dict[str, Any], baseline: list[dict[str, Any]] | None = None) -> gate.Judgement:
    """What these gates say of the documents."""
    runs = [gate.Run(f"{index}.json", document) for index, document in enumerate(documents)]
    return gate.judge(thresholds.parse(text, "gates.toml", documents), runs, baseline)
