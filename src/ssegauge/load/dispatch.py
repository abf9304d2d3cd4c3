"""Open arrivals: streams start when the schedule says, whether or not those before have ended.

Users are the places in which streams can run. An arrival for which no user is free is counted as dropped, and not made
later: a closed loop stops asking while the server is slow, and so hides the slow time.
"""

from __future__ import annotations

from collections import deque

import gevent
from gevent.event import AsyncResult
from locust import User
from locust.env import Environment
from locust.exception import StopUser
from locust.runners import STATE_RUNNING, STATE_SPAWNING, MasterRunner
from locust.user.task import LOCUST_STATE_RUNNING, LOCUST_STATE_WAITING

from ssegauge.load.arrivals import Constant, Poisson, Schedule, Share
from ssegauge.load.clock import monotonic_ns
from ssegauge.load.conductor import conductor_of
from ssegauge.load.session import option, session_of

_RATE = 10.0


class Dispatcher:
    """Hands arrivals to free users, first come first served."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._free: deque[AsyncResult[tuple[int, str]]] = deque()
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
        """Wait for an arrival: its intended start in monotonic nanoseconds, and the endpoint's name. Raises StopUser where
        the user is told to stop: an arrival that it has been given counts as dropped.
        """
        user._state = LOCUST_STATE_WAITING  # Locust may stop a user that waits at once
        place: AsyncResult[tuple[int, str]] = AsyncResult()
        self._free.append(place)
        try:
            place.wait()
        except BaseException:
            if place.value is None:
                self._free.remove(place)
            else:  # stopped between being given an arrival and hearing of it
                session_of(self._environment).recorder.dropped(place.value[1])
            raise
        finally:
            user._state = LOCUST_STATE_RUNNING
        assert place.value is not None  # noqa: S101 - for the type checker: it was waited for
        if getattr(user, "is_called_off", False):  # told to stop in the same turn of the loop
            session_of(self._environment).recorder.dropped(place.value[1])
            raise StopUser
        return place.value

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
                self._free.popleft().set((due, name))
            else:
                session.recorder.dropped(name)
            n += 1


def open_arrivals(environment: Environment) -> Dispatcher:
    """A dispatcher that follows the run: it starts when all users are there, by --sse-rate and --sse-arrivals."""
    dispatcher = Dispatcher(environment)
    events = environment.events
    if isinstance(environment.runner, MasterRunner):
        events.worker_connect.add_listener(lambda client_id, **_: _note_latecomer(environment, client_id))
    else:
        events.spawning_complete.add_listener(lambda **_: _start(dispatcher, environment))
        events.test_stopping.add_listener(lambda **_: dispatcher.stop())
    return dispatcher


def _start(dispatcher: Dispatcher, environment: Environment) -> None:
    rate = option(environment, "sse_rate", _RATE)
    index, of = share_of(environment)
    if rate > 0 and index < of:  # at 0 users go their own pace
        dispatcher.start(Share(_schedule(environment, rate), index, of))


def _schedule(environment: Environment, rate: float) -> Schedule:
    poisson = option(environment, "sse_arrivals", "poisson") == "poisson"
    return Poisson(rate, option(environment, "sse_seed", 1)) if poisson else Constant(rate)


def _note_latecomer(environment: Environment, name: str) -> None:
    """Locust gives a worker that joins a part of the users, taken from the others; of the arrivals it has no share."""
    runner = environment.runner
    goes_on = runner is not None and runner.state in (STATE_RUNNING, STATE_SPAWNING)
    shares = option(environment, "sse_shares", {})
    if goes_on and option(environment, "sse_rate", _RATE) > 0 and name not in shares:
        conductor_of(environment).collector.notes.append(
            f"worker {name} came after the run had begun: it makes none of the arrivals, and its part of the users is idle"
        )


def share_of(environment: Environment) -> tuple[int, int]:
    """Which part of the run's work this process does: its index, and among how many.

    A worker that joined later has no part: its index is none of these, and no other worker's.
    """
    shares: dict[str, int] = option(environment, "sse_shares", {})
    runner = environment.runner
    if not shares:
        return 0, 1
    late = max(len(shares), getattr(runner, "worker_index", 0))  # Locust counts workers in the order in which they came
    return shares.get(getattr(runner, "client_id", ""), late), len(shares)
