"""Some clients stop reading. The others must not notice, and the target's memory must stay bounded.

    locust -f loadtests/slow_readers.py --sse-target sse-target.toml -u 100 -r 100 -t 60s --headless

A share of the users (`--sse-slow-share`) stops reading after `--sse-calm` seconds and never reads on; what they receive
is kept apart ("NAME (stopped)"). The results compare the others' gaps before and after, and, where the target's process
is known, its memory, under `slow_readers`. The run fails where the p99 of the others' gaps becomes more than
`--sse-notice` times what it was, and 50 ms more, or their events become so many times fewer. Needs streams that go on: `--sse-endpoint` of an endless one.
"""

from __future__ import annotations

import time
from typing import Any

import gevent
from locust import events, task
from locust.env import Environment

from ssegauge.load import SseUser, arguments, before_and_after, option, watch_target


def declare(parser: Any) -> None:
    """The scenario's own arguments."""
    add = arguments(parser, "slow_readers")
    add("slow_share", 0.2, "SHARE", "of the users that stop reading")
    add("calm", 10.0, "SECONDS", "before they stop")
    add(
        "notice",
        2.0,
        "TIMES",
        "how many times as long the others' gaps may become (p99), or how many times fewer their events",
        least=1,
    )
    add("pid", 0, "PID", "process of the target on this machine")


class SlowReaders(SseUser):
    """One user in so many stops reading; the others read on."""

    born = 0
    calm_until = 0.0

    def on_start(self) -> None:
        """Which of the two this user is: evenly spread over those that are born."""
        share = option(self.environment, "sse_slow_share")
        number = SlowReaders.born
        SlowReaders.born += 1
        self.stops = int((number + 1) * share) > int(number * share)

    @task
    def read(self) -> None:
        """One stream, to its end or to the moment when this user stops reading."""
        if not self.stops:
            self.stream()
            return
        endpoint = self.session.next_endpoint()
        with self.stream(endpoint=endpoint, name=f"{endpoint.name} (stopped)", events=True) as stream:
            for _ in stream:
                if time.time() >= self.calm_until:
                    stream.pause()
                    gevent.sleep(3600)


def begin(environment: Environment, **_: Any) -> None:
    """The calm begins with the run."""
    SlowReaders.born = 0
    SlowReaders.calm_until = time.time() + option(environment, "sse_calm")


def install(environment: Environment, **_: Any) -> None:
    """Compare the time before with the time after."""

    def report(collector: Any, watching: Any, _gauge: Any) -> dict[str, Any]:
        calm, times = option(environment, "sse_calm"), option(environment, "sse_notice")
        found = before_and_after(collector, calm, leave_out=" (stopped)", times=times)
        if found["noticed"] is None:
            collector.notes.append(
                "too few events came to tell whether the others noticed slow readers; let the streams go on for longer"
            )
        if found["noticed"] and environment.process_exit_code is None:
            environment.process_exit_code = 1
        return {**found, **watching.to_json()}

    watch_target(environment, report, "slow_readers")


events.init_command_line_parser.add_listener(declare)
events.test_start.add_listener(begin)
events.init.add_listener(install)
