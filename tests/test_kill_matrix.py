"""The gauge is gauged: every mutant trips its rule and nothing else beyond its companions; clean servers trip nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import pytest

from ssegauge import suite
from ssegauge.finding import Finding, as_text
from ssegauge.judging import judge
from ssegauge.rules import CATALOGUE

from .mutants.catalogue import MUTANTS, bench_for
from .mutants.host import Host
from .mutants.http import ErrorAs200, NoAllow
from .mutants.page import PAGE, page
from .mutants.server import Clean


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    started = Host()
    yield started
    started.stop()


def broken(
    host: Host, kind: type[Clean], rules: set[str], endpoint: str | None = None, recorded: frozenset[str] = frozenset()
) -> dict[str, Finding]:
    """What is broken among `rules`, and what could not be judged on a second server of this kind either.

    Those in `recorded` are judged from one recording, which is fast, and again live where that says that they are broken.
    """
    found = _judged(host, kind(), rules, endpoint, recorded)
    unsure = {identifier for identifier, finding in found.items() if finding.outcome == "error"}
    if unsure:  # the machine was too busy, perhaps
        found = {identifier: found[identifier] for identifier in found.keys() - unsure}
        found |= _judged(host, kind(), unsure, endpoint)
    return found


def _judged(
    host: Host, server: Clean, rules: set[str], endpoint: str | None = None, recorded: frozenset[str] = frozenset()
) -> dict[str, Finding]:
    checks = suite.checks()
    order = sorted(rules, key=lambda rule: (rule != server.rule, list(checks).index(rule)))  # its own comes first
    with bench_for(host, server, endpoint=endpoint) as bench:
        saved = replace(bench, recording=bench.observation.exchange)
        findings = [
            judge(checks[identifier], bench)
            for identifier in order
            if identifier not in recorded or judge(checks[identifier], saved).outcome in {"fail", "error"}
        ]
    return {finding.rule: finding for finding in findings if finding.outcome in {"fail", "error"}}


def expect(name: str, found: dict[str, Finding]) -> None:
    """The mutant broke its rule, and of the others none but companions."""
    rule = MUTANTS[name].rule
    told = found.get(rule)
    assert told is not None, f"{name} did not trip {rule}"
    assert told.outcome == "fail", f"{rule} could not be judged on {name}: {told.reason}"
    allowed = {rule, *MUTANTS[name].companions, *CATALOGUE[rule].companions}
    assert found.keys() <= allowed, texts(finding for finding in found.values() if finding.rule not in allowed)


def texts(findings: Iterable[Finding]) -> str:
    """What they say, each failure with its evidence."""
    return "\n".join(
        as_text(finding.to_json()) if finding.outcome == "fail" else f"{finding.rule}: {finding.reason}"
        for finding in findings
    )


RECORDED = {identifier for identifier, law in CATALOGUE.items() if law.recording}


def test_every_rule_has_its_mutant_under_the_name_that_the_catalogue_says() -> None:
    assert {law.id for law in CATALOGUE.values() if law.mutant not in MUTANTS} == set()
    named = {law.mutant: law.id for law in CATALOGUE.values()}
    assert {name: MUTANTS[name].rule for name in named} == named
    assert {kind.rule for kind in MUTANTS.values()} <= set(CATALOGUE)


def test_the_page_says_what_the_matrix_is() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "write it anew: python -m tests.mutants.page"


@pytest.mark.parametrize("endpoint", ["main", "echo", "feed", "chat"])
def test_clean_server_trips_nothing(host: Host, endpoint: str) -> None:
    assert not (found := broken(host, Clean, set(CATALOGUE), endpoint)), texts(found.values())


def test_a_mutant_that_breaks_nothing_or_too_much_is_seen(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    class Harmless(Clean):
        rule = "HTTP-24"

    class TooMuch(NoAllow, ErrorAs200):
        rule = "HTTP-24"

    for kind, said in ((Harmless, "did not trip HTTP-24"), (TooMuch, "HTTP-02 ")):
        monkeypatch.setitem(MUTANTS, "wrong", kind)
        with pytest.raises(AssertionError, match=said):
            expect("wrong", broken(host, kind, {"HTTP-02", "HTTP-24"}))


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
    kind = MUTANTS[name]
    expect(name, broken(host, kind, RECORDED | {kind.rule}, recorded=frozenset(RECORDED - {kind.rule})))


LONG = {"headers-with-first-event", "silent-open"}
"""Mutants that hold up every exchange: they come first, so that no worker ends with one while the others are through."""


@pytest.mark.matrix
@pytest.mark.parametrize("name", sorted(MUTANTS, key=lambda name: name not in LONG))
def test_mutant_trips_nothing_else(host: Host, name: str) -> None:
    found = broken(host, MUTANTS[name], set(CATALOGUE))
    expect(name, found)
    assert set(MUTANTS[name].companions) <= found.keys(), "a companion that holds is none: take it out"
