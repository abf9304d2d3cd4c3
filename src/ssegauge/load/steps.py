"""Numbers of users that change while a run goes on."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import gevent
from locust.env import Environment
from locust.runners import STATE_RUNNING, STATE_SPAWNING, Runner

from ssegauge.errors import UserError
from ssegauge.load.collector import Collector
from ssegauge.load.conductor import Conductor, conductor_of
from ssegauge.load.session import option
from ssegauge.profile.fields import duration

logger = logging.getLogger("ssegauge.load")

_GOES_ON = (STATE_RUNNING, STATE_SPAWNING)
_LATE_SECONDS = 30.0  # beyond its ramp, for workers that are slow to start or to stop their users
_STEP = re.compile(r"\s*(\d+)\s*x\s*(\S+?)\s*")


class Step(NamedTuple):
    """So many users, held for so many seconds after the last of them has started."""

    users: int
    seconds: float


def parse_steps(text: str) -> list[Step]:
    """The steps of "100x30s, 500x1m". Raises UserError."""
    steps = []
    for part in text.split(","):
        found = _STEP.fullmatch(part)
        if found is None:
            raise UserError(f'--sse-steps: "{part.strip()}" is no step; write USERSxTIME, as in 100x30s,500x1m')
        try:
            steps.append(Step(int(found[1]), duration(found[2])))
        except ValueError as error:
            raise UserError(f"--sse-steps: {error}") from None
    return steps


def staircase(environment: Environment) -> None:
    """Follow --sse-steps where it is given: after the last step the run ends."""

    def steps() -> list[Step]:
        text = option(environment, "sse_steps", "")
        return parse_steps(text) if text else []

    def climb(conductor: Conductor) -> None:
        if given := steps():
            _climb(conductor, given)

    conductor_of(environment).check(steps)
    during_run(environment, climb)


def during_run(environment: Environment, drive: Callable[[Conductor], None]) -> None:
    """Have `drive` change the number of users while a run goes on; it ends with the run."""
    conductor = conductor_of(environment)
    driver: list[Any] = []

    def begin(_: Collector) -> None:
        driver[:] = [gevent.spawn(_drive, conductor, drive)]

    def end(_: Collector) -> None:
        for greenlet in driver:
            if greenlet is not gevent.getcurrent():
                greenlet.kill(block=False)

    conductor.on_begin.append(begin)
    conductor.on_final.append(end)


def go_to(conductor: Conductor, users: int) -> bool:
    """Start or stop users until there are so many, at the rate that was asked for; False where it does not come to that.

    Ends its greenlet where the run ends: who went on would begin another.
    """
    return _move(conductor, users, option(conductor.environment, "spawn_rate", None) or max(1, users))


def close_all(conductor: Conductor) -> bool:
    """Stop all users at once, and with them their streams; whether that was done."""
    environment = conductor.environment
    given = environment.stop_timeout
    environment.stop_timeout = 0  # told to workers with the users: streams are cut here, and not waited for
    try:
        return _move(conductor, 0, max(1, _runner_of(conductor).user_count))
    finally:
        environment.stop_timeout = given


def end_run(conductor: Conductor) -> None:
    """The run is through: who drives a headless run ends with it."""
    runner = _runner_of(conductor)
    if getattr(conductor.environment.parsed_options, "headless", False):
        gevent.spawn(runner.quit)
    else:
        runner.stop()


def _climb(conductor: Conductor, steps: list[Step]) -> None:
    for step in steps:
        go_to(conductor, step.users)
        gevent.sleep(step.seconds)
    end_run(conductor)


def _drive(conductor: Conductor, drive: Callable[[Conductor], None]) -> None:
    # Locust's own first users before ours: on a master two starts at a time share one dispatcher.
    begun = (STATE_RUNNING,) if conductor.is_master else _GOES_ON
    runner = _runner_of(conductor)
    gevent.sleep(0.1)
    while runner.state not in begun:
        gevent.sleep(0.05)
    try:
        drive(conductor)
    except Exception as error:
        logger.exception("the scenario's steps failed")
        conductor.collector.notes.append(f"the scenario's steps failed: {error}")
        end_run(conductor)


def _move(conductor: Conductor, users: int, rate: float) -> bool:
    runner = _runner_of(conductor)
    _heed_the_end(runner)
    deadline = time.monotonic() + abs(users - runner.user_count) / rate + _LATE_SECONDS
    runner.start(users, rate)
    while runner.state == STATE_SPAWNING or runner.user_count != users:
        gevent.sleep(0.05)
        _heed_the_end(runner)
        if time.monotonic() > deadline:
            return False
    return True


def _heed_the_end(runner: Runner) -> None:
    if runner.state not in _GOES_ON:
        raise gevent.GreenletExit


def _runner_of(conductor: Conductor) -> Runner:
    runner = conductor.environment.runner
    assert runner is not None  # noqa: S101 - for the type checker: a run goes on
    return runner
