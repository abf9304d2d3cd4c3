"""examples/your-api as a stranger has it: out of this tree, with nothing of it but the wheel."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.shell import HELD, INCONCLUSIVE, NOT_HELD, assert_run, commands_of, free_port, stopped_at_the_end

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "examples" / "your-api"
WORKFLOW = EXAMPLE / ".github" / "workflows" / "event-streams.yml"
QUICK = {"-t 20s": "-t 6s"}
ENOUGH = {HELD, INCONCLUSIVE}
"""The machine may be too busy for times; what the example itself did wrong would end in 1 or 2."""


def steps() -> dict[str, str]:
    (job,) = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"].values()
    return {step["name"]: step["run"] for step in job["steps"] if "run" in step}


def test_the_workflow_goes_the_whole_way():
    assert list(steps()) == ["Install", "Our own tests", "Conformance", "Load", "Gate", "Report"]


def test_its_readme_names_every_file_and_no_other_command_than_the_workflow_has():
    text = (EXAMPLE / "README.md").read_text(encoding="utf-8")
    for name in re.findall(r"^\| `([^`]+)`", text, re.MULTILINE):
        assert (EXAMPLE / name).is_file(), name
    in_ci = " ".join(" ".join(steps().values()).replace("\\\n", "").split())
    for command in commands_of(EXAMPLE / "README.md"):
        known = command.removesuffix(" --pyargs ssegauge.conformance")
        assert known in in_ci, command


def test_ssegauge_is_its_development_dependency_and_no_other():
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert not [name for name in project["dependencies"] if "ssegauge" in name]
    assert [name for name in project["optional-dependencies"]["dev"] if "ssegauge" in name]


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, copied, and beside it an environment with the wheel."""
    place = tmp_path_factory.mktemp("elsewhere")
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "."],
        cwd=EXAMPLE, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for name in filter(None, tracked.split("\0")):
        (place / "your-api" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(EXAMPLE / name, place / "your-api" / name)
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(place)]
    subprocess.run(build, cwd=ROOT, capture_output=True, check=True)
    # The pinned versions without their hashes: a hash for one demands one for all, and the wheel was built just now.
    pins = re.findall(r"^([a-z0-9._-]+==\S+)( ;[^\\\n]*)?", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    (place / "versions.txt").write_text("\n".join("".join(pin) for pin in pins))
    (wheel,) = place.glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", str(place / "venv")], check=True)
    pip = "pip install --quiet --disable-pip-version-check --constraint versions.txt"
    install = f"{pip} '{wheel}[load,report]' && cd your-api && {pip.replace('versions', '../versions')} -e '.[dev]'"
    assert_run(install, place, {HELD}, programs=place / "venv" / "bin", timeout=600)
    return place


@pytest.mark.slow
def test_all_of_it_runs_from_the_wheel(elsewhere: Path):
    project, programs, port = elsewhere / "your-api", elsewhere / "venv" / "bin", str(free_port())
    found = assert_run("python -c 'import ssegauge; print(ssegauge.__file__)'", project, {HELD}, programs=programs)
    assert str(elsewhere) in found

    def at_home(script: str) -> str:
        for said, here in QUICK.items():
            script = script.replace(said, here)
        return script.replace("8000", port)

    profile = project / "sse-target.toml"
    profile.write_text(profile.read_text(encoding="utf-8").replace("8000", port), encoding="utf-8")
    said = steps()
    assert "7 passed" in assert_run(said["Our own tests"], project, {HELD}, programs=programs)
    suite = assert_run("pytest --pyargs ssegauge.conformance", project, {HELD}, programs=programs)
    assert re.search(r"\d{3} passed", suite), suite[-2000:]
    with stopped_at_the_end(project):
        assert_run(said["Conformance"], project, {HELD}, programs=programs)
        assert_run(at_home(said["Load"]), project, {HELD}, programs=programs)
    assert_run(said["Gate"], project, ENOUGH, programs=programs)
    assert_run(said["Report"], project, {HELD}, programs=programs)
    assert "<html" in (project / "report.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_its_gate_finds_what_was_broken(elsewhere: Path):
    project, programs = elsewhere / "your-api", elsewhere / "venv" / "bin"
    broken = project / "your_api" / "broken.py"
    source = (project / "your_api" / "main.py").read_text(encoding="utf-8")
    broken.write_text(source.replace('event="error"', 'event="done"'), encoding="utf-8")
    check = "ssegauge check sse-target.toml --app your_api.broken:app -k errors --results broken.json"
    assert "ERR-07" in assert_run(check, project, {NOT_HELD}, programs=programs)
    assert_run("ssegauge gate broken.json --gates gates.toml", project, {NOT_HELD}, programs=programs)
