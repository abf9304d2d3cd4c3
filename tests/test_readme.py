"""Every command of the README is run, in an empty folder, against the reference app on a port of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ssegauge.serving import ServedApp

README = Path(__file__).parent.parent / "README.md"
ADDRESS = "http://127.0.0.1:8000"
BY_CI = ("git clone", "make ", "pip install")
"""Run by .ci/run on a clean clone, for they install or are this very test."""
ELSEWHERE = ("ssegauge serve",)
"""Runs until it is stopped: the fixture serves the same app."""
EXPECTED_EXIT = {"ssegauge check http://127.0.0.1:8000/stream --strict": {0, 1}}


def commands() -> list[str]:
    blocks = re.findall(r"^```console\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [line.removeprefix("$ ") for block in blocks for line in block.splitlines() if line.startswith("$ ")]


def files() -> dict[str, str]:
    found = re.findall(
        r"<!-- file: (\S+) -->\n```\w+\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    return dict(found)


@pytest.fixture(scope="module")
def app() -> Iterator[ServedApp]:
    os.environ["SSEGAUGE_PACE"] = "0.02"
    try:
        with ServedApp("ssegauge.target_app.app:app") as served:
            yield served
    finally:
        del os.environ["SSEGAUGE_PACE"]


@pytest.fixture(scope="module")
def folder(app: ServedApp, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("stranger")
    for name, text in files().items():
        (made / name).write_text(text.replace(ADDRESS, app.url), encoding="utf-8")
    return made


RUN = [command for command in commands() if not command.startswith((*BY_CI, *ELSEWHERE))]


@pytest.mark.slow
def test_commands_of_the_readme_do_what_it_says(app: ServedApp, folder: Path) -> None:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    for command in RUN:
        text = command.replace(ADDRESS, app.url)
        if (
            "--pyargs ssegauge.conformance" in text
            and shutil.which("ssegauge")
            and (README.parent / "conformance").is_dir()
        ):
            text = text.replace(
                "--pyargs ssegauge.conformance",
                f"{README.parent / 'conformance'} --import-mode=importlib -p no:cacheprovider",
            )
        done = subprocess.run(
            text,
            shell=True,
            cwd=folder,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        said = f"$ {command}\n{done.stdout[-4000:]}\n{done.stderr[-2000:]}"
        assert done.returncode == 0, said
        assert "Traceback" not in done.stdout + done.stderr, said


def test_readme_names_commands_and_files() -> None:
    assert len(RUN) > 12
    assert {"sse-target.toml", "test_stream.py"} <= set(files())


def test_ci_runs_what_the_readme_leaves_to_it() -> None:
    script = (README.parent / ".ci" / "run").read_text(encoding="utf-8")
    for command in ("make demo", "make test"):
        assert command in commands()
        assert command in script
