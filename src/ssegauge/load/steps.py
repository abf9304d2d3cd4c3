"""Numbers of users that change while a run goes on: a staircase that is given, and a search for the most that hold."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import gevent
from locust.env import Environment
from locust.runners import STATE_RUNNING, STATE_SPAWNING

from ssegauge.errors import UserError
from ssegauge.load.collector import Collector
from ssegauge.load.conductor import Conductor, conductor_of
from ssegauge.load.ledger import Slice
from ssegauge.load.session import option
from ssegauge.profile.fields import duration
from ssegauge.verdict import VERDICTS

_REPORT_SECONDS = 3.5  # workers report every 3 s
_LIMIT = "first_event.p95 < 200ms"
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


class Limit(NamedTuple):
    """What must hold: a time of `name` in milliseconds under its percentile, and a share of failed streams."""

    name: str
    quantile: float
    most_ms: float
    failed_share: float

    @classmethod
    def parse(cls, text: str, failed_share: float) -> Limit:
        """Of "first_event.p95 < 200ms". Raises UserError."""
        found = re.fullmatch(r"\s*(first_event|gap)\.p(\d\d)\s*<\s*(\S+)\s*", text)
        if found is None:
            raise UserError(f'--sse-limit: "{text}" is no limit; write first_event.p95 < 200ms, or gap.p99 < 1s')
        try:
            most = duration(found[3]) * 1000
        except ValueError as error:
            raise UserError(f"--sse-limit: {error}") from None
        return cls(found[1], int(found[2]) / 100, most, failed_share)


@dataclass
class Found:
    """One step as it went."""

    users: int
    open: int
    ms: float | None
    failed: int
    ended: int
    holds: bool


def search(
    measure: Callable[[int], Found], first: int, most: int, *, factor: float = 2.0, until: float = 0.1
) -> list[Found]:
    """Steps up by `factor` until the limit breaks, then halves the interval until it is narrow. In the order measured."""
    curve: list[Found] = []
    good, bad = 0, 0
    users = min(first, most)
    while True:
        found = measure(users)
        curve.append(found)
        if found.holds:
            good = users
        else:
            bad = users
        if good >= most or bad == 1 or (bad and bad - good <= max(1, until * bad)):
            return curve
        users = (good + bad) // 2 if bad else min(most, max(good + 1, int(good * factor)))


def judge_step(users: int, sums: Slice, limit: Limit) -> Found:
    """What a step's figures say. No first event at all is no success, and neither is a stream that failed."""
    counters: Counter[str] = sums.counters
    ended = sum(counters[name] for name in counters if name in VERDICTS)
    histogram = sums.histograms.get(limit.name)
    quantile = histogram.quantile(limit.quantile) if histogram else None
    ms = None if quantile is None else quantile.us / 1000
    failed = counters["failed"]
    holds = ms is not None and ms < limit.most_ms and failed <= limit.failed_share * max(ended, 1)
    return Found(users, int(sums.levels.get("open", 0)), ms, failed, ended, holds)


def staircase(environment: Environment) -> None:
    """Follow --sse-steps where it is given: after the last step the run ends."""

    def steps() -> list[Step]:
        text = option(environment, "sse_steps", "")
        return parse_steps(text) if text else []

    def climb(conductor: Conductor) -> None:
        if given := steps():
            _climb(conductor, given)

    conductor_of(environment).check(steps)
    _during_run(environment, climb)


def find_capacity(environment: Environment) -> None:
    """Look for the most users for which --sse-limit holds; the curve goes into the results."""

    def limit() -> Limit:
        text, share = option(environment, "sse_limit", _LIMIT), option(environment, "sse_failed_share", 0.001)
        return Limit.parse(text, share)

    conductor_of(environment).check(limit)
    _during_run(environment, lambda conductor: _look_for(conductor, limit()))


def _during_run(environment: Environment, drive: Callable[[Conductor], None]) -> None:
    conductor = conductor_of(environment)
    driver: list[Any] = []

    def begin(_: Collector) -> None:
        driver[:] = [gevent.spawn_later(0.1, drive, conductor)]

    def end(_: Collector) -> None:
        for greenlet in driver:
            if greenlet is not gevent.getcurrent():
                greenlet.kill(block=False)

    conductor.on_begin.append(begin)
    conductor.on_final.append(end)


def _climb(conductor: Conductor, steps: list[Step]) -> None:
    for step in steps:
        _go_to(conductor, step.users)
        gevent.sleep(step.seconds)
    _end(conductor)


def _look_for(conductor: Conductor, limit: Limit) -> None:
    environment = conductor.environment
    hold = option(environment, "sse_hold", 10.0)
    collector = conductor.collector
    collector.kept_seconds = 60 + 10 * hold

    def measure(users: int) -> Found:
        began = time.time()
        _go_to(conductor, users)
        gevent.sleep(hold)
        ended = time.time()
        gevent.sleep(_REPORT_SECONDS if conductor.is_master else 0)
        conductor.gather()
        found = judge_step(users, collector.sums(began, ended), limit)
        curve.append({**vars(found), "t": round(began - collector.started, 1)})
        _note(collector, limit, curve)
        return found

    curve: list[dict[str, Any]] = []
    search(measure, option(environment, "sse_first", 10), option(environment, "sse_most", 10_000))
    _end(conductor)


def _note(collector: Collector, limit: Limit, curve: list[dict[str, Any]]) -> None:
    held = [step["users"] for step in curve if step["holds"]]
    collector.extra["capacity"] = {
        "limit": f"{limit.name}.p{limit.quantile * 100:.0f} < {limit.most_ms:g} ms",
        "holds": max(held, default=0),
        "breaks": min((step["users"] for step in curve if not step["holds"]), default=None),
        "curve": curve,
    }


def _go_to(conductor: Conductor, users: int) -> None:
    runner = conductor.environment.runner
    assert runner is not None  # noqa: S101 - for the type checker: a run goes on
    rate = option(conductor.environment, "spawn_rate", None) or users
    runner.start(users, rate)
    while runner.state == STATE_SPAWNING or runner.user_count < users:
        gevent.sleep(0.05)
        if runner.state not in (STATE_RUNNING, STATE_SPAWNING):
            return


def _end(conductor: Conductor) -> None:
    environment = conductor.environment
    runner = environment.runner
    assert runner is not None  # noqa: S101 - for the type checker: a run goes on
    if getattr(environment.parsed_options, "headless", False):
        gevent.spawn(runner.quit)  # who drives the run ends with it
    else:
        runner.stop()
