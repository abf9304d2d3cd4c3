"""The damaging source, and Locust as its users start it."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.load.damage import profile_of
from tests.timing import MS

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def start(*command, **options):
    process = subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, text=True, **options)
    return process, int(process.stdout.readline())


def stop(process):
    process.terminate()
    process.wait(timeout=5000 * MS)
    process.stdout.close()


class Address(str):
    """An address that knows the process that serves it."""

    __slots__ = ("pid",)


@pytest.fixture(scope="session")
def source():
    """Address of a server whose paths damage streams, each in its own way."""
    process, port = start(str(HERE / "source.py"))
    address = Address(f"http://127.0.0.1:{port}")
    address.pid = process.pid
    yield address
    stop(process)


@pytest.fixture(scope="session")
def profile(source, tmp_path_factory):
    """A profile of that server: a contract of tokens and one done."""
    path = tmp_path_factory.mktemp("profile") / "target.toml"

    def write(**paths):
        path.write_text(profile_of(source, paths), encoding="utf-8")
        return path

    return write


@pytest.fixture
def port():
    """A port that is free."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Ended:
    """What a run of Locust left behind."""

    def __init__(self, process, output, results):
        self.code = process.returncode
        self.output = output
        self.results = json.loads(results.read_text(encoding="utf-8")) if results.exists() else None


@pytest.fixture
def locust(tmp_path):
    """Starts Locust on a scenario; `.finish()` waits for it and reads its results."""
    started = []

    def run(scenario, *arguments, env=None):
        results = tmp_path / "results.json"
        path = scenario if Path(scenario).is_absolute() else ROOT / "loadtests" / f"{scenario}.py"
        command = ["-m", "locust", "-f", str(path), "--headless", "--only-summary", "--sse-results", str(results)]
        command += ["--sse-max-read-lag", "10000"]  # the machine that runs tests may be busy
        process = subprocess.Popen(
            [sys.executable, *command, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=tmp_path,
            env={**os.environ, **(env or {})},
            start_new_session=True,
        )
        started.append(process)

        def finish(within=30_000 * MS):
            output, _ = process.communicate(timeout=within)
            return Ended(process, output, results)

        process.finish = finish
        return process

    yield run
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, 9)
            process.communicate()
