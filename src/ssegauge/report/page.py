"""The page around a report: one file that opens offline, in which nothing but our own two scripts can run.

The policy in its head names style and scripts by their hashes: an inline handler, a script or a style that came in with a
result would not run even if it were not escaped, and the page can fetch nothing from anywhere.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Any, Final

from ssegauge.report.html import Child, Element, Verbatim, el

_ADDED_STYLE: Final = re.compile(r"""\.textContent='([^'\\]*)'""")
"""A style sheet that plotly.js brings along for maps and adds whether there are any or not."""


def page(
    title: str, head: Child, sections: Iterable[tuple[str, str, Child]], foot: Child, plots: Mapping[str, Any]
) -> str:
    """A whole document. `sections` are (anchor, heading, content); `plots` are figures by the anchor of their data."""
    sections = [section for section in sections if section[2] is not None]
    plotly = _plotly() if plots else None
    style, scripts = _read("report.css"), [*([plotly] if plotly else []), _read("report.js")]
    body = el(
        "body",
        el("a", "Skip to the results", class_="skip", href="#results"),
        el("header", el("div", head, _contents(sections), class_="wrap"), class_="top"),
        el("main", (_section(*section) for section in sections), class_="wrap", id="results", tabindex="-1"),
        el("footer", foot, class_="wrap"),
        (el("script", Verbatim(_data(figure)), type="application/json", id=anchor) for anchor, figure in plots.items()),
        (el("script", Verbatim(script)) for script in scripts),
    )
    document = el("html", _head(title, style, scripts, _added_styles(plotly)), body, lang="en")
    return f"<!doctype html>\n{document}\n"


def has_plotly() -> bool:
    """The library that draws is installed (the extra `report`)."""
    return _plotly() is not None


def scroll(caption: str, *rows: Child, class_: str | None = None, said: bool = False) -> Element:
    """A table in a box of its own that scrolls, by keyboard too, where the page is too narrow for it.

    `said`: what stands above says the caption already, so that only a screen reader gets it.
    """
    table = el("table", el("caption", caption, class_="seen-not" if said else None), *rows, class_=class_)
    return el("div", table, class_="scroll", tabindex=0, role="region", aria_label=caption)


def _head(title: str, style: str, scripts: Iterable[str], added: Iterable[str]) -> Element:
    return el(
        "head",
        el("meta", charset="utf-8"),
        Verbatim(f'<meta http-equiv="Content-Security-Policy" content="{_policy([style, *added], scripts)}">'),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("meta", name="generator", content="ssegauge"),
        el("title", title),
        el("link", rel="icon", href="data:,"),
        el("style", Verbatim(style)),
    )


def _policy(styles: Iterable[str], scripts: Iterable[str]) -> str:
    rules = {
        "default-src": "'none'",
        "style-src": " ".join(map(_hash, styles)),
        "script-src": " ".join(map(_hash, scripts)),
        "img-src": "data: blob:",  # the icon, and what plotly.js offers for download
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _contents(sections: Iterable[tuple[str, str, Child]]) -> Element:
    items = (el("li", el("a", heading, href=f"#{anchor}")) for anchor, heading, _ in sections)
    return el("nav", el("ul", items), aria_label="Contents")


def _added_styles(plotly: str | None) -> list[str]:
    # the empty one is filled rule by rule
    return [] if plotly is None else ["", *_ADDED_STYLE.findall(plotly)]


def _section(anchor: str, heading: str, content: Child) -> Element:
    return el("section", el("h2", heading, id=f"{anchor}-title"), content, id=anchor, aria_labelledby=f"{anchor}-title")


def _data(figure: Any) -> str:
    # in a script element only "<" could end the element, and JSON may write it otherwise
    return json.dumps(figure, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


@cache
def _read(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8").strip()


@cache
def _plotly() -> str | None:
    try:
        from plotly.offline import get_plotlyjs  # noqa: PLC0415 - an extra, and needed for load plots only
    except ImportError:
        return None
    # a parser would read CR LF as LF, and the hash is taken of what the parser reads
    return str(get_plotlyjs()).replace("\r\n", "\n")
