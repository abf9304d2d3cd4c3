"""A mistake in a run's arguments, found once Locust has begun: one line, and our exit code."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from ssegauge.errors import UserError


@contextmanager
def told() -> Iterator[None]:
    """Within it a UserError ends the process: its line on standard error, its exit code. Locust would print a traceback."""
    try:
        yield
    except UserError as error:
        print(error, file=sys.stderr)  # noqa: T201 - before the run begins there is nobody else to say it
        sys.exit(error.exit_code)
