"""A mutant in a process of its own, for the rules that look at a process."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from .server import Clean

ROOT = Path(__file__).resolve().parent.parent.parent


@contextlib.contextmanager
def served(mutant: Clean) -> Iterator[tuple[str, int]]:
    """The address and the process id of the mutant while it is served."""
    child, port = _start(mutant)
    try:
        yield f"http://127.0.0.1:{port}", child.pid
    finally:
        _end(child)


def _start(mutant: Clean, port: int = 0) -> tuple[subprocess.Popen[str], int]:
    kind = type(mutant)
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.mutants", f"{kind.__module__}:{kind.__qualname__}", str(port)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert child.stdout is not None
    told = child.stdout.readline().strip()
    if not told:
        _end(child)
        raise AssertionError(f"{kind.__qualname__} did not start")
    return child, int(told)


def _end(child: subprocess.Popen[str]) -> None:
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.close()  # the child ends with its input
    child.wait(10)
    child.stdout.close()


class Controlled:
    """A mutant in a process that may be signalled and started again, as `ssegauge.serving.ServedApp` is."""

    shows_probe = False  # its own status address is the profile's

    def __init__(self, mutant: Clean) -> None:
        self._mutant = mutant
        self.grace = 60.0  # the mutant has no limit of a server's that would end its streams
        self.process, self._port = _start(mutant)
        self.url = f"http://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int:
        """The id of the process that serves now."""
        return self.process.pid

    def signal(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Send the process a signal."""
        self.process.send_signal(number)

    def wait(self, within: float) -> float | None:
        """Seconds until the process was gone, or None."""
        began = time.monotonic()
        try:
            self.process.wait(within)
        except subprocess.TimeoutExpired:
            return None
        return time.monotonic() - began

    def restart(self) -> None:
        """Bring it back at the same port."""
        _end(self.process)
        self.process, _ = _start(self._mutant, self._port)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        _end(self.process)
