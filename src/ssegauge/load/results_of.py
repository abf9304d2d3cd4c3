"""The results document of a run: what it was, where it goes, and the few lines that are said at its end."""

from __future__ import annotations

import logging
import shlex
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from locust.env import Environment

from ssegauge import results
from ssegauge.load import goodput
from ssegauge.load.target import target_of
from ssegauge.redaction import redact_text, redact_url

logger = logging.getLogger("ssegauge.load")

_SAID = (
    *("num_users", "spawn_rate", "run_time", "stop_timeout", "processes"),
    *("sse_endpoint", "sse_measure", "sse_seed", "sse_goodput"),
)


def about(environment: Environment) -> dict[str, Any]:
    """Scenario, target, and what was asked for. Raises UserError where the target cannot be read."""
    target = target_of(environment)
    secret = target.profile.secret_names
    parsed = environment.parsed_options
    asked = {name.removeprefix("sse_"): getattr(parsed, name, None) for name in _SAID}
    document = {
        "scenario": scenario_name(environment),
        "target": redact_url(target.base_url, secret),
        "asked": {name: value for name, value in asked.items() if value not in (None, "")},
        "command": " ".join(shlex.quote(redact_text(word, secret)) for word in sys.argv),
    }
    limits = goodput.in_ms(goodput.stated(asked["goodput"] or ""), target.endpoints(asked["endpoint"]))
    if limits:
        document["limits"] = limits
    if target.profile.source and "://" not in target.profile.source:
        document["profile"] = target.profile.source
    return document


def _tokens(document: Mapping[str, Any]) -> Iterator[str]:
    rate = document.get("rates", {}).get("tokens_per_second")
    if rate:
        whole = document["events"]["tokens"] / document["duration_s"] if document["duration_s"] else 0.0
        shown = "  ".join(f"{q} {rate[q]:.1f}" for q in ("p50", "p10", "p01"))
        yield f"tokens a second and stream: {shown}  ({rate['count']}); {whole:.1f} in all"
    good = document.get("goodput")
    if good:
        missed = ", ".join(f"{count} {name}" for name, count in good["missed"].items())
        share = good["good"] / good["judged"]
        yield f"goodput: {share:.1%} of {good['judged']} streams" + (f"; missed: {missed}" if missed else "")


def scenario_name(environment: Environment) -> str:
    """The scenario file's name."""
    files = getattr(environment, "parsed_locustfiles", None) or []
    return Path(files[0]).stem if files else "custom"


def save(path: Path, document: dict[str, Any]) -> bool:
    """Write the results, and whether that went well; a mistake is one line and does not hide the figures."""
    try:
        results.write(path, document)
    except results.ResultsError as error:
        logger.error("%s", error)  # noqa: TRY400 - one clear line, no traceback
        return False
    return True


def summary(document: Mapping[str, Any]) -> Iterator[str]:
    """What is said at the end of a run."""
    streams, events = document["streams"], document["events"]
    verdicts = ", ".join(f"{count} {name}" for name, count in streams["by_verdict"].items()) or "none ended"
    yield f"streams: {streams['attempted']} attempted, at most {streams['peak_open']} open; {verdicts}"
    if streams["dropped_arrivals"]:
        yield f"arrivals that could not be made: {streams['dropped_arrivals']}"
    known = [kind for kind in ("lost", "duplicated", "reordered") if events[kind] is not None]
    kinds = ", ".join(f"{events[kind]} {kind}" for kind in known) or "not counted (nothing numbers them)"
    unknown = "" if not known or "lost" in known else ", lost not counted (their ids do not count)"
    yield f"events: {events['received']} received, {kinds}{unknown}"
    for name, figures in document["latency"].items():
        bounds = figures.get("at_least", ())
        shown = "  ".join(
            f"{q} {'>=' if q in bounds else ''}{figures[q]:.1f}"
            for q in ("p50", "p95", "p99")
            if figures[q] is not None
        )
        censored = f", {figures['censored']} not seen to the end" if figures.get("censored") else ""
        yield f"  {name} ms: {shown}  ({figures['count']}{censored})"
    yield from _tokens(document)
    lag = document["harness"].get("read_lag")
    if lag:
        yield f"generator: read lag p99 {lag['p99']:.1f} ms, {document['harness']['coalesced_ratio']:.1%} of events coalesced, clock {document['clock']}"
    if document.get("capacity"):
        yield _capacity(document["capacity"])
    if document.get("slow_readers", {}).get("noticed") is not None:
        yield _slow_readers(document["slow_readers"])
    if "back" in document.get("churn", {}):
        yield _churn(document["churn"])
    for reason in document["invalid_reasons"]:
        yield f"INVALID: {reason}"


def _slow_readers(found: Mapping[str, Any]) -> str:
    words = []
    for name, unit in (
        ("gap_p99_{}_ms", "ms at p99 between events"),
        ("events_per_stream_{}", "events a second and stream"),
    ):
        before, after = (found[name.format(side)] for side in ("before", "after"))
        words.append(f"{_shown(before)} {unit} before, {_shown(after)} after")
    return f"slow_readers: the others {'noticed' if found['noticed'] else 'did not notice'}: {'; '.join(words)}"


def _shown(value: float | None) -> str:
    return "none" if value is None else f"{value:.3g}"


def _churn(found: Mapping[str, Any]) -> str:
    seconds = f"{found['after_s']:g} s after all clients had left"
    if found["back"]:
        return f"churn: the target serves no more streams than before the run, {seconds}"
    if found["after"] is None:
        return "churn: the target's active streams could not be read in the end"
    return f"churn: the target still serves {found['after']:g} streams {seconds}; before the run it served {found['base']:g}"


def _capacity(found: Mapping[str, Any]) -> str:
    if not found["holds"] and not found["breaks"]:
        return f"capacity: whether {found['limit']} holds could not be judged"
    if not found["holds"]:
        return f"capacity: {found['limit']} did not even hold with {found['breaks']} streams"
    broke = f"not with {found['breaks']}" if found["breaks"] else "its end was not reached"
    return f"capacity: {found['limit']} held with {found['holds']} streams, {broke}"
