"""A judgement as a terminal table, as Markdown for a pull request, and as JUnit. Text from results is escaped."""

from __future__ import annotations

import re
from typing import Final
from xml.etree import ElementTree as ET

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ssegauge.gate.rulings import Judgement, Outcome, Ruling
from ssegauge.visible import visible

_STYLES: Final[dict[Outcome, str]] = {"held": "green", "failed": "bold red", "inconclusive": "yellow"}
_MARKS: Final[dict[Outcome, str]] = {"held": "✅", "failed": "❌", "inconclusive": "❔"}
_ORDER: Final[tuple[Outcome, ...]] = ("failed", "inconclusive", "held")
_MARKDOWN: Final = re.compile(r"([\\`*_{}\[\]()#+!|~@])")
_LONGEST: Final = 400


def closing_line(judgement: Judgement) -> str:
    """The judgement in one line."""
    counts = ", ".join(f"{count} {word}" for word in _ORDER if (count := judgement.count(word)))
    return f"gate {judgement.word}: {counts}"


def show(judgement: Judgement, console: Console) -> None:
    """Print the judgement: a table on a terminal, a line for each gate where it is piped."""
    if console.is_terminal:
        _table(judgement, console)
    else:
        for ruling in _sorted(judgement):
            console.print(Text(_line(ruling)), soft_wrap=True)
    for warning in judgement.warnings:
        console.print(Text(f"note: {_safe(warning)}", style="dim"), soft_wrap=True)
    console.print(Text(closing_line(judgement), style=_STYLES[judgement.word]), soft_wrap=True)


def _table(judgement: Judgement, console: Console) -> None:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("", "gate", "must be", "is"):
        table.add_column(heading, overflow="fold", no_wrap=not heading)
    for ruling in _sorted(judgement):
        found = "\n".join(part for part in (_safe(ruling.found), _safe(ruling.reason)) if part)
        style = _STYLES[ruling.outcome]
        table.add_row(Text(ruling.outcome, style), Text(_safe(ruling.name)), Text(_safe(ruling.limit)), Text(found))
    console.print(table)


def _line(ruling: Ruling) -> str:
    reason = f": {ruling.reason}" if ruling.reason else ""
    return _safe(f"{ruling.outcome:<12} {ruling.name}: {ruling.found} (must be {ruling.limit}){reason}")


def _sorted(judgement: Judgement) -> list[Ruling]:
    return sorted(judgement.rulings, key=lambda ruling: _ORDER.index(ruling.outcome))


def _safe(text: str) -> str:
    # visible() doubles backslashes, which names that were made visible before already have
    return visible(text.replace("\\", "\0"), _LONGEST).replace("\\0", "\\")


def markdown(judgement: Judgement) -> str:
    """A section of Markdown: the word, a table with what did not hold on top, the notes."""
    lines = [f"## {_MARKS[judgement.word]} ssegauge {closing_line(judgement)}", ""]
    lines += ["| | gate | must be | is | |", "|---|---|---|---|---|"]
    for ruling in _sorted(judgement):
        cells = (ruling.name, ruling.limit, ruling.found, ruling.reason)
        lines.append(f"| {_MARKS[ruling.outcome]} {ruling.outcome} | " + " | ".join(map(_escaped, cells)) + " |")
    if judgement.warnings:
        lines += ["", *(f"- {_escaped(warning)}" for warning in judgement.warnings)]
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    plain = _safe(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # an address that a server sent is not to become a link
    return _MARKDOWN.sub(r"\\\1", plain).replace("://", ":&#47;/").replace("www.", "www&#46;")


def junit(judgement: Judgement) -> str:
    """JUnit XML: a test case for each gate; what failed is a failure, what is inconclusive an error."""
    suite = ET.Element(
        "testsuite",
        name="ssegauge gate",
        tests=str(len(judgement.rulings)),
        failures=str(judgement.count("failed")),
        errors=str(judgement.count("inconclusive")),
        skipped="0",
    )
    for ruling in judgement.rulings:
        case = ET.SubElement(suite, "testcase", classname="ssegauge.gate", name=_safe(ruling.name))
        if ruling.source:
            case.set("file", _safe(ruling.source))
        if ruling.outcome != "held":
            tag = "failure" if ruling.outcome == "failed" else "error"
            told = ET.SubElement(
                case, tag, type=ruling.outcome, message=_safe(f"{ruling.found}, must be {ruling.limit}")
            )
            told.text = _safe(ruling.reason)
    if judgement.warnings:
        ET.SubElement(suite, "system-out").text = "\n".join(map(_safe, judgement.warnings))
    root = ET.Element("testsuites", {key: suite.attrib[key] for key in ("tests", "failures", "errors", "skipped")})
    root.append(suite)
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"
