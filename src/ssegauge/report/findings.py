"""The findings of a conformance document as typed objects, whatever wrote the document.

The schema asks for rule, level and outcome only, and a file may come from elsewhere: what is absent reads as empty, what
is megabytes long is cut.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ssegauge.report.html import cut
from ssegauge.rules import CATALOGUE, CATEGORIES

UNJUDGED: Final = {
    "error": "could not be judged",
    "untestable": "untestable here",
    "not_declared": "not declared in the profile",
}
OTHER: Final = "other"
"""The topic of rules that the catalogue of this version does not know."""

_LONG: Final = 4000  # what an evidence, a command, an expectation may take


@dataclass(frozen=True)
class Piece:
    """A piece of evidence: escaped bytes, a remark, an offset into the body, seconds from the request."""

    note: str
    bytes: str
    offset: int | None
    at: float | None


@dataclass(frozen=True)
class Seen:
    """A finding as reports show it. `accepted` is the reason why a failure is accepted, or empty."""

    rule: str
    endpoint: str
    level: str
    outcome: str
    title: str
    topic: str
    requirement: str
    source: str
    source_url: str
    expected: str
    actual: str
    evidence: tuple[Piece, ...]
    reproduce: str
    mend: str
    reason: str
    accepted: str

    @property
    def broken(self) -> bool:
        """It failed, and nobody has accepted that."""
        return self.outcome == "fail" and not self.accepted


def findings(document: Mapping[str, Any]) -> list[Seen]:
    """Every finding of the document, in its order."""
    return [_seen(entry) for entry in document["rules"]]


def topics(found: Sequence[Seen]) -> list[str]:
    """The topics that occur, in the catalogue's order."""
    present = {seen.topic for seen in found}
    return [topic for topic in (*CATEGORIES, OTHER) if topic in present]


def _seen(entry: Mapping[str, Any]) -> Seen:
    law = CATALOGUE.get(entry["rule"])
    accepted = entry.get("accepted")
    return Seen(
        rule=cut(entry["rule"], 40),
        endpoint=cut(entry.get("endpoint"), 120),
        level=entry["level"],
        outcome=entry["outcome"],
        title="" if law is None else law.title,
        topic=OTHER if law is None else law.category,
        requirement=cut(entry.get("requirement")) or ("" if law is None else law.statement),
        source=_source(entry.get("source")),
        source_url=cut(entry.get("source_url"), 2000),
        expected=cut(entry.get("expected"), _LONG),
        actual=cut(entry.get("actual"), _LONG),
        evidence=tuple(_piece(piece) for piece in _list(entry.get("evidence"))),
        reproduce=cut(entry.get("reproduce"), _LONG),
        mend=cut(entry.get("mend"), _LONG),
        reason=cut(entry.get("reason")),
        accepted="accepted" if accepted is True else cut(accepted or ""),
    )


def _source(source: Any) -> str:
    if isinstance(source, Mapping):
        return cut(" ".join(str(source[key]) for key in ("document", "section") if source.get(key)))
    return cut(source)


def _piece(piece: Any) -> Piece:
    if not isinstance(piece, Mapping):
        return Piece(cut(piece, _LONG), "", None, None)
    offset, at = piece.get("offset"), piece.get("at")
    return Piece(
        cut(piece.get("note")),
        cut(piece.get("bytes"), _LONG),
        offset if isinstance(offset, int) else None,
        float(at) if isinstance(at, int | float) else None,
    )


def _list(value: Any) -> list[Any]:
    return value[:100] if isinstance(value, list) else [] if value is None else [value]
