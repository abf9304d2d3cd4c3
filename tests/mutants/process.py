"""A mutant in a process of its own, for the rules that look at a process."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from .server import Clean

ROOT = Path(__file__).resolve().parent.parent.parent


@contextlib.contextmanager
def served(mutant: Clean) -> Iterator[tuple[str, int]]:
    """The address and the process id of the mutant while it is served."""
    kind = type(mutant)
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.mutants", f"{kind.__module__}:{kind.__qualname__}"],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        port = child.stdout.readline().strip()
        assert port, "the mutant did not start"
        yield f"http://127.0.0.1:{port}", child.pid
    finally:
        child.stdin.close()  # the child ends with its input
        child.wait(10)
        child.stdout.close()
