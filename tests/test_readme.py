"""Every command of the README and of the tutorial is run, in an empty folder, as a reader would type it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from ssegauge.serving import ServedApp
from tests.shell import (
    INCONCLUSIVE,
    Step,
    alike,
    assert_run,
    assert_shown,
    files_of,
    free_port,
    reference_app,
    run,
    steps_of,
)
from tests.timing import eventually

ROOT = Path(__file__).parent.parent
README, TUTORIAL = ROOT / "README.md", ROOT / "docs" / "tutorial.md"
ADDRESS = "http://127.0.0.1:8000"
BY_CI = ("git clone", "make ", "pip install", "python3 -m venv")
"""Run by .ci/run on a clean clone, for they install or are this very test."""
ELSEWHERE = ("ssegauge serve",)
"""Runs until it is stopped: the fixture serves the same app."""
MEASURED = ("ssegauge load", "ssegauge compare", "ssegauge gate")
"""A busy machine may say that it is too busy: then it is asked again, and where no figure is shown that is an answer."""


def commands(page: Path) -> list[str]:
    return [step.command for step in steps_of(page) if step.command]


@pytest.fixture(scope="module")
def app() -> Iterator[ServedApp]:
    with reference_app(0.1) as served:
        yield served


def typed(step: Step, text: str, folder: Path) -> str:
    measured = text.startswith(MEASURED)
    for _ in range(3 if measured else 1):
        code, said = run(text, folder)
        if code != INCONCLUSIVE:
            break
    allowed = {step.exit, INCONCLUSIVE} if measured and not step.shown else {step.exit}
    assert code in allowed, f"exit code {code}, not {step.exit}\n$ {text}\n{said[-6000:]}"
    assert "Traceback" not in said, f"$ {text}\n{said[-6000:]}"
    return said


@pytest.mark.slow
def test_commands_of_the_readme_do_what_it_says(app: ServedApp, tmp_path: Path) -> None:
    for name, text in files_of(README).items():
        (tmp_path / name).write_text(text.replace(ADDRESS, app.url), encoding="utf-8")
    for step in steps_of(README):
        if step.command and not step.command.startswith((*BY_CI, *ELSEWHERE)):
            assert_shown(step, typed(step, step.command.replace(ADDRESS, app.url), tmp_path))


@contextmanager
def another_terminal(command: str, folder: Path, port: int) -> Iterator[None]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    with (folder / "elsewhere.txt").open("w") as said:
        process = subprocess.Popen(
            ["bash", "-c", f"exec {command}"],
            cwd=folder,
            env={**os.environ, "PATH": path},
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        try:
            eventually(lambda: listens(port) or process.poll() is not None, within=30)
            assert process.poll() is None, (folder / "elsewhere.txt").read_text()
            yield
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.slow
def test_the_tutorial_goes_as_it_says(tmp_path: Path) -> None:
    port = free_port()
    with ExitStack() as terminals:
        for step in steps_of(TUTORIAL):
            if step.file:
                (tmp_path / step.file).write_text(step.text.replace("8000", str(port)), encoding="utf-8")
            elif step.elsewhere:
                terminals.close()
                terminals.enter_context(another_terminal(step.command.replace("8000", str(port)), tmp_path, port))
            elif not step.command.startswith(BY_CI):
                assert_shown(step, typed(step, step.command.replace("8000", str(port)), tmp_path))


def test_pages_name_commands_and_files() -> None:
    assert len(commands(README)) > 15
    assert {"sse-target.toml", "test_stream.py"} <= set(files_of(README))
    assert len(commands(TUTORIAL)) > 12
    assert {"app.py", "sse-target.toml", "test_answer.py", "gates.toml"} <= set(files_of(TUTORIAL))


def test_ci_runs_what_the_readme_leaves_to_it() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    for command in ("make demo", "make test"):
        assert command in commands(README)
        assert command in script


def test_what_a_page_shows_is_held_against_what_came() -> None:
    step = Step("ssegauge x", ("a  took 12.5 ms", "…", "the end"))
    assert_shown(step, "a took 3 ms\nmore\nthe end\n")
    for said in ("a took 3 ms\nmore\n", "the end\na took 3 ms\n", "a took 3 s\nthe end\n"):
        with pytest.raises(AssertionError, match="not there, or not in this place"):
            assert_shown(step, said)
    assert alike("p50 1.5 ms") == alike("p50  22 ms")


def test_a_command_that_ends_otherwise_fails_the_page(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="exit code 3"):
        assert_run("exit 3", tmp_path, {0})
    with pytest.raises(AssertionError, match="exit code 2, not 1"):
        typed(Step("x", exit=1), "exit 2", tmp_path)
