"""What a scenario found beyond the figures that all share: a capacity and its curve, memory over hours, and the like.

Every object of the document that is not one of the common ones is taken; nothing is known of its names but how the
values look: a fact, a series of (second, value), or a list of rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ssegauge.gate.metrics import shown
from ssegauge.report.drawing import Plot, axis, line, ms
from ssegauge.report.html import cut
from ssegauge.report.lenient import mappings, number

COMMON: Final = frozenset(
    {
        *(
            "schema",
            "kind",
            "target",
            "profile",
            "tool",
            "started",
            "duration_s",
            "command",
            "machine",
            "asked",
            "scenario",
        ),
        *("clock", "valid", "invalid_reasons", "streams", "events", "latency", "failed_latency", "harness", "series"),
        *("endpoints", "faults", "failures", "rates", "goodput", "limits"),
    }
)
_MOST: Final = 600
_ROWS: Final = 40
_BYTES: Final = frozenset({"memory", "rss", "resident"})


@dataclass(frozen=True)
class Extra:
    """One such object: its name, its facts, its tables of rows, and its series as plots."""

    name: str
    facts: dict[str, str] = field(default_factory=dict)
    tables: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    plots: list[Plot] = field(default_factory=list)


def extras(document: Mapping[str, Any]) -> list[Extra]:
    """Every object that only this scenario has."""
    names = [name for name, value in document.items() if name not in COMMON and isinstance(value, Mapping) and value]
    return [_extra(name, document[name]) for name in names[:20]]


def _extra(name: str, found: Mapping[str, Any]) -> Extra:
    extra = Extra(cut(name, 60).replace("_", " "))
    for key, value in list(found.items())[:100]:
        words = cut(key, 60)
        if _is_series(value):
            extra.plots.append(_series(f"{cut(name, 20)}-{len(extra.plots)}", words, value))
        elif isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
            extra.tables[words] = [{cut(k, 40): _text(k, v) for k, v in item.items()} for item in value[:_ROWS]]
        else:
            extra.facts.update(_facts(words, value))
    if name == "capacity":
        extra.plots.extend(_capacity(found))
    return extra


def _facts(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, inner in list(value.items())[:50]:
            if not isinstance(inner, Mapping | list):
                yield f"{name}, {cut(key, 40)}", _text(key, inner)
    elif value not in (None, "", []):
        yield name, _text(name, value)


def _is_series(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 1 and all(
        isinstance(item, list | tuple) and len(item) == 2 and all(number(part) is not None for part in item) for item in value
    )  # fmt: skip


def _series(anchor: str, name: str, pairs: Sequence[Sequence[float]]) -> Plot:
    pairs = pairs[:: -(-len(pairs) // _MOST)]
    scale, unit = (1 << 20, " MB") if name in _BYTES else (1, "")
    values = [float(pair[1]) / scale for pair in pairs]
    trace = {
        "type": "scatter", "mode": "lines", "name": name, "x": [pair[0] for pair in pairs], "y": values, "line": line("--c1"), "showlegend": False,
    }  # fmt: skip
    layout = {"xaxis": axis("seconds since the start"), "yaxis": axis(f"{name}{unit}", rangemode="tozero")}
    words = f"From {values[0]:,.4g}{unit} to {values[-1]:,.4g}{unit}; at most {max(values):,.4g}{unit}."
    rows = [(f"{pair[0]:.0f}", f"{float(pair[1]) / scale:,.4g}") for pair in pairs[:: -(-len(pairs) // _ROWS)]]
    return Plot(
        anchor, f"{name[:1].upper()}{name[1:]}, over time", words, [trace], layout, ("second", f"{name}{unit}"), rows
    )


def _capacity(found: Mapping[str, Any]) -> Iterator[Plot]:
    steps = [
        step
        for step in mappings(found.get("curve"))
        if number(step.get("users")) is not None and number(step.get("ms")) is not None
    ]
    if len(steps) < 2:
        return
    steps = sorted(steps, key=lambda step: step["users"])
    x, y = [step["users"] for step in steps], [step["ms"] for step in steps]
    held = ["--good" if step.get("holds") else "--bad" for step in steps]
    trace = {
        "type": "scatter", "mode": "lines+markers", "name": "step", "x": x, "y": y, "line": line("--c7"), "showlegend": False,
        "marker": {"size": 9, "color": held, "symbol": ["circle" if step.get("holds") else "x" for step in steps]},
    }  # fmt: skip
    layout = {"xaxis": axis("users"), "yaxis": axis("milliseconds", rangemode="tozero")}
    words = f"The limit was {cut(found.get('limit'), 80)}; it held up to {cut(found.get('holds'), 20)} users (circles), and not at the crosses."
    rows = [
        (f"{users:,.0f}", ms(value), "held" if step.get("holds") else "broke")
        for users, value, step in zip(x, y, steps, strict=True)
    ]
    yield Plot("capacity", "Time by number of users", words, [trace], layout, ("users", "time", "limit"), rows)


def _text(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if number(value) is None:
        return cut(value, 200)
    if name == "ms" or name.endswith("_ms"):
        return shown(float(value), "time")
    if name.endswith(("_ratio", "_share")):
        return shown(float(value), "share")
    return f"{value:,.6g}" if isinstance(value, float) else f"{value:,}"
