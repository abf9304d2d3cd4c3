"""The app as it is served: uvicorn in a process of its own, on a free port, stopped by its id."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.target_app.reading import Event, strict
from tests.timing import MS

ROOT = Path(__file__).resolve().parents[2]


class App:
    """A served app."""

    def __init__(self, port: int = 0, **environment: str) -> None:
        command = [sys.executable, "-m", "uvicorn", "target_app.app:app", "--port", str(port), "--http", "h11"]
        self.process = subprocess.Popen(
            [*command, "--timeout-graceful-shutdown", "5"],
            cwd=ROOT,
            env={**os.environ, "SSEGAUGE_PACE": "0.02", **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.log: list[str] = []
        self.port = self._port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        self.client = httpx.Client(base_url=self.url, timeout=10_000 * MS, trust_env=False)

    def _port(self) -> int:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log.append(line)
            if found := re.search(r"running on http://127\.0\.0\.1:(\d+)", line):
                return int(found[1])
        raise AssertionError("".join(self.log))

    def _read_log(self) -> None:
        assert self.process.stderr is not None
        self.log.extend(self.process.stderr)

    def events(self, path: str, *, method: str = "GET", **request: Any) -> list[Event]:
        response = self.client.request(method, path, **request)
        assert response.status_code == 200, response.text
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        return strict(response.content)

    def probe(self) -> dict[str, int]:
        report: dict[str, int] = self.client.get("/_probe").json()
        return report

    def stop(self) -> None:
        self.client.close()
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(10_000 * MS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._reader.join()
        assert self.process.stderr is not None
        self.process.stderr.close()


@pytest.fixture(scope="session")
def app() -> Iterator[App]:
    served = App()
    yield served
    served.stop()


@pytest.fixture
def own_app() -> Iterator[App]:
    """An app that the test may stop."""
    served = App()
    yield served
    served.stop()
