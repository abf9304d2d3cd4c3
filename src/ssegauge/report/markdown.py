"""A conformance run as Markdown for a pull request: the verdict first, then what is broken, then what was not judged."""

from __future__ import annotations

import html
import re
from collections import Counter
from pathlib import Path
from typing import Any

from ssegauge.report.terminal import closing_line
from ssegauge.results import write_whole
from ssegauge.rules import CATALOGUE

_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+\-!|~&@:])")


def write_markdown(document: dict[str, Any], path: Path) -> None:
    """Write the summary of a conformance document."""
    write_whole(path, markdown(document))


def markdown(document: dict[str, Any]) -> str:
    """The summary as text. Everything that came from a server or a profile is escaped."""
    broken = [finding for finding in document["rules"] if finding["outcome"] == "fail"]
    must = any(finding["level"] == "MUST" and not finding.get("accepted") for finding in broken)
    lines = [
        f"## {'❌' if must else '✅'} SSE conformance of {escape(str(document['target']))}",
        "",
        closing_line(document).plain,
        "",
    ]
    if broken:
        lines += ["| rule | level | endpoint | expected | got |", "| --- | --- | --- | --- | --- |"]
        lines += [_row(finding) for finding in broken]
        lines.append("")
    for finding in broken:
        if not finding.get("accepted"):
            lines += _detail(finding)
    lines += _unjudged(document["rules"])
    return "\n".join(lines) + "\n"


def _row(finding: dict[str, Any]) -> str:
    source = finding.get("source_url")
    rule = f"[{finding['rule']}]({source})" if source else finding["rule"]
    level = finding["level"] + (" (accepted)" if finding.get("accepted") else "")
    cells = [rule, level, escape(finding["endpoint"]), escape(finding["expected"]), escape(finding["actual"])]
    return f"| {' | '.join(cells)} |"


def _detail(finding: dict[str, Any]) -> list[str]:
    evidence = [" ".join(str(piece[key]) for key in ("note", "bytes") if piece[key]) for piece in finding["evidence"]]
    title = escape(CATALOGUE[finding["rule"]].title)
    return [
        f"<details><summary>{finding['rule']} on {escape(finding['endpoint'])}: {title}</summary>",
        "",
        escape(finding["requirement"]),
        "",
        *_preformatted(evidence),
        f"Mend: {escape(finding['mend'])}",
        "",
        *_preformatted([finding["reproduce"]]),
        "</details>",
        "",
    ]


def _preformatted(lines: list[str]) -> list[str]:
    """Lines as they are: an HTML block, which holds also where a renderer knows no indented code."""
    return [f"<pre>{html.escape(chr(10).join(lines))}</pre>", ""] if any(lines) else []


def _unjudged(findings: list[dict[str, Any]]) -> list[str]:
    reasons = Counter(
        finding["reason"] for finding in findings if finding["outcome"] in {"not_declared", "untestable", "error"}
    )
    if not reasons:
        return []
    rows = [f"- {escape(reason)} ({count})" for reason, count in sorted(reasons.items())]
    return ["<details><summary>not judged</summary>", "", *rows, "", "</details>"]


def escape(text: str) -> str:
    """Text that Markdown and HTML show as it is, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
