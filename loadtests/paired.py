"""Two targets in one run: each user opens a stream of A and a stream of B at the same moment, again and again.

    locust -f loadtests/paired.py --sse-target A --sse-against B -u 10 -r 10 -t 20s -s 30s --headless

Whatever disturbs this machine, or ours, disturbs both streams of a pair alike: the ratio of their times stays what it
is. Which of the two goes first alternates. In the results the endpoints are called `A NAME` and `B NAME`, and `pairs`
says which belongs to which; `ssegauge compare A B` runs this and judges the ratios.
"""

from __future__ import annotations

import random
import time
from dataclasses import replace
from itertools import count, cycle
from typing import Any, ClassVar, NamedTuple

import gevent
from locust import events, task
from locust.env import Environment
from locust.runners import WorkerRunner

from ssegauge.errors import UserError
from ssegauge.load import SseUser, arguments, conductor_of, option
from ssegauge.load.cookies import Cookies
from ssegauge.load.session import Session, session_of
from ssegauge.load.target import LoadTarget, target_of
from ssegauge.load.visit import Visit
from ssegauge.profile import open_target
from ssegauge.profile.endpoint import Endpoint
from ssegauge.redaction import redact_url

_LONGEST_PAUSE = 4.0  # seconds; four times what a user waits at most between two pairs


class Side(NamedTuple):
    """One target of the two, as a user of it sees it."""

    session: Session
    cookies: Cookies


class Pair(NamedTuple):
    """An endpoint of A and the one of B that it is compared with, and their names in the results."""

    a: Endpoint
    b: Endpoint

    @property
    def names(self) -> tuple[str, str]:
        """What the two are called in the results."""
        return f"A {self.a.name}", f"B {self.b.name}"


def declare(parser: Any) -> None:
    """The scenario's own arguments."""
    add = arguments(parser, "paired")
    add("against", "", "TARGET", "the other target: a profile, the address of a stream, or the base of A's profile")
    add("leave_after", 0.0, "SECONDS", "leave both streams after that long, as for streams without end; 0: never")


def two_targets(environment: Environment) -> tuple[LoadTarget, LoadTarget]:
    """A and B; a bare address beside a profile means the same endpoints there. Raises UserError."""
    said = option(environment, "sse_against", "")
    if not said:
        raise UserError("no target to compare with: give --sse-against")
    first, profile = target_of(environment), open_target(said)
    second = LoadTarget(profile, profile.base_url)
    if _is_base(first) and not _is_bare(second):
        first = LoadTarget(profile, first.base_url)
    elif _is_base(second) and not _is_bare(first):
        second = LoadTarget(first.profile, second.base_url)
    return first, second


def _is_bare(target: LoadTarget) -> bool:
    return "://" in (target.profile.source or "://")


def _is_base(target: LoadTarget) -> bool:
    return _is_bare(target) and target.profile.endpoint[0].request.path == "/"


def paired(environment: Environment, first: LoadTarget, other: LoadTarget) -> list[Pair]:
    """Endpoints by name; where the only ones differ in name, these two. Raises UserError."""
    mine = first.endpoints(option(environment, "sse_endpoint", None))
    theirs = {endpoint.name: endpoint for endpoint in other.profile.endpoint}
    if len(mine) == len(theirs) == 1:
        return [Pair(mine[0], next(iter(theirs.values())))]
    found = [Pair(endpoint, theirs[endpoint.name]) for endpoint in mine if endpoint.name in theirs]
    if not found:
        raise UserError(f"no endpoint has the same name on both sides: {', '.join(sorted(theirs))} on the second")
    return found


class Pairs(SseUser):
    """Holds a pair of streams; the next begins when both have ended."""

    order = count()
    numbers = count()
    shared: ClassVar[tuple[Session, list[Session], list[Pair]] | None] = None

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self._session = session_of(environment)
        sessions, pairs = self._both_sessions()
        self._sides = [Side(session, Cookies()) for session in sessions]
        self._turn = cycle(pairs)
        self.dice = random.Random(f"{option(environment, 'sse_seed', 1)} {next(self.numbers)}")
        self._lasted = _LONGEST_PAUSE / 2  # how long a pair lasts is not known before the first

    def _both_sessions(self) -> tuple[list[Session], list[Pair]]:
        """One a side for all users of this process and run, so that contracts are compiled once."""
        found = Pairs.shared
        if found is None or found[0] is not self._session:
            targets = two_targets(self.environment)
            sessions = [
                replace(self._session, _target=target, _contracts={}, _bare={}, _turn=None) for target in targets
            ]
            found = Pairs.shared = (self._session, sessions, paired(self.environment, *targets))
        return found[1:]

    @property
    def session(self) -> Session:
        """That of the side whose stream is being planned; both write into one ledger."""
        return self._session

    @task
    def both(self) -> None:
        """One pair, to the end of both streams."""
        # Users that go in step would make seconds of beginnings and seconds of ends: no second would be like another.
        self.pause(self.dice.uniform(0, self._lasted / 4))
        began = time.monotonic()
        visits = self._visits(next(self._turn))
        if next(self.order) % 2:
            visits.reverse()
        running = [gevent.spawn(visit.run) for visit in visits]
        try:
            gevent.joinall(running, raise_error=True)
        finally:
            gevent.killall(running)
        self._lasted = min(time.monotonic() - began, _LONGEST_PAUSE)

    def _visits(self, pair: Pair) -> list[Visit]:
        leave_after = option(self.environment, "sse_leave_after", 0.0) or None
        found = []
        for side, endpoint, name in zip(self._sides, pair, pair.names, strict=True):
            self._session, self.cookies = side
            plan = self._plan(None, None, endpoint=endpoint, name=name, leave_after=leave_after)
            found.append(Visit(plan, side.session, self._tell, iterates=False))
        return found


def install(environment: Environment, **_: Any) -> None:
    """Say in the results which endpoints belong together; a mistake is told before the run begins."""
    if isinstance(environment.runner, WorkerRunner) or environment.parsed_options is None:
        return

    def look() -> tuple[LoadTarget, LoadTarget, list[Pair]]:
        first, other = two_targets(environment)
        return first, other, paired(environment, first, other)

    def note(collector: Any) -> None:
        first, other, pairs = look()
        collector.extra["pairs"] = [dict(zip("ab", pair.names, strict=True)) for pair in pairs]
        collector.extra["targets"] = {"a": redact_url(first.base_url), "b": redact_url(other.base_url)}

    conductor = conductor_of(environment)
    conductor.check(look, now=environment.parsed_options.headless)  # else the web page asks for both
    conductor.on_begin.append(note)


events.init_command_line_parser.add_listener(declare)
events.init.add_listener(install)
