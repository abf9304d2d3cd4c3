"""The run as Locust drives it: deltas from workers, exact final figures, the results file, the exit code.

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
import locust
from greenlet import getcurrent
from locust.env import Environment
from locust.rpc.protocol import Message
from locust.runners import STATE_MISSING, STATE_RUNNING, STATE_SPAWNING, LocalRunner, MasterRunner, WorkerRunner

from ssegauge.errors import DID_NOT_HOLD, INCONCLUSIVE, UserError
from ssegauge.load import interrupt, options
from ssegauge.load.collector import Collector, Delta
from ssegauge.load.results_of import about, save, summary
from ssegauge.load.session import forget, option, session_of
from ssegauge.load.target import target_of
from ssegauge.load.validity import Limits

logger = logging.getLogger("ssegauge.load")

_KEY = "ssegauge"
_LAST_WORD = "ssegauge_last_word"
_RESET = "ssegauge_reset"
_DAMAGE = ("lost", "duplicated", "reordered")
_ANSWER_SECONDS = 15.0  # for a last word that is on its way
_STOP_SECONDS = 60.0  # beyond the stop timeout, as long as Locust itself waits for workers to stop


class Conductor:
    """The side that has all figures: a master, or a process that runs alone."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.collector = Collector("")
        self.final: dict[str, Any] | None = None
        self.on_begin: list[Callable[[Collector], None]] = []
        self.on_final: list[Callable[[Collector], None]] = []
        self._finishing = False

    @property
    def is_master(self) -> bool:
        """Whether others make the load."""
        return isinstance(self.environment.runner, MasterRunner)

    @property
    def limits(self) -> Limits:
        """What the options say of validity."""
        return Limits.around(option(self.environment, "sse_max_read_lag", 50.0))

    def begin(self) -> None:
        """A run starts."""
        runner = self.environment.runner
        self.collector = Collector(uuid.uuid4().hex)
        self.final = None
        parsed = self.environment.parsed_options
        if parsed is not None:
            # Workers are told of all options when they are told to spawn.
            parsed.sse_run = self.collector.run
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

    def gather(self) -> None:
        """Alone, the figures come from this very process."""
        if not self.is_master and self.collector.run:
            generator = generator_of(self.environment)
            self.collector.add("local", generator.delta(final=False))

    def _keep_house(self, collector: Collector) -> None:
        """Second by second what is complete becomes a row: histograms of hours would fill the memory."""
        while self.collector is collector and self.final is None and not self._finishing:
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
        if not self.is_master and self.environment in _generators:
            generator_of(self.environment).session.recorder.restart()
        runner = self.environment.runner
        if isinstance(runner, MasterRunner):
            runner.send_message(_RESET)

    def finish(self, *, quits: bool = True) -> None:
        """Stop the run where it still goes, wait for the last words, settle the figures. Once a run.

        `quits`: the processes end, too; else they stay for the next run.
        """
        runner = self.environment.runner
        if self._finishing or self.final is not None or not self.collector.run:
            return
        self._finishing = True
        try:
            if isinstance(runner, MasterRunner):
                self._end_workers(runner, quits=quits)
            elif runner is not None:
                runner.stop()
        except KeyboardInterrupt:
            self.collector.notes.append("interrupted before all figures had come in")
        finally:
            self._settle()
            self._finishing = False

    def _end_workers(self, runner: MasterRunner, *, quits: bool) -> None:
        seconds = _ANSWER_SECONDS
        if runner.state in (STATE_RUNNING, STATE_SPAWNING):
            # Not Locust's "stop": after it a worker is deaf for the stop timeout, and would outlive its master.
            runner.stop(send_stop_to_client=False)
            seconds += (self.environment.stop_timeout or 0) + _STOP_SECONDS
        if quits:
            for name in self.collector.workers:
                runner.server.send_to_client(Message("quit", None, name))
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not [name for name in self.collector.waits_for() if not _is_gone(runner, name)]:
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
            self.final = {}
            return
        self._say_how_it_ended(self.final)
        path = option(self.environment, "sse_results", None)
        if path:
            save(Path(path), self.final)
        for line in summary(self.final):
            print(line, file=sys.stderr)  # noqa: T201 - what the run says at its end

    def _heard(self, listener: Callable[[Collector], None], collector: Collector) -> None:
        try:
            listener(collector)
        except Exception as error:
            # A scenario's own report: its fault must not cost the figures.
            logger.exception("the scenario's report failed")
            collector.notes.append(f"the scenario's report failed: {error}")

    def _say_how_it_ended(self, final: dict[str, Any]) -> None:
        environment = self.environment
        if not final["valid"]:
            environment.process_exit_code = INCONCLUSIVE
        elif environment.process_exit_code is None and any(final["events"][kind] for kind in _DAMAGE):
            # Locust itself knows of failed streams only: events are lost between the connections of a stream, too.
            environment.process_exit_code = getattr(environment.parsed_options, "exit_code_on_error", DID_NOT_HOLD)


class Generator:
    """The side that makes load: a worker, or a process that runs alone."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.number = 0
        self.session = session_of(environment)
        self.session.recorder.take()
        self.session.watch.restart()

    def delta(self, *, final: bool) -> Delta:
        """Everything since the last one."""
        session = self.session
        recorder, clock = session.recorder, session.reader.clock
        session.watch.second()
        said = Delta(
            run=option(self.environment, "sse_run", "local"),
            number=self.number,
            ledger=recorder.take(),
            state={
                "peak_open": recorder.peak_open,
                "peaks": dict(recorder.peaks),
                "clock_steps": clock.steps,
                "cpu": session.watch.share_of_core(),
            },
            final=final,
        )
        self.number += 1
        return said


_conductors: WeakKeyDictionary[Environment, Conductor] = WeakKeyDictionary()
_generators: WeakKeyDictionary[Environment, Generator] = WeakKeyDictionary()


def conductor_of(environment: Environment) -> Conductor:
    """The conductor of this environment."""
    found = _conductors.get(environment)
    if found is None:
        found = _conductors[environment] = Conductor(environment)
    return found


def generator_of(environment: Environment) -> Generator:
    """The generator of this process, for the run that goes on."""
    found = _generators.get(environment)
    if found is None:
        found = _generators[environment] = Generator(environment)
    return found


def begin_generating(environment: Environment) -> None:
    """A run starts in a process that makes load: options may have changed since the last."""
    forget(environment)
    _generators[environment] = Generator(environment)


def _declare(parser: Any) -> None:
    options.add_arguments(parser)


def install(environment: Environment, runner: Any = None, **_: Any) -> None:
    """Hook into the runner, whichever it is."""
    runner = runner or environment.runner
    interrupt.install(environment)
    if not isinstance(runner, WorkerRunner):
        _check_target(environment)
    if isinstance(runner, WorkerRunner):
        _install_worker(environment, runner)
    elif isinstance(runner, MasterRunner | LocalRunner):
        _install_conductor(environment, runner)


def _check_target(environment: Environment) -> None:
    parsed = environment.parsed_options
    if parsed is None or not (getattr(parsed, "headless", False) or option(environment, "sse_target", "")):
        return  # the web page asks for the host
    try:
        target_of(environment).endpoints(option(environment, "sse_endpoint", None))
    except UserError as error:
        print(error, file=sys.stderr)  # noqa: T201 - before the run begins there is nobody else to say it
        sys.exit(error.exit_code)


def _install_worker(environment: Environment, runner: WorkerRunner) -> None:
    events = environment.events

    def report(client_id: str, data: dict[str, Any], **_: Any) -> None:  # noqa: ARG001 - Locust's signature
        if environment in _generators:
            data[_KEY] = generator_of(environment).delta(final=False).to_json()

    def last_word(**_: Any) -> None:
        runner.send_message(_LAST_WORD, generator_of(environment).delta(final=True).to_json())

    def reset(**_: Any) -> None:
        if environment in _generators:
            generator_of(environment).session.recorder.restart()

    events.test_start.add_listener(lambda **_: begin_generating(environment))
    events.test_stop.add_listener(last_word)
    events.report_to_master.add_listener(report)
    runner.register_message(_RESET, reset)


def _install_conductor(environment: Environment, runner: MasterRunner | LocalRunner) -> None:
    conductor = conductor_of(environment)
    events = environment.events
    events.test_start.add_listener(lambda **_: conductor.begin())
    events.test_stopping.add_listener(lambda **_: conductor.draining())
    events.reset_stats.add_listener(lambda **_: conductor.reset())

    def spawning_complete(**_: Any) -> None:
        if environment.reset_stats:
            conductor.reset()
        conductor.steady()

    events.spawning_complete.add_listener(spawning_complete)
    events.test_stop.add_listener(lambda **_: gevent.spawn(conductor.finish, quits=False))
    events.quitting.add_listener(lambda **_: conductor.finish())
    _wait_before_quit(conductor, runner)
    if environment.web_ui is not None:
        from ssegauge.load import live  # noqa: PLC0415 - Flask is needed where there is a page

        live.install(conductor, environment.web_ui)
    if isinstance(runner, MasterRunner):
        _install_master(conductor, runner)


def _install_master(conductor: Conductor, runner: MasterRunner) -> None:
    events = conductor.environment.events

    def report(client_id: str, data: dict[str, Any], **_: Any) -> None:
        if _KEY in data:
            conductor.collector.add(client_id, Delta.from_json(data[_KEY]))

    def last_word(environment: Environment, msg: Any, **_: Any) -> None:  # noqa: ARG001 - Locust's signature
        if msg.node_id not in runner.clients and not conductor.collector.drain_from:
            conductor.collector.left(msg.node_id)
        conductor.collector.add(msg.node_id, Delta.from_json(msg.data))

    def joined(client_id: str, **_: Any) -> None:
        runner.ssegauge_listener = getcurrent()  # type: ignore[attr-defined]
        if runner.state in (STATE_RUNNING, STATE_SPAWNING):
            conductor.collector.expect(client_id)

    events.worker_report.add_listener(report)
    events.worker_connect.add_listener(joined)
    runner.register_message(_LAST_WORD, last_word)


def _wait_before_quit(conductor: Conductor, runner: MasterRunner | LocalRunner) -> None:
    quit_at_once = runner.quit

    def quit_when_final() -> None:
        if getcurrent() is getattr(runner, "ssegauge_listener", None):
            # Locust quits from within its listener when the last worker has left: the last words come in there.
            gevent.spawn(quit_when_final)
            return
        try:
            conductor.finish()
        finally:
            quit_at_once()

    runner.quit = quit_when_final  # type: ignore[method-assign]


def _is_gone(runner: MasterRunner, name: str) -> bool:
    client = runner.clients.get(name)
    return client is not None and client.state == STATE_MISSING


locust.events.init_command_line_parser.add_listener(_declare)
locust.events.init.add_listener(install)
