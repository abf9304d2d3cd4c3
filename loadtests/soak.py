"""The same load for hours: what grows?

    locust -f loadtests/soak.py --sse-target sse-target.toml -u 200 -r 20 -t 8h -s 60s --headless

Slopes of the target's memory (through the probe's process id or `--sse-pid`), of gaps, first events and failures over
the steady part stand in the results under `soak`, each as change an hour.
"""

from __future__ import annotations

from typing import Any

from locust import events, task
from locust.env import Environment

from ssegauge.load import SseUser, arguments, slopes, watch_target


def declare(parser: Any) -> None:
    """The scenario's own arguments."""
    add = arguments(parser, "soak")
    add("pid", 0, "PID", "process of the target on this machine")


class Soak(SseUser):
    """Reads one stream after the other."""

    @task
    def read(self) -> None:
        """One stream, to its end."""
        self.hold()


def install(environment: Environment, **_: Any) -> None:
    """Follow the target's memory."""

    def report(collector: Any, watching: Any, _gauge: Any) -> dict[str, Any]:
        collector.fold(float("inf"))
        found = slopes(collector.rows, watching.memory)
        return {**found, **watching.to_json()}

    watch_target(environment, report, "soak")


events.init_command_line_parser.add_listener(declare)
events.init.add_listener(install)
