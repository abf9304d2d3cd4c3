"""Commands of scripts and of pages, run as a reader would type them."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from ssegauge.serving import ServedApp

HELD, NOT_HELD, WRONG, INCONCLUSIVE = range(4)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def commands_of(page: Path) -> list[str]:
    """What stands behind `$ ` in the page's console blocks; a backslash at the end of a line goes on with the next."""
    blocks = re.findall(r"^```console\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    joined = (re.sub(r"\\\n\s*", "", block) for block in blocks)
    return [line.removeprefix("$ ") for block in joined for line in block.splitlines() if line.startswith("$ ")]


def files_of(page: Path) -> dict[str, str]:
    """Name and text of the files that the page tells its reader to write: `<!-- file: NAME -->` above a block."""
    text = page.read_text(encoding="utf-8")
    return dict(re.findall(r"<!-- file: (\S+) -->\n```\w+\n(.*?)^```", text, re.MULTILINE | re.DOTALL))


def run(
    script: str,
    folder: Path,
    *,
    programs: Path = Path(sys.executable).parent,
    variables: Mapping[str, str] | None = None,
    timeout: float = 300,
) -> tuple[int, str]:
    """The exit code of a script, and all that it wrote. `programs` comes first on its PATH."""
    said = folder / "said.txt"
    # Into a file, for what is left in the background would hold a pipe open; at its end, where that writes on.
    with said.open("ab") as sink:
        before = sink.tell()
        done = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", script],
            cwd=folder,
            env={**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", **(variables or {})},
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            timeout=timeout,
        )
    return done.returncode, said.read_bytes()[before:].decode("utf-8", errors="replace")


def assert_run(script: str, folder: Path, allowed: set[int], **how) -> str:
    code, said = run(script, folder, **how)
    assert code in allowed, f"exit code {code}\n$ {script}\n{said[-6000:]}"
    assert "Traceback" not in said, f"$ {script}\n{said[-6000:]}"
    return said


@contextmanager
def stopped_at_the_end(folder: Path) -> Iterator[None]:
    """What a script has left in the background, and named in app.pids, ends here; on a CI service its runner does it."""
    try:
        yield
    finally:
        found = folder / "app.pids"
        for pid in found.read_text().split() if found.exists() else ():
            os.kill(int(pid), signal.SIGTERM)


@contextmanager
def reference_app(pace: float) -> Iterator[ServedApp]:
    """The reference app, served with so many seconds between events."""
    os.environ["SSEGAUGE_PACE"] = str(pace)
    try:
        with ServedApp("ssegauge.target_app.app:app") as served:
            yield served
    finally:
        del os.environ["SSEGAUGE_PACE"]


# -- a page, step by step ---------------------------------------------------------------------------------------------


class Step(NamedTuple):
    """A file to write, or a command with what the page shows of its output, its exit code, and where it is typed."""

    command: str = ""
    shown: tuple[str, ...] = ()
    exit: int = HELD
    elsewhere: bool = False
    file: str = ""
    text: str = ""


_BLOCK = re.compile(r"(?:^<!-- (?P<mark>[^>]*) -->\n)?^```(?P<kind>\w+)\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL)


def steps_of(page: Path) -> Iterator[Step]:
    """What the page lets its reader do, in order. The exit code that a block is marked with is that of its last command."""
    for block in _BLOCK.finditer(page.read_text(encoding="utf-8")):
        mark, kind, text = block["mark"] or "", block["kind"], block["text"]
        if mark.startswith("file: "):
            yield Step(file=mark.removeprefix("file: "), text=text)
        elif kind == "console":
            typed = re.split(r"^\$ ", re.sub(r"\\\n\s*", "", text), flags=re.MULTILINE)[1:]
            for number, part in enumerate(typed, 1):
                command, *shown = part.splitlines()
                code = int(mark.removeprefix("exit: ")) if mark.startswith("exit: ") and number == len(typed) else HELD
                yield Step(command, tuple(shown), code, mark == "another terminal")


def alike(line: str) -> str:
    """The line without what differs from run to run: its numbers."""
    return re.sub(r"\d+(\.\d+)?", "#", " ".join(line.split()))


def assert_shown(step: Step, said: str) -> None:
    """Each line that the page shows came, in this order; an ellipsis on a line of its own stands for any lines."""
    lines = iter([alike(line) for line in said.splitlines()])
    for line in step.shown:
        if line.strip() not in {"", "…"}:
            assert alike(line) in lines, f"$ {step.command}\nnot there, or not in this place: {line}\n\n{said[-6000:]}"
