"""The one unit of time of the tests: `MS`, one millisecond, stretched on slow machines by SSEGAUGE_TEST_SLOWDOWN."""

import os
import time
from collections.abc import Callable

SLOWDOWN = float(os.environ.get("SSEGAUGE_TEST_SLOWDOWN", "1"))

MS = 0.001 * SLOWDOWN
"""Seconds. Every deadline and every delay in tests is a multiple of it: `timeout=500 * MS`."""


def eventually(condition: Callable[[], object], within: float = 2000 * MS) -> None:
    """Return as soon as `condition()` holds; fail when it does not within so many seconds."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"did not come to pass within {within:g} s"
        time.sleep(MS)
