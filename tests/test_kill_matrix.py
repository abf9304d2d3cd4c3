"""The gauge is gauged: every mutant trips its rule and nothing else beyond its companions; clean servers trip nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from ssegauge import suite
from ssegauge.finding import as_text
from ssegauge.judging import judge
from ssegauge.rules import CATALOGUE

from .mutants.catalogue import MUTANTS, bench_for
from .mutants.host import Host
from .mutants.page import PAGE, page
from .mutants.server import Clean


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    started = Host()
    yield started
    started.stop()


def failures(
    host: Host, server: Clean, rules: set[str], endpoint: str | None = None, recorded: frozenset[str] = frozenset()
) -> dict[str, str]:
    """What is broken among `rules`, as rule and text; a rule that could not be judged counts too.

    Those in `recorded` are judged from one recording, which is fast, and again live where that says that they are broken.
    """
    with bench_for(host, server, endpoint=endpoint) as bench:
        saved = replace(bench, recording=bench.observation.exchange)
        findings = [
            judge(check, bench)
            for identifier, check in suite.checks().items()
            if identifier in rules and (identifier not in recorded or judge(check, saved).outcome in {"fail", "error"})
        ]
    return {
        finding.rule: as_text(finding.to_json()) if finding.outcome == "fail" else finding.reason
        for finding in findings
        if finding.outcome in {"fail", "error"}
    }


RECORDED = {identifier for identifier, law in CATALOGUE.items() if law.recording}
ACTING = set(CATALOGUE) - RECORDED


def test_every_rule_has_its_mutant_under_the_name_that_the_catalogue_says() -> None:
    assert {law.id for law in CATALOGUE.values() if law.mutant not in MUTANTS} == set()
    named = {law.mutant: law.id for law in CATALOGUE.values()}
    assert {name: MUTANTS[name].rule for name in named} == named
    assert {kind.rule for kind in MUTANTS.values()} <= set(CATALOGUE)


def test_the_page_says_what_the_matrix_is() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "write it anew: python -m tests.mutants.page"


@pytest.mark.parametrize("endpoint", ["main", "echo", "feed", "chat"])
def test_clean_server_trips_nothing(host: Host, endpoint: str) -> None:
    assert failures(host, Clean(), set(CATALOGUE), endpoint) == {}


QUICK = {"http", "headers", "encoding", "framing", "fields", "json", "order", "clients", "cors"}
"""Topics whose mutants are judged in a second; the others act on a target and wait for what it does."""


def _quick_first() -> list[object]:
    """Every mutant, those marked slow that take their time."""
    quick = {
        name: CATALOGUE[kind.rule].recording or CATALOGUE[kind.rule].category in QUICK for name, kind in MUTANTS.items()
    }
    return [pytest.param(name, marks=() if quick[name] else pytest.mark.slow) for name in MUTANTS]


@pytest.mark.parametrize("name", _quick_first())
def test_mutant_trips_its_rule(host: Host, name: str) -> None:
    mutant = MUTANTS[name]()
    found = failures(host, mutant, RECORDED | {mutant.rule}, recorded=frozenset(RECORDED - {mutant.rule}))
    assert mutant.rule in found, f"{name} did not trip {mutant.rule}"
    allowed = {mutant.rule, *mutant.companions, *CATALOGUE[mutant.rule].companions}
    assert set(found) <= allowed, "\n".join(text for rule, text in found.items() if rule not in allowed)


@pytest.mark.matrix
@pytest.mark.parametrize("name", list(MUTANTS))
def test_mutant_trips_nothing_else(host: Host, name: str) -> None:
    mutant = MUTANTS[name]()
    found = failures(host, mutant, set(CATALOGUE))
    allowed = {mutant.rule, *mutant.companions, *CATALOGUE[mutant.rule].companions}
    assert set(found) <= allowed, "\n".join(text for rule, text in found.items() if rule not in allowed)
