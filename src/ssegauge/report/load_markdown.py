"""A load run as Markdown for a pull request: the verdict first, then figures, endpoints, and what they cannot say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from ssegauge.errors import UserError
from ssegauge.gate import metrics
from ssegauge.gate.metrics import shown
from ssegauge.report.against import against
from ssegauge.report.doubts import warnings
from ssegauge.report.html import cut
from ssegauge.report.load_html import figure
from ssegauge.report.markdown_text import escape
from ssegauge.report.statements import MARKS, statement, target

Document = Mapping[str, Any]

_MOST_ROWS: Final = 50
_FIGURES: Final = {
    "streams": "streams.attempted",
    "open at once": "streams.peak_open",
    "failed": "streams.failed_ratio",
    "events a second": "events.per_second",
    "lost": "events.lost",
    "duplicated": "events.duplicated",
    "reordered": "events.reordered",
    "tokens a second, p50": "tokens_per_second.p50",
    "goodput": "goodput",
}
_STATS: Final = ("count", "p50", "p95", "p99", "max")
_ENDPOINT: Final = ("streams.attempted", "streams.failed", "first_event.p50", "first_event.p95", "gap.p50", "gap.p99")


def load_markdown(document: Document, baseline: Sequence[Document] = ()) -> str:
    """The summary as text. Everything that came from a server or a profile is escaped."""
    said = statement(document)
    lines = [
        f"## {MARKS[said.word]} {escape(cut(document['scenario'], 80))} on {escape(target(document))}",
        "",
        escape(said.sentence),
        "",
    ]
    for part in (
        _figures(document),
        _times(document),
        _endpoints(document),
        _against(baseline, document),
        _notes(document),
    ):
        lines += part
    return "\n".join(lines)


def _figures(document: Document) -> Iterator[str]:
    found = {name: text for name, path in _FIGURES.items() if (text := figure(document, path))}
    if found:
        yield from _table(list(found), [list(found.values())])


def _times(document: Document) -> Iterator[str]:
    latency = document.get("latency") or {}
    names = [name for name in (*metrics.LATENCIES, *sorted(set(latency) - set(metrics.LATENCIES))) if latency.get(name)]
    rows = [
        [escape(cut(name, 60)), *(figure(document, f"{name}.{stat}") for stat in _STATS)] for name in names[:_MOST_ROWS]
    ]
    if rows:
        yield from _table(["time", "values", *_STATS[1:]], rows)


def _endpoints(document: Document) -> Iterator[str]:
    parts = document.get("endpoints") or {}
    if len(parts) > 1:
        rows = [
            [escape(cut(name, 80)), *(figure(document, path, name) for path in _ENDPOINT)]
            for name in list(parts)[:_MOST_ROWS]
        ]
        yield from _table(["endpoint", "streams", "failed", "first event p50", "p95", "gap p50", "p99"], rows)


def _against(baseline: Sequence[Document], document: Document) -> Iterator[str]:
    then = [run for run in baseline if run["kind"] == "load" and run["scenario"] == document["scenario"]]
    if not then:
        return
    try:
        found = against(then, [document])
    except UserError as lack:
        yield from (f"No comparison with the baseline: {escape(str(lack))}", "")
        return
    told = [line for line in found.lines if line.word in {"better", "worse"} and line.ratio is not None]
    yield from (f"Against the baseline: {len(told)} of {len(found.lines)} figures differ beyond the noise.", "")
    rows = [
        [
            escape(line.name),
            *("" if value is None else shown(value, line.metric.kind) for value in (line.first, line.second)),
            line.word,
        ]
        for line in told[:_MOST_ROWS]
    ]
    if rows:
        yield from _table(["figure", "baseline", "now", ""], rows)


def _notes(document: Document) -> Iterator[str]:
    reasons = (
        []
        if document["valid"] is True
        else [f"invalid: {cut(reason)}" for reason in document.get("invalid_reasons") or ()]
    )
    notes = [*reasons[:_MOST_ROWS], *warnings(document)]
    if notes:
        yield from ("What the figures cannot say:", "", *(f"- {escape(note)}" for note in notes), "")


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(headings)} |"
    yield f"|{' --- |' * len(headings)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)
    yield ""
