"""Starts a foreign server as its own documentation says, on a free port of the loopback, and stops it by its id."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile

import psutil
import pytest

SERVERS = Path(__file__).resolve().parent / "servers"
START = 30.0


@dataclass(frozen=True)
class Foreign:
    """A server that is not ours. Its `command` may name {python}, {node}, {port}, {cert} and {key}.

    `worker`: a child of the started process serves, and its id is the one to look at.
    """

    command: str
    env: Mapping[str, str] = field(default_factory=dict)
    worker: bool = False
    scheme: str = "http"


@dataclass(frozen=True)
class Running:
    """A server under way: its address and the id of the process that serves."""

    url: str
    pid: int


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(port: int, process: subprocess.Popen[bytes], words: TemporaryFile | None = None) -> None:  # type: ignore[valid-type]
    """Until something listens there. Fails the test with the server's own words where it never does."""
    deadline = time.monotonic() + START
    while True:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        if process.poll() is not None or time.monotonic() > deadline:
            said = ""
            if words is not None:
                words.seek(0)
                said = words.read().decode(errors="replace")[-2000:]
            pytest.fail(f"the server did not start: {process.args}: {said}")
        time.sleep(0.02)


@contextlib.contextmanager
def started(
    command: list[str], port: int, *, cwd: Path = SERVERS, env: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """The process while it listens on the port; its whole group is gone afterwards."""
    with TemporaryFile() as words:
        process = subprocess.Popen(
            command, cwd=cwd, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL, stdout=words, stderr=words, start_new_session=True
        )  # fmt: skip
        try:
            wait_for(port, process, words)
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # its own session: nothing but what we started is in it
            process.wait()


@contextlib.contextmanager
def running(foreign: Foreign, **places: object) -> Iterator[Running]:
    """The server while it runs."""
    port = free_port()
    names = {"python": sys.executable, "node": shutil.which("node"), "port": port, **places}
    command = [part.format_map(names) for part in foreign.command.split()]
    with started(command, port, env=foreign.env) as process:
        pid = process.pid
        if foreign.worker:
            pid = psutil.Process(pid).children()[-1].pid
        host = "localhost" if foreign.scheme == "https" else "127.0.0.1"
        yield Running(f"{foreign.scheme}://{host}:{port}", pid)


def lacking(foreign: Foreign) -> str:
    """Why this server cannot be had here, or nothing."""
    if "{node}" in foreign.command:
        return _node_lacking()
    module = foreign.command.partition(" -m ")[2].split(" ")[0]
    return f"needs the package {module}" if module and importlib.util.find_spec(module) is None else ""


@cache
def _node_lacking() -> str:
    """The first call installs the packages of Node's servers."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        return "needs node and npm"
    wanted, there = (SERVERS / "package.json").read_text(), SERVERS / "node_modules" / ".ready"
    if there.exists() and there.read_text() == wanted:
        return ""
    done = subprocess.run(
        ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"],
        cwd=SERVERS, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    if done.returncode:
        return f"npm could not install the packages of tests/field/servers: {done.stderr.strip()[-300:]}"
    there.write_text(wanted)
    return ""
