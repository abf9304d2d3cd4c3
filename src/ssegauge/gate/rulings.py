"""Thresholds and comparison with a baseline: what held, what did not, and what cannot be said.

Pure functions of results documents. Nothing passes in silence: a figure that the run did not produce, too few values
under it, a bound in place of a value, an invalid run, a gate that met no results at all are inconclusive.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

from ssegauge.errors import DID_NOT_HOLD, HELD, INCONCLUSIVE
from ssegauge.gate import baseline as baselines
from ssegauge.gate import metrics
from ssegauge.gate.metrics import Metric, Reading, shown, shown_beside
from ssegauge.gate.noise import NoRatio, Ratio, ratio
from ssegauge.gate.thresholds import BaselineGate, Gates, LoadGate, Threshold, as_text
from ssegauge.visible import visible

Outcome = Literal["held", "failed", "inconclusive"]

RESOLUTION: Final = 0.002
"""Width of a histogram's bucket: a tenth slower may read as 9.98 %, and is a tenth all the same."""

_NAMED_FAILURES: Final = 5


class Run(NamedTuple):
    """A results document and the name of the file it came from."""

    source: str
    document: Mapping[str, Any]


@dataclass(frozen=True)
class Ruling:
    """What became of one gate on one run: the gate's `name`, what it asks (`limit`), what was `found`, and why."""

    name: str
    outcome: Outcome
    limit: str
    found: str
    reason: str = ""
    source: str = ""


@dataclass(frozen=True)
class Judgement:
    """All rulings, what else a reader should know, and the exit code."""

    rulings: tuple[Ruling, ...] = ()
    warnings: tuple[str, ...] = field(default=())

    @property
    def exit_code(self) -> int:
        """1 where something failed, else 3 where something is inconclusive, else 0."""
        outcomes = {ruling.outcome for ruling in self.rulings}
        if "failed" in outcomes:
            return DID_NOT_HOLD
        return INCONCLUSIVE if "inconclusive" in outcomes or not outcomes else HELD

    @property
    def word(self) -> Outcome:
        """The exit code as a word."""
        words: dict[int, Outcome] = {HELD: "held", DID_NOT_HOLD: "failed", INCONCLUSIVE: "inconclusive"}
        return words[self.exit_code]

    def count(self, outcome: Outcome) -> int:
        """How many rulings came out so."""
        return sum(ruling.outcome == outcome for ruling in self.rulings)


def judge(gates: Gates, runs: Sequence[Run], baseline: Sequence[Mapping[str, Any]] | None = None) -> Judgement:
    """Hold every run to the gates, and all runs together to the baseline, where one is given."""
    rulings: list[Ruling] = []
    warnings: list[str] = []
    for run in runs:
        if run.document["kind"] == "conformance":
            rulings += _conformance(gates, run)
        else:
            rulings += _load(gates, run)
    if baseline is not None:
        rulings += _baseline(gates, runs, baseline)
        warnings += _machine_warnings(runs, baseline)
    warnings += _idle_gates(gates, runs, with_baseline=baseline is not None)
    if not rulings:
        rulings.append(
            Ruling("gates", "inconclusive", "", "nothing", f"no gate of {gates.source} speaks of these results")
        )
    return Judgement(tuple(rulings), tuple(warnings))


# -- conformance ------------------------------------------------------------------------------------------------------


def _conformance(gates: Gates, run: Run) -> Iterator[Ruling]:
    for level, bound in gates.levels.items():
        findings = [finding for finding in run.document["rules"] if finding["level"] == level.upper()]
        failed = [finding for finding in findings if finding["outcome"] == "fail" and not finding.get("accepted")]
        judged = [finding for finding in findings if finding["outcome"] in {"pass", "fail"}]
        errors = [finding for finding in findings if finding["outcome"] == "error"]
        limit = "every judged rule passed" if bound.text == "all" else f"failures {bound.text}"
        found = f"{len(failed)} of {len(judged)} failed"
        outcome: Outcome = "held" if bound.holds(len(failed)) else "failed"
        reason = _names(failed) if failed else ""
        if outcome == "held" and not judged and (level == "must" or not _anything_judged(run)):
            outcome, reason = "inconclusive", "no rule of this level was judged"
        elif outcome == "held" and errors:
            outcome, reason = "inconclusive", f"could not be judged: {_names(errors)}"
        yield Ruling(f"conformance / {level.upper()}", outcome, limit, found, reason, run.source)


def _anything_judged(run: Run) -> bool:
    return any(finding["outcome"] in {"pass", "fail"} for finding in run.document["rules"])


def _names(findings: Sequence[Mapping[str, Any]]) -> str:
    named = [visible(f"{finding['rule']} on {finding.get('endpoint', '?')}", 80) for finding in findings]
    rest = len(named) - _NAMED_FAILURES
    return ", ".join(named[:_NAMED_FAILURES]) + (f" and {rest} more" if rest > 0 else "")


# -- load -------------------------------------------------------------------------------------------------------------


def _load(gates: Gates, run: Run) -> Iterator[Ruling]:
    scenario = run.document["scenario"]
    for gate in gates.load:
        if gate.scope.scenario in {None, scenario} and not _goes_without(gate, run):
            name = f"{gate.scope.label(visible(scenario, 80))} / {gate.metric.path}"
            reading = metrics.read(run.document, gate.metric, gate.scope.endpoint)
            outcome, reason = _hold(gate, run.document, reading)
            limit = as_text(gate.threshold, gate.metric, reading.value)
            yield Ruling(name, outcome, limit, _as_found(reading, gate), reason, run.source)


def _goes_without(gate: LoadGate, run: Run) -> bool:
    return gate.if_counted and metrics.is_uncounted(run.document, gate.metric, gate.scope.endpoint)


def _hold(gate: LoadGate, document: Mapping[str, Any], reading: Reading) -> tuple[Outcome, str]:
    if document["valid"] is not True:
        return "inconclusive", f"the run is invalid: {reasons_of(document)}"
    if reading.value is None:
        return "inconclusive", reading.lack
    holds = gate.threshold.holds(reading.value)
    fewest = _fewest(gate)
    if reading.samples is not None and reading.samples < fewest and (holds or not _only_grows(gate)):
        return "inconclusive", f"{reading.samples} values, and {fewest} are needed"
    if reading.at_least:
        return _hold_bound(gate.threshold, holds=holds)
    return ("held" if holds else "failed"), ""


def _hold_bound(bound: Threshold, *, holds: bool) -> tuple[Outcome, str]:
    if bound.is_ceiling and not holds:
        return "failed", "it falls among values that were still growing, and even their bound is too high"
    if bound.sign in {">", ">="} and holds:
        return "held", ""
    return "inconclusive", "it falls among values that were still growing when last seen"


def _only_grows(gate: LoadGate) -> bool:
    """A count that is past its ceiling stays there, however many more values come."""
    return gate.metric.kind == "count" and (gate.threshold.is_ceiling or gate.threshold.sign == "==")


def _fewest(gate: LoadGate) -> int:
    if gate.minimum is not None:
        return gate.minimum
    share = metrics.percentile(gate.metric.stat or "")
    # with fewer values than this, a percentile is the maximum by another name
    return 1 if share is None else math.ceil(1 / (1 - share) - 1e-9)


def reasons_of(document: Mapping[str, Any]) -> str:
    """Why a run is invalid, in one short line."""
    reasons = document.get("invalid_reasons") or ["the results do not say why"]
    return visible("; ".join(str(reason) for reason in reasons), 300)


def _as_found(reading: Reading, gate: LoadGate) -> str:
    if reading.value is None:
        return "nothing"
    return ("≥ " if reading.at_least else "") + shown_beside(reading.value, gate.threshold.limit, gate.metric.kind)


# -- baseline ---------------------------------------------------------------------------------------------------------


def _baseline(gates: Gates, runs: Sequence[Run], baseline: Sequence[Mapping[str, Any]]) -> Iterator[Ruling]:
    loads = [run for run in runs if run.document["kind"] == "load"]
    if not gates.baseline:
        yield Ruling("baseline", "inconclusive", "", "nothing", f"{gates.source} has no [baseline] section")
    for scenario in dict.fromkeys(run.document["scenario"] for run in loads):
        now = [run for run in loads if run.document["scenario"] == scenario]
        was = [document for document in baseline if document["scenario"] == scenario]
        for gate in gates.baseline:
            if gate.scope.scenario in {None, scenario}:
                name = f"{gate.scope.label(visible(scenario, 80))} / {gate.metric.path} against the baseline"
                limit = f"worse by less than {_per_cent(gate.worse_by)}"
                outcome, found, reason = _against(gate, was, [run.document for run in now])
                yield Ruling(name, outcome, limit, found, reason, ", ".join(run.source for run in now))


def _against(
    gate: BaselineGate, was: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]
) -> tuple[Outcome, str, str]:
    if not was:
        return "inconclusive", "nothing", "the baseline has no run of this scenario; add one with --update-baseline"
    invalid = [document for document in (*was, *now) if document["valid"] is not True]
    if invalid:
        return "inconclusive", "nothing", f"a run is invalid: {reasons_of(invalid[0])}"
    counted = [metrics.read(document, gate.metric, gate.scope.endpoint).samples for document in (*was, *now)]
    fewest = min((count for count in counted if count is not None), default=None)
    if fewest is not None and fewest < (gate.minimum or 1):
        return "inconclusive", "nothing", f"{fewest} values in a run, and {gate.minimum} are needed"
    try:
        found = ratio(was, now, gate.metric, gate.scope.endpoint, gate.confidence).worsening(gate.metric)
    except NoRatio as lack:
        return "inconclusive", "nothing", str(lack)
    return _weigh(gate, found)


def _weigh(gate: BaselineGate, found: Ratio) -> tuple[Outcome, str, str]:
    limit = 1 + gate.worse_by
    text = worse(found, gate.metric)
    if found.value < limit * (1 - RESOLUTION):
        if found.at_least:
            return "inconclusive", text, "the figure is known as a lower bound only"
        return "held", text, ""
    if found.low is None:
        return "inconclusive", text, "nothing shows how much of this is noise: repeat the run, or keep its series"
    sure = f"{gate.confidence:.0%} sure, by its {found.basis}"
    if found.low > 1:
        return "failed", text, f"beyond the noise ({sure})"
    if found.value >= 1 + 2 * gate.worse_by:
        return "inconclusive", text, f"far beyond the tolerance, but the noise is as large ({sure}): repeat the run"
    return "held", text, f"the noise is as large ({sure})"


def worse(found: Ratio, metric: Metric) -> str:
    """Both figures, by how much the second is worse, and the interval: `20 ms → 22 ms, 10 % worse (+8.0 % … +12.0 %)`."""
    words = f"{shown(found.first, metric.kind)} → {'≥ ' if found.at_least else ''}{shown(found.second, metric.kind)}"
    words += f", {_worse(found.value)}"
    if found.low is not None and found.high is not None:
        words += f" ({_signed(found.low)} … {_signed(found.high)})"
    return words


def _worse(value: float) -> str:
    if math.isinf(value):
        return "all of it lost"
    if abs(value - 1) < RESOLUTION / 2:
        return "unchanged"
    return f"{_per_cent(abs(value - 1))} {'worse' if value > 1 else 'better'}"


def _signed(value: float) -> str:
    return "∞" if math.isinf(value) else f"{(value - 1) * 100:+.1f} %"


def _per_cent(share: float) -> str:
    return f"{share * 100:.3g} %"


# -- what else to know ------------------------------------------------------------------------------------------------


def _machine_warnings(runs: Sequence[Run], baseline: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    told: set[str] = set()
    for run in runs:
        for was in baseline:
            if run.document["kind"] == "load" and was["scenario"] == run.document["scenario"]:
                told.update(baselines.differences(was, run.document))
    if told:
        yield f"the baseline comes from another kind of machine ({visible('; '.join(sorted(told)), 400)}): times do not compare"


def _idle_gates(gates: Gates, runs: Sequence[Run], *, with_baseline: bool) -> Iterator[str]:
    scenarios = {run.document["scenario"] for run in runs if run.document["kind"] == "load"}
    named = dict.fromkeys(gate.scope.scenario for gate in gates.load if gate.scope.scenario is not None)
    for scenario in named:
        if scenarios and scenario not in scenarios:
            yield f"no results of {scenario}: its gates were not applied"
    for gate in gates.load:
        loads = [run for run in runs if run.document["kind"] == "load"]
        if loads and all(_goes_without(gate, run) for run in loads):
            yield f"{gate.metric.path} was not applied: {metrics.UNCOUNTED}"
    if gates.levels and not any(run.document["kind"] == "conformance" for run in runs):
        yield "no conformance results: [conformance] was not applied"
    if gates.baseline and scenarios and not with_baseline:
        yield "no --baseline: [baseline] was not applied"
