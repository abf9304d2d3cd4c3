"""Clients that leave in the middle, by FIN and by RST: does the target let go of their streams?

    locust -f loadtests/churn.py --sse-target sse-target.toml -u 100 -r 100 -t 60s --headless
    locust -f loadtests/churn.py --host http://localhost:8000/stream --sse-pid 4711 -u 100 -r 100 -t 60s --headless

Each stream is left at a random moment within `--sse-longest` seconds, every other one by a reset. Afterwards the
target's active streams must be back where they were before, within `--sse-settle` seconds: seen through the profile's
probe, or by the sockets of its process. Otherwise the run fails.
"""

from __future__ import annotations

import random
from typing import Any

from locust import events, task
from locust.env import Environment

from ssegauge.load import SseUser, arguments, back_at_base, conductor_of, option, share_of, watch_target


def declare(parser: Any) -> None:
    """The scenario's own arguments."""
    add = arguments(parser, "churn")
    add("longest", 3.0, "SECONDS", "a stream is left before that")
    add("settle", 10.0, "SECONDS", "in which the target must have let go of all")
    add("pid", 0, "PID", "process of the target on this machine")


class Leaver(SseUser):
    """Opens a stream, leaves it, opens the next."""

    dice = random.Random()

    @task
    def leave(self) -> None:
        """One stream, left in the middle."""
        longest = option(self.environment, "sse_longest")
        self.stream(leave_after=self.dice.uniform(0, longest), reset=self.dice.random() < 0.5)


def seed(environment: Environment, **_: Any) -> None:
    """The same moments in each run, others in each worker."""
    index, _of = share_of(environment)
    Leaver.dice.seed(f"{option(environment, 'sse_seed')}/{index}")


def install(environment: Environment, **_: Any) -> None:
    """Look at the target before, during and after."""

    def report(_collector: Any, watching: Any, gauge: Any) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if gauge is not None:
            settle = option(environment, "sse_settle")
            found = back_at_base(conductor_of(environment), watching, gauge, settle)
        return {**found, **watching.to_json()}

    watch_target(environment, report, "churn")


events.init_command_line_parser.add_listener(declare)
events.test_start.add_listener(seed)
events.init.add_listener(install)
