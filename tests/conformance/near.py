"""Judges single rules on servers that look suspicious."""

from __future__ import annotations

from ssegauge import suite
from ssegauge.finding import as_text
from ssegauge.judging import judge
from tests.mutants.catalogue import bench_for
from tests.mutants.host import Host
from tests.mutants.server import Clean


def outcomes(host: Host, server: Clean, *rules: str, endpoint: str | None = None) -> dict[str, str]:
    """What becomes of each rule: its outcome, and the text or the reason where it is not a pass."""
    told = {}
    with bench_for(host, server, endpoint=endpoint) as bench:
        for identifier in rules:
            finding = judge(suite.checks()[identifier], bench)
            text = as_text(finding.to_json()) if finding.outcome == "fail" else finding.reason
            told[identifier] = f"{finding.outcome}: {text}" if text else finding.outcome
    return told


def held(host: Host, server: Clean, *rules: str, endpoint: str | None = None) -> None:
    """Expect every rule to hold."""
    found = outcomes(host, server, *rules, endpoint=endpoint)
    assert found == dict.fromkeys(rules, "pass"), "\n".join(text for text in found.values() if text != "pass")


def outcome(host: Host, server: Clean, rule: str, endpoint: str | None = None) -> str:
    """The outcome of one rule, as a word."""
    return outcomes(host, server, rule, endpoint=endpoint)[rule].partition(":")[0]
