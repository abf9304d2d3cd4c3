"""The pytest plugin: options, one item for each rule and endpoint, outcomes.

Options begin with `--sse-`, fixtures with `sse`: Locust's own pytest plugin takes `--host` and `session`. Nothing here
imports locust, gevent or fastapi. Findings travel with the reports, so that they survive xdist's workers.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from ssegauge import locate, results
from ssegauge.accepted import Accepted
from ssegauge.bench import Options
from ssegauge.client.connection import Transport
from ssegauge.errors import INCONCLUSIVE, Inconclusive, UserError
from ssegauge.exchange import load as load_recording
from ssegauge.finding import as_text, weighs
from ssegauge.fixtures import sse, sse_target, under_test
from ssegauge.hiding import hide, secret_values
from ssegauge.judging import judge
from ssegauge.profile.targets import PROFILE_NAME, find_profile
from ssegauge.rules import CATALOGUE, LEVELS, Rule
from ssegauge.run import Run, conformance_document

__all__ = ["sse", "sse_target"]

RUN = pytest.StashKey["Run | None"]()
FINDINGS = pytest.StashKey[list[dict[str, Any]]]()
ACCEPTED = pytest.StashKey[Accepted]()
NO_TARGET = "no-target"
SUITE = "ssegauge.conformance"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Our options; each has a twin in `ssegauge check`."""
    group = parser.getgroup("ssegauge", "conformance of Server-Sent Events endpoints")
    add = group.addoption
    add("--sse-target", metavar="TARGET", help="URL of an endpoint, or a profile (sse-target.toml)")
    add("--sse-app", metavar="MODULE:APP", help="start this ASGI app and test it")
    add(
        "--sse-server",
        metavar="COMMAND",
        help="start the target by this command, as it is deployed; {port} in it is a free port",
    )
    add(
        "--sse-endpoint",
        metavar="NAME",
        action="append",
        default=[],
        help="only this endpoint of the profile (repeatable)",
    )
    add("--sse-rule", metavar="ID", action="append", default=[], help="only this rule (repeatable)")
    add("--sse-method", metavar="METHOD", help="method of a bare URL")
    add("--sse-header", metavar="NAME:VALUE", action="append", default=[], help="header of a bare URL (repeatable)")
    add("--sse-json", metavar="JSON", help="JSON body of a bare URL")
    add("--sse-data", metavar="TEXT", help="body of a bare URL")
    add("--sse-preset", metavar="NAME", help="contract of a well-known stream for a bare URL")
    add("--sse-strict", action="store_true", help="let a broken SHOULD fail the run")
    add("--sse-require", action="store_true", help="let an untestable rule fail the run")
    add("--sse-long", action="store_true", help="run the slow timing rules too")
    add(
        "--sse-window",
        metavar="SECONDS",
        type=float,
        default=10.0,
        help="how long a stream without deadline is watched",
    )
    add("--sse-burst", metavar="N", type=int, default=50, help="clients that may come at once; 0 tries no overload")
    add("--sse-pid", metavar="PID", type=int, help="the target's process id")
    add("--sse-insecure", action="store_true", help="accept any TLS certificate")
    add("--sse-ca", metavar="FILE", help="CA certificates to trust")
    add("--sse-cert", metavar="FILE", help="client certificate and key (PEM)")
    add("--sse-save", metavar="DIR", help="keep the recordings there")
    add("--sse-recording", metavar="FILE", help="judge a saved recording instead of a server")
    add(
        "--sse-accepted",
        metavar="FILE",
        help="accepted deviations: listed failures do not fail the run, stale entries do",
    )
    add("--sse-results", metavar="FILE", help="write the results file")
    add(
        "--sse-reproduce",
        metavar="COMMAND",
        default="",
        help=pytest.HIDDEN if hasattr(pytest, "HIDDEN") else "how findings are reproduced",
    )
    parser.addini("sse_target", "profile or URL under test, unless --sse-target says another", default="")
    parser.addini("sse_app", "ASGI app under test, unless --sse-app says another", default="")


def pytest_load_initial_conftests(args: list[str]) -> None:
    """Let `--pyargs ssegauge.conformance` find the suite in a checkout too, where it lies beside the package."""
    if "--pyargs" in args and find_spec(SUITE) is None:
        args[:] = [str(locate.path("conformance")) if word == SUITE else word for word in args]


def pytest_configure(config: pytest.Config) -> None:
    """Markers, and a place for findings."""
    config.stash[FINDINGS] = []
    config.pluginmanager.register(Collector(config), "ssegauge-collector")
    config.addinivalue_line("markers", "sse_rule(id): the rule of the catalogue that a test judges")
    for level in LEVELS:
        config.addinivalue_line("markers", f"{level}: a rule of this level")


def run_of(config: pytest.Config) -> Run | None:
    """The run that the options describe, made once; None where no target is given. Raises pytest.UsageError."""
    if RUN not in config.stash:
        try:
            config.stash[RUN] = _make_run(config)
        except Inconclusive as error:
            pytest.exit(str(error), returncode=error.exit_code)
        except UserError as error:
            raise pytest.UsageError(str(error)) from None
    return config.stash[RUN]


def _make_run(config: pytest.Config) -> Run | None:
    option = config.getoption
    target, app = under_test(config)
    command, recording = option("sse_server"), option("sse_recording")
    if command and option("sse_app"):
        raise UserError("--sse-app and --sse-server both start the target; take one of them")
    if command:
        target, app = target or str(Path(config.rootpath, PROFILE_NAME)), None
    if target is None and app is None and recording is None:
        return None
    profile = find_profile(
        target, app="" if command else app, recording=recording, root=config.rootpath, method=option("sse_method"), headers=option("sse_header"),
        json=option("sse_json"), data=option("sse_data"), preset=option("sse_preset"),
    )  # fmt: skip
    unknown = [identifier for identifier in option("sse_rule") if identifier not in CATALOGUE]
    if unknown:
        raise UserError(f"--sse-rule {unknown[0]}: no such rule; `ssegauge rules` lists them")
    save = Path(option("sse_save")) if option("sse_save") else None
    if save is not None:
        save.mkdir(parents=True, exist_ok=True)
    transport = Transport(verify=not option("sse_insecure"), ca=option("sse_ca"), cert=option("sse_cert")).merged(
        profile.target
    )
    options = Options(
        long=option("sse_long"), window=option("sse_window"), transport=transport, pid=option("sse_pid"),
        save=save, reproduce=option("sse_reproduce"), burst=option("sse_burst"),
    )  # fmt: skip
    exchange = load_recording(Path(recording)) if recording else None
    config.stash[ACCEPTED] = Accepted.load(Path(option("sse_accepted"))) if option("sse_accepted") else Accepted()
    only = tuple(option("sse_endpoint"))
    return Run(profile, options, app, Path(config.rootpath), only, exchange, command=command or None)


# -- collection -----------------------------------------------------------------------------------------------------


def _rule_of(function: object) -> Rule | None:
    law = getattr(function, "rule", None)
    return law if isinstance(law, Rule) else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One item for each endpoint of a check."""
    law = _rule_of(metafunc.function)
    if law is None:
        return
    try:
        run = run_of(metafunc.config)
    except pytest.UsageError:  # told once, by pytest_collection_modifyitems, and not for every file
        run = None
    names = [NO_TARGET] if run is None else run.endpoints
    metafunc.parametrize(metafunc.fixturenames[0], names, ids=names)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let -k find a rule by its id and topic, and -m by its level."""
    law = _rule_of(getattr(item, "function", None))
    if law is not None:
        item.extra_keyword_matches.update({law.id, law.category})
        item.add_marker(getattr(pytest.mark, law.level))
        item.add_marker(pytest.mark.sse_rule(law.id))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Select by --sse-rule, and refuse to be green without a target."""
    wanted = set(config.getoption("sse_rule"))
    kept: list[pytest.Item] = []
    dropped: list[pytest.Item] = []
    for item in items:
        law = _rule_of(getattr(item, "function", None))
        if law is None:
            kept.append(item)
            continue
        (kept if not wanted or law.id in wanted else dropped).append(item)
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = kept
    if any(_endpoint_of(item) == NO_TARGET for item in items) and run_of(config) is None:
        raise pytest.UsageError("no target: give --sse-target URL, --sse-target PROFILE or --sse-app module:app")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Reach the target once, before any rule is judged: one line where it is not there, not a failure for each rule."""
    rules = any(_endpoint_of(item) is not None for item in session.items)
    run = run_of(session.config) if rules else None
    if run is None or session.config.option.collectonly:
        return
    try:
        run.start()
    except UserError as error:
        run.stop()
        pytest.exit(str(error), returncode=error.exit_code)


def _endpoint_of(item: pytest.Item) -> str | None:
    function = getattr(item, "function", None)
    callspec = getattr(item, "callspec", None)
    if _rule_of(function) is None or callspec is None:
        return None
    return str(next(iter(callspec.params.values())))


# -- judging --------------------------------------------------------------------------------------------------------


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Judge a rule instead of calling its function with fixtures; other tests are left alone."""
    endpoint = _endpoint_of(pyfuncitem)
    run = run_of(pyfuncitem.config) if endpoint is not None else None
    if run is None or endpoint is None:
        return None
    finding = judge(pyfuncitem.obj, run.bench(endpoint))
    pyfuncitem.user_properties += [
        ("sse_rule", finding.rule), ("sse_level", finding.level), ("sse_endpoint", finding.endpoint), ("sse_outcome", finding.outcome),
    ]  # fmt: skip
    document = hide(finding.to_json(), secret_values(run.profile))
    accepted = pyfuncitem.config.stash[ACCEPTED].reason(finding.rule, finding.endpoint)
    if accepted is not None:
        document["accepted"] = accepted
    pyfuncitem.stash[_FINDING] = document
    _settle(pyfuncitem.config, document)
    return True


_FINDING = pytest.StashKey[dict[str, Any]]()


def _settle(config: pytest.Config, finding: dict[str, Any]) -> None:
    """Turn an outcome into pytest's: fail, expected failure (a broken SHOULD without --sse-strict), skip, or pass."""
    rule, outcome, accepted = finding["rule"], finding["outcome"], finding.get("accepted")
    weight = weighs(finding, strict=config.getoption("sse_strict"), require=config.getoption("sse_require"))
    if weight == "stale":
        pytest.fail(f"{rule} holds on {finding['endpoint']}: take it out of the accepted deviations", pytrace=False)
    if weight != "nothing":
        said = {"error": "could not be judged"}.get(outcome, outcome)
        pytest.fail(as_text(finding) if outcome == "fail" else f"{rule}: {said}: {finding['reason']}", pytrace=False)
    if outcome == "fail":
        pytest.xfail(f"accepted: {accepted}" if accepted else f"{finding['level']} {rule}: {finding['actual']}")
    if outcome != "pass":
        pytest.skip(f"{outcome}: {finding['reason']}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Send the finding along with the report of the call."""
    report = yield
    if call.when == "call" and _FINDING in item.stash:
        finding: dict[str, Any] = item.stash[_FINDING]
        report.sse_finding = json.loads(json.dumps({**finding, "duration_s": round(call.duration, 3)}))
    return report


class Collector:
    """Gathers findings in the process that reports, xdist's controller included."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.started = datetime.now(UTC)
        self.others = False
        self.nothing_judged = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the finding that came with a report."""
        finding = getattr(report, "sse_finding", None)
        if finding is not None:
            self.config.stash[FINDINGS].append(finding)
        elif report.when == "call":
            self.others = True  # a test that is no rule: it has said what it has to say

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Stop what was started, and write the results file in the process that reports."""
        config = session.config
        started = config.stash.get(RUN, None)
        if started is not None:
            started.stop()
        file = config.getoption("sse_results")
        findings: list[dict[str, Any]] = config.stash[FINDINGS]
        run = run_of(config) if file and findings and not hasattr(config, "workerinput") else None
        if run is not None:
            results.write(Path(file), conformance_document(run, findings, self.started))
        judged = any(finding["outcome"] in {"pass", "fail"} for finding in findings)
        if findings and not judged and not self.others and session.exitstatus == pytest.ExitCode.OK:
            self.nothing_judged = True
            session.exitstatus = INCONCLUSIVE  # as `ssegauge check` says it: a run of skips is not green

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say why a run without failures is not green."""
        if self.nothing_judged:
            terminalreporter.write_line("ssegauge: no rule could be judged; -ra says why")
