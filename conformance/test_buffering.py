"""Whether events come when they are made (rules BUF-01, BUF-02, BUF-08).

Lateness is judged against the events' own times where the profile declares `sent_at`. Without them only shapes are left
that no producer makes by itself; a stream that brings everything at once, and fast, tells nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from statistics import mean, median

from ssegauge.bench import Bench
from ssegauge.client import Limits
from ssegauge.client.request import with_header
from ssegauge.judging import NotDeclared, Untestable, broken, rule
from ssegauge.means.timing import Delay, mostly
from ssegauge.observation import Arrival, Evidence, Observation
from ssegauge.profile.pointer import MISSING, payload

TOGETHER = 0.01
"""Seconds between two events that came in one burst."""
HELD = 0.2
"""Seconds over which events of one burst must have been made for it to be buffering (BUF-01)."""
TELLING = 1.0
"""Seconds that a stream took before a burst at its end is taken for buffering, where nothing says when events were made."""
LUMP = 2048
"""Bytes between two pauses from which on a pause inside an event is a buffer's: the smallest in use hold 4 KiB."""
SEGMENT = 1400
"""Bytes that one packet carries at least where no host is in the way (Ethernet's 1500 less headers)."""
LEAST_SPREAD = 0.06
"""Seconds between first and last event below which the pace of two runs cannot be compared."""
CODINGS = "gzip, deflate, br, zstd"
STEPS = ((0.2, 0.02), (0.04, 0.008))
"""Delays of small-packet coalescing with delayed acknowledgements in seconds, and what they vary by (BUF-08)."""


# -- bursts and lumps -----------------------------------------------------------------------------------------------


@rule("BUF-01")
def test_events_arrive_as_they_are_produced(bench: Bench) -> None:
    """Events arrive one by one as they are produced, not in one burst at the end or in lumps of 4 to 32 KiB."""
    seen = bench.observation
    late = mostly(bench, seen, _buffered, bench.observe, busy=HELD / 2)
    if late:
        samples = [Evidence(f"sample {number}: {one.delay.text}") for number, one in enumerate(late, 1)]
        broken("events one by one, as they are produced", late[0].delay.text, late[0].delay.evidence, samples)
    if len(seen.arrivals) < 3:
        raise Untestable("fewer than three events came: nothing can be told of their pace")
    if seen.arrivals[-1].at - seen.arrivals[0].at < LEAST_SPREAD and not _made_over(seen, HELD):
        raise Untestable(
            f"all events came within {LEAST_SPREAD * 1000:.0f} ms: whether they were held back cannot be told"
        )


def _buffered(seen: Observation) -> Delay | None:
    """What shows that a buffer held events back: for how long, what it is, and where."""
    found = _held_burst(seen) if _made_at(seen) else _burst_at_the_end(seen)
    return _lumps(seen) if found is None else found


def _held_burst(seen: Observation) -> Delay | None:
    """Events that came together although they were made apart."""
    grain = _grain([at for _, at in _made_at(seen)])
    for burst in _bursts(_fresh(seen)):
        times = [at for _, at in burst]
        span = max(times) - min(times)
        if span >= HELD + 2 * grain:
            events = [seen.show_event(arrival, f"made at {at * 1000:.0f} ms") for arrival, at in burst]
            text = f"{len(burst)} events that were made over {span:.2f} s came within {burst[-1][0].at - burst[0][0].at:.3f} s"
            return Delay(span, text, (*events[:3], events[-1]))
    return None


def _bursts(events: list[tuple[Arrival, float]]) -> Iterator[list[tuple[Arrival, float]]]:
    burst: list[tuple[Arrival, float]] = []
    for pair in events:
        if burst and pair[0].at - burst[-1][0].at > TOGETHER:
            yield burst
            burst = []
        burst.append(pair)
    if burst:
        yield burst


def _burst_at_the_end(seen: Observation) -> Delay | None:
    """Not a byte for long, then all events in as few reads as their bytes take, then the end.

    A producer that computes first and then sends event by event is read in more pieces, most of the time; that is why
    most of the samples must look so.
    """
    reads = seen.decoded.reads
    arrivals = seen.arrivals
    if len(arrivals) < 3 or seen.exchange.end != "message_end" or reads[0].at < TELLING:
        return None
    begin, end = reads[0].at, seen.exchange.end_at
    pieces = sum(bool(read.data) for read in reads)
    if end - begin > 5 * TOGETHER or pieces > 1 + len(seen.body) // SEGMENT or 2 * pieces > len(arrivals):
        return None
    text = f"nothing for {begin:.2f} s, then {len(arrivals)} events in {pieces} read{'s'[: pieces > 1]}, then the end"
    return Delay(begin, text, (seen.show_event(arrivals[0]), seen.show_event(arrivals[-1])))


def _lumps(seen: Observation) -> Delay | None:
    """Pauses inside events, after several events in one piece: a buffer filled up, for no producer stops there."""
    reads = seen.decoded.reads
    cuts: list[tuple[int, int, float]] = []  # offset of a pause, bytes since the pause before, and its seconds
    offset = since = 0
    for before, after in pairwise(reads):
        offset += len(before.data)
        if after.at - before.at > 5 * TOGETHER:
            cuts.append((offset, offset - since, after.at - before.at))
            since = offset
    events = seen.anatomy.event_blocks
    inside = [
        (at, size, pause)
        for at, size, pause in cuts
        if size >= LUMP
        and any(block.start < at < block.end for block in events)
        and sum(at - size < block.end <= at for block in events) >= 3
    ]
    if len(inside) < 2:
        return None
    sizes = ", ".join(str(size) for _, size, _ in inside[:6])
    shown = [seen.show(max(at - 30, 0), at + 30, f"a pause at byte {at}, inside an event") for at, _, _ in inside[:4]]
    pause = median(pause for _, _, pause in inside)
    return Delay(pause, f"lumps of {sizes} bytes that end inside an event", tuple(shown))


def _made_at(seen: Observation) -> list[tuple[Arrival, float]]:
    """The events that say when they were sent, with that time on their own clock."""
    sent_at = seen.endpoint.sent_at
    if sent_at is None:
        return []
    found: list[tuple[Arrival, float]] = []
    for arrival in seen.arrivals:
        document = payload(arrival.data)
        at = None if document is MISSING else sent_at.seconds(document)
        if at is not None:
            found.append((arrival, at))
    return found if len(found) >= 2 else []


def _fresh(seen: Observation) -> list[tuple[Arrival, float]]:
    """Those with the time at which they were made on our clock, by the promptest of them; without what is history,
    made before the request.
    """
    made = _made_at(seen)
    offset = min((arrival.at - at for arrival, at in made), default=0.0)
    return [(arrival, at + offset) for arrival, at in made if at + offset >= 0]


def _made_over(seen: Observation, seconds: float) -> bool:
    times = [at for _, at in _fresh(seen)]
    return bool(times) and max(times) - min(times) >= seconds


def _grain(times: list[float]) -> float:
    """How coarse these times are: whole seconds, tenths, hundredths, or finer than it matters."""
    for grain in (1.0, 0.1, 0.01):
        if all(abs(at / grain - round(at / grain)) < 1e-3 * (1 if grain == 1.0 else 10) for at in times):
            return grain
    return 0.0


# -- compression ----------------------------------------------------------------------------------------------------


@rule("BUF-02")
def test_compression_keeps_the_pace(bench: Bench) -> None:
    """With gzip, br or zstd accepted, each event is still flushed: first event and cadence stay as without compression."""
    plain = bench.observation
    if plain.exchange.members("content-encoding"):
        raise NotDeclared("the stream is compressed although identity was asked for, which HDR-10 judges")
    packed = _packed(bench, head_only=True)
    if not packed.is_stream or not set(packed.exchange.members("content-encoding")) - {"identity"}:
        return
    if _spread(plain) < LEAST_SPREAD:
        raise Untestable("the stream has no spread of events in time that could be compared")
    late = mostly(bench, _packed(bench), partial(_slower, plain), lambda: _packed(bench), busy=LEAST_SPREAD)
    if late:
        exchange = late[0].seen.exchange
        coding = exchange.value("content-encoding") or ""
        broken(
            f"the pace of the plain stream: first event after {_times(plain)[0]:.2f} s, all over {_spread(plain):.2f} s",
            f"with {coding}, {late[0].delay.text}",
            [Evidence(f"sample {number}: {one.delay.text}") for number, one in enumerate(late, 1)],
            late[0].seen.show_head("content-encoding"),
            [Evidence(f"{len(read.data)} bytes", at=read.at) for read in exchange.reads[:6]],
        )


def _packed(bench: Bench, *, head_only: bool = False) -> Observation:
    """The stream with compression accepted, watched a little longer than the plain one was."""
    window = min(bench.limits.window, bench.observation.exchange.end_at + 1)
    sent = with_header(bench.final_sent, "Accept-Encoding", CODINGS)
    with bench.open(sent, limits=Limits(window=window)) as stream:
        if head_only:
            stream.until_head()
        else:
            stream.pump()
        stream.close()
        return bench.view(stream)


def _slower(plain: Observation, packed: Observation) -> Delay | None:
    """How the compressed stream lags behind the plain one."""
    usual, times = _times(plain), _times(packed)
    spread = usual[-1] - usual[0]
    if not times:
        return Delay(packed.exchange.end_at - usual[0], f"nothing in {packed.exchange.end_at:.2f} s")
    if times[0] - usual[0] > max(HELD, spread / 3):
        return Delay(times[0] - usual[0], f"the first event after {times[0]:.2f} s")
    if times[-1] - times[0] < spread / 4:
        return Delay(spread, f"all events within {times[-1] - times[0]:.3f} s, after {times[0]:.2f} s")
    bursts, lumps = _count_bursts(usual), _count_bursts(times)
    if bursts >= 8 and lumps < bursts / 4:
        return Delay(spread / lumps, f"the events in {lumps} lumps instead of {bursts}")
    return None


def _times(seen: Observation) -> list[float]:
    """When events came; of a coding that cannot be undone here, when its bytes came, its magic number left out."""
    if seen.decoded.problem and not seen.arrivals:
        return [read.at for read in seen.exchange.reads if len(read.data) > 16]
    return [arrival.at for arrival in seen.arrivals]


def _spread(seen: Observation) -> float:
    times = _times(seen)
    return times[-1] - times[0] if len(times) >= 3 else 0.0


def _count_bursts(times: list[float]) -> int:
    return 1 + sum(after - before > TOGETHER for before, after in pairwise(times))


# -- steps ----------------------------------------------------------------------------------------------------------


@rule("BUF-08")
def test_delay_in_steps_of_40_or_200_ms_is_reported(observation: Observation) -> None:
    """Event delays that gather at 40 or 200 ms come from delayed acknowledgements and small-packet coalescing."""
    made = _made_at(observation)
    if len(made) >= 4:
        offset = min(arrival.at - at for arrival, at in made)
        _report_steps(observation, [(arrival, arrival.at - at - offset) for arrival, at in made])
        return
    arrivals = observation.arrivals
    if len(arrivals) < 8:
        raise Untestable(
            "delays need events that say when they were sent (declare sent_at), or eight events at an even pace"
        )
    _report_alternation(observation, arrivals)


def _report_steps(seen: Observation, delays: list[tuple[Arrival, float]]) -> None:
    """Some events on time, the others late by one step: a third way in between would be load, not a timer."""
    for step, width in STEPS:
        late = [(arrival, delay) for arrival, delay in delays if abs(delay - step) <= width]
        prompt = [delay for _, delay in delays if delay < step / 4]
        if len(late) >= 2 and 5 * len(late) >= len(delays) and len(late) + len(prompt) >= 0.8 * len(delays):
            _broken_steps(seen, step, late, len(delays))


def _report_alternation(seen: Observation, arrivals: list[Arrival]) -> None:
    """Every second event late by one step: gaps that are longer and shorter than their mean by it, in turn."""
    gaps = [after.at - before.at for before, after in pairwise(arrivals)]
    pace = mean(gaps)
    for step, width in STEPS:
        turns = sum((a - pace) * (b - pace) < 0 for a, b in pairwise(gaps))
        near = [
            (arrival, gap - pace)
            for arrival, gap in zip(arrivals[1:], gaps, strict=True)
            if abs(abs(gap - pace) - step) <= width / 2
        ]
        if pace > step and len(near) >= 0.8 * len(gaps) and turns >= 0.8 * (len(gaps) - 1):
            _broken_steps(seen, step, [(arrival, delay) for arrival, delay in near if delay > 0], len(arrivals))


def _broken_steps(seen: Observation, step: float, late: list[tuple[Arrival, float]], of: int) -> None:
    shown = [seen.show_event(arrival, f"late by {delay * 1000:.0f} ms") for arrival, delay in late]
    broken("no step in the delays", f"{len(late)} of {of} events are late by about {step * 1000:.0f} ms", shown)
