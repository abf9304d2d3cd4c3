"""Clients that leave (rules DIS-01, -04, -05, -08 to -12; what a process holds afterwards is in test_leftovers)."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from ssegauge.bench import Bench
from ssegauge.client import LONG, Limits, Stream
from ssegauge.client.http2 import Http2Stream
from ssegauge.exchange import Sent
from ssegauge.judging import Untestable, broken, rule
from ssegauge.means.aborting import ENOUGH, SETTLED, Aborts, abort_everywhere, aborts, after_aborts
from ssegauge.means.crowd import fault, fewer, varies_alone
from ssegauge.means.leaving import (
    BATCH,
    NOTICE,
    STALLED_BUFFER,
    expect_noticed,
    expect_stopped,
    lasting,
    many_departures,
    notice,
    ordinary_departures,
    require_noticed,
    wait_until_full,
)
from ssegauge.means.timing import require_quiet
from ssegauge.means.upstream import restless, still_counting, still_faster
from ssegauge.observation import Evidence, Observation
from ssegauge.probe import joined

PROMPT = 2.0
"""Seconds within which a server that streams answers another request (DIS-09)."""
BUSY = 0.5
"""Seconds that this machine may wake up late before times are no longer judged."""


@rule("DIS-01")
def test_production_stops_when_the_client_leaves(bench: Bench) -> None:
    """After a client has left an active stream, the work for it stops within 5 s."""
    expect_stopped(bench, ordinary_departures(bench), "the client left")
    if bench.gauge is None:
        raise Untestable(
            "its connections are closed, but a process id does not show whether the work goes on: "
            "declare [probe] with a count of active streams"
        )
    many = many_departures(bench)
    if (
        len(many) > 1 and many[1].after > many[0].after
    ):  # one leak in ten streams grows; another client's stream does not
        expect_stopped(bench, many, f"{BATCH} clients left, some of them before the first event")


@rule("DIS-04")
def test_aborts_at_any_point_leave_the_server_serving(bench: Bench) -> None:
    """Clients that vanish at any point, by FIN or by RST, leave the server answering."""
    seen = aborts(bench).following
    if not _serves(bench, seen):
        time.sleep(1)  # a server that is being started again gets a second
        seen = after_aborts(bench)
    if not _serves(bench, seen):
        exchange = seen.exchange
        actual = (
            f"status {exchange.status}, {len(seen.arrivals)} events"
            if exchange.status
            else f"no answer: {exchange.detail}"
        )
        broken("the stream as before", actual, Evidence("after clients left at every point, by FIN and by RST"))


def _serves(bench: Bench, seen: Observation) -> bool:
    usual = bench.observation
    witness_had_events = bool(aborts(bench).witness.arrivals)
    has_events = bool(seen.arrivals) or not usual.arrivals or not witness_had_events
    return seen.exchange.status == usual.exchange.status and has_events


@rule("DIS-05")
def test_one_client_leaving_does_not_disturb_another(bench: Bench) -> None:
    """A client that leaves does not disturb another client's stream."""
    first = aborts(bench)
    if not _serves(bench, first.following):
        raise Untestable("the server serves no longer after the aborts, which DIS-04 judges")
    if _disturbed(bench, first) is None:
        return
    if varies_alone(bench):
        return  # with and without others that leave
    again = _disturbed(bench, abort_everywhere(bench))
    if again is not None:
        tail = first.witness.arrivals[-1:]
        broken("a stream like one alone", again, [first.witness.show_event(arrival, "its last") for arrival in tail])


def _disturbed(bench: Bench, seen: Aborts) -> str | None:
    """How the stream that stayed differs from one alone, or None."""
    usual, witness = bench.observation, seen.witness
    if not usual.ended:
        said = "the stream that stayed was ended by the server" if witness.ended else _silent(usual, seen)
        return said or _worse(bench, witness)
    if witness.verdict != usual.verdict:
        return f"the stream that stayed is {witness.verdict}; alone it is {usual.verdict}"
    if len(witness.types) < len(usual.types) and witness.types == usual.types[: len(witness.types)]:
        return f"the stream that stayed ended after {len(witness.types)} of {len(usual.types)} events"
    return _worse(bench, witness)


def _worse(bench: Bench, witness: Observation) -> str | None:
    found = fault(bench, witness) or fewer(bench, witness)
    return f"the stream that stayed is {found}" if found else None


def _silent(usual: Observation, seen: Aborts) -> str | None:
    """An endless stream that had events all the time brings none after the others left."""
    moment = seen.last_at + SETTLED
    if _goes_on(usual, moment) and not any(arrival.at > moment for arrival in seen.witness.arrivals):
        return "the stream that stayed brought nothing more after the others had left"
    return None


def _goes_on(usual: Observation, moment: float) -> bool:
    """Whether a stream alone had events after that moment, too."""
    return len(usual.arrivals) >= ENOUGH and usual.arrivals[-1].at > moment


# -- work upstream --------------------------------------------------------------------------------------------------


@rule("DIS-08")
def test_costly_upstream_work_stops_with_the_stream(bench: Bench) -> None:
    """Work that was started upstream for a stream stops when its client leaves: its counters stand still within 5 s."""
    status = bench.status
    if status is None:
        raise Untestable("needs a status address with counters: declare probe.url")
    require_noticed(bench)
    moving_anyway = restless(status, 2 * notice(bench)) | {status.pointer}
    expected = f"counters that stand still {notice(bench):g} s after the client left"
    if still_faster(bench, status, moving_anyway) and (faster := still_faster(bench, status, moving_anyway)):
        shown = ", ".join(f"{place} rises by {before:.0f} a second before, {after:.0f} after" for place, (before, after) in faster.items())  # fmt: skip
        broken(expected, shown, Evidence("it was rising before these streams, as where work of earlier ones goes on"))
    if still_counting(bench, status, moving_anyway) and (moving := still_counting(bench, status, moving_anyway)):
        shown = ", ".join(f"{place} from {before:g} to {after:g}" for place, (before, after) in moving.items())
        broken(expected, shown)


@rule("DIS-09")
def test_producer_that_never_waits_does_not_take_the_server_with_it(bench: Bench) -> None:
    """A producer that always has data ready does not starve the server, least of all after its client has left."""
    since = time.monotonic()
    slow = _canary_beside_endless(bench)
    if slow is None:
        return
    require_quiet(bench, since, PROMPT, busy=BUSY)
    again = _canary_beside_endless(bench)
    if again is not None:
        broken("an answer in time", again, Evidence(f"the first time: {slow}"))


def _canary_beside_endless(bench: Bench) -> str | None:
    """What is wrong with ordinary answers while an endless stream is read for a second, and after it was left."""
    with bench.open(bench.sent("endless"), limits=replace(LONG, window=PROMPT)) as stream:
        stream.until_head()
        found = bench.together([partial(_read_on, stream), partial(_canary, bench)])
    if found[1] is not None:
        return f"{found[1]} while the stream was read"
    for _ in range(3):  # the server may take a moment to see that its client has left
        after = _canary(bench)
        if after is not None:
            return f"{after} after its client left"
        time.sleep(0.15)
    return None


def _read_on(stream: Stream) -> str | None:
    stream.pump(within=1.0)
    return None


def _canary(bench: Bench) -> str | None:
    health = bench.profile.target.health
    sent = Sent("GET", joined(bench.profile.base_url, health)) if health else bench.final_sent
    usual = 0.0 if health else bench.observation.exchange.head_at or 0.0  # a stream may take its time to begin
    bound = PROMPT * max(bench.options.scale, 0.25) + usual
    with bench.open(sent, limits=Limits(connect=bound, first_byte=bound, window=bound)) as stream:
        came = stream.until_head(bound)
        if not came and not (stream.over and stream.exchange.status):
            return f"no answer within {stream.elapsed:.1f} s ({stream.exchange.detail or 'silence'})"
    return None


# -- who stalls, who is idle, who cancels ---------------------------------------------------------------------------


@rule("DIS-10")
def test_client_that_stalls_and_then_leaves_is_cleaned_up_too(bench: Bench) -> None:
    """A client that first stops reading and then leaves is cleaned up like any other within 5 s."""
    seen = bench.observation
    if bench.endpoint.endless is None and seen.ended:
        raise Untestable("the stream is too short to stall its server: declare endless")
    require_noticed(bench, by_count=True)
    sent = bench.final_sent if bench.endpoint.endless is None else bench.sent("endless")
    with contextlib.ExitStack() as clients:
        held: list[Stream] = []

        def begin() -> None:
            held.append(clients.enter_context(bench.open(sent, receive_buffer=STALLED_BUFFER)))

        def stall_and_leave() -> None:
            with held.pop() as stream:
                wait_until_full(stream)

        expect_noticed(bench, begin, stall_and_leave, "the client stopped reading and left")


@rule("DIS-11")
def test_client_that_leaves_an_idle_stream_is_noticed(bench: Bench) -> None:
    """A client that leaves an idle stream is noticed within 5 s though nothing is written to it."""
    with contextlib.ExitStack() as clients:
        held: list[Stream] = []

        def begin() -> None:
            stream = clients.enter_context(bench.open(bench.sent("idle")))
            held.append(stream)
            stream.until_head(1.0)
            if stream.over:
                raise Untestable(f"the idle stream was not open: {stream.exchange.detail or stream.exchange.status}")

        expect_noticed(bench, begin, lambda: held.pop().close(), "the client left the idle stream")


@rule("DIS-12")
def test_http_2_cancel_ends_the_work(bench: Bench) -> None:
    """RST_STREAM on an open HTTP/2 connection ends the work for that stream within 5 s."""
    sent = lasting(bench)
    with contextlib.ExitStack() as connections:
        held: list[Http2Stream] = []

        def begin() -> None:
            stream = connections.enter_context(Http2Stream(sent, bench.options.transport))
            held.append(stream)
            stream.pump(lambda: bool(stream.content), NOTICE)
            if stream.ended:
                raise Untestable("the stream is over before a client can leave it: declare endless")

        cancel: Callable[[], None] = lambda: held.pop().cancel()  # noqa: E731 - the connection stays
        expect_noticed(bench, begin, cancel, "the client cancelled its stream and kept the connection")
