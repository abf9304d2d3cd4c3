"""Two results side by side: what changed, by how much, and how sure that is. Pure functions of results documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from ssegauge.errors import UserError
from ssegauge.gate import baseline as baselines
from ssegauge.gate import metrics
from ssegauge.gate.metrics import Metric
from ssegauge.gate.noise import NoRatio, Ratio, ratio
from ssegauge.visible import visible

Word = Literal["better", "worse", "no difference seen", "unknown"]

STATS: Final = ("p50", "p95", "p99")
_WHOLE: Final = (
    *("streams.peak_open", "streams.failed_ratio", "streams.stalled_ratio"),
    *("events.per_second", "events.lost", "events.duplicated", "events.reordered"),
)


@dataclass(frozen=True)
class Line:
    """One figure of both sides. `ratio` is the second over the first; None where there is none, and `lack` says why."""

    metric: Metric
    endpoint: str | None
    first: float | None
    second: float | None
    ratio: Ratio | None
    lack: str = ""

    @property
    def name(self) -> str:
        """The metric, with its endpoint where it is of one."""
        path = visible(self.metric.path, 80)
        return path if self.endpoint is None else f"{visible(self.endpoint, 80)} / {path}"

    @property
    def word(self) -> Word:
        """Whether the second is better or worse beyond the noise."""
        if self.ratio is None or self.ratio.low is None or self.ratio.high is None:
            return "unknown"
        worse = self.ratio.worsening(self.metric)
        if worse.low is not None and worse.low > 1:
            return "worse"
        return "better" if worse.high is not None and worse.high < 1 else "no difference seen"


@dataclass(frozen=True)
class Change:
    """A rule whose outcome differs between two conformance runs."""

    rule: str
    endpoint: str
    level: str
    first: str
    second: str


@dataclass(frozen=True)
class Comparison:
    """Figures of load runs, or changes of conformance runs, and what else a reader should know."""

    lines: tuple[Line, ...] = ()
    changes: tuple[Change, ...] = ()
    warnings: tuple[str, ...] = ()
    kind: str = "load"


def compare(
    first: Sequence[Mapping[str, Any]], second: Sequence[Mapping[str, Any]], confidence: float = 0.95
) -> Comparison:
    """The second side against the first; a side is one run or several of it. Raises UserError where they do not compare."""
    kinds = {document["kind"] for document in (*first, *second)}
    if len(kinds) > 1:
        raise UserError("a conformance run and a load run do not compare")
    if kinds == {"conformance"}:
        return Comparison(changes=tuple(_changes(first[0], second[0])), kind="conformance")
    scenarios = sorted({visible(document["scenario"], 80) for document in (*first, *second)})
    if len(scenarios) > 1:
        raise UserError(f"runs of different scenarios do not compare: {', '.join(scenarios)}")
    return Comparison(tuple(_lines(first, second, confidence)), (), tuple(_warnings(first, second)))


def _lines(
    first: Sequence[Mapping[str, Any]], second: Sequence[Mapping[str, Any]], confidence: float
) -> Iterator[Line]:
    documents = (*first, *second)
    for path in (*_times(documents), *_WHOLE):
        yield _line(first, second, metrics.metric(path, documents), None, confidence)
    shared = set.intersection(*(set(document.get("endpoints") or {}) for document in documents))
    if len(shared) > 1:  # of a single endpoint the whole run says the same
        for endpoint in sorted(shared):
            parts = [document["endpoints"][endpoint] for document in documents]
            for path in _times(parts):
                yield _line(first, second, metrics.metric(path, documents), endpoint, confidence)


def _times(parts: Sequence[Mapping[str, Any]]) -> list[str]:
    latencies: list[Mapping[str, Any]] = [part.get("latency") or {} for part in parts]
    present = set.intersection(*({name for name, entry in each.items() if entry} for each in latencies))
    known = [name for name in metrics.LATENCIES if name in present]
    return [f"{name}.{stat}" for name in (*known, *sorted(present - set(known))) for stat in STATS]


def _line(
    first: Sequence[Mapping[str, Any]],
    second: Sequence[Mapping[str, Any]],
    metric: Metric,
    endpoint: str | None,
    confidence: float,
) -> Line:
    was, now = (metrics.read(side[0], metric, endpoint).value for side in (first, second))
    try:
        found = ratio(first, second, metric, endpoint, confidence)
    except NoRatio as lack:
        return Line(metric, endpoint, was, now, None, str(lack))
    return Line(metric, endpoint, found.first, found.second, found)


def _changes(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[Change]:
    was, now = (
        {(finding["rule"], finding.get("endpoint", "")): finding for finding in document["rules"]}
        for document in (first, second)
    )
    for key in sorted(was.keys() | now.keys()):
        outcomes = [side[key]["outcome"] if key in side else "not run" for side in (was, now)]
        if outcomes[0] != outcomes[1]:
            level = (now.get(key) or was[key])["level"]
            yield Change(visible(key[0], 80), visible(key[1], 80), level, *outcomes)


def _warnings(first: Sequence[Mapping[str, Any]], second: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for name, side in (("first", first), ("second", second)):
        for document in side:
            if document["valid"] is not True:
                reasons = "; ".join(
                    str(reason) for reason in document.get("invalid_reasons") or ["it does not say why"]
                )
                yield f"the {name} run is invalid ({visible(reasons, 300)}): its figures say nothing"
    found = baselines.differences(first[0], second[0])
    if found:
        yield f"the machines differ ({visible('; '.join(found), 400)}): times do not compare"
    amounts = [metrics.read(side[0], metrics.metric("streams.attempted")).value for side in (first, second)]
    if all(amounts) and max(map(float, filter(None, amounts))) > 1.2 * min(map(float, filter(None, amounts))):
        yield f"unequal work: {amounts[0]:.0f} streams in the first, {amounts[1]:.0f} in the second"
