"""The examples for CI are read as their services read them, and what they run is run, on the reference app."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.shell import assert_run, free_port, reference_app, stopped_at_the_end

ROOT = Path(__file__).parent.parent
CI = ROOT / "examples" / "ci"
WORKFLOW, GITLAB, COMPOSE = CI / "github-actions.yml", CI / "gitlab-ci.yml", CI / "compose.yaml"
ACTION, SCRIPT = ROOT / "action.yml", CI / "pre-merge.sh"
QUICK = {"-t 15s": "-t 3s", "--seconds 30": "--seconds 8", "--pace 0.1": "--pace 0.02"}
"""What is waited for in CI and not here."""
ENOUGH = {0, 3}
"""The machine that runs the tests may be too busy for times; what the examples themselves do wrong ends in 1 or 2."""


def read(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def steps(job):
    return [step for step in job["steps"] if "run" in step]


def scripts():
    for name, job in read(WORKFLOW)["jobs"].items():
        yield from (pytest.param(step["run"], id=f"workflow-{name}-{step['name']}") for step in steps(job))
    for step in steps(read(ACTION)["runs"]):
        yield pytest.param(step["run"], id=f"action-{step['name']}")
    yield pytest.param("\n".join(gitlab_script()), id="gitlab")
    yield pytest.param(compose_script(), id="compose")
    yield pytest.param(SCRIPT.read_text(encoding="utf-8"), id="pre-merge")


def gitlab_script():
    return read(GITLAB)["event streams"]["script"]


def compose_script():
    return read(COMPOSE)["services"]["gauge"]["command"][0].replace("$$", "$")


# -- what they look like ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("script", list(scripts()))
def test_the_shell_reads_every_script(script):
    done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_workflow_has_what_the_service_asks_for():
    workflow = read(WORKFLOW)
    assert {"pull_request", "push"} == set(workflow[True])  # YAML 1.1 reads `on` as true, and the service knows
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert {"runs-on", "steps", "timeout-minutes"} <= job.keys()
        assert all(("uses" in step) != ("run" in step) for step in job["steps"])


def test_the_gitlab_job_has_what_the_service_asks_for():
    (job,) = read(GITLAB).values()
    assert {"image", "stage", "script", "artifacts"} <= job.keys()
    assert all(isinstance(line, str) for line in (*job["before_script"], *job["script"]))
    assert job["artifacts"]["reports"]["junit"]


def test_the_action_is_composite_and_every_input_is_described_and_used():
    action = read(ACTION)
    assert {"name", "description", "inputs", "runs"} <= action.keys()
    assert action["runs"]["using"] == "composite"
    text = ACTION.read_text(encoding="utf-8")
    for name, described in action["inputs"].items():
        assert described["description"], name
        assert described.get("required") or "default" in described, name
        assert f"${{{{ inputs.{name} }}}}" in text, name
    for step in action["runs"]["steps"]:
        assert step["shell"] == "bash"
        assert "${{" not in step["run"], "an input in a script is code that anybody may write"


def test_compose_builds_from_the_checkout_and_waits_for_the_app():
    services = read(COMPOSE)["services"]
    for service in services.values():
        assert (COMPOSE.parent / service["build"]["context"]).resolve() == ROOT
        assert (ROOT / service["build"]["dockerfile"]).is_file()
    assert services["gauge"]["depends_on"]["app"]["condition"] == "service_healthy"
    words = [
        line.split(" ", 1)[0] for line in (CI / "Dockerfile").read_text().splitlines() if re.match(r"[A-Z]+ ", line)
    ]
    assert words[0] == "FROM"
    assert {"COPY", "RUN", "USER", "ENTRYPOINT"} <= set(words)


def test_the_script_may_be_executed():
    assert os.access(SCRIPT, os.X_OK)


# -- what they do -----------------------------------------------------------------------------------------------------


def profile_at(address, folder):
    text = (CI / "sse-target.toml").read_text(encoding="utf-8")
    (folder / "sse-target.toml").write_text(text.replace("http://127.0.0.1:8000", address), encoding="utf-8")
    shutil.copy(CI / "gates.toml", folder)


def quickly(script, folder, allowed, **variables):
    for said, here in QUICK.items():
        script = script.replace(said, here)
    assert_run(script, folder, allowed, variables=variables)


@pytest.fixture(scope="module")
def app():
    with reference_app(0.02) as served:
        yield served


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gate", "compare"])
def test_the_workflow_runs(tmp_path, name):
    ports = {"PORT": str(free_port()), "BASE_PORT": str(free_port())}
    profile_at(f"http://127.0.0.1:{ports['PORT']}", tmp_path)
    (tmp_path / "before").mkdir()
    (tmp_path / "after").mkdir()
    with stopped_at_the_end(tmp_path):
        for step in steps(read(WORKFLOW)["jobs"][name]):
            if step["name"] != "Install":
                quickly(step["run"], tmp_path, ENOUGH if step["name"] == "Gate" else {0}, **ports)
    assert (tmp_path / ("report.html" if name == "gate" else "pair.json")).is_file()


@pytest.mark.slow
def test_the_gitlab_job_runs(tmp_path):
    ports = {"PORT": str(free_port()), "BASE_PORT": str(free_port())}
    profile_at(f"http://127.0.0.1:{ports['PORT']}", tmp_path)
    with stopped_at_the_end(tmp_path):
        # its runner gives all lines to one shell
        quickly("\n".join(gitlab_script()), tmp_path, ENOUGH, **ports)
    assert (tmp_path / "gate.xml").is_file()


@pytest.mark.slow
def test_the_compose_script_runs(app, tmp_path):
    quickly(compose_script(), tmp_path, ENOUGH, TARGET=f"{app.url}/stream", OUT=str(tmp_path))
    assert (tmp_path / "report.html").is_file()
    assert "gate" in (tmp_path / "gate.md").read_text()


@pytest.mark.slow
def test_the_action_runs(app, tmp_path):
    action = read(ACTION)
    said = {name: str(entry.get("default", "")) for name, entry in action["inputs"].items()}
    said |= {"target": "sse-target.toml", "against": app.url, "gates": "gates.toml", "seconds": "8", "users": "5"}
    said["inconclusive"] = "pass"
    profile_at(app.url, tmp_path)
    for step in steps(action["runs"]):
        given = {
            name: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda found: said[found[1]], text)
            for name, text in step.get("env", {}).items()
        }
        if step["name"] != "Install":
            quickly(step["run"], tmp_path, {0}, **given)
    assert {"check.json", "load.json", "pair.json", "report.html", "gate.xml", "compare.xml"} <= {
        path.name for path in (tmp_path / "sse-out").iterdir()
    }


@pytest.mark.slow
def test_the_pre_merge_script_runs_and_cleans_up(tmp_path):
    ports = {"PORT": str(free_port()), "BASE_PORT": str(free_port())}
    profile_at(f"http://127.0.0.1:{ports['PORT']}", tmp_path)
    git = "git -c user.name=test -c user.email=test@example.invalid"
    quickly(f"git init -q -b main . && git add *.toml && {git} commit -qm first", tmp_path, {0})
    script = f"bash {SCRIPT} main sse-target.toml"
    variables = {"START": "ssegauge serve --pace 0.02 --port", "LOAD_SECONDS": "8", "USERS": "5"}
    quickly(script, tmp_path, ENOUGH, **ports, **variables)
    assert (tmp_path / "sse-out" / "report.html").is_file()
    quickly('test "$(git worktree list | wc -l)" -eq 1', tmp_path, {0})
    for port in ports.values():
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", int(port))) != 0
