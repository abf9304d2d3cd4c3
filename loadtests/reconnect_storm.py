"""All streams are cut at once and all come back: is anything lost or doubled?

    locust -f loadtests/reconnect_storm.py --sse-target sse-target.toml -u 500 -r 100 -t 60s --headless

Every `--sse-storm` seconds all clients lose their connection at the same moment, on all machines, and come back after
the `retry:` that the stream asked for (3 s where it said nothing) with Last-Event-ID. A cut by the server is answered
in the same way. Lost, doubled and reordered events are counted over all connections of a stream, by the profile's
`sequence`, or by ids that count.
"""

from __future__ import annotations

import time
from typing import Any

from locust import events, task

from ssegauge.load import SseUser, arguments, follow, option


def declare(parser: Any) -> None:
    """The scenario's own arguments."""
    add = arguments(parser, "reconnect_storm")
    add("storm", 10.0, "SECONDS", "between two cuts", least=0.1)
    add("connections", 1000, "NUMBER", "of one stream, at most")


class Stormed(SseUser):
    """Follows one logical stream after the other."""

    @task
    def hold_on(self) -> None:
        """One logical stream, through all its connections."""
        follow(self, self.until_storm, most=option(self.environment, "sse_connections"))

    def until_storm(self) -> float:
        """Seconds to the next multiple of the interval on the wall clock, which all machines share."""
        every: float = option(self.environment, "sse_storm")
        return every - time.time() % every


events.init_command_line_parser.add_listener(declare)
