"""The terminal report of a conformance run: rules by topic, failures in full, what was not judged and why, a closing line.

Text from a server was escaped when the finding was made (`ssegauge.visible`); styles are applied to `Text` objects only,
so that nothing in it is read as markup.
"""

from __future__ import annotations

import textwrap
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from ssegauge.finding import as_text
from ssegauge.rules import CATALOGUE, CATEGORIES

SIGNS = {"pass": ("✓", "green"), "fail": ("✗", "bold red"), "error": ("!", "bold magenta")}
WIDTH = 80


def print_report(console: Console, document: dict[str, Any]) -> None:
    """Print the whole report of a conformance document."""
    by_endpoint: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for finding in document["rules"]:
        by_endpoint[finding["endpoint"]].append(finding)
    for endpoint, findings in by_endpoint.items():
        console.print()
        console.print(Text.assemble(("endpoint ", "dim"), (endpoint, "bold")))
        _print_topics(console, findings)
    for finding in document["rules"]:
        if finding["outcome"] == "fail" and not finding.get("accepted"):
            console.print()
            _print_failure(console, finding)
    _print_unjudged(console, document["rules"])
    console.print()
    console.print(closing_line(document), soft_wrap=True)


def _print_topics(console: Console, findings: list[dict[str, Any]]) -> None:
    topics: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for finding in findings:
        topics[CATALOGUE[finding["rule"]].category].append(finding)
    for topic in CATEGORIES:
        if topic not in topics:
            continue
        line = Text(f"  {topic:<15}")
        judged = [finding for finding in topics[topic] if finding["outcome"] in SIGNS]
        held = sum(finding["outcome"] == "pass" for finding in judged)
        line.append(f"{held:>3} held", style="green" if held else "dim")
        rest = len(topics[topic]) - len(judged)
        line.append(f"{rest:>5} not judged" if rest else "", style="dim")
        console.print(line)
        for finding in judged:
            if finding["outcome"] != "pass":
                _print_row(console, finding)


def _print_row(console: Console, finding: dict[str, Any]) -> None:
    sign, style = SIGNS[finding["outcome"]]
    style = "yellow" if finding["outcome"] == "fail" and finding["level"] != "MUST" else style
    text = (
        f"accepted: {finding['accepted']}"
        if finding.get("accepted")
        else finding["reason"] or CATALOGUE[finding["rule"]].title
    )
    row = Text.assemble("    ", (f"{sign} {finding['rule']:<8}", style), (f" {finding['level']:<12}", "dim"), text)
    console.print(row, overflow="ellipsis", no_wrap=True)


def _print_failure(console: Console, finding: dict[str, Any]) -> None:
    first, *rest = as_text(finding, min(console.width, 100)).split("\n")
    console.print(Text(first, style="bold red" if finding["level"] == "MUST" else "bold yellow"), soft_wrap=True)
    for line in rest:
        console.print(Text(line), soft_wrap=True)


def _print_unjudged(console: Console, findings: list[dict[str, Any]]) -> None:
    for outcome, heading in (("untestable", "untestable here"), ("not_declared", "not declared in the profile")):
        reasons: dict[str, list[str]] = defaultdict(list)
        for finding in findings:
            if finding["outcome"] == outcome and finding["rule"] not in reasons[finding["reason"]]:
                reasons[finding["reason"]].append(finding["rule"])
        if any(reasons.values()):
            console.print()
            console.print(Text(heading, style="dim"))
        for reason, rules in reasons.items():
            if rules:
                short = reason.removeprefix("the profile does not declare ")
                for line in textwrap.wrap(
                    f"{short}: {', '.join(rules)}",
                    min(console.width, 100) - 4,
                    initial_indent="  ",
                    subsequent_indent="    ",
                ):
                    console.print(Text(line, style="dim"))


def closing_line(document: Mapping[str, Any]) -> Text:
    """One line: what was broken by level, what held, what was not judged."""
    counts: dict[str, int] = defaultdict(int)
    broken: dict[str, int] = defaultdict(int)
    for finding in document["rules"]:
        if finding["outcome"] == "fail":
            broken["accepted" if finding.get("accepted") else finding["level"]] += 1
        counts[finding["outcome"]] += 1
    parts = [f"{broken[level]} {level} broken" for level in ("MUST", "SHOULD", "RECOMMENDED", "INFO") if broken[level]]
    parts += [f"{broken['accepted']} accepted deviations"] if broken["accepted"] else []
    parts = parts or ["nothing broken"]
    tail = [f"{counts['pass']} held", f"{counts['not_declared']} not declared", f"{counts['untestable']} untestable"]
    tail += [f"{counts['error']} could not be judged"] if counts["error"] else []
    style = "bold red" if broken["MUST"] else "bold yellow" if broken["SHOULD"] else "bold green"
    return Text.assemble((", ".join(parts), style), f"; {', '.join(tail)} ({document.get('duration_s', 0.0):.1f} s)")
