"""The side of a run that has all figures: a master, or a process that runs alone.

Locust's own quit leaves half a second for last figures and loses the rest (MasterRunner.quit). So before it quits we
stop the run, wait until each worker has said its last word, and only then are the figures final.
"""

from __future__ import annotations

import logging
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import gevent
from locust.env import Environment
from locust.rpc.protocol import Message
from locust.runners import STATE_MISSING, STATE_RUNNING, STATE_SPAWNING, MasterRunner

from ssegauge.errors import DID_NOT_HOLD, INCONCLUSIVE, USAGE, UserError
from ssegauge.load.collector import Collector
from ssegauge.load.generator import begin_generating, generator_of
from ssegauge.load.refusal import told
from ssegauge.load.results_of import about, save, summary
from ssegauge.load.session import option
from ssegauge.load.target import hide_secrets
from ssegauge.load.validity import Limits

logger = logging.getLogger("ssegauge.load")

RESET = "ssegauge_reset"
"""The message by which workers are told to begin their figures anew."""

END = "ssegauge_end"
"""The message by which workers are told to stop their users and to say their last word."""

HURRY = "ssegauge_hurry"
"""The message by which workers are told not to wait for streams to end."""

_DAMAGE = ("lost", "duplicated", "reordered")
_ANSWER_SECONDS = 15.0  # for a last word that is on its way
_MISSING_SECONDS = 5.0  # for that of a worker whose heartbeat fails: it may be busy, not dead
_STOP_SECONDS = 60.0  # beyond the stop timeout, as long as Locust itself waits for workers to stop


class _HurriedError(BaseException):
    """Thrown into what is still waited for, where somebody does not want to wait. Not for `except Exception`."""


class Conductor:
    """Begins runs, gathers their figures, and ends them. `final`: the results document, once a run is over."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.collector = Collector("")
        self.final: dict[str, Any] | None = None
        self.on_begin: list[Callable[[Collector], None]] = []
        self.on_final: list[Callable[[Collector], None]] = []
        self._checks: list[Callable[[], object]] = []
        self._finishing: gevent.Greenlet[..., None] | None = None
        self._hurried = False
        self._called_off = False

    @property
    def is_master(self) -> bool:
        """Whether others make the load."""
        return isinstance(self.environment.runner, MasterRunner)

    @property
    def limits(self) -> Limits:
        """What the options say of validity."""
        return Limits.around(option(self.environment, "sse_max_read_lag", 50.0))

    def check(self, look: Callable[[], object], *, now: bool = True) -> None:
        """`look` raises UserError where the run's arguments are mistaken. Done at once, which ends the process, and for
        each run that the web page starts; not `now` where the page has yet to ask for what is looked at.
        """
        if now:
            with told():
                look()
        self._checks.append(look)

    def check_all(self) -> None:
        """Look for mistakes again. Raises UserError."""
        for look in self._checks:
            look()

    def begin(self) -> None:
        """A run starts, once the figures of the last one are settled."""
        if self._finishing is not None:
            self._called_off = False
            self._finishing.join()
            if self._called_off:
                raise gevent.GreenletExit  # of whoever starts users: told to stop before there were any
        runner = self.environment.runner
        hide_secrets(self.environment)
        self.collector = Collector(uuid.uuid4().hex)
        if self.final is not None:
            self.environment.process_exit_code = (
                None  # the last run's is told, as those of the web page follow each other
            )
        self.final = None
        parsed = self.environment.parsed_options
        if parsed is not None:
            # Workers are told of all options when they are told to spawn.
            parsed.sse_run = self.collector.run
            parsed.sse_resets = 0
            parsed.sse_shares = {}
        if isinstance(runner, MasterRunner):
            names = [client.id for client in runner.clients.all if client.state != STATE_MISSING]
            for name in names:
                self.collector.expect(name)
            if parsed is not None:
                parsed.sse_shares = {name: index for index, name in enumerate(names)}
        else:
            begin_generating(self.environment)
        gevent.spawn(self._keep_house, self.collector)
        for listener in self.on_begin:
            self._heard(listener, self.collector)

    def call_off(self) -> None:
        """A run that waits for the last one to be settled shall not begin."""
        self._called_off = True

    def gather(self) -> None:
        """Alone, the figures come from this very process."""
        if not self.is_master and self.collector.run:
            generator = generator_of(self.environment)
            self.collector.add("local", generator.delta(final=False))

    def _keep_house(self, collector: Collector) -> None:
        """Second by second what is complete becomes a row: histograms of hours would fill the memory."""
        while self.collector is collector and self.final is None and self._finishing is None:
            gevent.sleep(1)
            self.gather()
            collector.fold(time.time() - collector.kept_seconds)

    def steady(self) -> None:
        """All users are there."""
        if not self.collector.steady_from:
            self.collector.steady_from = time.time()

    def draining(self) -> None:
        """The users are told to stop."""
        if not self.collector.drain_from:
            self.collector.drain_from = time.time()

    def reset(self) -> None:
        """Locust's figures begin anew, and so do ours, on all workers."""
        self.gather()
        self.collector.reset()
        if self.environment.parsed_options is not None:
            self.environment.parsed_options.sse_resets = self.collector.resets
        if not self.is_master:
            generator_of(self.environment).restart(self.collector.resets)
        runner = self.environment.runner
        if isinstance(runner, MasterRunner):
            runner.send_message(RESET, {"resets": self.collector.resets})

    def finish(self, *, quits: bool = True) -> None:
        """Stop the run where it still goes, wait for the last words, settle the figures. Once a run: who else asks waits.

        `quits`: the processes end, too; else they stay for the next run.
        """
        if self.final is not None or not self.collector.run:
            return
        if self._finishing is None:
            # In a greenlet of its own: whatever is thrown at those who wait must not cost the figures.
            self._hurried = False
            self._finishing = gevent.spawn(self._finish, quits=quits)
        self._finishing.get()

    def hurry(self) -> None:
        """Somebody does not want to wait: the streams are cut; asked again, no word is waited for either."""
        if self._finishing is None:
            return
        if self._hurried:
            self._finishing.kill(_HurriedError, block=False)
            return
        self._hurried = True
        runner = self.environment.runner
        if isinstance(runner, MasterRunner):
            runner.send_message(HURRY)
        else:
            cut(self.environment)

    def _finish(self, *, quits: bool) -> None:
        runner = self.environment.runner
        try:
            if isinstance(runner, MasterRunner):
                self._end_workers(runner, quits=quits)
            elif runner is not None:
                runner.stop()
        except _HurriedError:
            self.collector.notes.append("interrupted before all figures had come in")
        finally:
            try:
                self._settle()
            finally:
                self._finishing = None

    def _end_workers(self, runner: MasterRunner, *, quits: bool) -> None:
        seconds = _ANSWER_SECONDS
        if runner.state in (STATE_RUNNING, STATE_SPAWNING):
            # Not Locust's "stop" nor its "quit": both leave a worker deaf for the stop timeout.
            runner.stop(send_stop_to_client=False)
            seconds += (self.environment.stop_timeout or 0) + _STOP_SECONDS
        if quits:
            for name in self.collector.workers:
                runner.server.send_to_client(Message(END, None, name))
        asked = time.monotonic()
        while (waited := time.monotonic() - asked) < seconds:
            awaited = self.collector.waits_for()
            if not awaited or (waited > _MISSING_SECONDS and all(_is_gone(runner, name) for name in awaited)):
                break
            gevent.sleep(0.02)

    def _settle(self) -> None:
        collector = self.collector
        if not self.is_master:
            collector.add("local", generator_of(self.environment).delta(final=True))
        collector.ended = time.time()
        for listener in self.on_final:
            self._heard(listener, collector)
        try:
            self.final = collector.document(about(self.environment), self.limits)
        except UserError as error:
            logger.error("%s", error)  # noqa: TRY400 - one clear line, no traceback
            self.final = {"valid": False, "invalid_reasons": [str(error)]}  # what the page says
            return
        self._say_how_it_ended(self.final)
        path = option(self.environment, "sse_results", None)
        if path and not save(Path(path), self.final):
            self.environment.process_exit_code = USAGE
        for line in summary(self.final):
            print(line, file=sys.stderr)  # noqa: T201 - what the run says at its end

    def _heard(self, listener: Callable[[Collector], None], collector: Collector) -> None:
        try:
            listener(collector)
        except _HurriedError:
            collector.notes.append("interrupted before the scenario's report was complete")
        except Exception as error:
            # A scenario's own report: its fault must not cost the figures.
            logger.exception("the scenario's report failed")
            collector.notes.append(f"the scenario's report failed: {error}")

    def _say_how_it_ended(self, final: dict[str, Any]) -> None:
        environment = self.environment
        if environment.process_exit_code == USAGE:
            return  # what was wrong has been said
        if not final["valid"]:
            environment.process_exit_code = INCONCLUSIVE
        elif environment.process_exit_code is None and any(final["events"][kind] for kind in _DAMAGE):
            # Locust itself knows of failed streams only: events are lost between the connections of a stream, too.
            environment.process_exit_code = getattr(environment.parsed_options, "exit_code_on_error", DID_NOT_HOLD)


_conductors: WeakKeyDictionary[Environment, Conductor] = WeakKeyDictionary()


def conductor_of(environment: Environment) -> Conductor:
    """The conductor of this environment."""
    found = _conductors.get(environment)
    if found is None:
        found = _conductors[environment] = Conductor(environment)
    return found


def cut(environment: Environment) -> None:
    """End all streams of this process now, whatever time was left to them."""
    environment.stop_timeout = 0
    runner = environment.runner
    if runner is not None:
        runner.user_greenlets.kill(block=False)


def _is_gone(runner: MasterRunner, name: str) -> bool:
    client = runner.clients.get(name)
    return client is None or client.state == STATE_MISSING  # Locust forgets those that are missing for a minute
