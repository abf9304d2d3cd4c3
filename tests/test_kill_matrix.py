"""The gauge is gauged: every mutant trips its rule and nothing else beyond its companions; clean servers trip nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ssegauge import suite
from ssegauge.finding import as_text
from ssegauge.judging import judge
from ssegauge.rules import CATALOGUE

from .mutants.catalogue import MUTANTS, bench_for
from .mutants.server import Clean, Host


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    started = Host()
    yield started
    started.stop()


def failures(host: Host, server: Clean, rules: set[str], endpoint: str | None = None) -> dict[str, str]:
    """What is broken among `rules`, as rule and text; a rule that could not be judged counts too."""
    with bench_for(host, server, endpoint=endpoint) as bench:
        findings = [judge(check, bench) for identifier, check in suite.checks().items() if identifier in rules]
    return {
        finding.rule: as_text(finding.to_json()) if finding.outcome == "fail" else finding.reason
        for finding in findings
        if finding.outcome in {"fail", "error"}
    }


RECORDED = {identifier for identifier, law in CATALOGUE.items() if law.recording}
ACTING = set(CATALOGUE) - RECORDED


@pytest.mark.parametrize("endpoint", ["main", "echo", "feed", "chat"])
def test_clean_server_trips_nothing(host: Host, endpoint: str) -> None:
    assert failures(host, Clean(), set(CATALOGUE), endpoint) == {}


@pytest.mark.parametrize("name", list(MUTANTS))
def test_mutant_trips_its_rule(host: Host, name: str) -> None:
    mutant = MUTANTS[name]()
    found = failures(host, mutant, RECORDED | {mutant.rule})
    assert mutant.rule in found, f"{name} did not trip {mutant.rule}"
    allowed = {mutant.rule, *mutant.companions, *CATALOGUE[mutant.rule].companions}
    assert set(found) <= allowed, "\n".join(text for rule, text in found.items() if rule not in allowed)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(MUTANTS))
def test_mutant_trips_nothing_else(host: Host, name: str) -> None:
    mutant = MUTANTS[name]()
    found = failures(host, mutant, set(CATALOGUE))
    allowed = {mutant.rule, *mutant.companions, *CATALOGUE[mutant.rule].companions}
    assert set(found) <= allowed, "\n".join(text for rule, text in found.items() if rule not in allowed)
