"""`ssegauge report`: a page, or a summary, of results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from ssegauge import baseline as baselines
from ssegauge import results
from ssegauge.errors import UserError
from ssegauge.report.html_report import write_html
from ssegauge.report.markdown import all_markdown
from ssegauge.report.page import has_plotly

EXAMPLES = """\b
Examples:
  ssegauge report check.json load.json -o report.html
  ssegauge report load.json --baseline reports/baselines/concurrent_streams.json
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
def command(files: Sequence[Path], output: Path, baseline_file: Path | None) -> None:
    """Write one page from RESULTS, of `check` and of `load`, side by side; it opens offline.

    It decides nothing (see `ssegauge gate`), and exits 0 where the report was written.
    """
    documents = [results.read(file) for file in files]
    baseline = [] if baseline_file is None else _baseline(baseline_file)
    if output.suffix.lower() in {".md", ".markdown"}:
        results.write_whole(output, all_markdown(documents, baseline))
    elif output.suffix.lower() in {".html", ".htm"}:
        write_html(documents, output, baseline=baseline)
        if any(document["kind"] == "load" for document in documents) and not has_plotly():
            click.echo("plots were left out: pip install 'ssegauge[report]' (plotly is missing)", err=True)
    else:
        raise UserError(f"-o {output}: end the name in .html for a page or .md for a summary")
    click.echo(f"report: {output}")


def _baseline(file: Path) -> list[dict[str, Any]]:
    document = results.read_json(file)
    if isinstance(document, dict) and document.get("kind") == "conformance":
        return [results.check(document, str(file))]
    return baselines.read(file)
