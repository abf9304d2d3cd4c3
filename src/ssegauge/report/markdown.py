"""Results as Markdown for a pull request: the verdict first, then what is broken, then what was not judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from ssegauge.report.findings import Seen, findings
from ssegauge.report.html import cut
from ssegauge.report.load_markdown import load_markdown
from ssegauge.report.markdown_text import code, escape
from ssegauge.report.statements import MARKS, statement, target
from ssegauge.report.terminal import closing_line
from ssegauge.results import write_whole

MOST_DETAILS: Final = 100
"""Failures that are told in full: a comment on a pull request holds 65,536 characters."""


def write_markdown(document: Mapping[str, Any], path: Path) -> None:
    """Write the summary of a document. Raises ResultsError."""
    write_whole(path, markdown(document))


def all_markdown(documents: Sequence[Mapping[str, Any]], baseline: Sequence[Mapping[str, Any]] = ()) -> str:
    """A section for each document; load runs beside those of the baseline."""
    return "\n".join(markdown(document, baseline) for document in documents)


def markdown(document: Mapping[str, Any], baseline: Sequence[Mapping[str, Any]] = ()) -> str:
    """The summary as text. Everything that came from a server or a profile is escaped."""
    if document["kind"] == "load":
        return load_markdown(document, baseline)
    found = findings(document)
    broken = [seen for seen in found if seen.outcome == "fail"]
    lines = [
        f"## {MARKS[statement(document).word]} SSE conformance of {escape(target(document))}",
        "",
        escape(statement(document).sentence),
        "",
        escape(closing_line(document).plain),
        "",
    ]
    if broken:
        lines += ["| rule | level | endpoint | expected | got |", "| --- | --- | --- | --- | --- |"]
        lines += [_row(seen) for seen in broken]
        lines.append("")
    for seen in [seen for seen in broken if not seen.accepted][:MOST_DETAILS]:
        lines += _detail(seen)
    lines += _unjudged(found)
    return "\n".join(lines) + "\n"


def _row(seen: Seen) -> str:
    address = seen.source_url
    safe = address.startswith(("https://", "http://")) and address.isprintable() and not set(address) & set(" ()<>|")
    rule = f"[{escape(seen.rule)}]({address})" if safe else escape(seen.rule)
    level = seen.level + (" (accepted)" if seen.accepted else "")
    cells = [rule, level, escape(seen.endpoint), escape(cut(seen.expected)), escape(cut(seen.actual))]
    return f"| {' | '.join(cells)} |"


def _detail(seen: Seen) -> list[str]:
    evidence = [" ".join(part for part in (piece.note, piece.bytes) if part) for piece in seen.evidence]
    return [
        f"<details><summary>{escape(seen.rule)} on {escape(seen.endpoint)}: {escape(seen.title)}</summary>",
        "",
        escape(seen.requirement),
        "",
        *map(code, evidence),
        *([""] if evidence else []),
        f"Mend: {escape(seen.mend)}",
        "",
        code(seen.reproduce),
        "",
        "</details>",
        "",
    ]


def _unjudged(found: Sequence[Seen]) -> list[str]:
    reasons = Counter(seen.reason for seen in found if seen.outcome in {"not_declared", "untestable", "error"})
    if not reasons:
        return []
    rows = [f"- {escape(reason)} ({count})" for reason, count in sorted(reasons.items())]
    return ["<details><summary>not judged</summary>", "", *rows, "", "</details>"]
