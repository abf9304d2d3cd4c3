"""The most streams that the target holds at once: steps up until a limit breaks, then the interval is halved.

Each step begins with nothing open: all streams are closed, the target is given time to let go of them, and as many as
the step has are opened anew. So each step has first events, on the way down as well, and none of another step.
"""

from __future__ import annotations

import math
import time
from typing import Any

import gevent
from locust.env import Environment

from ssegauge.load.collector import Collector
from ssegauge.load.conductor import Conductor, conductor_of
from ssegauge.load.figures import peak_open
from ssegauge.load.gauges import Settling
from ssegauge.load.ledger import Slice
from ssegauge.load.limit import Found, Limit, Measured, judge_step, search, too_short
from ssegauge.load.session import option
from ssegauge.load.steps import close_all, during_run, end_run, go_to

_LIMIT = "first_event.p95 < 200ms"
_REPORT_SECONDS = 10.0  # workers report every 3 s; one that is silent for so long is missed elsewhere


def find_capacity(environment: Environment) -> None:
    """Look for the most users for which --sse-limit holds; the curve goes into the results."""

    def limit() -> Limit:
        text, share = option(environment, "sse_limit", _LIMIT), option(environment, "sse_failed_share", 0.001)
        found = Limit.parse(text, share)
        too_short(found, option(environment, "sse_hold", 10.0))
        return found

    conductor_of(environment).check(limit)
    during_run(environment, lambda conductor: _look_for(conductor, limit()))


def _look_for(conductor: Conductor, limit: Limit) -> None:
    environment, collector = conductor.environment, conductor.collector
    collector.kept_seconds = math.inf  # a step is judged as a whole; then its seconds are let go
    # Workers are told with the users of each step.
    environment.parsed_options.sse_waits = [limit.name, limit.most_ms]  # type: ignore[union-attr]
    environment.reset_stats = False  # each step has its ramp, and none is another's
    settling = Settling(environment, option(environment, "sse_settle", 3.0))
    curve: list[dict[str, Any]] = []

    def measure(users: int) -> Found:
        began, found = _step(conductor, limit, users, settling)
        curve.append({**vars(found), "t": round(began - collector.started, 1)})
        _note(collector, limit, curve)
        return found

    *_, last = search(measure, option(environment, "sse_first", 10), option(environment, "sse_most", 10_000))
    if last.holds is None:
        collector.notes.append(f"the step with {last.users} streams cannot be judged: {last.why}")
    close_all(conductor)  # as after each step: what else they would say nobody asks
    end_run(conductor)


def _step(conductor: Conductor, limit: Limit, users: int, settling: Settling) -> tuple[float, Found]:
    """When the step began, and what was found."""
    collector, hold = conductor.collector, option(conductor.environment, "sse_hold", 10.0)
    if not close_all(conductor):
        return time.time(), _unknown(users, "the streams of the step before could not be closed")
    closed = time.time()
    settling.wait()
    began = time.time()
    first = (int(closed) + 1 + int(began)) // 2  # between the two, as the clocks of workers may differ
    if not go_to(conductor, users):
        return began, _unknown(users, "not all users could be started")
    full = math.ceil(time.time())
    gevent.sleep(hold)
    held = int(time.time())
    _all_reported(conductor)
    measured = Measured(
        users=users,
        open=max((peak_open([here]) for here in collector.between(first, math.inf)), default=0),
        hold=hold,
        whole=_sum(collector, first, math.inf),
        full=_sum(collector, full, held if limit.name == "gap" else math.inf),
        waits=collector.waits(),
    )
    collector.fold(first)
    return began, judge_step(measured, limit)


def _unknown(users: int, why: str) -> Found:
    return Found(users, 0, None, 0, 0, None, why=why)


def _sum(collector: Collector, begin: float, end: float) -> Slice:
    sums = Slice()
    for here in collector.between(begin, end):
        sums.merge(here)
    return sums


def _all_reported(conductor: Conductor) -> None:
    """Wait until all that has come so far is in the collector."""
    if not conductor.is_master:
        conductor.gather()
        return
    heard = {worker.name: worker.next for worker in conductor.collector.workers.values()}
    deadline = time.monotonic() + _REPORT_SECONDS
    while time.monotonic() < deadline:
        workers = conductor.collector.workers.values()
        if all(worker.left or worker.next > heard.get(worker.name, 0) for worker in workers):
            return
        gevent.sleep(0.05)


def _note(collector: Collector, limit: Limit, curve: list[dict[str, Any]]) -> None:
    collector.extra["capacity"] = {
        "limit": str(limit),
        "holds": max((step["users"] for step in curve if step["holds"]), default=0),
        "breaks": min((step["users"] for step in curve if step["holds"] is False), default=None),
        "curve": curve,
    }
