"""What plots are made of: the figure with its words and its table, lines, axes, and numbers as they are written."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ssegauge.gate.metrics import shown

Trace = dict[str, Any]


@dataclass(frozen=True)
class Plot:
    """A figure: what it is, what it shows in words, the traces and layout, and the same as a table."""

    name: str
    title: str
    words: str
    traces: list[Trace]
    layout: dict[str, Any]
    headings: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    wide: bool = False


def line(colour: str, dash: str = "solid", width: float = 2) -> dict[str, Any]:
    """A line of a trace; the colour is the name of one of the page's custom properties."""
    return {"color": colour, "dash": dash, "width": width}


def axis(title: str, **more: Any) -> dict[str, Any]:
    """An axis with this title."""
    return {"title": {"text": title}, **more}


def ms_axis(traces: Iterable[Trace]) -> dict[str, Any]:
    """A logarithmic axis around these traces; where they span little, it names more than the powers of ten."""
    values = [value for trace in traces for value in trace["y"] if value]
    low, high = (math.log10(bound) for bound in (min(values, default=1.0) / 1.15, max(values, default=1.0) * 1.15))
    span = high - low
    tick = 1 if span > 2.5 else "D2" if span > 1 else "D1"  # plotly.js: every power of ten, its 1, 2, 5, or every digit
    return axis("milliseconds", type="log", range=[low, high], dtick=tick, exponentformat="none", tickformat=",~r")


def ms(value: float | None) -> str:
    """A time as people read it, empty where there is none."""
    return "" if value is None else shown(value, "time")


def unmarked(label: str) -> str:
    """A label that plotly.js shows as it is: it takes some tags for markup."""
    return label.replace("&", "&amp;").replace("<", "&lt;")
