"""Whether a run says something about its target, or about its generator. Pure: figures in, reasons out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ssegauge.load.histogram import Histogram

_ENOUGH = 500


@dataclass(frozen=True)
class Limits:
    """Past these a run is invalid. Times in milliseconds.

    read_lag_ms: figures were found right within a millisecond up to it (docs/benchmarks.md). share: of a measured
    figure, what the generator's own error may be. floor_ms: errors below it are nobody's concern. busy: share of a
    core from which a lag of `floor_ms` means that the generator is full; warm: from which one of `read_lag_ms` does;
    patience: how many times that a generator may be late that is neither.
    """

    read_lag_ms: float = 50.0
    share: float = 0.1
    floor_ms: float = 10.0
    busy: float = 0.9
    warm: float = 0.5
    patience: float = 5.0

    @classmethod
    def around(cls, read_lag_ms: float) -> Limits:
        """The limits of a run that tolerates this read lag: errors of a fifth of it are nobody's concern then."""
        return cls(read_lag_ms=read_lag_ms, floor_ms=read_lag_ms / 5)


@dataclass(frozen=True)
class Evidence:
    """What the rules look at: the total's and the harness's figures, and what only the processes know."""

    total: Mapping[str, Any]
    harness: Mapping[str, Any]
    clock: str
    clock_steps: int
    own_faults: int
    stamp_bound: Histogram
    busiest: float
    missing: tuple[str, ...] = ()
    unjudged: int = 0
    held_up: int = 0


def reasons(evidence: Evidence, limits: Limits) -> list[str]:
    """Why the run is invalid, in words for its user; empty where it is valid."""
    found = [*_reached(evidence), *_workers(evidence)]
    found += _read_lag(evidence, limits)
    found += _bounds(evidence, limits)
    found += _user_clock(evidence, limits)
    found += _schedule(evidence, limits)
    if evidence.clock_steps:
        found.append(f"the wall clock was set {evidence.clock_steps} times during the run: times cannot be trusted")
    if evidence.own_faults:
        found.append(
            f"{evidence.own_faults} streams were not opened for want of our own files or ports: raise the limit of open "
            "files, add addresses (--sse-source-addresses) or a worker on another machine"
        )
    if evidence.unjudged:
        found.append(f"{evidence.unjudged} streams could not be judged: the log says why; please report it")
    if evidence.held_up:
        found.append(
            f"{evidence.held_up} times a task read its stream more slowly than it came, and held it up: gaps are its own"
        )
    return found


def _reached(evidence: Evidence) -> list[str]:
    streams = evidence.total["streams"]
    if not streams["attempted"]:
        return ["no stream was attempted"]
    refused = streams["by_verdict"].get("connect_error", 0)
    # The run's end may cut off one that is just being refused.
    cut = streams["by_verdict"].get("client_closed", 0) if not streams["opened"] else 0
    if refused and refused + cut == streams["attempted"]:
        return ["the target was never reached"]
    return []


def _workers(evidence: Evidence) -> list[str]:
    return [f"worker {name}: its streams are missing from the figures, or a part of them" for name in evidence.missing]


def _read_lag(evidence: Evidence, limits: Limits) -> list[str]:
    late, quantile = _late(evidence.harness, "read_lag")
    used = f"the generator read {late:.0f} ms late at {quantile} and used {evidence.busiest:.0%} of a core"
    if late > limits.read_lag_ms and evidence.busiest >= limits.warm:
        return [f"{used}: add a worker"]
    # An idle generator that is late was kept from its core. The kernel's stamps are right all the same, up to a point.
    if late > limits.read_lag_ms * limits.patience:
        return [f"{used}: something else keeps this machine busy"]
    if late > limits.floor_ms and evidence.busiest >= limits.busy:
        return [f"{used}, so it was full: add a worker"]
    return []


def _bounds(evidence: Evidence, limits: Limits) -> list[str]:
    received = evidence.total["events"]["received"]
    # Of a few hundred events the p99 is one hiccup.
    q = 0.99 if received >= _ENOUGH else 0.95
    bound = evidence.stamp_bound.quantile(q, of=received)
    if bound is None:
        return []
    error = bound.us / 1000
    figure = _p99(evidence.total["latency"], "gap")
    if error > max(limits.floor_ms, limits.share * figure):
        share = evidence.stamp_bound.count / received
        mend = "add a worker" if evidence.busiest >= limits.warm else "something else keeps this machine busy"
        return [
            (
                f"{share:.0%} of the events were read together with later ones, so their times are known to {error:.0f} "
                f"ms only at p{100 * q:.0f} (gap.p99 is {figure:.0f} ms): {mend}"
            )
        ]
    return []


def _user_clock(evidence: Evidence, limits: Limits) -> list[str]:
    if evidence.clock != "user":
        return []
    error = _p99(evidence.harness, "loop_lag")
    name, figure = _smallest(evidence, "gap", "first_event")
    if error > max(limits.floor_ms, limits.share * figure):
        return [
            (
                f"without the kernel's stamps times are {error:.0f} ms late at p99 ({name}.p99 is {figure:.0f} ms): "
                "add a worker, or run on Linux"
            )
        ]
    return []


def _schedule(evidence: Evidence, limits: Limits) -> list[str]:
    late, quantile = _late(evidence.harness, "schedule_lag")
    _, figure = _smallest(evidence, "ttfb_from_intended", "first_event_from_intended")
    if late > max(limits.floor_ms, limits.share * figure):
        return [f"arrivals were made {late:.0f} ms late at {quantile}: add a worker"]
    return []


def _late(figures: Mapping[str, Any], name: str) -> tuple[float, str]:
    """The p99; of fewer than 500 values the p95, for their p99 is one hiccup."""
    found = figures.get(name) or {}
    quantile = "p99" if found.get("count", 0) >= _ENOUGH else "p95"
    return float(found.get(quantile) or 0.0), quantile


def _p99(figures: Mapping[str, Any], name: str) -> float:
    return float((figures.get(name) or {}).get("p99") or 0.0)


def _smallest(evidence: Evidence, *names: str) -> tuple[str, float]:
    found = [(name, _p99(evidence.total["latency"], name)) for name in names if name in evidence.total["latency"]]
    return min(found, key=lambda pair: pair[1], default=(names[0], 0.0))
