"""The gates part of the page: what they say together, in a sentence, and each with what it asks and what was found."""

from __future__ import annotations

import re
from typing import Final

from ssegauge.gate import Judgement, Outcome, Ruling
from ssegauge.report.html import Child, Element, cut, el
from ssegauge.report.page import scroll
from ssegauge.report.statements import Statement, Word

_WORDS: Final[dict[Outcome, Word]] = {"held": "go", "failed": "no go", "inconclusive": "no answer"}
_CLASSES: Final[dict[Outcome, str]] = {"held": "is-go", "failed": "is-no-go", "inconclusive": "is-no-answer"}
_WORST_FIRST: Final[tuple[Outcome, ...]] = ("failed", "inconclusive", "held")
_NAMED: Final = 3
_NAMED_AGAIN: Final = 40  # a longer reason is not repeated in the row below
_MOST: Final = 500


def statement_of(judgement: Judgement) -> Statement:
    """The word of all gates together, and why."""
    word = judgement.word
    count, whole = judgement.count(word), len(judgement.rulings)
    gates = f"{whole} gate{'s' if whole != 1 else ''}"
    if word == "held":
        return Statement("go", "The gate held." if whole == 1 else f"All {gates} held.")
    cause = [ruling for ruling in judgement.rulings if ruling.outcome == word]
    named = f": {', '.join(cut(ruling.name, 100) for ruling in cause)}" if count <= _NAMED else ""
    said = "failed" if word == "failed" else "could not be decided"
    return Statement(_WORDS[word], f"{count} of {gates} {said}{named}.")


def gates(judgement: Judgement, *, several: bool) -> list[Child]:
    """A row for each gate, what did not hold on top, and the notes. `several`: name the results file, too."""
    rulings = sorted(judgement.rulings, key=lambda ruling: _WORST_FIRST.index(ruling.outcome))
    counts = ", ".join(f"{judgement.count(word)} {word}" for word in _WORST_FIRST if judgement.count(word))
    headings = ("", "gate", "must be", "is", *(("results",) if several else ()))
    head = el("thead", el("tr", (el("th", name, scope="col") if name else el("td") for name in headings)))
    notes = [el("li", cut(warning)) for warning in judgement.warnings[:50]]
    above = [None, *(ruling.reason for ruling in rulings)]
    rows = [_row(ruling, was, several=several) for ruling, was in zip(rulings[:_MOST], above, strict=False)]
    return [
        scroll(f"What must hold, and what was found: {counts}", head, el("tbody", rows), class_="gates"),
        el("ul", notes, class_="notes") if notes else None,
    ]


def _row(ruling: Ruling, above: str | None, *, several: bool) -> Element:
    return el(
        "tr",
        el("td", el("span", ruling.outcome, class_=f"tag {_CLASSES[ruling.outcome]}")),
        el("th", el("bdi", _breakable(cut(ruling.name, 200))), scope="row"),
        el("td", cut(ruling.limit, 200), class_="asked"),
        el("td", el("b", el("bdi", cut(ruling.found, 200))), _reason(ruling, above), class_="found"),
        el("td", el("bdi", cut(ruling.source.rpartition("/")[2], 200)), class_="quiet") if several else None,
    )


def _reason(ruling: Ruling, above: str | None) -> Element | None:
    if not ruling.reason:
        return None
    said = "for the same reason" if ruling.reason == above and len(above) > _NAMED_AGAIN else cut(ruling.reason)
    return el("div", el("bdi", said), class_="quiet")


def _breakable(name: str) -> list[Child]:
    """A name that a narrow column breaks between its words."""
    return [(part, el("wbr")) for part in re.split(r"(?<=[_./])", name)]
