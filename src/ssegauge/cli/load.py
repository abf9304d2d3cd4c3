"""`ssegauge load`: a scenario against a target, run by Locust."""

import importlib.util
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from ssegauge import locate, results
from ssegauge.cli import bare_url
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


class _Load(click.Command):
    """Says where Locust's arguments belong, to who writes them before the two hyphens."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """What click makes of them. Raises UsageError."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            if error.option_name.startswith("--") and error.possibilities:
                raise
            ctx.fail(f"{error.format_message()} What is for Locust stands behind two hyphens, as in: -- -u 50 -t 1m")


@click.command(
    cls=_Load,
    context_settings={"ignore_unknown_options": False},
    epilog="""\b
Examples:
  ssegauge load http://localhost:8000/stream -- -u 500 -r 50 -t 60s
  ssegauge load sse-target.toml --scenario churn --results churn.json
  ssegauge load sse-target.toml --web
  ssegauge load sse-target.toml -- -u 5000 -r 100 -t 5m --processes 4
  ssegauge load sse-target.toml --prometheus 9464
  ssegauge load http://localhost:8000/v1/chat/completions --preset openai-chat \\
      --json '{"model": "m"}' --scenario llm_chat --prompts prompts.jsonl
""",
)
@click.argument("target")
@click.option(
    "--scenario", default="concurrent_streams", show_default=True, help="A scenario's name, or a Locust file."
)
@bare_url.options
@click.option("--prompts", metavar="FILE", help="What llm_chat asks: JSONL, JSON, or a text with a prompt a line.")
@click.option(
    "--goodput", metavar="LIMITS", help="A stream is good within these: first_match=500ms,time_per_token=50ms."
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
    otel: bool,
    web: bool,
    locust_arguments: tuple[str, ...],
    **options: Any,
) -> None:
    """Run a load scenario against TARGET: a URL, or a profile.

    What follows -- goes to Locust untouched: -u users (one open stream each), -r started a second, -t run time,
    -s time in which open streams may end. Without it: 10 users for 30 seconds. After it, --help shows all arguments,
    those of the scenario too.

    Exit codes: 0 held, 1 streams failed, 2 the command was wrong, 3 the run was invalid.
    """
    if importlib.util.find_spec("locust") is None:
        raise ModuleNotFoundError("No module named 'locust'", name="locust")
    request = bare_url.request_of(options)
    open_target(target, **request)  # a mistake in it is told here, before anything starts
    file = str(_scenario(scenario))
    if {"-h", "--help"} & set(locust_arguments):
        os.execv(sys.executable, [sys.executable, "-m", "ssegauge.load.arguments_of", file])  # noqa: S606
    if options["prompts"] and scenario in scenarios() and scenario != "llm_chat":
        raise UserError(f"--prompts goes with --scenario llm_chat; {scenario} asks nothing")
    words = [sys.executable, "-m", "ssegauge.load", "-f", file, *_aim(target)]
    for name in ("endpoint", "results", "prometheus", "goodput", "prompts"):
        if options[name]:
            words += [f"--sse-{name}", options[name]]
    if any(request.values()):
        # By the environment: a header may hold a secret, and a command line is seen by everybody.
        os.environ["LOCUST_SSE_REQUEST"] = json.dumps({name: value for name, value in request.items() if value})
    if otel:
        words += ["--otel"]
        for name, value in _METRICS_ALONE.items():
            os.environ.setdefault(name, value)
    if not web:
        words += ["--headless", *_defaults(locust_arguments, scenario)]
    if options["results"]:
        # a run that ends before its results are written must not leave those of another
        results.forget(Path(options["results"]))
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


def _defaults(given: Sequence[str], scenario: str) -> list[str]:
    names = {word.partition("=")[0] for word in given}
    ends_by_itself = scenario == "capacity" or "--sse-steps" in names
    words = []
    for long, short, value in _DEFAULTS:
        is_given = long in names or any(word.startswith(short) and not word.startswith("--") for word in given)
        if not is_given and not (long == "--run-time" and ends_by_itself):
            words += [long, value]
    return words
