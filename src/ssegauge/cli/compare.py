"""`ssegauge compare`: two results, or two targets, side by side."""

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ssegauge import results
from ssegauge.cli import two_targets
from ssegauge.errors import HELD, INCONCLUSIVE, UserError
from ssegauge.gate import compare, paired
from ssegauge.gate.compare import Comparison, Line
from ssegauge.gate.metrics import shown

_STYLES = {"better": "green", "worse": "bold red", "no difference seen": "", "unknown": "yellow"}


def _share(_: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
    if value is None:
        return None
    text = value.strip()
    try:
        found = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        found = 0.0
    if not 0 < found < math.inf or (found >= 1 and not text.endswith("%")):
        raise click.BadParameter(f"{text!r} is no share; write 10%, or 0.1", param=parameter)
    return found


@click.command(
    epilog="""\b
Examples:
  ssegauge compare before.json after.json
  ssegauge compare http://localhost:8000/stream http://localhost:8001/stream
  ssegauge compare sse-target.toml http://localhost:8001 --worse-by 5% --seconds 60
  ssegauge compare main.toml branch.toml --metric gap.p99 --results pair.json

\b
Exit codes of two targets: 0 held, 1 B is worse beyond the noise, 2 the command was wrong,
3 inconclusive (the noise is too large, the run was invalid, a target was never reached).
"""
)
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.option(
    "--confidence", default=0.95, show_default=True, type=click.FloatRange(0.5, 0.999), help="Of the intervals."
)
@click.option(
    "--worse-by", callback=_share, metavar="SHARE", help="Of targets: what B may be worse by.  [default: 10%]"
)
@click.option(
    "--metric", "wanted", multiple=True, metavar="NAME",
    help="Of targets: compare this one, repeatable.  [default: first_event.p50, gap.mean, and both p95]",
)  # fmt: skip
@click.option("--users", type=click.IntRange(1, 10_000), help="Of targets: streams open on each.  [default: 10]")
@click.option("--seconds", type=click.IntRange(5, 86_400), help="Of targets: how long.  [default: 30]")
@click.option("--endpoint", metavar="NAMES", help="Of targets: endpoints, separated by commas.  [default: all]")
@click.option(
    "--leave-after", type=click.FloatRange(0.1), metavar="SECONDS", help="Of targets: leave streams after that long."
)
@click.option(
    "--results", "results_file", metavar="FILE", type=click.Path(path_type=Path), help="Of targets: write the run."
)
@click.option("--summary", metavar="FILE.md", type=click.Path(path_type=Path), help="Of targets: write Markdown.")
@click.option("--junit", metavar="FILE", type=click.Path(path_type=Path), help="Of targets: write JUnit XML.")
def command(first: str, second: str, confidence: float, **options: Any) -> int:
    """Lay B beside A: each figure, the ratio B/A with its confidence interval, and what it means.

    A and B are two results files, or two targets: addresses, profiles, or a profile and the base address of another
    place where the same endpoints are. Two targets are run at once, a stream of each begun together, so that what
    disturbs this machine disturbs both; this is the gate for shared machines.

    Of two results files it decides nothing (see `ssegauge gate --baseline`); it exits 3 where a run is invalid.
    """
    targets = [two_targets.is_target(text) for text in (first, second)]
    if all(targets):
        return _run_both(first, second, confidence, options)
    if any(targets):
        raise UserError("compare two results files, or two targets; one of these is a target and the other is not")
    given = next((name for name, value in options.items() if value not in (None, ())), None)
    if given is not None:
        said = {"wanted": "metric", "results_file": "results"}.get(given, given).replace("_", "-")
        raise UserError(f"--{said} goes with two targets, and these are results files")
    sides = [[results.read(file)] for file in (first, second)]
    comparison = compare.compare(sides[0], sides[1], confidence)
    console = Console(highlight=False)
    _show(comparison, console, confidence)
    invalid = any(document.get("valid", True) is not True for side in sides for document in side)
    return INCONCLUSIVE if invalid else HELD


def _run_both(first: str, second: str, confidence: float, options: Mapping[str, Any]) -> int:
    run = two_targets.Run(
        users=options["users"] or 10,
        seconds=options["seconds"] or 30,
        endpoint=options["endpoint"],
        leave_after=options["leave_after"],
        results=options["results_file"],
    )
    ask = paired.Ask(worse_by=options["worse_by"] or 0.1, confidence=confidence)
    if options["wanted"]:
        ask = replace(ask, metrics=options["wanted"], tails=())
    return two_targets.compare(first, second, run, ask, options["summary"], options["junit"])


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
