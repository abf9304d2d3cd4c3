"""The plots of load runs as PNG files, drawn by the same library in a browser without a window (the extra `png`)."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module, resources
from pathlib import Path
from typing import Any, Final

from ssegauge.errors import UserError
from ssegauge.report.drawing import Plot, Trace, unmarked
from ssegauge.report.extras import extras
from ssegauge.report.html import cut, plain
from ssegauge.report.plots import plots

WIDTH: Final = 1000
HEIGHT: Final = 460
SCALE: Final = 2
"""Pixels for each of the above, as on the screens of today."""

_WAIT_SECONDS: Final = 90
_PALETTE: Final = re.compile(r"(--[\w-]+): ([^;]+);")
_FONT: Final = "system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', Arial, sans-serif"


def write_images(
    runs: Sequence[tuple[str, Mapping[str, Any]]], baseline: Sequence[Mapping[str, Any]], folder: Path
) -> list[Path]:
    """Draw every plot of these load runs, each under its name, into `folder`; the files in order. Raises UserError."""
    kaleido = _kaleido()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"--png {folder}: {(error.strerror or str(error)).lower()}") from error
    jobs: dict[Path, dict[str, Any]] = {}
    for label, document in runs:
        was = next((run for run in baseline if run.get("scenario") == document["scenario"]), None)
        for plot in _plots(document, was):
            jobs[_free(folder / f"{_slug(label)}-{_slug(plot.name)}.png", jobs)] = figure(plot, label)
    if not jobs:
        raise UserError("--png: none of these results has anything to draw; plots are those of load runs")
    specs = [
        {"fig": drawn, "path": str(path), "opts": {"width": WIDTH, "height": HEIGHT, "scale": SCALE}}
        for path, drawn in jobs.items()
    ]
    _draw(kaleido, specs)
    return list(jobs)


def figure(plot: Plot, label: str) -> dict[str, Any]:
    """The plot of a run as plotly.js takes it, in the page's light colours."""
    layout = dict(plot.layout)
    for name, given in plot.layout.items():
        if name.startswith(("xaxis", "yaxis")):
            title = {**given.get("title", {}), "font": {"size": 13, "color": "--muted"}, "standoff": 8}
            layout[name] = {
                "automargin": True, "gridcolor": "--line", "linecolor": "--strong", "zeroline": False, **given, "title": title,
            }  # fmt: skip
    layout |= {
        "title": {
            "text": f"<b>{plot.title}</b>  {unmarked(plain(cut(label, 60)))}", "font": {"size": 16},
            "x": 0, "xref": "container", "xanchor": "left", "y": 1, "yref": "container", "yanchor": "top", "pad": {"l": 16, "t": 14},
        },
        "paper_bgcolor": "--surface", "plot_bgcolor": "--surface", "font": {"family": _FONT, "size": 13, "color": "--text"},
        "margin": {"l": 16, "r": 24, "t": 72 if any(map(_is_named, plot.traces)) else 48, "b": 16},
        "legend": {"orientation": "h", "yref": "paper", "yanchor": "bottom", "y": 1.02, "x": 0},
    }  # fmt: skip
    return {"data": _coloured(plot.traces), "layout": _coloured(layout)}


def _is_named(trace: Trace) -> bool:
    return trace.get("showlegend") is not False


def _plots(document: Mapping[str, Any], was: Mapping[str, Any] | None) -> Iterator[Plot]:
    yield from plots(document, was)
    for extra in extras(document):
        yield from extra.plots


def _kaleido() -> Any:
    try:
        import_module("plotly")  # whose plotly.js it draws with; without, it would fetch one
        return import_module("kaleido")
    except ModuleNotFoundError as error:
        missing = f"({error.name} is missing)"
        raise UserError(f"--png needs the extra 'png': pip install 'ssegauge[png]' {missing}") from error


def _draw(kaleido: Any, specs: Sequence[Mapping[str, Any]]) -> None:
    errors = import_module("kaleido.errors")
    try:
        # mathjax: it would be fetched from elsewhere, and nothing here is a formula
        kaleido.write_fig_from_object_sync(
            specs, cancel_on_error=True, kopts={"mathjax": False, "timeout": _WAIT_SECONDS}
        )
    except errors.ChromeNotFoundError as error:
        raise UserError(
            "--png draws with Chrome or Chromium, and finds none: install one (Debian: apt-get install chromium), "
            "or name it in BROWSER_PATH"
        ) from error
    except (RuntimeError, TimeoutError, OSError) as error:
        raise UserError(f"--png: the browser could not draw: {type(error).__name__}: {error}") from error


def _coloured(value: Any) -> Any:
    if isinstance(value, str):
        return _palette().get(value, value)
    if isinstance(value, Mapping):
        return {key: _coloured(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_coloured(item) for item in value]
    return value


@cache
def _palette() -> dict[str, str]:
    """The page's light colours: the first block of its style."""
    style = resources.files(__package__).joinpath("report.css").read_text(encoding="utf-8")
    return dict(_PALETTE.findall(style.partition("}")[0]))


def _free(path: Path, taken: Container[Path]) -> Path:
    """The path, with a number where names differ in letters only that a file's name cannot hold."""
    number = 2
    found = path
    while found in taken:
        found = path.with_stem(f"{path.stem}-{number}")
        number += 1
    return found


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9.]+", "-", name).strip("-.")[:60] or "run"
