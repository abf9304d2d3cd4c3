"""Clients that leave at every point of an exchange, by FIN and by RST, beside one that stays."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from ssegauge.bench import Bench
from ssegauge.client import Stream
from ssegauge.client.connection import Connection
from ssegauge.client.request import head_bytes, with_defaults
from ssegauge.means.leaving import BY_FIN, BY_RST, NOTICE, Leave, patience
from ssegauge.observation import Observation

ENOUGH = 5
"""Events from which on the silences of a stream without end tell how long it is ever silent."""
SETTLED = 0.5
"""Seconds in which what is on its way when the last one leaves may still come: it says nothing of what comes then."""
MANY = 10
"""Events from which on they tell it well."""


@dataclass(frozen=True)
class Aborts:
    """A stream that stayed while others were left at every point, when the last of these was, and a stream opened after."""

    witness: Observation
    last_at: float
    following: Observation


def aborts(bench: Bench) -> Aborts:
    """Clients that leave at every point, by FIN and by RST, beside one that stays; done once."""
    return bench.once("aborts", lambda: abort_everywhere(bench))


def abort_everywhere(bench: Bench) -> Aborts:
    """See `aborts`; done anew at each call."""
    runs: list[Callable[[], object]] = []
    for leave in (BY_FIN, BY_RST):
        runs += [partial(_leave_in_request, bench, by_reset=leave is BY_RST)]
        runs += [partial(_leave_at, bench, leave, until) for until in (_at_once, _after_head, _in_content)]
    whole = len(bench.observation.arrivals) if bench.observation.ended else 0
    to_the_end: list[Callable[[], object]] = []
    if whole:
        to_the_end = [
            partial(_leave_at, bench, leave, lambda stream: stream.events >= whole) for leave in (BY_FIN, BY_RST)
        ]
    with bench.open() as witness:
        witness.until_head()
        bench.together(runs)
        last_at = witness.elapsed
        to_the_end.append(partial(stay, bench, witness, last_at))
        bench.together(to_the_end)
        seen = bench.view(witness)
        return Aborts(seen, last_at, after_aborts(bench))


def stay(bench: Bench, witness: Stream, last_at: float) -> None:
    """To the end of the stream; of one without end, until it goes on after the aborts, or is silent for far too long."""
    usual = bench.observation
    if usual.ended:
        witness.pump(within=max(usual.exchange.end_at * 3 + 2.0 - witness.elapsed, 1.0))
        return
    times = [arrival.at for arrival in usual.arrivals]
    silence = max((after - before for before, after in pairwise(times)), default=0.0)
    witness.pump(within=max(last_at + SETTLED - witness.elapsed, 0.0))
    before = witness.events
    patience = (2 if len(times) >= MANY else 4) * silence + 1.0  # few events tell less of the longest silence
    witness.pump(lambda stream: stream.events > before, within=patience)


def after_aborts(bench: Bench) -> Observation:
    """The beginning of a stream: its head and, where the recorded one had any, its first event."""
    usual = bench.observation.arrivals
    with bench.open() as stream:
        stream.until_head()
        if usual:
            stream.until_events(1, usual[0].at + NOTICE)
        return bench.view(stream)


def _at_once(_: Stream) -> bool:
    return True


def _after_head(stream: Stream) -> bool:
    return stream.exchange.head_at is not None


def _in_content(stream: Stream) -> bool:
    return bool(stream.exchange.reads)


def _leave_at(bench: Bench, leave: Leave, until: Callable[[Stream], bool]) -> None:
    stream = bench.open()
    whole = bench.observation.exchange.end_at if bench.observation.ended else 0.0
    stream.pump(until, within=whole + patience(bench))
    leave(stream)


def _leave_in_request(bench: Bench, *, by_reset: bool) -> None:
    half = head_bytes(with_defaults(bench.final_sent))
    with contextlib.suppress(OSError):  # who listens no longer is seen by the stream that is opened afterwards
        connection = Connection(bench.final_sent.url, bench.options.transport)
        connection.send(half[: len(half) // 2])
        (connection.reset if by_reset else connection.close)()
