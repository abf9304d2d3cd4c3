"""`ssegauge gate`: hold results to thresholds and to a baseline."""

import os
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console

from ssegauge import gate, results
from ssegauge.errors import HELD, UserError
from ssegauge.gate import baseline as baselines
from ssegauge.gate import thresholds
from ssegauge.gate import views as gate_views

GATES: Final = Path("reports/gates.toml")
BASELINES: Final = Path("reports/baselines")
SUMMARY_VARIABLES: Final = ("GITHUB_STEP_SUMMARY",)


@click.command(
    epilog="""\b
Examples:
  ssegauge gate results.json
  ssegauge gate results.json --gates ci/gates.toml --summary gate.md --junit gate.xml
  ssegauge gate results.json --update-baseline --baseline reports/baselines/main.json
  ssegauge gate new.json --baseline reports/baselines/main.json

\b
Exit codes: 0 held, 1 did not hold, 2 the command or a file was wrong, 3 inconclusive.
"""
)
@click.argument("files", metavar="RESULTS...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--gates", "gates_file", metavar="FILE", type=click.Path(path_type=Path), help=f"Gates file [default: {GATES}]."
)
@click.option(
    "--baseline", "baseline_file", metavar="FILE", type=click.Path(path_type=Path), help="Baseline, or older results."
)
@click.option("--update-baseline", is_flag=True, help="Make these results the baseline, unless a gate fails.")
@click.option("--summary", metavar="FILE.md", type=click.Path(path_type=Path), help="Write Markdown.")
@click.option("--junit", metavar="FILE", type=click.Path(path_type=Path), help="Write JUnit XML.")
def command(
    *,
    files: Sequence[Path],
    gates_file: Path | None,
    baseline_file: Path | None,
    update_baseline: bool,
    summary: Path | None,
    junit: Path | None,
) -> int:
    """Hold results to thresholds and to a baseline; one exit code says how it went.

    Several results of one scenario count as repeated runs: each must keep the thresholds, and together they are held
    against the baseline.
    """
    runs = [gate.Run(str(file), results.read(file)) for file in files]
    documents = [run.document for run in runs]
    gates = _gates(gates_file, documents)
    compared = None if baseline_file is None or update_baseline else baselines.read(baseline_file)
    judgement = gate.judge(gates, runs, compared)
    gate_views.show(judgement, Console(highlight=False))
    _write(judgement, summary, junit)
    if update_baseline:
        _update(judgement, documents, baseline_file)
    return judgement.exit_code


def _gates(file: Path | None, documents: Sequence[Any]) -> thresholds.Gates:
    if file is not None:
        return thresholds.read(file, documents)
    if GATES.is_file():
        return thresholds.read(GATES, documents)
    text = resources.files("ssegauge.gate").joinpath("default_gates.toml").read_text(encoding="utf-8")
    return thresholds.parse(text, "the built-in gates", documents)


def _write(judgement: gate.Judgement, summary: Path | None, junit: Path | None) -> None:
    text = gate_views.markdown(judgement)
    if summary is not None:
        results.write_whole(summary, text)
    for variable in SUMMARY_VARIABLES:
        named = os.environ.get(variable)
        if named and (summary is None or Path(named) != summary):
            with Path(named).open("a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text + "\n")
    if junit is not None:
        results.write_whole(junit, gate_views.junit(judgement))


def _update(judgement: gate.Judgement, documents: Sequence[Any], file: Path | None) -> None:
    loads = [document for document in documents if document["kind"] == "load"]
    if not loads:
        raise UserError("--update-baseline: none of these is the results of a load run")
    if any(document["valid"] is not True for document in loads):
        raise UserError("--update-baseline: not written, for a run is invalid")
    if judgement.count("failed"):
        click.echo("the baseline was not written, for a gate failed", err=True)
        return
    target = file or BASELINES / f"{_file_name(loads[0]['scenario'])}.json"
    baselines.write(target, loads)
    click.echo(f"baseline written: {target}", err=True)
    if judgement.exit_code != HELD:
        click.echo("some gates were inconclusive; see above", err=True)


def _file_name(scenario: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in scenario)[:80]
