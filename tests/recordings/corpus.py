"""The saved recordings, their profiles, and what each rule says of them.

`python -m tests.recordings.make` records anew; `--pin` only writes down what the rules say of the recordings today, which is
to be done, and looked at in the diff, when a rule has changed its mind on purpose.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import mode
from typing import Any

from ssegauge import exchange, profile, suite
from ssegauge.bench import Bench
from ssegauge.finding import Finding
from ssegauge.judging import judge
from ssegauge.profile import Profile
from ssegauge.rules import CATALOGUE

FOLDER = Path(__file__).resolve().parent / "corpus"
INDEX = FOLDER / "index.json"

Outcomes = dict[str, str]


@dataclass(frozen=True)
class Entry:
    """A recording, the profile and endpoint it is judged under, its verdict, and its outcomes by rule."""

    name: str
    profile: str
    endpoint: str
    verdict: str = ""
    outcomes: Outcomes | None = None

    @property
    def path(self) -> Path:
        return FOLDER / f"{self.name}.json"

    def bench(self) -> Bench:
        """A bench with the recording in place of a server."""
        contract = _profile(self.profile)
        declared = next(known for known in contract.endpoint if known.name == self.endpoint)
        return Bench(contract, declared, recording=exchange.load(self.path))


@cache
def _profile(name: str) -> Profile:
    return profile.load(FOLDER / name)


def entries() -> list[Entry]:
    """Every recording that is kept. The index holds what most recordings of an endpoint have in common once."""
    document = json.loads(INDEX.read_text(encoding="utf-8"))
    return [
        Entry(name, facts["profile"], facts["endpoint"], facts["verdict"], {**document["usual"][_kind(facts)], **facts["but"]})
        for name, facts in document["recordings"].items()
    ]  # fmt: skip


def _kind(facts: dict[str, str]) -> str:
    return f"{facts['profile']} {facts['endpoint']}"


def findings(bench: Bench) -> list[Finding]:
    """What the rules that a recording can decide say of it."""
    return [judge(check, bench) for identifier, check in suite.checks().items() if CATALOGUE[identifier].recording]


def outcomes(found: list[Finding]) -> Outcomes:
    """The outcome of each rule."""
    return {each.rule: each.outcome for each in found}


def pin(kept: list[Entry]) -> None:
    """Write down what the rules say of these recordings."""
    recordings: dict[str, dict[str, Any]] = {}
    for entry in sorted(kept, key=lambda entry: entry.name):
        bench = entry.bench()
        recordings[entry.name] = {
            "profile": entry.profile, "endpoint": entry.endpoint, "verdict": bench.observation.verdict,
            "but": outcomes(findings(bench)),
        }  # fmt: skip
    usual: dict[str, Outcomes] = {}
    for facts in recordings.values():
        alike = [other["but"] for other in recordings.values() if _kind(other) == _kind(facts)]
        usual[_kind(facts)] = {rule: mode(other[rule] for other in alike) for rule in facts["but"]}
    for facts in recordings.values():
        common = usual[_kind(facts)]
        facts["but"] = {rule: outcome for rule, outcome in facts["but"].items() if outcome != common[rule]}
    parts = [f" {json.dumps(name)}: {json.dumps(value)}" for name, value in usual.items()]
    lines = [f" {json.dumps(name)}: {json.dumps(facts)}" for name, facts in recordings.items()]
    text = '{"usual": {\n' + ",\n".join(parts) + '\n},\n"recordings": {\n' + ",\n".join(lines) + "\n}}\n"
    INDEX.write_text(text, encoding="utf-8")
