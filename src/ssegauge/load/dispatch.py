"""Open arrivals: streams start when the schedule says, whether or not those before have ended.

Users are the places in which streams can run. An arrival for which no user is free is counted as dropped, and not made
later: a closed loop stops asking while the server is slow, and so hides the slow time.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import gevent
from gevent.hub import get_hub
from greenlet import getcurrent
from locust import User
from locust.env import Environment
from locust.runners import MasterRunner
from locust.user.task import LOCUST_STATE_RUNNING, LOCUST_STATE_WAITING

from ssegauge.load.arrivals import Constant, Poisson, Schedule, Share
from ssegauge.load.clock import monotonic_ns
from ssegauge.load.session import option, session_of

_RATE = 10.0


class Dispatcher:
    """Hands arrivals to free users, first come first served."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._free: deque[Any] = deque()
        self._given: dict[Any, tuple[int, str]] = {}
        self._greenlet: gevent.Greenlet[..., None] | None = None

    def start(self, schedule: Schedule) -> None:
        """Arrivals begin now. A schedule that runs already goes on."""
        if self._greenlet is None:
            self._greenlet = gevent.spawn(self._run, schedule, monotonic_ns())

    def stop(self) -> None:
        """No further arrivals."""
        if self._greenlet is not None:
            self._greenlet.kill(block=False)
            self._greenlet = None

    def next(self, user: User) -> tuple[int, str]:
        """Wait for an arrival: its intended start in monotonic nanoseconds, and the endpoint's name."""
        me = getcurrent()
        user._state = LOCUST_STATE_WAITING  # Locust may stop a user that waits at once
        self._free.append(me)
        try:
            while me not in self._given:
                get_hub().switch()
            return self._given.pop(me)
        finally:
            user._state = LOCUST_STATE_RUNNING
            if me in self._free:
                self._free.remove(me)

    def _run(self, schedule: Schedule, start: int) -> None:
        session = session_of(self._environment)
        n = 0
        while True:
            due = start + int(schedule.at(n) * 1e9)
            wait = due - monotonic_ns()
            if wait > 0:
                gevent.sleep(wait / 1e9)
            name = session.next_endpoint().name
            if self._free:
                waiting = self._free.popleft()
                self._given[waiting] = (due, name)
                get_hub().loop.run_callback(waiting.switch)
            else:
                session.recorder.dropped(name)
            n += 1


def open_arrivals(environment: Environment) -> Dispatcher:
    """A dispatcher that follows the run: it starts when all users are there, by --sse-rate and --sse-arrivals."""
    dispatcher = Dispatcher(environment)
    events = environment.events
    if not isinstance(environment.runner, MasterRunner):
        events.spawning_complete.add_listener(lambda **_: _start(dispatcher, environment))
        events.test_stopping.add_listener(lambda **_: dispatcher.stop())
    return dispatcher


def _start(dispatcher: Dispatcher, environment: Environment) -> None:
    if option(environment, "sse_rate", _RATE) > 0:  # at 0 users go their own pace
        dispatcher.start(_schedule(environment))


def _schedule(environment: Environment) -> Schedule:
    rate = option(environment, "sse_rate", _RATE)
    poisson = option(environment, "sse_arrivals", "poisson") == "poisson"
    whole: Schedule = Poisson(rate, option(environment, "sse_seed", 1)) if poisson else Constant(rate)
    index, of = share_of(environment)
    return Share(whole, index, of)


def share_of(environment: Environment) -> tuple[int, int]:
    """Which part of the run's work this process does: its index, and among how many."""
    shares: dict[str, int] = option(environment, "sse_shares", {})
    me = getattr(environment.runner, "client_id", "local")
    return shares.get(me, 0), max(1, len(shares))
