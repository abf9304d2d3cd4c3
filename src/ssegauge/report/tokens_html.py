"""The tokens of a run on the page: how fast streams spoke, and how many kept the stated limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ssegauge.gate.metrics import RATES, shown
from ssegauge.report.html import Element, cut, el
from ssegauge.report.load_html import figure
from ssegauge.report.page import scroll

Document = Mapping[str, Any]

_STATS: Final = ("p01", "p05", "p10", "p50", "p90")
_MOST: Final = 50


def tokens(document: Document) -> Element | None:
    """Tokens a second of a stream, the slow ones first, and of the whole target; then what goodput is made of."""
    rows = [
        _row("tokens a second, of a stream", *(figure(document, f"{name}.{stat}") for stat in _STATS))
        for name in RATES
        if figure(document, f"{name}.p50")
    ]
    facts = [
        ("tokens", figure(document, "events.tokens")),
        ("tokens a second, of the target", figure(document, "events.tokens_per_second")),
        *_goodput(document),
    ]
    rows += [_row(name, "", "", "", value, "") for name, value in facts if value]
    if not rows:
        return None
    head = el("thead", el("tr", (el("th", name, scope="col") for name in ("tokens", *_STATS))))
    return scroll("Tokens; of rates the low percentiles are the slow streams", head, el("tbody", rows))


def _goodput(document: Document) -> list[tuple[str, str]]:
    share = figure(document, "goodput")
    if not share:
        return []
    facts = [
        ("goodput: streams within every limit", share),
        ("good streams a second", figure(document, "goodput.per_second")),
    ]
    limits = document.get("limits") or {}
    for endpoint, times in list(limits.items())[:_MOST]:
        said = ", ".join(f"{name} ≤ {shown(float(limit), 'time')}" for name, limit in times.items())
        facts.append((f"limits of {cut(endpoint, 80)}", cut(said, 200)))
    missed = document["goodput"].get("missed") or {}
    facts += [(f"missed: {cut(name, 40)}", f"{count:,}") for name, count in list(missed.items())[:_MOST]]
    return facts


def _row(name: str, *values: str) -> Element:
    return el("tr", el("th", el("bdi", name), scope="row"), (el("td", value, class_="num") for value in values))
