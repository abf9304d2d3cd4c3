"""Results files to gate."""

from pathlib import Path

import pytest

from ssegauge import results
from tests.gate.made_up import load, times


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    results.write("good.json", load())
    results.write("bad.json", load(latency={"first_event": times([900.0] * 1000)}))
    results.write("invalid.json", load(valid=False, invalid_reasons=["late"]))
    Path("gates.toml").write_text('[load]\n"first_event.p95" = "< 200ms"\n[baseline]\n"first_event.p95" = "10%"\n')
    return tmp_path
