"""Ctrl-C: the run ends in order, with its figures, and no traceback."""

from __future__ import annotations

import logging
import signal
import threading
from typing import Any

import gevent
from gevent.hub import get_hub
from locust.env import Environment
from locust.runners import STATE_RUNNING, STATE_SPAWNING, WorkerRunner

logger = logging.getLogger("ssegauge.load")

_GRACE = 10.0  # seconds beyond the stop timeout that a worker waits for its master's word


def install(environment: Environment) -> None:
    """Take SIGINT on the event loop, not in the middle of whatever runs: a read must not be torn in two.

    A worker on its master's terminal gets the signal, too. It waits for its master to stop the run, so that its last
    figures are asked for and not cut off; it quits by itself when that does not come, or at the second signal.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    waiting: list[Any] = []

    def interrupted() -> None:
        runner = environment.runner
        runs = runner is not None and runner.state in (STATE_RUNNING, STATE_SPAWNING)
        if isinstance(runner, WorkerRunner) and _forked(environment) and runs and not waiting:
            waiting.append(gevent.spawn_later((environment.stop_timeout or 0) + _GRACE, _interrupt))
            return
        _interrupt()

    gevent.signal_handler(signal.SIGINT, interrupted)


def _forked(environment: Environment) -> bool:
    return bool(getattr(environment.parsed_options, "processes", None))


def _interrupt() -> None:
    get_hub().handle_system_error(KeyboardInterrupt, KeyboardInterrupt())
