"""The plot of a comparison: each time as a multiple of the baseline's, with the interval that the noise leaves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from ssegauge.gate.compare import Comparison
from ssegauge.report.drawing import Plot, Trace, axis

_COLOURS: Final = {"worse": "--bad", "better": "--good", "no difference seen": "--c7"}
_SYMBOLS: Final = {"worse": "x", "better": "diamond", "no difference seen": "circle"}
_FAR: Final = 8.0  # past this an interval says that nothing is known, and would leave no room for the others
_FINE: Final = (0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5)
_COARSE: Final = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)


class Span(NamedTuple):
    """A time now over the baseline's, its interval, and what that says."""

    name: str
    value: float
    low: float
    high: float
    word: str


def ratios(found: Comparison) -> Plot | None:
    """The times of the whole run of which the noise is known; None where there are none."""
    spans = _spans(found)
    if not spans:
        return None
    names = [span.name for span in spans]
    reach = max(1.15, *(max(span.high, 1 / span.low) for span in spans))
    reach = min(reach, _FAR) * 1.05
    ticks = [tick for tick in (_FINE if reach < 1.8 else _COARSE) if 1 / reach <= tick <= reach]
    layout = {
        "xaxis": axis(
            "now / baseline, logarithmic", type="log", range=[-math.log10(reach), math.log10(reach)],
            tickvals=ticks, ticktext=[f"{tick:g}" for tick in ticks],
        ),
        "yaxis": {
            "type": "category", "categoryorder": "array", "categoryarray": names[::-1], "tickmode": "linear", "dtick": 1,
            "range": [-0.7, len(names) - 0.3], "title": {"text": ""},
        },
        "shapes": [_one()], "hovermode": "closest",
    }  # fmt: skip
    counts = {word: sum(span.word == word for span in spans) for word in ("worse", "better")}
    words = (
        f"Of {len(spans)} times {counts['worse']} are worse and {counts['better']} are better, beyond the noise. "
        "A line is the 95 % interval; right of 1 is slower than the baseline."
    )
    traces = [_trace(word, [span for span in spans if span.word == word]) for word in _COLOURS]
    rows = [(name, f"{value:.3g}", f"{low:.3g}", f"{high:.3g}", word) for name, value, low, high, word in spans]
    headings = ("figure", "now / baseline", "from", "to", "")
    drawn = [trace for trace in traces if trace["x"]]
    return Plot("ratios", "Now against the baseline", words, drawn, layout, headings, rows, wide=True)


def _spans(found: Comparison) -> list[Span]:
    spans = []
    for line in found.lines:
        ratio = line.ratio
        if ratio is None or ratio.low is None or ratio.high is None or line.metric.kind != "time":
            continue
        if line.endpoint is None and 0 < ratio.low <= ratio.value <= ratio.high < math.inf:
            spans.append(Span(line.name, ratio.value, ratio.low, ratio.high, line.word))
    return spans


def _trace(word: str, spans: Sequence[Span]) -> Trace:
    values = [round(span.value, 4) for span in spans]
    return {
        "type": "scatter", "mode": "markers", "name": word, "x": values, "y": [span.name for span in spans],
        "marker": {"size": 9, "color": _COLOURS[word], "symbol": _SYMBOLS[word]},
        "hovertemplate": "%{y}: %{x:.3g}",
        "error_x": {
            "type": "data", "symmetric": False, "color": _COLOURS[word], "thickness": 1.5, "width": 4,
            "array": [round(min(span.high, 2 * _FAR) - span.value, 4) for span in spans],
            "arrayminus": [round(span.value - max(span.low, 0.5 / _FAR), 4) for span in spans],
        },
    }  # fmt: skip


def _one() -> dict[str, Any]:
    stroke = {"color": "--strong", "width": 2}
    return {
        "type": "line",
        "xref": "x",
        "yref": "paper",
        "x0": 1,
        "x1": 1,
        "y0": 0,
        "y1": 1,
        "layer": "below",
        "line": stroke,
    }
