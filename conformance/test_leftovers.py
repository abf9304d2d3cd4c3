"""What clients that left, stalled or vanished leave in the server's process (rules DIS-02, -03, -06, -07)."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import pairwise

from ssegauge.bench import Bench
from ssegauge.client import LONG
from ssegauge.exchange import Sent
from ssegauge.judging import Untestable, broken, rule
from ssegauge.means.leaving import (
    BATCH,
    NOTICE,
    STALLED_BUFFER,
    counter,
    footprint,
    footprints,
    more_footprints,
    notice,
    patience,
    require_noticed,
)
from ssegauge.observation import Evidence
from ssegauge.probe import Footprint, settle

FEW = 5
"""Of a hundred streams: what may remain in pools and caches."""
LEAK = 8 << 10
"""Bytes per stream; a page or two come and go with the allocator, a queue or a generator holds more."""
MANY = 8
"""Batches in a round: 200 streams."""
ROUNDS = 12
"""Rounds in which growth must go on before it is believed; one that brings none ends the matter."""
HEAP = 160 << 20
"""Bytes of growth that need no more rounds: V8's heap grows by some 50 MiB in its first 2,000 streams, and then no more;
by more than 64 MiB where other processes keep its collector from the processor."""
STALLED = 4
VANISHED = 120.0
"""Seconds within which a peer that is gone without a word is missed, where nothing else is said (DIS-07)."""
MIB = 1 << 20


@rule("DIS-02")
def test_aborted_streams_leave_nothing_open(bench: Bench) -> None:
    """A hundred opened and aborted streams leave no sockets, file descriptors, threads or tasks behind."""
    require_noticed(bench)
    seen = footprints(bench)
    first, half, last = seen[0], seen[2], seen[-1]
    if _left(first, last) and _left(half, last):  # a pool grows once, a leak goes on
        last = _settled(bench, first, last)
    grown = [name for name in _left(first, last) if _left(half, last).get(name)]
    if grown:
        counts = ", ".join(f"{name} from {getattr(first, name)} to {getattr(last, name)}" for name in grown)
        broken("as many as before", counts, [_line(index * BATCH, each) for index, each in enumerate(seen)])


_KINDS = ("established", "close_wait", "descriptors", "threads", "tasks")


def _left(before: Footprint, after: Footprint) -> dict[str, int]:
    """What has grown by more than a few, by kind."""
    growth = {name: getattr(after, name) - getattr(before, name) for name in _KINDS}
    return {name: by for name, by in growth.items() if by > FEW}


def _settled(bench: Bench, base: Footprint, seen: Footprint) -> Footprint:
    if bench.process is None:
        return seen
    settle(lambda: sum(_left(base, footprint(bench)).values()), 0, notice(bench))
    return footprint(bench)


def _line(streams: int, seen: Footprint) -> Evidence:
    counts = ", ".join(f"{name} {getattr(seen, name)}" for name in _KINDS)
    return Evidence(f"after {streams} aborted streams: {counts}, resident {seen.resident / MIB:.1f} MiB")


@rule("DIS-03")
def test_memory_does_not_grow_with_aborted_streams(bench: Bench) -> None:
    """Resident memory does not grow with the number of aborted streams."""
    require_noticed(bench)
    seen = list(footprints(bench))
    if not _grows(seen[-4:]):
        return
    base = seen[0].established + seen[0].close_wait
    seen += [more_footprints(bench, base, notice(bench) / 2) for _ in range(3)]
    if not _grows(seen[-4:]):
        return
    rounds = [seen[-1]]
    for _ in range(ROUNDS):
        rounds.append([more_footprints(bench, base, notice(bench) / 2) for _ in range(MANY)][-1])
        if rounds[-1].resident - rounds[-2].resident < LEAK * BATCH * MANY:
            return
        if rounds[-1].resident - seen[0].resident > HEAP:
            break
    numbers = [index * BATCH for index in range(len(seen))]
    numbers += [numbers[-1] + turn * MANY * BATCH for turn in range(1, len(rounds))]
    evidence = [_line(number, each) for number, each in zip(numbers, [*seen, *rounds[1:]], strict=True)]
    slope = (rounds[-1].resident - seen[0].resident) / numbers[-1]
    broken("resident memory that stays as it is", f"{slope / 1024:.0f} KiB more for each stream", evidence)


def _grows(seen: list[Footprint]) -> bool:
    """By more than a leak's least in each batch, and not ever less: a cache that fills up slows down."""
    steps = [after.resident - before.resident for before, after in pairwise(seen)]
    return min(steps) > LEAK * BATCH and steps[-1] > max(steps) / 3


# -- clients that do not read ---------------------------------------------------------------------------------------


@rule("DIS-06")
def test_client_that_stops_reading_costs_bounded_memory(bench: Bench) -> None:
    """A client that stops reading makes the server's memory grow only to a bound."""
    process = bench.process
    if process is None:
        raise Untestable("needs the process id: pass --pid or --app")
    if bench.endpoint.endless is None and bench.observation.ended:
        raise Untestable("the stream is too short to fill its server's buffers: declare endless")
    sent = bench.final_sent if bench.endpoint.endless is None else bench.sent("endless")
    rate = _rate(bench, sent)
    streams = [bench.open(sent, receive_buffer=STALLED_BUFFER) for _ in range(STALLED)]
    try:
        time.sleep(1.0)  # the kernel's buffers fill first
        seconds = 2.0 if rate * STALLED > 8 * MIB else 8.0 if bench.options.long else 4.0
        seconds *= max(bench.options.scale, 0.25)
        due = rate * STALLED * seconds
        if due < 4 * MIB:
            raise Untestable(
                f"the endless stream brings {rate / 1024:.0f} KiB/s: too little to fill memory within {seconds:g} s"
            )
        sizes = [process.footprint().resident]
        for _ in range(4):
            time.sleep(seconds / 2)
            sizes.append(process.footprint().resident)
    finally:
        for stream in streams:
            stream.close()
    steps = [after - before for before, after in pairwise(sizes)]
    if min(steps) > due / 16:  # half of the time, a quarter of what was read, half again for a busy machine
        sizes_shown = ", ".join(f"{size / MIB:.1f}" for size in sizes)
        broken(
            "resident memory up to a bound",
            f"{(sizes[-1] - sizes[0]) / MIB:.1f} MiB in {2 * seconds:g} s for {STALLED} clients that do not read",
            Evidence(f"MiB every {seconds / 2:g} s: {sizes_shown}"), Evidence(f"read, it brings {rate / MIB:.1f} MiB/s"),
        )  # fmt: skip


def _rate(bench: Bench, sent: Sent) -> float:
    """Bytes a second of the stream while it is read."""
    with bench.open(sent, limits=replace(LONG, window=2.0)) as stream:
        stream.until_head()
        began, before = stream.elapsed, stream.received
        stream.pump(within=0.5)
        return (stream.received - before) / max(stream.elapsed - began, 0.01)


@rule("DIS-07")
def test_peer_that_vanished_silently_is_noticed(bench: Bench) -> None:
    """A peer that vanishes without FIN or RST is noticed within two minutes, where nothing else is said."""
    bound = VANISHED * bench.options.scale
    if not bench.options.long and bound > NOTICE:
        raise Untestable("takes up to two minutes: pass --long")
    require_noticed(bench)
    gauge = counter(bench)
    base = gauge.active()
    with bench.open(_open_ended(bench)) as stream:
        stream.until_events(1, patience(bench))
        if stream.over or stream.connection is None:
            raise Untestable("the stream is over before its client can vanish: declare endless or idle")
        if gauge.active() <= base:
            raise Untestable(f"the count of active streams stayed at {base:g} while a stream was open")
        try:
            stream.connection.vanish()
        except OSError as error:
            raise Untestable(f"packets cannot be dropped here: {error}") from None
        after, curve = settle(gauge.active, base, bound, every=min(0.5, bound / 20))
    if after > base:
        last = curve[-1][0]
        broken(
            f"the peer's absence to be noticed within {bound:g} s",
            f"{after - base:g} stream still active after {last:.0f} s",
        )


def _open_ended(bench: Bench) -> Sent:
    endpoint = bench.endpoint
    if endpoint.endless is not None:
        return bench.sent("endless")
    return bench.sent("idle") if endpoint.idle is not None and bench.observation.ended else bench.final_sent
