"""What a result says, in a sentence that needs no knowledge of the harness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

from ssegauge.gate import metrics
from ssegauge.gate.metrics import shown
from ssegauge.report.findings import findings
from ssegauge.report.html import cut
from ssegauge.report.lenient import mapping, whole

Word = Literal["go", "go, but", "no answer", "no go"]

WORDS: Final[tuple[Word, ...]] = ("go", "go, but", "no answer", "no go")
"""From the best to the worst; the whole is as good as its worst part."""

MARKS: Final[dict[Word, str]] = {"go": "✅", "go, but": "⚠️", "no answer": "❔", "no go": "❌"}

FAILED_SHARE: Final = 0.01
"""Share of failed streams from which a load run is no go: the one of the built-in gates."""

ENDS: Final[dict[str, str]] = {
    "complete": "ended as they should",
    "error_event": "reported an error",
    "truncated": "were cut",
    "reset": "were reset",
    "no_terminal": "ended without their last event",
    "stalled": "fell silent",
    "timeout": "took too long",
    "http_error": "were refused",
    "connect_error": "could not be opened",
    "malformed": "were malformed",
    "client_closed": "were closed by us",
}
"""Verdict to words, for counts of streams."""


class Statement(NamedTuple):
    """A word and the sentence that gives its reason."""

    word: Word
    sentence: str


def statement(document: Mapping[str, Any]) -> Statement:
    """What this result says."""
    return _conformance(document) if document["kind"] == "conformance" else _load(document)


def target(document: Mapping[str, Any]) -> str:
    """The address under test."""
    found = document.get("target")
    return cut(found.get("url", "") if isinstance(found, Mapping) else found, 100) or "unnamed target"


def overall(documents: Sequence[Mapping[str, Any]]) -> Statement:
    """What all results together say: the worst word, and why."""
    statements = [statement(document) for document in documents]
    if len(statements) == 1:
        return statements[0]
    worst = max((said.word for said in statements), key=WORDS.index)
    reasons = {document["kind"] for document, said in zip(documents, statements, strict=True) if said.word == worst}
    count = sum(said.word == worst for said in statements)
    share = "" if count == len(statements) else f" ({count} of {len(statements)} results say so)"
    return Statement(worst, f"{_together(worst, reasons)}{share}.")


def _together(word: Word, kinds: set[str]) -> str:
    both = {
        "go": ("every rule that could be judged is kept", "streams end as they should under load"),
        "go, but": (
            "clients can rely on the stream, and some will have trouble with it",
            "a few streams fail under load",
        ),
        "no answer": ("the rules could not be judged", "the load run was invalid"),
        "no go": ("clients can lose events or misread the stream", "streams fail under load"),
    }[word]
    said = ", and ".join(text for kind, text in zip(("conformance", "load"), both, strict=True) if kind in kinds)
    return said[0].upper() + said[1:]


def _conformance(document: Mapping[str, Any]) -> Statement:
    found = findings(document)
    judged = sum(seen.outcome in {"pass", "fail"} for seen in found)
    rest = f"{_counted(judged, 'check', 'checks')} judged, {len(found) - judged:,} not"
    must = [seen for seen in found if seen.broken and seen.level == "MUST"]
    should = {seen.rule for seen in found if seen.broken and seen.level == "SHOULD"}
    errors = [seen for seen in found if seen.outcome == "error" and seen.level == "MUST"]
    if must:
        rules, endpoints = {seen.rule for seen in must}, {seen.endpoint for seen in must}
        number = len({seen.endpoint for seen in found})
        return Statement(
            "no go",
            f"Clients can lose events or misread the stream: {_counted(len(rules), 'MUST requirement is', 'MUST requirements are')} broken on "
            f"{len(endpoints)} of {_counted(number, 'endpoint', 'endpoints')}.",
        )
    if not judged:
        return Statement("no answer", "No rule could be judged.")
    if errors:
        return Statement(
            "no answer",
            f"{_counted(len(errors), 'MUST requirement', 'MUST requirements')} could not be judged ({rest}).",
        )
    if should:
        return Statement(
            "go, but",
            f"Every MUST requirement is kept, but {_counted(len(should), 'SHOULD requirement is', 'SHOULD requirements are')} broken: some browsers, proxies or "
            f"clients will have trouble ({rest}).",
        )
    return Statement("go", f"Every rule that could be judged is kept ({rest}).")


def _load(document: Mapping[str, Any]) -> Statement:
    streams = document.get("streams") or {}
    attempted, failed = whole(streams.get("attempted")), whole(streams.get("failed"))
    lost = whole((document.get("events") or {}).get("lost"))
    if document["valid"] is not True:
        return Statement("no answer", "The run was invalid, so its figures say nothing about the target.")
    if not attempted:
        return Statement("no answer", "No stream was opened.")
    found = _scenario(document)
    if found is not None:
        return found
    if failed:
        word: Word = "no go" if lost or failed > FAILED_SHARE * attempted else "go, but"
        share = shown(failed / attempted, "share")
        return Statement(word, f"{failed:,} of {attempted:,} streams ({share}) failed: {_ends(streams)}.{_lost(lost)}")
    if lost:
        return Statement(
            "no go", f"All {attempted:,} streams came to their end, but not all of what they sent:{_lost(lost)}"
        )
    peak = whole(streams.get("peak_open"))
    return Statement(
        "go", f"All {attempted:,} streams ended as they should, up to {peak:,} open at once{_speed(document)}."
    )


def _scenario(document: Mapping[str, Any]) -> Statement | None:
    """What a scenario asks besides how streams ended."""
    capacity, churn = mapping(document.get("capacity")), mapping(document.get("churn"))
    if "holds" in capacity:
        most, breaks = whole(capacity["holds"]), whole(capacity.get("breaks"))
        then = f", and no longer with {breaks:,}" if breaks else "; it was not brought to its limit"
        limit = cut(capacity.get("limit"), 80)
        if not most:
            return Statement("no go", f"The limit {limit} held at no number of streams{then}.")
        return Statement("go", f"The limit {limit} held with up to {most:,} streams at once{then}.")
    if churn.get("back") is False:
        left = f"{cut(churn.get('after'), 20)} streams were still served, {cut(churn.get('base'), 20)} before the run"
        return Statement("no go", f"The target does not notice that clients have left: {left}.")
    return None


def _ends(streams: Mapping[str, Any]) -> str:
    by_verdict = streams.get("by_verdict") or {}
    bad = sorted(
        ((count, name) for name, count in by_verdict.items() if name not in {"complete", "client_closed"} and count),
        reverse=True,
    )
    return (
        ", ".join(f"{count:,} {ENDS.get(name, cut(name, 40))}" for count, name in bad[:5])
        or "the results do not say how"
    )


def _lost(count: int) -> str:
    return f" {_counted(count, 'event was', 'events were')} lost." if count else ""


def _speed(document: Mapping[str, Any]) -> str:
    for name, words in (("first_event", "began"), ("ttfb", "were answered")):
        reading = metrics.read(document, metrics.metric(f"{name}.p95"))
        if reading.value is not None and not reading.at_least:
            return f"; 95 of 100 {words} within {shown(reading.value, 'time')}"
    return ""


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"
