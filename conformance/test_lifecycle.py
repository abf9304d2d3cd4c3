"""Opening, lifetime, shutdown (rules LIF-01, LIF-02, LIF-06 to LIF-08, LIF-11)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ssegauge.bench import Bench
from ssegauge.client import LONG
from ssegauge.judging import Untestable, broken, rule
from ssegauge.means.shutdown import grace, shutdown
from ssegauge.means.timing import Delay, mostly
from ssegauge.observation import Evidence, Observation
from ssegauge.profile.endpoint import Situation

PROMPT = 1.0
"""Seconds to the header section, and from there to the first body byte (LIF-01, LIF-02)."""
PATIENCE = 5.0
"""Seconds that a further sample waits for a header section that was late."""
AFTER_TERMINAL = 2.0
"""Seconds after its terminal from which on a stream that stays open is ORD-04's (LIF-06)."""
SAME_AGE = 0.1
"""Share by which the ages of streams that one limit ends may differ (LIF-07)."""


# -- opening --------------------------------------------------------------------------------------------------------


@rule("LIF-01", any_status=True)
def test_headers_are_sent_at_once(bench: Bench) -> None:
    """The header section arrives within 1 s of the request."""
    first = bench.observation
    if not first.is_stream and not first.is_silent:
        raise Untestable("there was no stream to judge (HTTP-01)")

    def until_head() -> Observation:
        with bench.open() as stream:
            stream.until_head(PATIENCE)
            seen = bench.view(stream)
            if not stream.over:
                seen.exchange.end_at = stream.elapsed
            return seen

    _expect_prompt(bench, "the header section", _head_at, until_head)


@rule("LIF-02")
def test_a_body_byte_follows_the_headers(bench: Bench) -> None:
    """Some body byte, a comment will do, follows within 1 s of the headers."""

    def until_body() -> Observation:
        with bench.open() as stream:
            if stream.until_head():
                stream.pump(lambda one: bool(one.exchange.reads), within=PROMPT + 0.2)
            seen = bench.view(stream)
            if not stream.over:
                seen.exchange.end_at = stream.elapsed
            return seen

    _expect_prompt(bench, "a byte of the body", _head_to_body, until_body)


def _expect_prompt(
    bench: Bench, what: str, took: Callable[[Observation], float], again: Callable[[], Observation]
) -> None:
    def delay(seen: Observation) -> Delay | None:
        seconds = took(seen)
        lacking = seen.is_silent  # the end of a wait is no time of arrival
        return (
            Delay(seconds - PROMPT, f"{'nothing in' if lacking else 'after'} {seconds:.2f} s")
            if seconds > PROMPT
            else None
        )

    late = mostly(bench, bench.observation, delay, again, busy=PROMPT / 4)
    if late:
        samples = [
            Evidence(f"sample {number}: {one.delay.text}", at=one.seen.exchange.head_at)
            for number, one in enumerate(late, 1)
        ]
        broken(f"{what} within {PROMPT:g} s", min(one.delay for one in late).text, samples)


def _head_at(seen: Observation) -> float:
    return seen.exchange.end_at if seen.exchange.head_at is None else seen.exchange.head_at


def _head_to_body(seen: Observation) -> float:
    """Seconds from head to body; where none came, to the end of what was seen. An empty body is FRM-10's."""
    exchange = seen.exchange
    reads = exchange.reads
    return (reads[0].at if reads else exchange.end_at) - (exchange.head_at or 0.0)


# -- lifetime -------------------------------------------------------------------------------------------------------


@rule("LIF-06")
def test_finite_stream_ends_within_its_deadline(observation: Observation) -> None:
    """A finite stream ends within its declared deadline."""
    exchange = observation.exchange
    deadline = observation.endpoint.deadline
    assert deadline is not None
    if not observation.ended and exchange.end_at < deadline:
        raise Untestable(f"the stream was watched for {exchange.end_at:.1f} s only: {exchange.detail}")
    if exchange.end_at <= deadline and observation.ended:
        return
    if observation.terminals and exchange.end_at - observation.terminals[0].at > AFTER_TERMINAL:
        raise Untestable("the terminal came, and how long the response stays open after it is what ORD-04 judges")
    how = "it ended" if observation.ended else "it was still open"
    last = [observation.show_event(arrival, "the last") for arrival in observation.arrivals[-2:]]
    broken(f"the end within {deadline:g} s", f"{how} after {exchange.end_at:.2f} s", last)


@rule("LIF-07")
def test_stream_lives_as_long_as_declared(bench: Bench) -> None:
    """A stream lives at least as long as declared, idle or busy: no worker, write or route limit cuts it."""
    lifetime = bench.endpoint.lifetime
    assert lifetime is not None
    situations: list[Situation | None] = [None]
    situations += [name for name in ("idle", "endless") if name in bench.endpoint.declares]
    held = bench.together([lambda name=name: _hold(bench, name, lifetime) for name in situations])  # type: ignore[misc]
    for name, seen in zip(situations, held, strict=True):
        age = seen.exchange.end_at
        if not _died(seen, lifetime):
            continue
        second = _hold(bench, name, lifetime)  # streams that die at the same age show a limit
        if _died(second, lifetime):
            ages = sorted((age, second.exchange.end_at))
            alike = ages[1] - ages[0] <= SAME_AGE * ages[1]
            said = "the same age, so a limit cuts them" if alike else "different ages"
            what = {None: "the stream", "idle": "the idle stream", "endless": "the busy stream"}[name]
            broken(
                f"{what} alive after {lifetime:g} s",
                f"two died after {ages[0]:.1f} and {ages[1]:.1f} s: {said}",
                [Evidence(f"end: {one.exchange.end} {one.exchange.detail}", at=one.exchange.end_at) for one in (seen, second)],
            )  # fmt: skip


def _hold(bench: Bench, name: Situation | None, seconds: float) -> Observation:
    """A stream kept open for so long. Of a busy one no more than its end is kept: its age is the question."""
    sent = bench.final_sent if name is None else bench.sent(name)
    with bench.open(sent, limits=replace(LONG, window=seconds)) as stream:
        stream.pump(within=seconds)
        stream.close()
        return bench.view(stream)


def _died(seen: Observation, lifetime: float) -> bool:
    """It was ended from outside: before its time, and neither by its terminal nor by an error event."""
    return seen.ended and seen.exchange.end_at < lifetime and not seen.terminals and not seen.errors


# -- shutdown -------------------------------------------------------------------------------------------------------


@rule("LIF-08")
def test_server_stops_within_its_grace_period(bench: Bench) -> None:
    """On SIGTERM the process exits within 10 s though streams are open."""
    seen = shutdown(bench)
    if seen.gone_after is None:
        still = sum(not stream.ended for stream in seen.streams)
        broken(
            f"the process gone within {grace(bench):g} s of SIGTERM",
            f"it still runs, with {still} of {len(seen.streams)} streams open",
            [Evidence(stream.exchange.request.url, at=stream.exchange.end_at) for stream in seen.streams],
        )


@rule("LIF-11")
def test_shutdown_ends_streams_in_order(bench: Bench) -> None:
    """On SIGTERM open streams end on an event boundary and as complete messages."""
    seen = shutdown(bench)
    for stream, told_at in zip(seen.streams, seen.told_at, strict=True):
        exchange = stream.exchange
        if not stream.ended:
            raise Untestable("a stream was still open when the grace period was over, which LIF-08 judges")
        after = f"{exchange.end_at - told_at:.2f} s after the signal"
        tail = stream.show(max(len(stream.body) - 60, 0), len(stream.body), "the last bytes")
        if exchange.end != "message_end":
            broken("a complete message", f"{exchange.end}, {after}: {exchange.detail}", tail)
        if stream.anatomy.pending is not None and stream.anatomy.pending.of("data"):
            broken("an end between events", f"an event that is cut, {after}", tail)
