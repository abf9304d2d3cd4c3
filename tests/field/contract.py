"""What every server in `servers/` offers, as a profile, and what the suite finds broken there."""

from __future__ import annotations

from pathlib import Path

from ssegauge import profile, suite
from ssegauge.bench import Bench, Options
from ssegauge.client.connection import Transport
from ssegauge.finding import Finding, as_text
from ssegauge.judging import judge

from .running import Running

_PROFILE = """
base_url = "{url}"

[[endpoint]]
name     = "stream"
request  = {{ path = "/stream" }}
data     = "json"
order    = "tick+ done"
terminal = ["done"]
sequence = {{ pointer = "/n" }}
deadline = "5s"
endless  = {{ path = "/endless" }}
{more}

[target]
health = "/health"
{target}
"""
FAULT = "fault = { params = { fail_after = 3 } }"
ERRORS = 'errors = ["error"]'


def bench_for(
    server: Running, folder: Path, *, more: str = "", target: str = "", ca: str | None = None, window: float = 5.0
) -> Bench:
    """A bench in front of the server; `more` lines go to the endpoint, `target` lines after it."""
    path = folder / "sse-target.toml"
    path.write_text(_PROFILE.format(url=server.url, more=more, target=target), encoding="utf-8")
    contract = profile.load(path)
    options = Options(window=window, pid=server.pid, transport=Transport(ca=ca))
    return Bench(contract, contract.endpoint[0], options)


def findings(bench: Bench, rules: set[str] | None = None) -> list[Finding]:
    """Every rule judged, or those that are named."""
    return [judge(check, bench) for identifier, check in suite.checks().items() if rules is None or identifier in rules]


def broken(found: list[Finding], *levels: str) -> dict[str, str]:
    """What is broken of these levels (MUST and SHOULD by default) or could not be judged, with its text."""
    wanted = levels or ("MUST", "SHOULD")
    return {
        finding.rule: as_text(finding.to_json()) if finding.outcome == "fail" else f"error: {finding.reason}"
        for finding in found
        if finding.level in wanted and finding.outcome in {"fail", "error"}
    }
