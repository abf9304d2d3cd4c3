"""What the target shows of itself while it is loaded: streams that it still serves, memory that it holds."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import gevent
import psutil
from locust.env import Environment
from locust.runners import WorkerRunner

from ssegauge.errors import UserError
from ssegauge.load.collector import Collector
from ssegauge.load.conductor import Conductor, conductor_of
from ssegauge.load.session import option
from ssegauge.load.target import LoadTarget, target_of
from ssegauge.probe import Gauge, MetricsGauge, ProbeError, ProcessGauge, StatusGauge, joined
from ssegauge.profile import secret

_EVERY = 1.0


@dataclass
class Watching:
    """Readings of a run, as (seconds from its start, value): active streams by the gauge; bytes and sockets of the
    target's process. `lack`: what could not be read, and why.
    """

    base: float | None = None
    active: list[tuple[float, float]] = field(default_factory=list)
    memory: list[tuple[float, float]] = field(default_factory=list)
    sockets: list[tuple[float, float]] = field(default_factory=list)
    lack: str = ""

    def to_json(self) -> dict[str, Any]:
        """What was read."""
        named = {"active": self.active, "memory": self.memory, "sockets": self.sockets, "lack": self.lack}
        return {name: readings for name, readings in named.items() if readings}


def gauge_of(target: LoadTarget, environment: Environment) -> Gauge | None:
    """How the target's active streams can be counted; None where it shows nothing."""
    probe = target.profile.probe
    credentials = target.profile.target.credentials.get("headers", {})
    headers = tuple((name, secret(str(value))) for name, value in credentials.items())
    verify = target.tls_context()
    if probe is not None and probe.url and probe.active_streams:
        return StatusGauge(joined(target.base_url, probe.url), probe.active_streams, headers, verify)
    if probe is not None and probe.metrics is not None:
        return MetricsGauge(joined(target.base_url, probe.metrics.url), probe.metrics.name, headers, verify)
    return process_of(target, environment)


def process_of(target: LoadTarget, environment: Environment) -> ProcessGauge | None:
    """The target's process on this machine, by --sse-pid or the profile; None where it is not known."""
    probe = target.profile.probe
    pid = option(environment, "sse_pid", 0) or (probe.pid if probe is not None else None)
    if not pid:
        return None
    parts = urlsplit(target.base_url)
    return ProcessGauge(pid, parts.port or (443 if parts.scheme == "https" else 80))


def watch_target(
    environment: Environment, report: Callable[[Collector, Watching, Gauge | None], dict[str, Any]], name: str
) -> None:
    """Read the target's gauge once a second while a run goes on; `report` makes of it what stands in the results."""
    if isinstance(environment.runner, WorkerRunner):
        return
    conductor = conductor_of(environment)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # a line a second, with all that the probe's address says
    current: dict[str, Any] = {}
    conductor.check(lambda: _check_pid(environment))

    def begin(collector: Collector) -> None:
        target = target_of(environment)
        watching = Watching()
        gauge, process = gauge_of(target, environment), process_of(target, environment)
        if gauge is None:
            watching.lack = "the target shows nothing of itself: declare [probe] in the profile, or give --sse-pid"
        else:
            watching.base = _read(gauge, watching)
        current.update(watching=watching, gauge=gauge)
        current["greenlet"] = gevent.spawn(_follow, collector, watching, gauge, process)

    def end(collector: Collector) -> None:
        current.pop("greenlet").kill(block=False)
        collector.extra[name] = report(collector, current["watching"], current["gauge"])

    conductor.on_begin.append(begin)
    conductor.on_final.append(end)


def _check_pid(environment: Environment) -> None:
    pid = option(environment, "sse_pid", 0)
    if pid and not psutil.pid_exists(pid):
        raise UserError(f"--sse-pid: there is no process {pid}")


def back_at_base(conductor: Conductor, watching: Watching, gauge: Gauge, within: float) -> dict[str, Any]:
    """Wait until the target serves no more streams than before the run: whether it came to that, and when."""
    began = time.monotonic()
    base = watching.base or 0.0
    value = _read(gauge, watching)
    while value is not None and value > base and time.monotonic() - began < within:
        gevent.sleep(0.05)
        value = _read(gauge, watching)
    back = value is not None and value <= base
    if value is None:
        conductor.collector.notes.append(f"the target's active streams cannot be read: {watching.lack}")
    elif not back and conductor.environment.process_exit_code is None:
        conductor.environment.process_exit_code = 1
    return {"base": base, "after": value, "back": back, "after_s": round(time.monotonic() - began, 2)}


class Settling:
    """The time between two steps in which the target lets go of the streams of the first.

    Where the target's active streams can be seen it ends when they are where they were; else it is always the whole.
    """

    def __init__(self, environment: Environment, seconds: float) -> None:
        self._seconds = seconds
        self._gauge = gauge_of(target_of(environment), environment)
        self._watching = Watching()

    def wait(self) -> None:
        """At least a second, so that what comes next has seconds of its own."""
        began = time.monotonic()
        gevent.sleep(_EVERY)
        while (left := began + self._seconds - time.monotonic()) > 0 and not self._is_at_base():
            gevent.sleep(min(left, 0.1))
        if self._gauge is not None and self._watching.base is None:
            self._watching.base = _read(self._gauge, self._watching)

    def _is_at_base(self) -> bool:
        base = self._watching.base
        value = _read(self._gauge, self._watching) if self._gauge is not None and base is not None else None
        return value is not None and base is not None and value <= base


def _follow(collector: Collector, watching: Watching, gauge: Gauge | None, process: ProcessGauge | None) -> None:
    while True:
        at = round(time.time() - collector.started, 1)
        if process is not None:
            _follow_process(process, watching, at)
        if gauge is not None and not isinstance(gauge, ProcessGauge):
            value = _read(gauge, watching)
            if value is not None:
                watching.active.append((at, value))
        gevent.sleep(_EVERY)


def _follow_process(process: ProcessGauge, watching: Watching, at: float) -> None:
    try:
        footprint = process.footprint()
    except ProbeError as error:
        watching.lack = str(error)
        return
    watching.memory.append((at, footprint.resident))
    watching.sockets.append((at, footprint.established + footprint.close_wait))


def _read(gauge: Gauge, watching: Watching) -> float | None:
    try:
        return gauge.active()
    except ProbeError as error:
        watching.lack = str(error)
        return None
