"""What the page says of gates."""

from __future__ import annotations

import pytest

from ssegauge import results

from .made_up import BROKEN, GATES, judged, load
from .tree import parsed


def test_the_gates_are_the_verdict_and_what_did_not_hold_stands_on_top() -> None:
    tree = parsed(BROKEN, load(), judgement=judged(GATES, BROKEN, load()))
    assert tree.one("span", class_="stamp is-no-go").text == "no go"
    assert tree.one("h1").text == "2 of 4 gates failed: conformance / MUST, concurrent_streams / first_event.p95."
    section = tree.one("section", id="gates")
    rows = [[cell.text for cell in (*found.all("td"), found.one("th"))] for found in section.one("tbody").all("tr")]
    assert [(found[0], found[-1]) for found in rows] == [
        ("failed", "conformance / MUST"),
        ("failed", "concurrent_streams / first_event.p95"),
        ("inconclusive", "concurrent_streams / lag.p95"),
        ("held", "concurrent_streams / gap.p95"),
    ]
    assert rows[1][1:4] == ["< 20 ms", "38.9 ms", "1.json"]
    assert "no --baseline: [baseline] was not applied" in section.text


@pytest.mark.parametrize(
    ("text", "word", "sentence"),
    [
        ('[load]\n"gap.p95" = "< 1s"', "go", "The gate held."),
        ('[load]\n"gap.p95" = "< 1s"\n"ttfb.p95" = "< 1s"', "go", "All 2 gates held."),
        ('[load]\n"lag.p95" = "< 1s"', "no answer", "1 of 1 gate could not be decided: concurrent_streams / lag.p95."),
        ('[load]\n"gap.p95" = "< 1ms"', "no go", "1 of 1 gate failed: concurrent_streams / gap.p95."),
    ],
)  # fmt: skip
def test_gates_in_a_word_and_a_sentence(text, word, sentence) -> None:
    tree = parsed(load(), judgement=judged(text, load()))
    assert (tree.all("span")[2].text, tree.one("h1").text) == (word, sentence)


def test_a_document_with_nothing_but_what_the_schema_asks_for_makes_a_page() -> None:
    bare = {"schema": results.SCHEMA, "kind": "load", "scenario": "s", "valid": True}
    rules = {
        "schema": results.SCHEMA,
        "kind": "conformance",
        "rules": [{"rule": "X-1", "level": "MUST", "outcome": "fail"}],
    }
    for document in (bare, rules):
        assert parsed(results.check(document, "made up")).one("h1").text
