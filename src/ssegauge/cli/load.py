"""`ssegauge load`: a scenario against a target, run by Locust."""

import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from ssegauge import locate
from ssegauge.errors import UserError
from ssegauge.profile import open_target

_DEFAULTS = (
    # option, its short form, what holds where neither is given
    ("--users", "-u", "10"),
    ("--spawn-rate", "-r", "10"),
    ("--run-time", "-t", "30s"),
    ("--stop-timeout", "-s", "30"),
)

_METRICS_ALONE = {
    "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",  # the one that comes with the extra; Locust takes gRPC otherwise
    "OTEL_TRACES_EXPORTER": "none",
    "OTEL_LOGS_EXPORTER": "none",
}


@click.command(
    context_settings={"ignore_unknown_options": False},
    epilog="""\b
Examples:
  ssegauge load http://localhost:8000/stream -- -u 500 -r 50 -t 60s
  ssegauge load sse-target.toml --scenario churn --results churn.json
  ssegauge load sse-target.toml --web
  ssegauge load sse-target.toml -- -u 5000 -r 100 -t 5m --processes 4
  ssegauge load sse-target.toml --prometheus 9464
""",
)
@click.argument("target")
@click.option(
    "--scenario", default="concurrent_streams", show_default=True, help="A scenario's name, or a Locust file."
)
@click.option("--endpoint", metavar="NAMES", help="Endpoints of the profile, separated by commas.  [default: all]")
@click.option("--results", type=click.Path(dir_okay=False), help="Write the results file here.")
@click.option(
    "--prometheus", metavar="[ADDRESS:]PORT", help="Serve the live figures to Prometheus here; 0 takes a free port."
)
@click.option("--otel", is_flag=True, help="Send the live figures to OpenTelemetry: OTEL_EXPORTER_OTLP_ENDPOINT.")
@click.option("--web", is_flag=True, help="Behind Locust's web page, instead of at once.")
@click.argument("locust_arguments", nargs=-1, type=click.UNPROCESSED, metavar="[-- LOCUST ARGUMENTS]")
def command(
    target: str,
    scenario: str,
    endpoint: str | None,
    results: str | None,
    prometheus: str | None,
    otel: bool,
    web: bool,
    locust_arguments: tuple[str, ...],
) -> None:
    """Run a load scenario against TARGET: a URL, or a profile.

    What follows -- goes to Locust untouched: -u users (one open stream each), -r started a second, -t run time,
    -s time in which open streams may end. Without it: 10 users for 30 seconds.

    Exit codes: 0 held, 1 streams failed, 2 the command was wrong, 3 the run was invalid.
    """
    if importlib.util.find_spec("locust") is None:
        raise ModuleNotFoundError("No module named 'locust'", name="locust")
    open_target(target)  # a mistake in it is told here, before anything starts
    words = [sys.executable, "-m", "locust", "-f", str(_scenario(scenario)), *_aim(target)]
    if endpoint:
        words += ["--sse-endpoint", endpoint]
    if results:
        words += ["--sse-results", results]
    if prometheus:
        words += ["--sse-prometheus", prometheus]
    if otel:
        words += ["--otel"]
        for name, value in _METRICS_ALONE.items():
            os.environ.setdefault(name, value)
    if not web:
        words += ["--headless", *_defaults(locust_arguments)]
    sys.stdout.flush()
    # Locust takes this process's place, so that signals and the exit code are its own.
    os.execv(sys.executable, [*words, *locust_arguments])  # noqa: S606


def scenarios() -> list[str]:
    """The names of the scenarios that come along."""
    return sorted(file.stem for file in locate.path("loadtests").glob("*.py") if not file.stem.startswith("_"))


def _scenario(name: str) -> Path:
    if name.endswith(".py") and Path(name).is_file():
        return Path(name)
    if name not in scenarios():
        raise UserError(f'no scenario is called "{name}"; there are: {", ".join(scenarios())}')
    return locate.path("loadtests") / f"{name}.py"


def _aim(target: str) -> list[str]:
    return ["--host", target] if "://" in target else ["--sse-target", target]


def _defaults(given: Sequence[str]) -> list[str]:
    names = {word.partition("=")[0] for word in given}
    words = []
    for long, short, value in _DEFAULTS:
        if long not in names and not any(word.startswith(short) and not word.startswith("--") for word in given):
            words += [long, value]
    return words
