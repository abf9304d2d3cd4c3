"""What we hang into Locust's events: arguments, deltas from workers to master, the end of a run before Locust's own."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent
import locust
from gevent.event import Event
from gevent.lock import RLock
from greenlet import getcurrent
from locust.env import Environment
from locust.runners import STATE_RUNNING, STATE_SPAWNING, LocalRunner, MasterRunner, WorkerRunner

from ssegauge.errors import UserError
from ssegauge.load import goodput, interrupt, options
from ssegauge.load.collector import Delta
from ssegauge.load.conductor import END, HURRY, RESET, Conductor, conductor_of, cut
from ssegauge.load.connect import proxy_of
from ssegauge.load.generator import begin_generating, generator_of, maybe_generator
from ssegauge.load.refusal import told
from ssegauge.load.session import option
from ssegauge.load.target import target_of

_KEY = "ssegauge"
_LAST_WORD = "ssegauge_last_word"


def _declare(parser: Any) -> None:
    options.add_arguments(parser)


def install(environment: Environment, runner: Any = None, **_: Any) -> None:
    """Hook into the runner, whichever it is."""
    runner = runner or environment.runner
    # A timer counts from the loop's own idea of now, which is as old as its last turn: before the imports. Without this
    # Locust's run time is too short by as long as these took. (ev_now in https://pod.tst.eu/http://cvs.schmorp.de/libev/ev.pod)
    gevent.get_hub().loop.update_now()
    interrupt.install(environment)
    if isinstance(runner, WorkerRunner):
        _install_worker(environment, runner)
        _stop_once(runner, lambda: None)
    elif isinstance(runner, MasterRunner | LocalRunner):
        _install_conductor(environment, runner)
        if isinstance(runner, LocalRunner):
            _stop_once(runner, conductor_of(environment).call_off)


def _is_complete(environment: Environment) -> bool:
    """Whether there is no host for the web page to ask for."""
    parsed = environment.parsed_options
    return getattr(parsed, "headless", False) or bool(option(environment, "sse_target", ""))


def _check_arguments(environment: Environment) -> None:
    _check_places(environment)
    target = target_of(environment)
    endpoints = target.endpoints(option(environment, "sse_endpoint", None))
    for endpoint in endpoints:
        target.call(endpoint.request)  # may need what the environment lacks
    goodput.check(goodput.stated(option(environment, "sse_goodput", "")), endpoints)


def _check_places(environment: Environment) -> None:
    """Where results go and whence we come. Raises UserError."""
    results = option(environment, "sse_results", None)
    if results and Path(results).is_dir():
        raise UserError(f"--sse-results: {results} is a directory")
    proxy = option(environment, "sse_proxy", None)
    try:
        if proxy:
            proxy_of(proxy)
    except ValueError as error:
        raise UserError(f"--sse-proxy: {error}") from None


def _install_worker(environment: Environment, runner: WorkerRunner) -> None:
    events = environment.events

    def report(client_id: str, data: dict[str, Any], **_: Any) -> None:  # noqa: ARG001 - Locust's signature
        generator = maybe_generator(environment)
        if generator is not None:
            data[_KEY] = generator.delta(final=False).to_json()

    def last_word(**_: Any) -> None:
        runner.send_message(_LAST_WORD, generator_of(environment).delta(final=True).to_json())

    def reset(msg: Any, **_: Any) -> None:
        generator = maybe_generator(environment)
        if generator is not None:
            generator.restart(msg.data["resets"])

    events.test_start.add_listener(lambda **_: begin_generating(environment))
    events.test_stop.add_listener(last_word)
    events.report_to_master.add_listener(report)
    runner.register_message(RESET, reset)
    runner.register_message(END, lambda **_: _end_worker(runner), concurrent=True)
    runner.register_message(HURRY, lambda **_: cut(environment))


def _end_worker(runner: WorkerRunner) -> None:
    handle = runner.handle_message

    def handle_all_but_users(msg: Any) -> None:
        # who dispatches users on the master does not hear that the run is over
        if msg.type != "spawn":
            handle(msg)

    runner.handle_message = handle_all_but_users  # type: ignore[method-assign]
    runner.stop()


def _stop_once(runner: LocalRunner | WorkerRunner, called_off: Callable[[], None]) -> None:
    """Locust stops its users once more for each who asks (a signal beside a message, say): let them wait instead."""
    stop, lock = runner.stop, RLock()

    def stop_alone() -> None:
        called_off()
        with lock:
            stop()

    runner.stop = stop_alone  # type: ignore[method-assign]


def _install_conductor(environment: Environment, runner: MasterRunner | LocalRunner) -> None:
    conductor = conductor_of(environment)
    with told():
        users = getattr(environment.parsed_options, "num_users", None) or 0  # in the form Locust looks at it
        if users < 0:
            raise UserError(f"-u: a number of users, not {users}")
    conductor.check(lambda: _check_arguments(environment), now=_is_complete(environment))
    events = environment.events
    events.test_start.add_listener(lambda **_: conductor.begin())
    events.test_stopping.add_listener(lambda **_: conductor.draining())
    events.reset_stats.add_listener(lambda **_: conductor.reset())

    def spawning_complete(**_: Any) -> None:
        if conductor.collector.drain_from:
            return  # the ramp was cut short
        if environment.reset_stats:
            conductor.reset()
        conductor.steady()

    events.spawning_complete.add_listener(spawning_complete)
    events.test_stop.add_listener(lambda **_: gevent.spawn(conductor.finish, quits=False))
    events.quitting.add_listener(_ending_once(conductor))
    _wait_before_quit(conductor, runner)
    if environment.web_ui is not None:
        from ssegauge.load import form, live  # noqa: PLC0415 - Flask is needed where there is a page

        form.install(conductor, environment.web_ui)
        live.install(conductor, environment.web_ui)
    _publish(conductor)
    if isinstance(runner, MasterRunner):
        _install_master(conductor, runner)


def _ending_once(conductor: Conductor) -> Callable[..., None]:
    """What is done when the process is told to end. Told again by a second signal, it hurries; the first one's way ends it."""
    told_before: list[bool] = []

    def quitting(**_: Any) -> None:
        conductor.hurry()  # a run that ends already
        if told_before:
            Event().wait()
        told_before.append(True)
        conductor.finish()

    return quitting


def _publish(conductor: Conductor) -> None:
    """Live figures for whoever else wants them, each through a client that is an extra."""
    parsed = conductor.environment.parsed_options
    place = option(conductor.environment, "sse_prometheus", "")
    with told():
        if place:
            _need("prometheus_client", "--sse-prometheus", "prometheus")
            from ssegauge.load import prometheus  # noqa: PLC0415 - an extra

            prometheus.serve(conductor, place)
        if getattr(parsed, "otel", False):
            _need("opentelemetry.sdk", "--otel", "otel")
            from ssegauge.load import otel  # noqa: PLC0415 - an extra

            otel.install(conductor)


def _need(module: str, option_: str, extra: str) -> None:
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise UserError(f"{option_} needs the extra {extra!r}: pip install 'ssegauge[{extra}]'") from error


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
        here = getcurrent()
        if here is getattr(runner, "ssegauge_listener", None) or here in list(runner.user_greenlets):
            # Locust quits from within its listener when the last worker has left: the last words come in there.
            # And a user that quits is itself waited for.
            gevent.spawn(quit_when_final)
            return
        try:
            conductor.finish()
        finally:
            quit_at_once()

    runner.quit = quit_when_final  # type: ignore[method-assign]


locust.events.init_command_line_parser.add_listener(_declare)
locust.events.init.add_listener(install)
