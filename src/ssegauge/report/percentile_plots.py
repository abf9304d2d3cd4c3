"""Plots of distributions: a logarithmic axis of times over an axis of percentiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from ssegauge.report.distribution import Curve, curve, position
from ssegauge.report.drawing import Plot, Trace, axis, line, ms, ms_axis, unmarked
from ssegauge.report.html import cut, plain

_TICKS: Final = (0.0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999)
_CURVES: Final = {
    "ttfb": "--c5",
    "first_event": "--c1",
    "first_match": "--c4",
    "gap": "--c2",
    "longest_gap": "--c3",
    "lag": "--c6",
    "duration": "--c7",
}


class Line(NamedTuple):
    """A curve under its name, with its colour and its dashes."""

    label: str
    colour: str
    dash: str
    curve: Curve


def distributions(document: Mapping[str, Any], baseline: Mapping[str, Any] | None = None) -> Plot | None:
    """Every time of the run by percentile; of the baseline the two that are looked at first."""
    latency = document.get("latency") or {}
    lines = [
        Line(name.replace("_", " "), colour, "solid", curve(latency.get(name))) for name, colour in _CURVES.items()
    ]
    if baseline is not None:
        was = baseline.get("latency") or {}
        lines += [
            Line(f"{name.replace('_', ' ')}, baseline", _CURVES[name], "dashdot", curve(was.get(name)))
            for name in ("first_event", "gap")
        ]
    return _percentiles(
        "distributions", "Distributions, by percentile", [found for found in lines if found.curve], wide=True
    )


def side_by_side(name: str, title: str, parts: Sequence[tuple[str, Mapping[str, Any]]]) -> Plot | None:
    """One time of several runs."""
    dashes = ("solid", "dash", "dot", "dashdot", "longdash")
    lines = [
        Line(
            plain(cut(label, 60)),
            f"--c{index % 8 + 1}",
            dashes[index % len(dashes)],
            curve((document.get("latency") or {}).get(name)),
        )
        for index, (label, document) in enumerate(parts)
    ]
    present = [found for found in lines if found.curve]
    return _percentiles(f"side-by-side-{name}", title, present) if len(present) > 1 else None


def _percentiles(name: str, title: str, lines: Sequence[Line], *, wide: bool = False) -> Plot | None:
    if not lines:
        return None
    traces: list[Trace] = []
    for label, colour, dash, found in lines:
        traces += _curve_traces(label, colour, dash, found)
    end = max(position(found.shares[-1]) for *_, found in lines)
    ticks = [share for share in _TICKS if position(share) <= end + 0.01]
    layout = {
        "xaxis": axis(
            "percentile", tickvals=[position(share) for share in ticks], ticktext=[_share(share) for share in ticks]
        ),
        "yaxis": ms_axis(traces),
    }
    layout["xaxis"]["range"] = [0, end * 1.02 or 1]
    words = "How many of the values are below a time: " + "; ".join(
        f"{label}: half below {ms(_at(found, 0.5))}, 99 of 100 below {ms(_at(found, 0.99))}" for label, _, _, found in _first(lines)
    ) + "."  # fmt: skip
    rows = [(label, *(_ms_or_bound(found, share) for share in ticks[1:])) for label, _, _, found in lines]
    return Plot(name, title, words, traces, layout, ("time", *map(_share, ticks[1:])), rows, wide=wide)


def _first(lines: Sequence[Line]) -> Sequence[Line]:
    """Those that a sentence names: first event and gap, or the first few; the table has them all."""
    return [found for found in lines if found.label in {"first event", "gap"}] or lines[:4]


def _curve_traces(label: str, colour: str, dash: str, found: Curve) -> list[Trace]:
    known = len(found.shares) - len(found.bounds)
    x = [round(position(share), 4) for share in found.shares]
    y = [round(value, 3) for value in found.values]
    text = [f"p{share * 100:.5g}" for share in found.shares]
    trace = {
        "type": "scatter", "mode": "lines", "name": unmarked(label), "legendgroup": label, "line": line(colour, dash),
        "hovertemplate": "%{text}: %{y:.4g} ms",
    }  # fmt: skip
    traces = [{**trace, "x": x[:known], "y": y[:known], "text": text[:known]}] if known else []
    if found.bounds:
        first = max(0, known - 1)
        bound: Trace = {
            "line": line(colour, "dot", 1.2),
            "opacity": 0.7,
            "showlegend": not known,
            "hovertemplate": "%{text}: at least %{y:.4g} ms",
        }
        traces.append({**trace, **bound, "x": x[first:], "y": y[first:], "text": text[first:]})
    return traces


def _at(found: Curve, share: float) -> float | None:
    if share > found.shares[-1]:
        return found.values[-1]
    return next(value for at, value in zip(found.shares, found.values, strict=True) if at >= share - 1e-9)


def _ms_or_bound(found: Curve, share: float) -> str:
    if share > found.shares[-1] + 1e-9:
        return "too few"
    return ("≥ " if found.bounds and share >= found.bounds[0] else "") + ms(_at(found, share))


def _share(share: float) -> str:
    return f"p{share * 100:.5g}" if share else "least"
