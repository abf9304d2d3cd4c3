"""`ssegauge demo`: the whole way on the reference app, in about a minute, and what a broken app looks like."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from importlib import resources
from pathlib import Path

import click
from rich.console import Console
from rich.rule import Rule

from ssegauge import locate
from ssegauge.cli.gate import GATES
from ssegauge.serving import ServedApp

APP = "ssegauge.target_app.app:app"
SCENARIOS = {
    "time_to_first_byte": ("--sse-rate", "20", "-u", "100", "-r", "100"),
    "concurrent_streams": ("-u", "30", "-r", "30"),
}
QUIET = ("--only-summary", "--loglevel", "WARNING")
ENDPOINTS = ("stream", "agent-think", "task-execute", "resumable")
EXAMPLES = """\b
Example:
  ssegauge demo --out reports/out
"""


@click.command(epilog=EXAMPLES)
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=Path("reports/out"), show_default=True,
    help="Where results and report go.",
)  # fmt: skip
@click.option(
    "--seconds", type=click.IntRange(3, 600), default=8, show_default=True, help="How long each load run takes."
)
def command(out: Path, seconds: int) -> int:
    """Serve the reference app, check it, load it, gate it, write a report; then the same on its mistakes.

    The exit code is the one of the good case: 0 where everything held.
    """
    out.mkdir(parents=True, exist_ok=True)
    console = Console(highlight=False)
    began = time.monotonic()
    profile = locate.path("target_app") / "sse-target.toml"
    with ServedApp(APP) as app:
        checked = _at(profile, app.url, out / "check.toml", pace="0.02")
        loaded = _at(profile, app.url, out / "load.toml", pace="0.2")
        codes = _good_case(console, checked, loaded, out, seconds)
        _bad_case(console, app.url, out)
    console.print(Rule(style="dim"))
    console.print(f"report: {(out / 'report.html').resolve()}", soft_wrap=True)
    held = "everything held" if not any(codes) else "something did not hold, or could not be said: see above"
    console.print(f"{held} ({time.monotonic() - began:.0f} s)")
    return 1 if 1 in codes else max(codes)  # what did not hold goes before what could not be said


def _good_case(console: Console, checked: Path, loaded: Path, out: Path, seconds: int) -> list[int]:
    results = [out / "check.json", *(out / f"{scenario}.json" for scenario in SCENARIOS)]
    for file in results:
        file.unlink(missing_ok=True)  # what an earlier demo has left is not to be judged as this one's
    check = ["check", str(checked), "--results", str(out / "check.json")]
    check += [word for name in ENDPOINTS for word in ("--endpoint", name)]
    codes = [_run(console, "conformance: is it right?", check)]
    for scenario, users in SCENARIOS.items():
        load = ["load", str(loaded), "--scenario", scenario, "--endpoint", "agent-think"]
        load += ["--results", str(out / f"{scenario}.json"), "--", *users, "-t", f"{seconds}s", "-s", "10s", *QUIET]
        codes.append(_run(console, f"load: {scenario}", load))
    files = [str(path) for path in results if path.is_file()]
    with resources.as_file(resources.files("ssegauge.gate") / "default_gates.toml") as built_in:
        gates = ["--gates", str(GATES if GATES.is_file() else built_in)]
        judged = ["gate", *files, *gates, "--summary", str(out / "summary.md")]
        codes.append(_run(console, "gate: may it be released?", judged))
        codes.append(_run(console, "report", ["report", *files, *gates, "-o", str(out / "report.html")]))
    return codes


MISTAKES = """\
base_url = "{url}"

[[endpoint]]
name     = "python-instead-of-json"
request  = {{ path = "/mistakes/dict/wrong" }}
data     = "json"

[[endpoint]]
name     = "exception-not-caught"
request  = {{ path = "/mistakes/uncaught/wrong" }}
data     = "json"
errors   = ["error"]
fault    = {{ params = {{ fail_after = 1 }} }}
"""


def _bad_case(console: Console, url: str, out: Path) -> None:
    """Two of the app's mistakes: what the suite and the gate say of streams that are wrong."""
    profile, results = out / "mistakes.toml", out / "mistakes.json"
    profile.write_text(MISTAKES.format(url=url), encoding="utf-8")
    _run(console, "the same on mistakes", ["check", str(profile), "--results", str(results), "-k", "not isolation"])
    _run(console, "and what the gate says", ["gate", str(results)])


def _run(console: Console, title: str, arguments: list[str]) -> int:
    console.print(Rule(title, align="left", style="bold"))
    console.print(f"$ ssegauge {' '.join(arguments)}", style="dim", soft_wrap=True, markup=False)
    code = subprocess.run([sys.executable, "-m", "ssegauge", *arguments], env=os.environ.copy(), check=False).returncode
    console.print(f"exit code {code}", style="dim")
    return code


def _at(profile: Path, url: str, copy: Path, *, pace: str) -> Path:
    """The profile for the port that the app got, and another pace; schemas are found where the profile was.

    A load run is paced more like a real stream: gaps of a few milliseconds are no longer than a busy machine's own lag.
    """
    text = profile.read_text(encoding="utf-8").replace('base_url = "http://127.0.0.1:8000"', f'base_url = "{url}"')
    text = text.replace("pace = 0.02", f"pace = {pace}").replace('"schemas/', f'"{profile.parent.as_posix()}/schemas/')
    copy.write_text(text, encoding="utf-8")
    return copy
