"""`ssegauge gate`: exit codes, and what it writes."""

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from ssegauge import cli, results
from tests.gate.made_up import load


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["good.json", "--gates", "gates.toml"], 0),
        (["good.json", "good.json", "--gates", "gates.toml"], 0),
        (["bad.json", "--gates", "gates.toml"], 1),
        (["good.json", "bad.json", "--gates", "gates.toml"], 1),
        (["invalid.json", "--gates", "gates.toml"], 3),
        (["gone.json", "--gates", "gates.toml"], 2),
        (["good.json", "--gates", "gone.toml"], 2),
        (["good.json", "--gates", "good.json"], 2),
        (["gates.toml"], 2),
        ([], 2),
        (["good.json", "--no-such-option"], 2),
        (["good.json", "--gates", "gates.toml", "--baseline", "good.json"], 0),
        (["good.json"], 3),  # the built-in gates know a limit for p95 and want a percentile that is not there
    ],
)
def test_every_exit_code(folder, arguments, code, capsys):
    if arguments == ["good.json"]:
        results.write("good.json", load(latency={}))
    assert cli.main(["gate", *arguments]) == code
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    if code == 2:
        assert len(captured.err.strip().splitlines()) == 1


def test_summary_and_junit_are_written_and_the_step_summary_is_added_to(folder, monkeypatch):
    step = folder / "step.md"
    step.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(step))
    assert cli.main(["gate", "bad.json", "--gates", "gates.toml", "--summary", "out/s.md", "--junit", "out/j.xml"]) == 1
    assert Path("out/s.md").read_text().startswith("## ❌ ssegauge gate failed: 1 failed")
    assert step.read_text().startswith("before\n## ❌")
    assert ET.parse("out/j.xml").getroot().get("failures") == "1"


def test_the_gate_needs_no_load_generator(folder):
    code = "import sys; from ssegauge import cli; cli.main(['gate', 'good.json', '--gates', 'gates.toml']); "
    code += "print(sorted({'locust', 'gevent', 'fastapi'} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout.splitlines()[-1] == "[]"
