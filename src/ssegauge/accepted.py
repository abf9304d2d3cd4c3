"""Accepted deviations: failures that a team has decided to live with, each with its reason.

A listed failure does not fail the run; an entry that holds again does, so that the list never goes stale.

    [[accepted]]
    rule     = "HDR-04"
    endpoint = "agent-think"        # or "*"
    reason   = "the gateway in front sets no-store"
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ssegauge import text_file
from ssegauge.errors import UserError
from ssegauge.rules import CATALOGUE


@dataclass(frozen=True)
class Accepted:
    """The list, as (rule, endpoint, reason)."""

    entries: tuple[tuple[str, str, str], ...] = ()

    @classmethod
    def load(cls, path: Path) -> Accepted:
        """Read the file. Raises UserError that names the file and the entry."""
        document = text_file.parse_toml(text_file.read(path), str(path))
        entries = document.get("accepted")
        if set(document) - {"accepted"} or not isinstance(entries, list):
            raise UserError(f"{path}: expected [[accepted]] tables with rule, endpoint and reason")
        return cls(tuple(_entry(path, number, entry) for number, entry in enumerate(entries, 1)))

    def reason(self, rule: str, endpoint: str) -> str | None:
        """Why a failure of the rule on the endpoint is accepted, or None."""
        return next((why for law, where, why in self.entries if law == rule and where in {"*", endpoint}), None)


def _entry(path: Path, number: int, entry: object) -> tuple[str, str, str]:
    if not isinstance(entry, dict) or set(entry) != {"rule", "endpoint", "reason"}:
        raise UserError(f"{path}: entry {number} of [[accepted]] needs rule, endpoint and reason, and nothing else")
    rule, endpoint, reason = (str(entry[key]) for key in ("rule", "endpoint", "reason"))
    if rule not in CATALOGUE:
        raise UserError(f"{path}: entry {number}: no rule {rule!r}; `ssegauge rules` lists them")
    if not reason.strip():
        raise UserError(f"{path}: entry {number}: give a reason")
    return rule, endpoint, reason
