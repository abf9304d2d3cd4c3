"""The most streams that the target holds at once before a limit breaks.

    locust -f loadtests/capacity.py --host http://localhost:8000/stream -r 100 --headless
    locust -f loadtests/capacity.py --host http://localhost:8000/stream --sse-limit "gap.p99 < 500ms" --headless

Steps up, doubling, until the limit or a stream fails, then halves the interval until it is within a tenth. Before each
step all streams are closed and the target has `--sse-settle` seconds to let go of them; then the step opens its own at
`-r` a second and holds them for `--sse-hold` seconds. The curve stands in the results under `capacity`. Streams should
be long, or come again at once, as they do here.
"""

from __future__ import annotations

from typing import Any

from locust import events, task
from locust.env import Environment
from locust.runners import WorkerRunner

from ssegauge.load import SseUser, arguments, find_capacity


def declare(parser: Any) -> None:
    """The scenario's own arguments."""
    add = arguments(parser, "capacity")
    add("limit", "first_event.p95 < 200ms", "LIMIT", "what must hold: first_event or gap, its percentile, and a time")
    add("failed_share", 0.001, "SHARE", "share of streams that may fail")
    add("first", 10, "USERS", "the first step")
    add("most", 10_000, "USERS", "no step goes beyond")
    add("hold", 10.0, "SECONDS", "how long each step is held, longer than the limit's time")
    add(
        "settle",
        3.0,
        "SECONDS",
        "between two steps, in which the target lets go of the streams of the first",
        least=1.0,
    )


class Capacity(SseUser):
    """Reads one stream after the other."""

    @task
    def read(self) -> None:
        """One stream, to its end."""
        self.hold()


def install(environment: Environment, **_: Any) -> None:
    """Only who conducts the run looks for its limit."""
    if not isinstance(environment.runner, WorkerRunner):
        find_capacity(environment)


events.init_command_line_parser.add_listener(declare)
events.init.add_listener(install)
