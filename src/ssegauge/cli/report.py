"""`ssegauge report`: a page, or a summary, of results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from ssegauge import gate, results
from ssegauge.errors import UserError
from ssegauge.gate import baseline as baselines
from ssegauge.gate import thresholds
from ssegauge.gate import views as gate_views
from ssegauge.report.html_report import load_runs, write_html
from ssegauge.report.images import write_images
from ssegauge.report.markdown import all_markdown
from ssegauge.report.page import has_plotly

EXAMPLES = """\b
Examples:
  ssegauge report check.json load.json -o report.html
  ssegauge report check.json load.json --gates reports/gates.toml
  ssegauge report load.json --baseline reports/baselines/concurrent_streams.json
  ssegauge report load.json --png plots
  ssegauge report check.json load.json -o summary.md
"""


@click.command(epilog=EXAMPLES)
@click.argument("files", metavar="RESULTS...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), default=Path("report.html"),
    show_default=True, help="A page (.html) or a summary (.md).",
)  # fmt: skip
@click.option(
    "--baseline", "baseline_file", metavar="FILE", type=click.Path(path_type=Path),
    help="A baseline, or older results, to compare with.",
)  # fmt: skip
@click.option(
    "--gates", "gates_file", metavar="FILE", type=click.Path(path_type=Path),
    help="Show on top what these gates say of the results, and of the baseline.",
)  # fmt: skip
@click.option(
    "--png", "folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path),
    help="Write the plots there, too, as PNG files.",
)  # fmt: skip
def command(
    files: Sequence[Path], output: Path, baseline_file: Path | None, gates_file: Path | None, folder: Path | None
) -> None:
    """Write one page from RESULTS, of `check` and of `load`, side by side; it opens offline.

    It shows and does not decide: the exit code is 0 where the report was written, whatever it says (see `ssegauge gate`).
    """
    documents = [results.read(file) for file in files]
    baseline = [] if baseline_file is None else _baseline(baseline_file)
    judgement = None if gates_file is None else _judge(gates_file, files, documents, baseline)
    if output.suffix.lower() in {".md", ".markdown"}:
        summary = all_markdown(documents, baseline)
        results.write_whole(output, summary if judgement is None else f"{gate_views.markdown(judgement)}\n{summary}")
    elif output.suffix.lower() in {".html", ".htm"}:
        write_html(documents, output, baseline=baseline, judgement=judgement)
        if any(document["kind"] == "load" for document in documents) and not has_plotly():
            click.echo("plots were left out: pip install 'ssegauge[report]' (plotly is missing)", err=True)
    else:
        raise UserError(f"-o {output}: end the name in .html for a page or .md for a summary")
    click.echo(f"report: {output}")
    if folder is not None:
        written = write_images(load_runs(documents), baseline, folder)
        click.echo(f"plots: {len(written)} in {folder}")


def _judge(
    gates_file: Path, files: Sequence[Path], documents: Sequence[dict[str, Any]], baseline: Sequence[dict[str, Any]]
) -> gate.Judgement:
    gates = thresholds.read(gates_file, documents)
    runs = [gate.Run(str(file), document) for file, document in zip(files, documents, strict=True)]
    # rules are compared in the report alone: a gate speaks of figures
    loads = [document for document in baseline if document["kind"] == "load"]
    return gate.judge(gates, runs, loads or None)


def _baseline(file: Path) -> list[dict[str, Any]]:
    document = results.read_json(file)
    if isinstance(document, dict) and document.get("kind") == "conformance":
        return [results.check(document, str(file))]
    return baselines.read(file)
