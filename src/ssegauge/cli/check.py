"""`ssegauge check`: the conformance suite against a target."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pytest
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from ssegauge import exchange, locate, pytest_plugin, results
from ssegauge.accepted import Accepted
from ssegauge.bench import Options
from ssegauge.cli import bare_url
from ssegauge.client.connection import Transport
from ssegauge.errors import DID_NOT_HOLD, HELD, INCONCLUSIVE, Inconclusive, UserError
from ssegauge.finding import weighs
from ssegauge.profile.targets import PROFILE_NAME, behind, find_profile
from ssegauge.redaction import redact_text, redact_url
from ssegauge.report.terminal import print_report
from ssegauge.rules import CATALOGUE
from ssegauge.run import Run, conformance_document

INTERRUPTED = 130
"""128 + SIGINT, as shells count."""
EXAMPLES = """\b
Examples:
  ssegauge check http://127.0.0.1:8000/stream
  ssegauge check sse-target.toml --strict --junit junit.xml
  ssegauge check /stream --app myproject.main:app
  ssegauge check /stream --server "hypercorn --bind 127.0.0.1:{port} main:app"
  ssegauge check http://127.0.0.1:8000/stream --proxied http://127.0.0.1:8080
"""


@click.command(epilog=EXAMPLES)
@click.argument("target", required=False)
@click.option("--app", metavar="MODULE:APP", help="Start this ASGI app and test it; its process id is known then.")
@click.option(
    "--server",
    metavar="COMMAND",
    help="Start the target by this command, as it is deployed; {port} in it is a free port.",
)
@click.option(
    "--port", type=click.IntRange(1, 65535), help="With --app or --server: the port it gets, where a proxy expects it."
)
@click.option(
    "--proxied",
    metavar="URL",
    help="The same target behind its proxy: what the proxy does to the streams is judged too.",
)
@click.option(
    "--endpoint", "endpoints", multiple=True, metavar="NAME", help="Only this endpoint of the profile (repeatable)."
)
@click.option("--rule", "rules", multiple=True, metavar="ID", help="Only this rule (repeatable).")
@click.option(
    "-k", "keyword", metavar="EXPRESSION", help="Only rules whose id, topic or test name match (pytest's -k)."
)
@bare_url.options
@click.option("--strict", is_flag=True, help="Let a broken SHOULD fail the run.")
@click.option("--require", is_flag=True, help="Let an untestable rule fail the run.")
@click.option("--long", "long_", is_flag=True, help="Run the slow timing rules too (keepalive, idle life).")
@click.option(
    "--window",
    type=click.FloatRange(0.5, 3600),
    default=10.0,
    show_default=True,
    help="Seconds that a stream without deadline is watched.",
)
@click.option(
    "--burst",
    type=click.IntRange(0, 1000),
    default=50,
    show_default=True,
    help="Clients that may come at once, to see what overload does; 0 tries no overload.",
)
@click.option("--pid", type=click.IntRange(1), help="The target's process id, for rules on sockets and memory.")
@click.option("--insecure", is_flag=True, help="Accept any TLS certificate.")
@click.option("--ca", type=click.Path(exists=True, dir_okay=False), help="CA certificates to trust.")
@click.option("--cert", type=click.Path(exists=True, dir_okay=False), help="Client certificate and key (PEM).")
@click.option(
    "--save", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="Keep the recordings there."
)
@click.option("--recording", type=click.Path(), metavar="FILE", help="Judge a saved recording instead of a server.")
@click.option(
    "--accepted",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Accepted deviations (TOML): listed failures pass, stale entries fail.",
)
@click.option(
    "--results",
    "results_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the results file.",
)
@click.option("--junit", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write JUnit XML.")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write the HTML report.")
@click.option(
    "--markdown",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write a Markdown summary for a pull request.",
)
def command(target: str | None, **options: Any) -> int:
    """Judge TARGET, a URL or a profile, by every rule of the catalogue.

    Exit codes: 0 every MUST that was judged held, 1 one did not, 2 the command was wrong, 3 nothing could be said.
    """
    if target is None and not options["app"] and not options["server"] and not options["recording"]:
        raise UserError(
            "say what to check: ssegauge check URL, ssegauge check PROFILE, or ssegauge check --app module:app"
        )
    unknown = [identifier for identifier in options["rules"] if identifier not in CATALOGUE]
    if unknown:
        raise UserError(f"--rule {unknown[0]}: no such rule; `ssegauge rules` lists them")
    run = _make_run(target, options)
    accepted = Accepted.load(options["accepted"]) if options["accepted"] else Accepted()
    console = Console(highlight=False, soft_wrap=False, width=None if sys.stdout.isatty() else 100)
    started = datetime.now(UTC)
    try:
        run.start()
        listener = _judge(run, accepted, options, console)
    finally:
        run.stop()
    document = conformance_document(run, listener.findings, started)
    _write(document, options)
    print_report(console, document)
    if listener.interrupted:
        console.print("interrupted: the rules above are those judged so far")
        return INTERRUPTED
    for stale in listener.stale:
        console.print(stale)
    return exit_code(document, strict=options["strict"], require=options["require"])


def _make_run(target: str | None, options: dict[str, Any]) -> Run:
    if options["app"] and options["server"]:
        raise UserError("--app and --server both start the target; take one of them")
    if options["server"] and target is None:
        target = PROFILE_NAME
    profile = find_profile(
        target,
        app=options["app"] or ("" if options["server"] else None),
        recording=options["recording"],
        **bare_url.request_of(options),
    )
    if options["proxied"]:
        profile = behind(profile, options["proxied"])
    if options["port"] and not (options["app"] or options["server"]):
        raise UserError(
            "--port is the port of what --app or --server starts; a target that runs has its port in its URL"
        )
    if options["save"]:
        options["save"].mkdir(parents=True, exist_ok=True)
    transport = Transport(verify=not options["insecure"], ca=options["ca"], cert=options["cert"]).merged(profile.target)
    bench_options = Options(
        long=options["long_"], window=options["window"], transport=transport, pid=options["pid"], save=options["save"],
        reproduce=_command_line(target, options), burst=options["burst"],
    )  # fmt: skip
    recording = exchange.load(Path(options["recording"])) if options["recording"] else None
    return Run(
        profile,
        bench_options,
        options["app"],
        Path.cwd(),
        options["endpoints"],
        recording,
        options["port"] or 0,
        options["server"],
    )


def _command_line(target: str | None, options: dict[str, Any]) -> str:
    """The command that judges the same target again; secrets stay out of it."""
    words = ["ssegauge check", *([shlex.quote(redact_url(target))] if target else [])]
    for name in ("app", "server", "port", "proxied", "method", "preset", "recording"):
        words += [f"--{name} {shlex.quote(redact_text(str(options[name])))}"] if options[name] else []
    words += ["--json …"] if options["json"] else []
    words += ["--data …"] if options["data"] else []
    words += [f"--header {shlex.quote(header.split(':')[0] + ': …')}" for header in options["headers"]]
    words += [f"--{name} {shlex.quote(options[name])}" for name in ("ca", "cert") if options[name]]
    words += ["--insecure"] if options["insecure"] else []
    words += ["--long"] if options["long_"] else []
    words += [f"--burst {options['burst']}"] if options["burst"] != Options.burst else []
    return " ".join(words)


@dataclass
class _Listener:
    """Hands pytest our run, and takes each finding as it comes."""

    run: Run
    accepted: Accepted
    progress: Callable[[str], None]
    total: Callable[[int], None]
    findings: list[dict[str, Any]] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    interrupted: bool = False
    selected: int = 0
    internal: str = ""

    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[pytest_plugin.RUN] = self.run
        config.stash[pytest_plugin.ACCEPTED] = self.accepted

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.selected = len(session.items)
        self.total(self.selected)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        finding = getattr(report, "sse_finding", None)
        if finding is not None:
            self.findings.append(finding)
            self.progress(f"{finding['rule']} {finding['endpoint']}")
            if weighs(finding) == "stale":
                self.stale.append(
                    f"{finding['rule']} holds on {finding['endpoint']}: take it out of the accepted deviations"
                )
        elif report.when != "teardown" and report.failed:
            self.internal = report.longreprtext

    def pytest_keyboard_interrupt(self) -> None:
        self.interrupted = True

    def pytest_internalerror(self, excrepr: object) -> None:
        self.internal = str(excrepr)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.internal = report.longreprtext


def _judge(run: Run, accepted: Accepted, options: dict[str, Any], console: Console) -> _Listener:
    columns = (TextColumn("{task.description:<32}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("recording", total=None)
        listener = _Listener(
            run, accepted, lambda text: bar.update(task, advance=1, description=text), lambda count: bar.update(task, total=count),
        )  # fmt: skip
        _run_pytest(_pytest_arguments(options), listener)
    if listener.internal:
        raise Inconclusive(f"the suite itself failed, please report it: {listener.internal.strip().splitlines()[-1]}")
    if not listener.selected:
        raise UserError("the selection matches no rule; `ssegauge rules` lists them")
    return listener


def _pytest_arguments(options: dict[str, Any]) -> list[str]:
    arguments = [
        str(locate.path("conformance")),
        "-c",
        os.devnull,
        "--rootdir",
        str(Path.cwd()),
        "--import-mode=importlib",
    ]
    arguments += [
        "-p",
        "ssegauge.pytest_plugin",
        "-p",
        "no:terminal",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:warnings",
        "-p",
        "no:faulthandler",
    ]
    arguments += [f"--sse-rule={identifier}" for identifier in options["rules"]]
    arguments += ["-k", options["keyword"]] if options["keyword"] else []
    arguments += [flag for flag, name in (("--sse-strict", "strict"), ("--sse-require", "require")) if options[name]]
    return arguments


def _run_pytest(arguments: list[str], listener: _Listener) -> None:
    """Run the suite with pytest as the engine, apart from whatever configuration and plugins surround us."""
    before = {
        name: os.environ.pop(name, None)
        for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    }
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    sys.dont_write_bytecode, wrote = True, sys.dont_write_bytecode
    try:
        code = pytest.main(arguments, plugins=[listener])
    finally:
        sys.dont_write_bytecode = wrote
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
    listener.interrupted = listener.interrupted or code == pytest.ExitCode.INTERRUPTED
    if code == pytest.ExitCode.USAGE_ERROR:
        raise UserError("-k: not an expression that pytest understands; write words with and, or, not")


def _write(document: dict[str, Any], options: dict[str, Any]) -> None:
    if options["results_file"]:
        results.write(options["results_file"], document)
    if options["junit"]:
        from ssegauge.report.junit import write_junit

        write_junit(document, options["junit"], strict=options["strict"], require=options["require"])
    if options["markdown"]:
        from ssegauge.report.markdown import write_markdown

        write_markdown(document, options["markdown"])
    if options["html"]:
        from ssegauge.report.html_report import write_html

        write_html([document], options["html"])


def exit_code(document: dict[str, Any], *, strict: bool, require: bool) -> int:
    """0 held, 1 a rule that counts is broken (or an accepted deviation is stale), 3 one could not be judged."""
    weights = {weighs(finding, strict=strict, require=require) for finding in document["rules"]}
    if weights & {"breaks", "stale"}:
        return DID_NOT_HOLD
    if "doubts" in weights:
        return INCONCLUSIVE
    return HELD if any(finding["outcome"] in {"pass", "fail"} for finding in document["rules"]) else INCONCLUSIVE
