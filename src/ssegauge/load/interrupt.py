"""Ctrl-C: the run ends in order, with its figures, and no traceback."""

from __future__ import annotations

import logging
import signal
import threading
from itertools import count

import gevent
from gevent.hub import get_hub
from locust.env import Environment
from locust.runners import STATE_CLEANUP, STATE_RUNNING, STATE_SPAWNING, MasterRunner, WorkerRunner

from ssegauge.load.conductor import conductor_of, cut

logger = logging.getLogger("ssegauge.load")

_GRACE = 10.0  # seconds beyond the stop timeout that a worker waits for its master's word
_INTERRUPTED = 130  # as shells say of a process that SIGINT ended


def install(environment: Environment) -> None:
    """Take SIGINT on the event loop, not in the middle of whatever runs: a read must not be torn in two.

    The first ends the run as its time's end would: open streams may end within the stop timeout. The second cuts them.
    The third waits for nothing more.

    A worker on its master's terminal gets the signal, too. It waits for its master to stop the run, so that its last
    figures are asked for and not cut off; it quits by itself when that does not come, or at the third signal.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    times = count(1)

    def interrupted() -> None:
        runner, nth = environment.runner, next(times)
        if isinstance(runner, WorkerRunner):
            _worker(environment, runner, nth)
        elif nth == 1:
            _first(environment)
        else:
            conductor_of(environment).hurry()

    gevent.signal_handler(signal.SIGINT, interrupted)


def _worker(environment: Environment, runner: WorkerRunner, times: int) -> None:
    if times > 2:
        _leave()
    elif times == 2 or runner.state == STATE_CLEANUP:
        cut(environment)
    elif _forked(environment) and runner.state in (STATE_RUNNING, STATE_SPAWNING):
        gevent.spawn_later((environment.stop_timeout or 0) + _GRACE, _interrupt)
    else:
        _interrupt()


def _first(environment: Environment) -> None:
    runner = environment.runner
    headless = getattr(environment.parsed_options, "headless", False)
    if headless and isinstance(runner, MasterRunner) and not conductor_of(environment).collector.run:
        # Locust waits for workers where it catches nothing, and would leave them behind.
        logger.error("interrupted before the run began")
        runner.quit()
        _leave()
    else:
        _interrupt()


def _forked(environment: Environment) -> bool:
    return bool(getattr(environment.parsed_options, "processes", None))


def _interrupt() -> None:
    get_hub().handle_system_error(KeyboardInterrupt, KeyboardInterrupt())


def _leave() -> None:
    get_hub().handle_system_error(SystemExit, SystemExit(_INTERRUPTED))
