"""The load part of the page: the figures, the plots with their tables, endpoints, the generator, and several runs side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ssegauge.gate import metrics
from ssegauge.gate.metrics import shown
from ssegauge.report.drawing import Plot
from ssegauge.report.extras import Extra
from ssegauge.report.html import Child, Element, cut, el
from ssegauge.report.page import scroll
from ssegauge.report.statements import ENDS

Document = Mapping[str, Any]

MOST_ENDPOINTS: Final = 200

_STATS: Final = ("p50", "p95", "p99", "p999", "max")
_SIDE: Final = (
    *("streams.attempted", "streams.peak_open", "streams.failed_ratio", "events.per_second"),
    *("events.lost", "events.duplicated", "events.reordered"),
    *("ttfb.p50", "ttfb.p95", "first_event.p50", "first_event.p95", "first_event.p99", "first_match.p95"),
    *("gap.p50", "gap.p95", "gap.p99", "longest_gap.p99", "duration.p50", "harness.read_lag.p99", "harness.cpu"),
    *("match_gap.p99", "tokens_per_second.p50", "events.tokens_per_second", "goodput"),
)
_MEANING: Final = {
    "connect": "connection made",
    "ttfb": "first byte of the response",
    "first_body_byte": "first byte of the body",
    "first_event": "first event",
    "first_match": "first event of a named type, the first token say",
    "gap": "between events",
    "match_gap": "between events of that type",
    "time_per_token": "mean of a stream, first token to last",
    "longest_gap": "longest gap of a stream",
    "longest_silence": "longest silence, comments counted as life",
    "lag": "event's own stamp to arrival",
    "duration": "whole stream",
}


def tiles(document: Document) -> Element:
    """The figures that are looked at first."""
    failed = _value(document, "streams.failed_ratio")
    wanted: list[tuple[str, str, bool]] = [
        ("streams", figure(document, "streams.attempted"), False),
        ("open at once", figure(document, "streams.peak_open"), False),
        ("streams failed", figure(document, "streams.failed_ratio"), bool(failed)),
        ("events a second", figure(document, "events.per_second"), False),
        ("events lost", figure(document, "events.lost"), bool(_value(document, "events.lost"))),
        ("first event, p50", figure(document, "first_event.p50"), False),
        ("first event, p99", figure(document, "first_event.p99"), False),
        ("gap, p99", figure(document, "gap.p99"), False),
        ("first token, p50", figure(document, "first_match.p50") if document.get("rates") else "", False),
        ("tokens a second, p50", figure(document, "tokens_per_second.p50"), False),
        ("goodput", figure(document, "goodput"), False),
    ]
    cells = (
        el("div", el("dt", name), el("dd", value), class_="bad" if bad else None)
        for name, value, bad in wanted
        if value
    )
    return el("dl", cells, class_="tiles")


def drawings(prefix: str, made: Sequence[Plot], data: dict[str, Any], *, drawn: bool) -> Element | None:
    """Plots with their words and tables; what they draw goes into `data` under the anchors that the page's script reads."""
    if not made:
        return None
    return el("div", (_drawing(f"{prefix}-{plot.name}", plot, data, drawn=drawn) for plot in made), class_="plots")


def endpoints(document: Document) -> Element | None:
    """A row for each endpoint."""
    parts = document.get("endpoints") or {}
    if not parts:
        return None
    paths = (
        *("streams.attempted", "streams.failed", "events.received", "events.lost"),
        *("first_event.p50", "first_event.p95", "first_event.p99", "gap.p50", "gap.p99", "duration.p50"),
    )
    names = (
        "streams",
        "failed",
        "events",
        "lost",
        "first event p50",
        "p95",
        "p99",
        "gap p50",
        "p99",
        "duration p50",
        "how they ended",
    )
    rows = []
    for name in list(parts)[:MOST_ENDPOINTS]:
        cells = [el("td", figure(document, path, name), class_="num") for path in paths]
        rows.append(
            el("tr", _row_name(name), cells, el("td", _ends(parts[name].get("streams") or {}), class_="words-cell"))
        )
    return scroll(
        "The same by endpoint",
        _head(("endpoint", *names), numeric=len(paths)),
        el("tbody", rows),
        class_="compact",
        said=True,
    )


def times(document: Document) -> Element | None:
    """Every distribution in figures."""
    latency = document.get("latency") or {}
    names = [name for name in (*_MEANING, *sorted(set(latency) - set(_MEANING))) if latency.get(name)]
    if not names:
        return None
    rows = [_time_row(document, name, latency[name]) for name in names[:MOST_ENDPOINTS]]
    return scroll(
        "Times of the streams that did not fail; ≥ marks a lower bound, because the value was still growing when last seen",
        _head(("time", "values", *_STATS), numeric=len(_STATS) + 1),
        el("tbody", rows),
    )


def failures(document: Document) -> Element | None:
    """Why streams failed, in the words of the run."""
    counted = document.get("failures")
    if not isinstance(counted, Mapping) or not counted:
        return None
    rows = [
        el(
            "tr",
            el("th", el("bdi", cut(message, 300)), scope="row"),
            el("td", f"{count:,}" if isinstance(count, int) else cut(count), class_="num"),
        )
        for message, count in list(counted.items())[:50]
    ]
    return scroll("Why streams failed", _head(("what happened", "streams"), numeric=1), el("tbody", rows))


def special(found: Extra, prefix: str, data: dict[str, Any], *, drawn: bool) -> list[Child]:
    """What only this scenario has: its facts, its tables, its plots."""
    rows = [el("tr", _row_name(name.replace("_", " ")), el("td", value)) for name, value in found.facts.items()]
    tables = [
        scroll(
            f"{found.name}: {name}",
            _head(tuple(table[0]), numeric=len(table[0])),
            el("tbody", (el("tr", (el("td", row.get(key, ""), class_="num" if index else None) for index, key in enumerate(table[0]))) for row in table)),
        )
        for name, table in found.tables.items()
    ]  # fmt: skip
    facts = scroll(f"What {found.name} found", el("tbody", rows)) if rows else None
    return [el("div", facts, tables, class_="cards"), drawings(prefix, found.plots, data, drawn=drawn)]


def generator(document: Document) -> Element | None:
    """What the generator measured of itself, beside the figures that it could distort."""
    paths = [f"harness.{name}" for name in metrics.HARNESS_TIMES] + ["gap", "first_event"]
    rows = [
        el("tr", _row_name(path.removeprefix("harness.").replace("_", " ")), (el("td", figure(document, f"{path}.{stat}"), class_="num") for stat in ("p50", "p99", "max")))
        for path in paths
        if figure(document, f"{path}.p50")
    ]  # fmt: skip
    if not rows:
        return None
    facts = [
        (
            "clock",
            {"kernel": "the kernel's receive stamps", "user": "the program's own clock"}.get(
                str(document.get("clock")), ""
            ),
        ),
        ("read together with later events", figure(document, "harness.coalesced_ratio")),
        ("share of a core used", figure(document, "harness.cpu")),
    ]
    said = "; ".join(f"{name}: {value}" for name, value in facts if value)
    caption = f"The generator: how late it was, beside what that could distort ({said})"
    return scroll(caption, _head(("time", "p50", "p99", "max"), numeric=3), el("tbody", rows))


def side_by_side(parts: Sequence[tuple[str, Document]]) -> Element | None:
    """The same figures of several runs, a column for each."""
    if len(parts) < 2:
        return None
    rows = []
    for path in _SIDE:
        values = [figure(document, path) for _, document in parts]
        if any(values):
            rows.append(el("tr", _path(path), (el("td", value or "—", class_="num") for value in values)))
    heading = el(
        "thead",
        el(
            "tr",
            el("th", "figure", scope="col"),
            (el("th", el("bdi", label), scope="col", class_="num") for label, _ in parts),
        ),
    )
    return scroll("Runs side by side", heading, el("tbody", rows), said=True)


def figure(document: Document, path: str, endpoint: str | None = None) -> str:
    """A figure as people read it, empty where the run does not have it."""
    wanted = metrics.metric(path, [document])
    reading = metrics.read(document, wanted, endpoint)
    if reading.value is None:
        return ""
    text = f"{reading.value:,.0f}" if wanted.kind == "count" else shown(reading.value, wanted.kind)
    return f"≥ {text}" if reading.at_least else text


# -- the pieces -------------------------------------------------------------------------------------------------------


def _drawing(anchor: str, plot: Plot, data: dict[str, Any], *, drawn: bool) -> Element:
    if drawn:
        data[f"{anchor}-data"] = {"traces": plot.traces, "layout": plot.layout}
    body = el(
        "tbody",
        (
            el("tr", el("th", row[0], scope="row"), (el("td", cell, class_="num") for cell in row[1:]))
            for row in plot.rows
        ),
    )
    table = scroll(f"{plot.title}, in figures", _head(plot.headings, numeric=len(plot.headings) - 1), body, said=True)
    return el(
        "figure",
        el("figcaption", plot.title, el("p", plot.words, class_="words", id=f"{anchor}-words")),
        el(
            "div",
            class_="plot",
            id=anchor,
            data_plot=f"{anchor}-data",
            role="img",
            aria_label=plot.title,
            aria_describedby=f"{anchor}-words",
        )
        if drawn
        else None,
        el("details", el("summary", "The same as a table"), table, open=not drawn),
        class_="card wide" if plot.wide else "card",
    )


def _head(names: Sequence[str], *, numeric: int) -> Element:
    """Column headings; after the first the given number of columns holds figures."""
    return el(
        "thead",
        el(
            "tr",
            (
                el("th", name, scope="col", class_="num" if 0 < index <= numeric else None)
                for index, name in enumerate(names)
            ),
        ),
    )


def _row_name(name: str) -> Element:
    return el("th", el("bdi", cut(name, 120)), scope="row")


def _path(path: str) -> Element:
    return el("th", el("span", path, class_="mono"), scope="row")


def _time_row(document: Document, name: str, entry: Any) -> Element:
    meaning = _MEANING.get(name)
    heading = el(
        "th", cut(name, 60).replace("_", " "), el("div", meaning, class_="quiet") if meaning else None, scope="row"
    )
    count = int(entry.get("count") or 0) if isinstance(entry, Mapping) else 0
    censored = int(entry.get("censored") or 0) if isinstance(entry, Mapping) else 0
    values = el("td", f"{count:,}", f" + {censored:,} cut off" if censored else None, class_="num")
    return el("tr", heading, values, (el("td", figure(document, f"{name}.{stat}"), class_="num") for stat in _STATS))


def _ends(streams: Mapping[str, Any]) -> str:
    by_verdict = streams.get("by_verdict") or {}
    return ", ".join(
        f"{count:,} {ENDS.get(name, cut(name, 40))}" for name, count in list(by_verdict.items())[:12] if count
    )


def _value(document: Document, path: str) -> float | None:
    return metrics.read(document, metrics.metric(path)).value
