"""Plots of load runs, as plotly.js wants them, each with the words and the table that say the same.

Colours are names of the page's custom properties (`--c1`); the page's script replaces them, in light and in dark.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ssegauge.report.distribution import FLOOR_MS
from ssegauge.report.drawing import Plot, Trace, axis, line, ms, ms_axis
from ssegauge.report.percentile_plots import distributions
from ssegauge.report.series import Stretch, stretches
from ssegauge.report.statements import ENDS
from ssegauge.verdict import VERDICTS

_STAT_LINES: Final = {"p50": ("--c1", "solid", 2), "p95": ("--c2", "dash", 1.6), "p99": ("--c3", "dot", 1.6)}
_VERDICT_COLOURS: Final = {"complete": "--good", "client_closed": "--c7"}
_BAD_COLOURS: Final = ("--bad", "--c2", "--c3", "--c6", "--c4", "--c5", "--c8", "--warn", "--c1")
_TABLE_ROWS: Final = 30


def plots(document: Mapping[str, Any], baseline: Mapping[str, Any] | None = None) -> list[Plot]:
    """Every plot that this load document has the figures for."""
    points, step = stretches(document)
    brief, _ = stretches(document, _TABLE_ROWS)
    made = [distributions(document, baseline)]
    if len(points) > 1:
        made[:0] = [
            traffic(points, brief, step),
            verdicts(points, brief, step),
            over_time("first_event", "First event over time", points, brief, step),
            over_time("gap", "Gap between events over time", points, brief, step),
        ]
        made.append(read_lag(points, brief, step, str(document.get("clock"))))
    return [plot for plot in made if plot is not None]


# -- over time --------------------------------------------------------------------------------------------------------


def traffic(points: Sequence[Stretch], brief: Sequence[Stretch], step: int) -> Plot | None:
    """Open streams, and below them events a second."""
    most = max((point.open or 0 for point in points), default=0)
    rates = [point.events for point in points if point.events is not None]
    if not rates:
        return None
    t = [point.t for point in points]
    area = {"type": "scatter", "mode": "lines", "fill": "tozeroy", "showlegend": False}
    traces = [
        {**area, "x": t, "y": [point.open for point in points], "name": "open streams", "line": line("--c1"), "fillcolor": "--c1-soft"},
        {**area, "x": t, "y": [point.events for point in points], "name": "events a second", "line": line("--c2"), "fillcolor": "--c2-soft", "yaxis": "y2"},
    ]  # fmt: skip
    layout = {
        "xaxis": _seconds(anchor="y2"),
        "yaxis": axis("open streams", domain=[0.55, 1], rangemode="tozero"),
        "yaxis2": axis("events / s", domain=[0, 0.45], rangemode="tozero"),
        "shapes": _phases(points),
    }
    rows = [(_t(point), point.phase, _n(point.open), _n(point.events)) for point in brief]
    words = f"At most {most:,.0f} streams were open; events came at {min(rates):,.0f} to {max(rates):,.0f} a second."
    title = "Open streams and events a second"
    return Plot(
        "traffic", title, words + _each(step), traces, layout, ("second", "phase", "open", "events a second"), rows
    )


def over_time(name: str, title: str, points: Sequence[Stretch], brief: Sequence[Stretch], step: int) -> Plot | None:
    """Percentiles of one time over the run."""
    if not any(point.times[name] for point in points):
        return None
    traces = [
        {
            "type": "scatter", "mode": "lines", "name": stat, "x": [point.t for point in points],
            "y": [_on_log(point.time(name, stat)) for point in points], "line": line(colour, dash, width),
        }
        for stat, (colour, dash, width) in _STAT_LINES.items()
    ]  # fmt: skip
    layout = {"xaxis": _seconds(), "yaxis": ms_axis(traces), "shapes": _phases(points)}
    medians = [value for point in points if (value := point.time(name, "p50")) is not None]
    worst = max(value for point in points if (value := point.time(name, "p99")) is not None)
    words = (
        f"The median lay between {ms(min(medians))} and {ms(max(medians))} from second to second; "
        f"the worst p99 of a second was {ms(worst)}."
    )
    rows = [(_t(point), *(ms(point.time(name, stat)) for stat in _STAT_LINES)) for point in brief]
    return Plot(name, title, words + _each(step), traces, layout, ("second", *_STAT_LINES), rows)


def verdicts(points: Sequence[Stretch], brief: Sequence[Stretch], step: int) -> Plot | None:
    """How the streams ended that ended in each second."""
    present = [name for name in VERDICTS if any(point.verdicts[name] for point in points)]
    if not present:
        return None
    bad = iter(_BAD_COLOURS)
    traces = [
        {
            "type": "bar", "name": name, "x": [point.t for point in points], "y": [point.verdicts[name] for point in points],
            "marker": {"color": _VERDICT_COLOURS.get(name) or next(bad), "line": {"width": 0}},
        }
        for name in present
    ]  # fmt: skip
    layout = {
        "barmode": "stack", "bargap": 0.1, "xaxis": _seconds(), "yaxis": axis("streams ended / s", rangemode="tozero"),
        "showlegend": True,
    }  # fmt: skip
    totals = {name: sum(point.verdicts[name] for point in points) * step for name in present}
    words = (
        "Streams that ended, by second: "
        + ", ".join(f"{count:,.0f} {ENDS[name]}" for name, count in totals.items())
        + "."
    )
    rows = [(_t(point), *(_n(point.verdicts[name]) for name in present)) for point in brief]
    return Plot("verdicts", "How streams ended, over time", words, traces, layout, ("second", *present), rows)


def read_lag(points: Sequence[Stretch], brief: Sequence[Stretch], step: int, clock: str) -> Plot | None:
    """The generator's own lateness beside the figures that it could distort, and how busy it was."""
    if not any(point.lag is not None for point in points):
        return None
    t = [point.t for point in points]
    lines = [
        ("read lag p99", "--bad", "solid", [point.lag for point in points]),
        ("first event p50", "--c1", "dash", [point.time("first_event", "p50") for point in points]),
        ("gap p50", "--c2", "dot", [point.time("gap", "p50") for point in points]),
    ]
    traces: list[Trace] = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": name,
            "x": t,
            "y": [_on_log(value) for value in values],
            "line": line(colour, dash),
        }
        for name, colour, dash, values in lines
    ]
    traces.append({
        "type": "scatter", "mode": "lines", "name": "processor", "x": t, "y": [None if point.cpu is None else point.cpu * 100 for point in points],
        "yaxis": "y2", "line": line("--c7"), "fill": "tozeroy", "fillcolor": "--c7-soft", "showlegend": False,
    })  # fmt: skip
    layout = {
        "xaxis": _seconds(anchor="y2"), "yaxis": {**ms_axis(traces[:-1]), "domain": [0.42, 1]},
        "yaxis2": axis("core %", domain=[0, 0.28], range=[0, 105], tickvals=[0, 50, 100]),
    }  # fmt: skip
    worst = max(point.lag for point in points if point.lag is not None)
    busy = max((point.cpu for point in points if point.cpu is not None), default=0.0)
    words = (
        f"The generator read up to {ms(worst)} late (p99 of a second) and used up to {busy:.0%} of a core. "
        + ("This lag is part of every time shown." if clock == "user" else
           "Times are the kernel's, so this lag is not in them; but where several events were read together, those before the last are known to within it only.")
    )  # fmt: skip
    rows = [
        (_t(point), ms(point.lag), ms(point.time("first_event", "p50")), ms(point.time("gap", "p50")), "" if point.cpu is None else f"{point.cpu:.0%}")
        for point in brief
    ]  # fmt: skip
    headings = ("second", "read lag p99", "first event p50", "gap p50", "core")
    title = "Read lag beside what it could distort"
    return Plot("read-lag", title, words + _each(step), traces, layout, headings, rows, wide=True)


# -- their parts ------------------------------------------------------------------------------------------------------


def _seconds(**more: Any) -> dict[str, Any]:
    return axis("seconds since the start", **more)


def _phases(points: Sequence[Stretch]) -> list[dict[str, Any]]:
    """A veil over the seconds in which the load was not yet, or no longer, what was asked for."""
    veils = []
    for phase in ("ramp", "drain"):
        t = [point.t for point in points if point.phase == phase]
        if t and any(point.phase == "steady" for point in points):
            veils.append({
                "type": "rect", "xref": "x", "yref": "paper", "y0": 0, "y1": 1, "x0": min(t), "x1": max(t) + 1, "layer": "below",
                "line": {"width": 0}, "fillcolor": "--veil",
                "label": {"text": phase, "textposition": "bottom left" if phase == "ramp" else "bottom right", "font": {"size": 10, "color": "--muted"}},
            })  # fmt: skip
    return veils


def _on_log(value: float | None) -> float | None:
    return None if value is None else max(round(value, 4), FLOOR_MS)


def _each(step: int) -> str:
    return f" A point stands for {step} seconds: p50 is their mean, p95 and p99 the worst of them." if step > 1 else ""


def _t(point: Stretch) -> str:
    return f"{point.t:.0f}"


def _n(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"
