"""Clients that leave, and what the target shows of it: how many streams it still counts, and what its process holds."""

from __future__ import annotations

import contextlib
import fcntl
import struct
import termios
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

from ssegauge.bench import Bench
from ssegauge.client import Stream
from ssegauge.exchange import Sent
from ssegauge.judging import CannotJudge, Untestable, broken
from ssegauge.observation import Evidence
from ssegauge.probe import Footprint, Gauge, ProcessGauge, StatusGauge, settle
from ssegauge.serving import PROBE_PATH

NOTICE = 5.0
"""Seconds within which a client that left is noticed (DIS-01)."""

Leave = Callable[[Stream], object]
BY_FIN: Leave = Stream.close
BY_RST: Leave = Stream.reset


def notice(bench: Bench) -> float:
    """The same under the run's scale."""
    return NOTICE * bench.options.scale


def counter(bench: Bench) -> Gauge:
    """What counts the streams that still run: the target's own count, or the sockets of its process."""
    found: Gauge | None = bench.gauge or bench.process
    if found is None:
        raise Untestable("needs a count of active streams or a process id")
    return found


@dataclass(frozen=True)
class Departure:
    """How the count went: before, with our streams, and after our clients left."""

    base: float
    opened: float
    after: float
    curve: Sequence[tuple[float, float]]

    @property
    def counted(self) -> bool:
        """The count showed our streams."""
        return self.opened > self.base

    @property
    def noticed(self) -> bool:
        """The count came back to where it was."""
        return self.after <= self.base

    @property
    def evidence(self) -> Evidence:
        """The curve, thinned."""
        picked = self.curve[:: max(len(self.curve) // 8, 1)]
        points = ", ".join(f"{value:g} at {at:.1f} s" for at, value in picked)
        return Evidence(f"count before {self.base:g}, with our streams {self.opened:g}, after leaving: {points}")


def depart(
    bench: Bench, begin: Callable[[], object], leave: Callable[[], object], base: float | None = None
) -> Departure:
    """Open streams by `begin`, leave them by `leave`, and watch the count for five seconds."""
    gauge = counter(bench)
    before = _at_rest(bench, gauge) if base is None else base
    begin()
    opened = _risen(gauge, before)
    leave()
    after, curve = settle(gauge.active, before, notice(bench))
    return Departure(before, opened, after, curve)


def _at_rest(bench: Bench, gauge: Gauge) -> float:
    """The count once it has stood still for a while: streams that other rules left may still run out."""
    patience = notice(bench)
    deadline = time.monotonic() + 2 * patience
    value, since = gauge.active(), time.monotonic()
    while value > 0 and since + patience / 2 > (now := time.monotonic()) < deadline:
        time.sleep(0.05)
        if (current := gauge.active()) != value:
            value, since = current, now
    return value


def _risen(gauge: Gauge, base: float) -> float:
    deadline = time.monotonic() + 1.0
    while (value := gauge.active()) <= base and time.monotonic() < deadline:
        time.sleep(0.02)
    return value


def departures(bench: Bench, begin: Callable[[], object], leave: Callable[[], object]) -> list[Departure]:
    """One departure where it is noticed; otherwise a second one beside it, on a target that is quiet."""
    first = depart(bench, begin, leave)
    if first.noticed:
        if not first.counted:
            raise Untestable(
                f"the count of active streams stayed at {first.base:g}: no stream was open long enough, or none is counted"
            )
        return [first]
    _require_quiet(bench)
    return [first, depart(bench, begin, leave, first.base)]


def expect_stopped(bench: Bench, found: Sequence[Departure], what: str) -> None:
    """The count came back after the clients left, the first or the second time."""
    if not found[-1].noticed:
        told = [departure.evidence for departure in found]
        broken(f"the work to stop within {notice(bench):g} s after {what}", "it goes on", told)


def expect_noticed(bench: Bench, begin: Callable[[], object], leave: Callable[[], object], what: str) -> None:
    """Clients that begin and leave so are noticed."""
    expect_stopped(bench, departures(bench, begin, leave), what)


def _require_quiet(bench: Bench) -> None:
    """A count that moves while we do nothing has other clients in it."""
    gauge = counter(bench)
    seen = set()
    for _ in range(5):
        seen.add(gauge.active())
        time.sleep(0.1)
    if len(seen) > 2:  # one step may be a stream of ours that ends now
        raise CannotJudge("the count of active streams moves while this run has none open: other clients are there")


class Leavers:
    """Streams that are opened, read to their first event, and left; none outlives the `with`."""

    def __init__(self, bench: Bench, requests: Sequence[tuple[Sent, Leave]]) -> None:
        self.bench = bench
        self.requests = requests
        self.streams: list[tuple[Stream, Leave]] = []
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def begin(self) -> None:
        """Open all, then read each to its first event."""
        self.streams = [(self._open.enter_context(self.bench.open(sent)), leave) for sent, leave in self.requests]
        for stream, _ in self.streams:
            stream.until_events(1, patience(self.bench))
        if all(stream.over for stream, _ in self.streams):
            raise Untestable("the stream is over before a client can leave it: declare endless or idle")

    def leave(self) -> None:
        """Read what has come meanwhile, so that no server is blocked by us, and leave."""
        for stream, leave in self.streams:
            stream.pump(within=0.1)
            leave(stream)


def patience(bench: Bench) -> float:
    """Seconds within which a stream's first event comes if one comes: its usual time and two more, or half a second."""
    usual = bench.observation.arrivals
    return usual[0].at + 2.0 if usual else 0.5


def lasting(bench: Bench) -> Sent:
    """The endpoint's request, or where its streams are short and one without end is declared, that."""
    seen = bench.observation
    short = (
        seen.ended and seen.exchange.end_at < notice(bench) + 1.0
    )  # it ends by itself before it can be called a leak
    return bench.sent("endless") if short and bench.endpoint.endless is not None else bench.final_sent


def ordinary_departures(bench: Bench) -> list[Departure]:
    """Clients that read and leave, by FIN and by RST; made once. Raises Untestable, CannotJudge."""
    return bench.once("ordinary departures", lambda: _ordinary_departures(bench))


def _ordinary_departures(bench: Bench) -> list[Departure]:
    requests: list[tuple[Sent, Leave]] = [(bench.final_sent, BY_FIN), (bench.final_sent, BY_RST)]
    if lasting(bench) != bench.final_sent:
        requests.insert(0, (lasting(bench), BY_FIN))
    with Leavers(bench, requests) as leavers:
        return departures(bench, leavers.begin, leavers.leave)


def require_noticed(bench: Bench, *, by_count: bool = False) -> None:
    """Leave it to DIS-01 where no leaving client is noticed; `by_count`: also where its count can tell nothing."""
    try:
        noticed = ordinary_departures(bench)[-1].noticed
    except CannotJudge as doubt:
        if by_count:
            raise Untestable(f"{doubt} (DIS-01)") from None
        return
    except Untestable:
        return
    if not noticed:
        raise Untestable("no client that leaves is noticed within 5 s, which DIS-01 judges")


STALLED_BUFFER = 2048
"""Bytes of receive buffer of a client that does not read: its server blocks the sooner."""


def wait_until_full(stream: Stream) -> None:
    """Until what waits unread no longer grows, and a second for the server's own buffers to fill."""
    deadline = time.monotonic() + 3.0
    waiting, same = -1, 0
    while same < 4 and time.monotonic() < deadline:
        now = _unread(stream)
        same = same + 1 if now == waiting and now > 0 else 0
        waiting = now
        time.sleep(0.05)
    time.sleep(1.0)


def _unread(stream: Stream) -> int:
    if stream.connection is None:
        return 0
    answer = fcntl.ioctl(stream.connection.socket.fileno(), termios.FIONREAD, b"\0" * 4)
    return int(struct.unpack("i", answer)[0])


# -- many that leave ------------------------------------------------------------------------------------------------

BATCH = 25
WARM_UP = 20
SIDE_BY_SIDE = 5
"""Streams that one batch has open at a time."""
HEAD_PATIENCE = 0.5


def footprints(bench: Bench) -> list[Footprint]:
    """What the process holds after a warm-up, and after each of four batches of 25 streams that were left at once."""
    return bench.once("footprints", lambda: _footprints(bench))


def _footprints(bench: Bench) -> list[Footprint]:
    gauge = _process(bench)
    base = gauge.active()
    _batch(bench, WARM_UP)
    settle(gauge.active, base, notice(bench))
    seen = [footprint(bench)]
    return seen + [more_footprints(bench, base, patience) for patience in (0.5, 0.5, 0.5, notice(bench))]


def more_footprints(bench: Bench, base: float, patience: float) -> Footprint:
    """What the process holds after one more batch, once its sockets are down at `base` or patience is over."""
    gauge = _process(bench)
    _batch(bench, BATCH)
    settle(gauge.active, base, patience)
    return footprint(bench)


def footprint(bench: Bench) -> Footprint:
    """What the process holds now; with --app its tasks, too."""
    app, seen = bench.app, _process(bench).footprint()
    if app is None or not app.shows_probe:
        return seen
    return seen._replace(tasks=int(StatusGauge(f"{app.url}{PROBE_PATH}", "/tasks").active()))


def _process(bench: Bench) -> ProcessGauge:
    if bench.process is None:
        raise Untestable("needs the process id: pass --pid or --app")
    return bench.process


def many_departures(bench: Bench) -> list[Departure]:
    """Batches of clients that leave at different points, before the first event too; a second one where some are missed."""
    gauge = counter(bench)
    base = gauge.active()
    found: list[Departure] = []
    while len(found) < 2 and (not found or not found[-1].noticed):
        if found:
            _require_quiet(bench)
        _batch(bench, BATCH, early=True)
        after, curve = settle(gauge.active, base, notice(bench))
        found.append(Departure(base, curve[0][1], after, curve))
    return found


def _batch(bench: Bench, count: int, *, early: bool = False) -> None:
    sent = lasting(bench)

    def some() -> None:
        for turn in range(count // SIDE_BY_SIDE):
            at_head = early and turn % 2 == 1
            stream = bench.open(bench.final_sent if at_head else sent)
            stream.until_head(HEAD_PATIENCE)
            if bench.observation.arrivals and not at_head:
                stream.until_events(1, HEAD_PATIENCE)
            (BY_RST if turn % 4 in (1, 2) else BY_FIN)(stream)

    bench.together([some] * SIDE_BY_SIDE)
