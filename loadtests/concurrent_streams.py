"""Hold many streams open: -u of them, one a user; the next begins when one ends.

    locust -f loadtests/concurrent_streams.py --host http://localhost:8000/stream -u 500 -r 50 -t 60s -s 30s --headless
    locust -f loadtests/concurrent_streams.py --host http://localhost:8000/stream --sse-steps 100x30s,500x30s --headless

`-s` lets the last streams end, so that none is cut by the run's end. `--sse-steps` changes the number while the run
goes on, and ends it after the last step.
"""

from __future__ import annotations

from typing import Any

from locust import events, task
from locust.env import Environment
from locust.runners import WorkerRunner

from ssegauge.load import SseUser, arguments, staircase


def declare(parser: Any) -> None:
    """The scenario's own arguments."""
    add = arguments(parser, "concurrent_streams")
    add("steps", "", "USERSxTIME,…", "numbers of users, each held for a time, as in 100x30s,500x1m")


class ConcurrentStreams(SseUser):
    """Reads one stream after the other."""

    @task
    def read(self) -> None:
        """One stream, to its end."""
        self.hold()


def install(environment: Environment, **_: Any) -> None:
    """Only who conducts the run climbs."""
    if not isinstance(environment.runner, WorkerRunner):
        staircase(environment)


events.init_command_line_parser.add_listener(declare)
events.init.add_listener(install)
