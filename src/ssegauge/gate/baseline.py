"""Baselines: load results that later ones are held against, with the machine that they come from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from ssegauge import results
from ssegauge.results import ResultsError

SCHEMA: Final = "ssegauge/baseline/1"

_KEPT: Final = (
    *("schema", "kind", "target", "profile", "tool", "started", "duration_s", "scenario", "clock", "valid"),
    *("invalid_reasons", "streams", "events", "latency", "harness", "series", "endpoints", "machine"),
)


def read(path: str | Path) -> list[dict[str, Any]]:
    """The load results in a baseline, or in a plain results file. Raises ResultsError."""
    document = results.read_json(path)
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        runs = [document]
    elif isinstance(document.get("runs"), list) and document["runs"]:
        runs = document["runs"]
    else:
        raise ResultsError(f"{path}: a baseline without runs; write it anew with --update-baseline")
    checked = [results.check(run, str(path)) for run in runs]
    if any(run["kind"] != "load" for run in checked):
        raise ResultsError(f"{path}: not the results of a load run, so no baseline")
    return checked


def write(path: str | Path, documents: Sequence[Mapping[str, Any]]) -> None:
    """Write these load results as a baseline; runs of other scenarios that the file holds are kept.

    Raises ResultsError.
    """
    path = Path(path)
    scenarios = {document["scenario"] for document in documents}
    kept = [run for run in read(path) if run["scenario"] not in scenarios] if path.exists() else []
    baseline = {
        "schema": SCHEMA,
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "tool": results.tool(),
        "machine": documents[0].get("machine") or results.machine(),
        "runs": [*kept, *({key: document[key] for key in _KEPT if key in document} for document in documents)],
    }
    results.write_whole(path, json.dumps(results.finite(baseline), ensure_ascii=False, allow_nan=False) + "\n")


def differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    """What tells the machines of two results apart, one phrase each; nothing where either is not described."""
    was, now = first.get("machine") or {}, second.get("machine") or {}
    found = [
        f"{name}: {was[key]} then, {now[key]} now"
        for key, name in (("cpu", "processor"), ("cores", "cores"), ("arch", "architecture"), ("os", "system"))
        if key in was and key in now and was[key] != now[key]
    ]
    memory = [float(side.get("memory_mb") or 0) for side in (was, now)]
    if all(memory) and abs(memory[0] - memory[1]) > 0.1 * max(memory):
        found.append(f"memory: {memory[0]:.0f} MB then, {memory[1]:.0f} MB now")
    clocks = [side.get("clock") for side in (first, second)]
    if all(clocks) and clocks[0] != clocks[1]:
        found.append(f"clock: {clocks[0]} then, {clocks[1]} now")
    return found
