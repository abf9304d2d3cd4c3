"""The catalogue: every rule with its level, sentence, source, needs and mend.

The data is `rules.json` beside this module; here it becomes typed objects. An id is never reused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, Literal

Level = Literal["MUST", "SHOULD", "RECOMMENDED", "INFO"]
LEVELS: tuple[Level, ...] = ("MUST", "SHOULD", "RECOMMENDED", "INFO")


@dataclass(frozen=True)
class Source:
    """Where a rule comes from: document, section, and address where it is certain."""

    document: str
    section: str = ""
    url: str = ""
    detail: str = ""

    def __str__(self) -> str:
        return " ".join(part for part in (self.document, self.section) if part)


@dataclass(frozen=True)
class Rule:
    """One rule of the catalogue. `needs` names what judging it takes; `a|b` means either.

    `mends` holds the line of configuration for each proxy that the rule is often broken by.
    """

    id: str
    category: str
    level: Level
    needs: tuple[str, ...]
    title: str
    statement: str
    source: Source
    also: tuple[Source, ...]
    detection: str
    recording: bool
    mutant: str
    companions: tuple[str, ...]
    mend: str
    evidence: str
    note: str = ""
    check: bool = False
    mends: Mapping[str, str] = field(default_factory=dict)


def _source(entry: dict[str, Any]) -> Source:
    return Source(**{key: entry[key] for key in ("document", "section", "url", "detail") if key in entry})


def _rule(entry: dict[str, Any]) -> Rule:
    plain = ("id", "category", "level", "title", "statement", "detection", "mutant", "mend", "evidence")
    return Rule(
        **{key: entry[key] for key in plain},
        needs=tuple(entry["needs"]),
        source=_source(entry["source"]),
        also=tuple(_source(other) for other in entry.get("also", ())),
        recording=entry["recording"],
        companions=tuple(entry.get("companions", ())),
        note=entry.get("note", ""),
        check=entry.get("check", False),
        mends=entry.get("mends", {}),
    )


_DOCUMENT: dict[str, Any] = json.loads(
    resources.files("ssegauge").joinpath("rules.json").read_text(encoding="utf-8"),
)
CATALOGUE: dict[str, Rule] = {entry["id"]: _rule(entry) for entry in _DOCUMENT["rules"]}
CATEGORIES: dict[str, str] = _DOCUMENT["categories"]
NEEDS: dict[str, dict[str, Any]] = _DOCUMENT["needs_vocabulary"]
LEVEL_MEANINGS: dict[str, str] = _DOCUMENT["levels"]
