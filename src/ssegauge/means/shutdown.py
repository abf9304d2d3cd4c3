"""Tells the app under test to stop while streams are open, and brings it back: what the process and its clients saw."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from ssegauge.bench import Bench
from ssegauge.client import LONG, Stream
from ssegauge.exchange import Sent
from ssegauge.judging import Untestable
from ssegauge.observation import Observation
from ssegauge.serving import ServedApp

GRACE = 10.0
"""Seconds within which a server that is told to stop is gone, where nothing else is said."""
LONG_ENOUGH = 1.0
"""Seconds that an ordinary stream takes at least for it to be caught open."""


@dataclass(frozen=True)
class Shutdown:
    """`gone_after`: seconds from SIGTERM to the exit, None where the process was still there after the grace period.

    `streams` are those that were open when the signal came; `told_at` is when, on each stream's own clock.
    """

    gone_after: float | None
    streams: tuple[Observation, ...]
    told_at: tuple[float, ...]


def grace(bench: Bench) -> float:
    """The grace period under the run's scale."""
    return GRACE * bench.options.scale


def shutdown(bench: Bench) -> Shutdown:
    """Stop the app once for all the rules that ask, and start it again. Raises Untestable where no stream stays open."""
    return bench.once("shutdown", lambda: _shut_down(bench))


def _shut_down(bench: Bench) -> Shutdown:
    app = bench.app
    if app is None:
        raise Untestable("needs a target that may be signalled and started again: pass --app or --server")
    targets = _streams_that_stay(bench)
    usual = app.grace
    app.grace = max(
        usual, grace(bench) + 2
    )  # so that what ends the streams in time is the app, and not the server's limit
    try:
        if app.grace != usual:
            app.restart()
        seen = _signal(bench, app, targets)
        if seen.gone_after is None:
            app.signal(signal.SIGKILL)
        return seen
    finally:
        app.grace = usual
        app.restart()


def _streams_that_stay(bench: Bench) -> list[Sent]:
    """The ordinary stream where it lasts, the idle one, and the endless one: what ends the one may not end the other."""
    seen = bench.observation
    lasts = not seen.ended or seen.exchange.end_at > LONG_ENOUGH
    found = [bench.final_sent] if lasts else []
    if "idle" in bench.endpoint.declares:
        found.append(bench.sent("idle"))
    if "endless" in bench.endpoint.declares:
        found.append(bench.sent("endless"))
    if not found:
        raise Untestable("no stream stays open long enough to be caught by a shutdown: declare idle or endless")
    return found


def _signal(bench: Bench, app: ServedApp, targets: list[Sent]) -> Shutdown:
    limits = replace(LONG, window=grace(bench) + 5)
    streams = [bench.open(sent, limits=limits) for sent in targets]
    try:
        for stream in streams:
            stream.pump(_has_body, within=2.0)
        app.signal(signal.SIGTERM)
        told_at = [stream.elapsed for stream in streams]
        gone = _watch(bench, app, streams)
        caught = [
            (bench.view(stream), at) for stream, at in zip(streams, told_at, strict=True) if _was_open(stream, at)
        ]
    finally:
        for stream in streams:
            stream.close()
    if not caught:
        raise Untestable("no stream was open when the signal came")
    return Shutdown(gone, tuple(seen for seen, _ in caught), tuple(at for _, at in caught))


def _watch(bench: Bench, app: ServedApp, streams: list[Stream]) -> float | None:
    began = time.monotonic()
    gone: list[float | None] = [None]

    def wait() -> None:
        gone[0] = app.wait(grace(bench))

    def read(stream: Stream) -> Callable[[], None]:
        return lambda: _read_until(stream, began + grace(bench))

    bench.together([wait, *map(read, streams)])
    return gone[0]


def _read_until(stream: Stream, moment: float) -> None:
    stream.pump(within=max(moment - time.monotonic(), 0.0))


def _has_body(stream: Stream) -> bool:
    return bool(stream.exchange.reads)


def _was_open(stream: Stream, at: float) -> bool:
    exchange = stream.exchange
    return exchange.status == 200 and (not stream.over or exchange.end_at > at)
