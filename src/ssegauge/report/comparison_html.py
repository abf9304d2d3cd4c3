"""The baseline part of the page: each figure then and now, the ratio with its interval, and whether that is noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ssegauge.errors import UserError
from ssegauge.gate.compare import Comparison, Line
from ssegauge.gate.metrics import shown
from ssegauge.report import load_html
from ssegauge.report.against import MOST_ENDPOINTS, against
from ssegauge.report.html import Child, Element, cut, el
from ssegauge.report.page import has_plotly, scroll
from ssegauge.report.ratio_plot import ratios

_WORDS = {"better": "better", "worse": "worse", "no difference seen": "muted", "unknown": "muted"}

_SAID = {"unknown": "noise not known"}


def comparisons(
    baseline: Sequence[Mapping[str, Any]], documents: Sequence[Mapping[str, Any]], data: dict[str, Any]
) -> Child:
    """A plot and a table for each scenario of these documents that the baseline holds too; the rules that changed, for
    conformance. What is drawn goes into `data`.
    """
    made: list[Child] = []
    drawn = has_plotly()
    for number, key in enumerate(dict.fromkeys(_key(document) for document in documents)):
        then, now = ([document for document in side if _key(document) == key] for side in (baseline, documents))
        if not then:
            made.append(el("p", f"The baseline holds nothing of {key}.", class_="muted"))
            continue
        try:
            found = against(then, now)
        except UserError as lack:
            made.append(el("p", f"{key}: {lack}", class_="muted"))
        else:
            plot = ratios(found)
            shown = load_html.drawings(f"baseline{number}", [plot], data, drawn=True) if plot and drawn else None
            made.append(_table(key, found, shown))
    return made or None


def _key(document: Mapping[str, Any]) -> str:
    return "conformance" if document["kind"] == "conformance" else cut(document["scenario"], 80)


def _table(key: str, found: Comparison, plot: Child) -> Child:
    notes = [el("li", warning) for warning in found.warnings]
    return [
        el("h3", key),
        el("ul", notes, class_="doubts") if notes else None,
        plot,
        _changes(found) if found.kind == "conformance" else _lines(found),
    ]


def _lines(found: Comparison) -> Element:
    headings = ("figure", "baseline", "now", "now / baseline", "95 % interval", "")
    head = el(
        "tr",
        (el("th", name, scope="col", class_="num" if 0 < index < 5 else None) for index, name in enumerate(headings)),
    )
    whole = [line for line in found.lines if line.endpoint is None]
    rest = [line for line in found.lines if line.endpoint is not None]
    caption = "Worse and better are said only of what is beyond the noise; the interval comes from resampling the runs' seconds"
    table = scroll(caption, el("thead", head), el("tbody", _rows(whole)))
    if not rest:
        return table
    by_endpoint = scroll(
        f"The same by endpoint, {MOST_ENDPOINTS} of them at most", el("thead", head), el("tbody", _rows(rest))
    )
    return el("div", table, el("details", el("summary", "By endpoint"), by_endpoint, class_="after"))


def _rows(lines: Sequence[Line]) -> list[Element]:
    return [
        el(
            "tr",
            el("th", el("bdi", line.name, class_="mono"), scope="row"),
            (el("td", text, class_="num") for text in _figures(line)),
            el("td", el("span", _SAID.get(line.word, line.word), class_=_WORDS[line.word])),
        )
        for line in lines
        if line.first is not None or line.second is not None
    ]


def _figures(line: Line) -> tuple[str, str, str, str]:
    first, second = ("—" if value is None else shown(value, line.metric.kind) for value in (line.first, line.second))
    ratio = line.ratio
    if ratio is None:
        return first, second, "", ""
    interval = "" if ratio.low is None or ratio.high is None else f"{ratio.low:.3g} … {ratio.high:.3g}"
    return first, ("≥ " if ratio.at_least else "") + second, f"{ratio.value:.3g}", interval


def _changes(found: Comparison) -> Element:
    if not found.changes:
        return el("p", "Every rule came out as in the baseline.", class_="muted")
    head = el("tr", (el("th", name, scope="col") for name in ("rule", "level", "endpoint", "baseline", "now")))
    rows = [
        el("tr", el("th", change.rule, scope="row", class_="mono"), el("td", change.level), el("td", el("bdi", change.endpoint)),
           el("td", change.first.replace("_", " ")), el("td", change.second.replace("_", " ")))
        for change in found.changes[:500]
    ]  # fmt: skip
    return scroll(f"{len(found.changes)} outcomes differ from the baseline", el("thead", head), el("tbody", rows))
