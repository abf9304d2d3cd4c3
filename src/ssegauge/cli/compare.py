"""`ssegauge compare`: two results side by side."""

from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ssegauge import compare, results
from ssegauge.compare import Comparison, Line
from ssegauge.errors import HELD, INCONCLUSIVE, UserError
from ssegauge.metrics import shown

_STYLES = {"better": "green", "worse": "bold red", "no difference seen": "", "unknown": "yellow"}


@click.command(
    epilog="""\b
Examples:
  ssegauge compare before.json after.json
  ssegauge compare before.json after.json --confidence 0.99
"""
)
@click.argument("first", metavar="A", type=click.Path(path_type=Path))
@click.argument("second", metavar="B", type=click.Path(path_type=Path))
@click.option(
    "--confidence", default=0.95, show_default=True, type=click.FloatRange(0.5, 0.999), help="Of the intervals."
)
def command(first: Path, second: Path, confidence: float) -> int:
    """Lay results B beside results A: each figure, the ratio B/A with its confidence interval, and what it means.

    It decides nothing (see `ssegauge gate --baseline`); it exits 3 where a run is invalid.
    """
    sides = [[_read(file)] for file in (first, second)]
    comparison = compare.compare(sides[0], sides[1], confidence)
    console = Console(highlight=False)
    _show(comparison, console, confidence)
    invalid = any(document.get("valid", True) is not True for side in sides for document in side)
    return INCONCLUSIVE if invalid else HELD


def _read(file: Path) -> dict[str, object]:
    if "://" in str(file):
        raise UserError(f"{file}: compare takes two results files; write them with `ssegauge load URL --results FILE`")
    return results.read(file)


def _show(comparison: Comparison, console: Console, confidence: float) -> None:
    if comparison.kind == "conformance":
        for change in comparison.changes:
            console.print(
                Text(f"{change.rule} ({change.level}) on {change.endpoint}: {change.first} → {change.second}"),
                soft_wrap=True,
            )
        console.print(f"{len(comparison.changes)} outcomes differ")
        return
    rows = [_cells(line) for line in comparison.lines]
    if console.is_terminal:
        table = Table(box=None, pad_edge=False, header_style="dim")
        for heading in ("figure", "A", "B", "B/A", f"{confidence:.0%} interval", ""):
            table.add_column(heading, justify="left" if heading in {"figure", ""} else "right")
        for line, cells in zip(comparison.lines, rows, strict=True):
            table.add_row(*(Text(cell, _STYLES[line.word] if cell == line.word else "") for cell in cells))
        console.print(table)
    else:
        for cells in rows:
            click.echo("\t".join(cells))  # rich would set spaces for the tabs
    for warning in comparison.warnings:
        console.print(Text(f"note: {warning}", style="yellow"), soft_wrap=True)
    words = [line.word for line in comparison.lines]
    console.print(", ".join(f"{words.count(word)} {word}" for word in _STYLES if word in words), soft_wrap=True)


def _cells(line: Line) -> tuple[str, ...]:
    first, second = (
        "nothing" if value is None else shown(value, line.metric.kind) for value in (line.first, line.second)
    )
    if line.ratio is None:
        return line.name, first, second, "", "", line.lack
    interval = f"{line.ratio.low:.3f} … {line.ratio.high:.3f}" if line.ratio.low is not None else "noise unknown"
    bound = "≥ " if line.ratio.at_least else ""
    return line.name, first, bound + second, f"{bound}{line.ratio.value:.3f}", interval, line.word
