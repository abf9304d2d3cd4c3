"""What became of one rule on one endpoint, and how it reads."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from typing import Any, Literal

from ssegauge.observation import Evidence
from ssegauge.rules import Level

Outcome = Literal["pass", "fail", "not_declared", "untestable", "error"]
OUTCOMES: tuple[Outcome, ...] = ("pass", "fail", "not_declared", "untestable", "error")


@dataclass(frozen=True)
class Finding:
    """The keys of an entry of `rules` in the results file; `reason` says why nothing was judged, where nothing was."""

    rule: str
    endpoint: str
    level: Level
    outcome: Outcome
    requirement: str
    source: str
    expected: str = ""
    actual: str = ""
    evidence: tuple[Evidence, ...] = ()
    reproduce: str = ""
    mend: str = ""
    reason: str = ""
    source_url: str = ""
    duration_s: float = field(default=0.0, compare=False)

    def to_json(self) -> dict[str, Any]:
        """The finding as the results file holds it."""
        document = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "evidence"}
        document["evidence"] = [piece._asdict() for piece in self.evidence]
        return document


Weight = Literal["breaks", "doubts", "stale", "nothing"]


def weighs(finding: dict[str, Any], *, strict: bool = False, require: bool = False) -> Weight:
    """What a finding does to its run: breaks it, leaves it in doubt, shows a stale acceptance, or nothing.

    The levels that count are MUST and, where `strict`, SHOULD. `require` lets what is untestable break the run.
    """
    outcome, counts = finding["outcome"], finding["level"] == "MUST" or (strict and finding["level"] == "SHOULD")
    if finding.get("accepted"):
        return "stale" if outcome == "pass" else "nothing"
    if (outcome == "fail" and counts) or (outcome == "untestable" and require):
        return "breaks"
    return "doubts" if outcome == "error" and counts else "nothing"


def as_text(finding: dict[str, Any], width: int = 96) -> str:
    """A broken rule as people read it: id and level, the sentence, expected, actual, the bytes, reproduce, mend."""
    source = " ".join(part for part in (finding["source"], finding.get("source_url", "")) if part)
    lines = [f"{finding['rule']} ({finding['level']}) on {finding['endpoint']}"]
    parts = [
        ("requires", finding["requirement"]),
        ("source", source),
        ("expected", finding["expected"]),
        ("got", finding["actual"]),
        *(("bytes" if index == 0 else "", str(Evidence(**piece))) for index, piece in enumerate(finding["evidence"])),
        ("reproduce", finding["reproduce"]),
        ("mend", finding["mend"]),
    ]
    for label, text in parts:
        if text:
            lead = f"  {label:<10}"
            whole = label in {"reproduce", "source"}  # commands and addresses are copied, so they stay on one line
            wrapped = (
                [text] if whole else textwrap.wrap(text, max(width - len(lead), 20), break_long_words=True) or [""]
            )
            lines += [lead + wrapped[0], *(" " * len(lead) + more for more in wrapped[1:])]
    return "\n".join(lines)
