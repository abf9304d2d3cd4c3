"""`ssegauge compare` on two targets: run both at once, then judge the ratios."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import click
from rich.console import Console

from ssegauge import locate, results
from ssegauge.errors import USAGE, Inconclusive, UserError
from ssegauge.gate import metrics, paired
from ssegauge.gate import views as gate_views
from ssegauge.profile import open_target
from ssegauge.redaction import redact_url
from ssegauge.serving import reach

_STOP_SECONDS: Final = 30
_READ_LAG_MS: Final = 5000
"""What a lag does to both targets alike is no reason to throw the run away; what it could hide is judged figure by
figure (see `ssegauge.gate.paired`)."""


@dataclass(frozen=True)
class Run:
    """How both targets are run."""

    users: int
    seconds: int
    endpoint: str | None = None
    leave_after: float | None = None
    results: Path | None = None


def is_target(text: str) -> bool:
    """Whether the argument means something to be run: an address or a profile, and no results file."""
    return "://" in text or text.endswith(".toml")


def compare(first: str, second: str, run: Run, ask: paired.Ask, summary: Path | None, junit: Path | None) -> int:
    """Run both, print and write the judgement; its exit code."""
    if importlib.util.find_spec("locust") is None:
        raise ModuleNotFoundError("No module named 'locust'", name="locust")
    _check(ask.metrics)
    for address in _addresses(first, second):
        reach(address)
    console = Console(highlight=False)
    click.echo(
        f"A {redact_url(first)}\nB {redact_url(second)}\n{run.users} streams of each at once, begun in pairs, for {run.seconds} s …",
        err=True,
    )
    document = _measure(first, second, run)
    judgement = paired.judge(document, ask)
    gate_views.show(judgement, console)
    if summary is not None:
        results.write_whole(summary, gate_views.markdown(judgement))
    if junit is not None:
        results.write_whole(junit, gate_views.junit(judgement))
    return judgement.exit_code


def _check(paths: Sequence[str]) -> None:
    for path in paths:
        try:
            metrics.metric(path)
        except metrics.UnknownMetric as error:
            raise UserError(f"--metric: {error}") from error


def _addresses(first: str, second: str) -> list[str]:
    """Mistakes in a profile are told here, before anything starts."""
    parts = [urlsplit(open_target(text).base_url) for text in (first, second)]
    return [f"{part.scheme}://{part.netloc}/" for part in parts]


def _measure(first: str, second: str, run: Run) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="ssegauge-") as folder:
        path = Path(folder) / "results.json"
        words = [sys.executable, "-m", "ssegauge.load", "-f", str(locate.path("loadtests") / "paired.py")]
        words += ["--sse-target", first, "--sse-against", second, "--sse-results", str(path)]
        words += ["--sse-max-read-lag", str(_READ_LAG_MS)]
        words += ["-u", str(run.users), "-r", str(run.users), "-t", f"{run.seconds}s", "-s", f"{_STOP_SECONDS}s"]
        words += ["--headless", "--only-summary", "--loglevel", "WARNING"]
        words += ["--sse-endpoint", run.endpoint] if run.endpoint else []
        words += ["--sse-leave-after", str(run.leave_after)] if run.leave_after else []
        done = subprocess.run(
            words, env=os.environ.copy(), capture_output=True, text=True, errors="replace", check=False
        )
        if not path.is_file():
            last = next((line for line in reversed(done.stderr.splitlines()) if line.strip()), "it said nothing")
            kind = UserError if done.returncode == USAGE else Inconclusive
            raise kind(last if done.returncode == USAGE else f"the run wrote no results: {last}")
        document = results.read(path)
        if run.results is not None:
            results.write(run.results, document)
        return document
