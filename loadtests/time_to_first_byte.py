"""How long until the response begins, when streams arrive on their own schedule.

    locust -f loadtests/time_to_first_byte.py --host http://localhost:8000/stream --sse-rate 50 -u 500 -r 500 -t 60s --headless

Arrivals are made at `--sse-rate`, evenly or at random (`--sse-arrivals`), whether or not the streams before have ended;
`-u` is how many may be open at once. Times count from the intended start as well (`ttfb_from_intended`), and an arrival
that finds no free user is counted (`dropped_arrivals`), not made later.
"""

from __future__ import annotations

from typing import Any

from locust import events, task
from locust.env import Environment

from ssegauge.load import Dispatcher, SseUser, arguments, open_arrivals


def declare(parser: Any) -> None:
    """The scenario's own arguments."""
    add = arguments(parser, "time_to_first_byte")
    add("rate", 10.0, "PER_SECOND", "arrivals", least=0.001)
    add("arrivals", "poisson", None, "how they are spaced", ("poisson", "constant"))
    parser.set_defaults(sse_measure="ttfb")


class FirstByte(SseUser):
    """Waits for an arrival, then reads its stream to the end."""

    dispatcher: Dispatcher

    @task
    def arrive(self) -> None:
        """One arrival."""
        intended, endpoint = self.dispatcher.next(self)
        self.stream(endpoint=endpoint, intended=intended)


def install(environment: Environment, **_: Any) -> None:
    """One schedule for all users of this process."""
    FirstByte.dispatcher = open_arrivals(environment)


events.init_command_line_parser.add_listener(declare)
events.init.add_listener(install)
