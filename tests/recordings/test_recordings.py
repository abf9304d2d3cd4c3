"""Judging is deterministic: the same recordings give the same outcomes, today, tomorrow and on any machine."""

from __future__ import annotations

import pytest

from .corpus import FOLDER, INDEX, Entry, entries, findings, outcomes

ENTRIES = entries()


@pytest.mark.parametrize("entry", ENTRIES, ids=[entry.name for entry in ENTRIES])
def test_recording_is_judged_as_ever(entry: Entry) -> None:
    bench = entry.bench()
    found = findings(bench)
    assert bench.observation.verdict == entry.verdict
    assert outcomes(found) == entry.outcomes
    assert findings(entry.bench()) == found  # texts and evidence, too


def test_corpus_is_whole_and_small() -> None:
    files = {path.name for path in FOLDER.iterdir()}
    assert files == {INDEX.name, *(entry.path.name for entry in ENTRIES), *(entry.profile for entry in ENTRIES)}
    assert sum((FOLDER / name).stat().st_size for name in files) < 300_000
    assert len(ENTRIES) > 60
