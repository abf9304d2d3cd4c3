"""The catalogue: nothing in it is quoted from memory, and whoever doubts a rule can look it up."""

from __future__ import annotations

import pytest

from ssegauge.rules import CATALOGUE, Rule

OURS = {"ssegauge", "profile", "measurement"}
"""Sources that have no address: our own policy, what the profile declares, and what we measured."""


@pytest.mark.parametrize("rule", CATALOGUE.values(), ids=list(CATALOGUE))
def test_citations_are_confirmed_and_can_be_followed(rule: Rule) -> None:
    assert rule.evidence != "recalled"
    assert not rule.check, "verify the citation"
    for source in (rule.source, *rule.also):
        assert source.document in OURS or source.section, "where in the document?"
        assert not source.url or source.url.startswith("https://")
