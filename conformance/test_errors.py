"""Failures after the start (rules ERR-01, ERR-06 to ERR-11): how a stream tells them, and what they do to the rest.

The rules that need `fault` share one run of that request. Each way to end without an error event has one rule of its own:
bytes that are no event are ERR-11's, a success terminal ERR-07's, a proper end without either ERR-06's, a stream that stays
open ERR-09's, and a cut without a word ERR-01's.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ssegauge.anomalies import JSON_JUDGES
from ssegauge.bench import Bench
from ssegauge.client import Limits
from ssegauge.exchange import Sent
from ssegauge.judging import Untestable, broken, rule
from ssegauge.means import crowd
from ssegauge.means.aborting import stay
from ssegauge.means.failing import failed_stream, told_by, unframed, way_of
from ssegauge.means.timing import require_quiet
from ssegauge.observation import Evidence, Observation

SOON = 2.0
"""Seconds within which a failed stream ends (ERR-09)."""
FAILURES = 5
"""Failing streams at a time that a server is put through (ERR-10)."""
MOST_FAILURES = 20
"""How many in all, where they are quick: a pool of ten is then used up."""


# -- how a failure shows --------------------------------------------------------------------------------------------


@rule("ERR-01")
def test_failure_after_the_start_is_an_error_event(bench: Bench) -> None:
    """A failure after the start is reported by a declared error event."""
    fault = failed_stream(bench)
    way = way_of(bench, fault)
    elsewhere = {"unframed": "ERR-11", "terminal": "ERR-07", "clean_end": "ERR-06", "open": "ERR-09"}
    if way in elsewhere:
        raise Untestable(f"the failed stream brought no error event; how it went on is what {elsewhere[way]} judges")
    if way == "cut":
        broken(
            f"an event of type {_error_names(bench)} before the end",
            f"the stream was cut without a word ({fault.exchange.end}) after {len(fault.arrivals)} events",
            _tail(fault),
        )


@rule("ERR-06")
def test_failed_stream_does_not_end_like_a_finished_one(bench: Bench) -> None:
    """A stream that fails after its start can be told from one that finished: by an error event, a cut or a reset."""
    fault = failed_stream(bench)
    way = way_of(bench, fault)
    elsewhere = {"unframed": "ERR-11", "terminal": "ERR-07"}
    if way in elsewhere:
        raise Untestable(f"how the failed stream ended is what {elsewhere[way]} judges")
    if way == "clean_end":
        broken(
            "an error event, or a message that is cut",
            f"a complete message after {len(fault.arrivals)} events, and no error event",
            _tail(fault),
        )


@rule("ERR-07")
def test_failed_stream_carries_no_success_terminal(bench: Bench) -> None:
    """A stream that failed carries no success terminal, neither its own nor one that a gateway makes up."""
    fault = failed_stream(bench)
    if way_of(bench, fault) == "terminal":
        shown = [fault.show_event(arrival) for arrival in fault.arrivals[-3:]]
        broken(
            "no success terminal",
            f"the terminal after {len(fault.arrivals) - 1} events and no error event (or the fault request does not fail)",
            shown,
        )


@rule("ERR-11")
def test_error_path_keeps_the_framing(bench: Bench) -> None:
    """What is written on the error path is framed like any event: no raw JSON or HTML in the middle."""
    fault = failed_stream(bench)
    if fault.exchange.end == "malformed":
        broken("a well-formed message", fault.exchange.detail, _tail(fault))
    spans = list(unframed(bench, fault))
    if spans:
        broken("events or nothing", "bytes that are no event", [fault.show(start, end) for start, end in spans])


def _error_names(bench: Bench) -> str:
    endpoint = bench.endpoint
    names = list(endpoint.errors)
    names += [f"any with {place.pointer}" for place in endpoint.error_when]
    return " or ".join(names)


def _tail(fault: Observation) -> list[Evidence]:
    end = Evidence(f"end: {fault.exchange.end} {fault.exchange.detail}".rstrip(), at=fault.exchange.end_at)
    return [*(fault.show_event(arrival) for arrival in fault.arrivals[-3:]), end]


# -- what comes through, and what goes on ---------------------------------------------------------------------------


@rule("ERR-08")
def test_events_written_before_a_failure_arrive(bench: Bench) -> None:
    """Every event that was written before a failure reaches the client."""
    fault = failed_stream(bench)
    usual, endpoint = bench.observation.anatomy, bench.endpoint
    if endpoint.data == "json" and any(JSON_JUDGES["FRM-06"](usual, endpoint.terminal_data, endpoint.ignore)):
        raise Untestable("events run into each other, failure or not, which FRM-06 judges")
    missing = _sequence_hole(fault)
    if missing:
        broken("every number up to the failure", f"without {missing}", _tail(fault))
    said = _said_number_of_events(bench)
    if said is None:
        raise Untestable(
            "how many events come before the failure is not known: no integer of the fault request is named …after…"
        )
    count, sent_for = said
    arrived = _before_failure(bench, fault)
    # whoever counts what was sent counts comments and a `retry` of its own, too
    others = sum(block.event is None for block in fault.anatomy.blocks)
    if arrived + others < count and not _fails_after_seconds(bench, fault, count):
        # raising the number tells whether it counts events at all
        more = [_before_failure(bench, bench.observe(sent_for(other))) for other in (count + 1, count + 2)]
        if more == [arrived + 1, arrived + 2] or (not any((arrived, *more)) and _had_time_for(bench, fault, count)):
            seen = f"{arrived}; {more[0]} where {count + 1} are asked for, and {more[1]} where {count + 2} are"
            broken(f"{count} events before the failure", seen, _tail(fault))
    if count not in (arrived, _before_failure(bench, fault, pings=False)):
        raise Untestable(f"{arrived} events came before the failure, so the {count} in the request does not count them")


@rule("ERR-09")
def test_failed_stream_ends(bench: Bench) -> None:
    """After a failure the response ends within 2 s: by error event and end, by cut, or by reset."""
    fault = failed_stream(bench)
    told = told_by(bench, fault)
    took = fault.exchange.end_at - (told[0].at if told else _last_event_at(fault))
    if told and not fault.ended and took <= SOON:
        raise Untestable(f"the observation ended {took:.2f} s after the error event")
    if told and took > SOON:
        how = "ended" if fault.ended else "was still open"
        broken(f"the end within {SOON:g} s of the error event", f"it {how} after {took:.2f} s", _tail(fault))
    if not fault.ended and not told:
        usual = max((after.at - before.at for before, after in pairwise(bench.observation.arrivals)), default=0.0)
        if took <= max(SOON, 2 * usual):
            raise Untestable("the failed stream was still sending when its observation ended")
        broken("an end after the failure", f"it stayed open without an event for {took:.2f} s", _tail(fault))


@rule("ERR-10")
def test_failure_of_one_stream_leaves_the_server_serving(bench: Bench) -> None:
    """After failed streams the server answers a clean request, and other open streams go on."""
    since = time.monotonic()
    trouble, _ = _beside_failures(bench)
    if trouble and not crowd.varies_alone(bench):
        again, beside = _beside_failures(bench)
        if again:
            said = f"while streams beside it failed, {again}"
            broken("another stream that goes on as before", said, _tail(beside))
    _expect_to_be_served(bench, bench.observation, since)


def _beside_failures(bench: Bench) -> tuple[str | None, Observation]:
    """What is wrong with a stream that goes on beside others that fail."""
    usual, sent = bench.observation, bench.sent("fault")
    limits = Limits(window=min(failed_stream(bench).exchange.end_at + 1, bench.limits.window))
    through = threading.Event()

    def fail() -> None:
        began, failed = time.monotonic(), 0
        while failed < MOST_FAILURES and (failed == 0 or time.monotonic() - began < SOON):
            bench.together([lambda: bench.observe(sent, limits=limits)] * FAILURES)
            failed += FAILURES
        through.set()

    def read() -> None:
        while not (through.is_set() or neighbour.over):
            neighbour.pump(within=0.05)

    with bench.open() as neighbour:
        neighbour.until_events(min(1, len(usual.arrivals)))
        bench.together([fail, read])
        stay(bench, neighbour, neighbour.elapsed)
        beside = bench.view(neighbour)
    return crowd.fault(bench, beside) or crowd.fewer(bench, beside), beside


def _expect_to_be_served(bench: Bench, usual: Observation, since: float) -> None:
    """A clean request is answered; where it is not, wait a moment for the server to come back, to say so."""
    began = time.monotonic()
    first: Observation | None = None
    while True:
        with bench.open() as stream:
            stream.until_events(min(1, len(usual.arrivals)))
            now = bench.view(stream)
        served = now.exchange.status == usual.exchange.status and len(now.arrivals) >= min(1, len(usual.arrivals))
        if served and first is None:
            return
        first = first or now
        if served or time.monotonic() - began > SOON:
            break
        time.sleep(0.1)
    if first.is_silent:
        require_quiet(bench, since, time.monotonic() - began, busy=SOON / 4)
    got = first.exchange.status or first.exchange.detail or first.exchange.end
    later = f"; it served again after {time.monotonic() - began:.1f} s" if served else ""
    broken("an answer to a clean request after other streams failed", f"{got}{later}", first.show_head())


def _had_time_for(bench: Bench, fault: Observation, count: int) -> bool:
    """It failed no sooner than the ordinary stream has so many events."""
    usual = bench.observation.contract_arrivals
    return len(usual) >= count > 0 and _failed_at(bench, fault) >= usual[count - 1].at * 0.8


def _fails_after_seconds(bench: Bench, fault: Observation, count: int) -> bool:
    """The number may be one of seconds: with an event a second it looks like a number of events."""
    return abs(_failed_at(bench, fault) - count) < max(0.1 * count, 0.3)


def _failed_at(bench: Bench, fault: Observation) -> float:
    told = told_by(bench, fault)
    return told[0].at if told else fault.exchange.end_at


def _last_event_at(fault: Observation) -> float:
    return fault.arrivals[-1].at if fault.arrivals else fault.exchange.head_at or 0.0


def _before_failure(bench: Bench, fault: Observation, *, pings: bool = True) -> int:
    # Whoever counts the events that were sent counts pings, too, which stand outside of the contract.
    told = told_by(bench, fault)
    arrivals = fault.arrivals if pings else fault.contract_arrivals
    return len([arrival for arrival in arrivals if not told or arrival.index < told[0].index])


def _sequence_hole(fault: Observation) -> str:
    """The numbers that are missing between the events before the failure, where the profile declares a sequence."""
    sequence = fault.endpoint.sequence
    if sequence is None:
        return ""
    first = min((arrival.index for arrival in (*fault.errors, *fault.terminals)), default=len(fault.arrivals))
    values = [sequence.in_data(arrival.data) for arrival in fault.contract_arrivals if arrival.index < first]
    numbers = sorted({value for value in values if isinstance(value, int) and not isinstance(value, bool)})
    holes = [
        f"{low + 1}" if high - low == 2 else f"{low + 1} to {high - 1}"
        for low, high in pairwise(numbers)
        if high - low > 1
    ]
    return ", ".join(holes[:5])


def _said_number_of_events(bench: Bench) -> tuple[int, Callable[[int], Sent]] | None:
    """The one integer of the fault request whose name contains `after`, and the request with another in its place."""
    fault = bench.endpoint.fault
    assert fault is not None
    body = fault.json_body if isinstance(fault.json_body, dict) else {}
    path = fault.path or ""
    query = {name: int(value) for name, value in parse_qsl(urlsplit(path).query) if value.isdecimal()}
    places = [
        (key, name, value)
        for key, values in (("params", fault.params), ("json", body), ("path", query))
        for name, value in values.items()
        if "after" in name and isinstance(value, int) and not isinstance(value, bool)
    ]
    if len(places) != 1:
        return None
    key, name, count = places[0]

    def sent_for(other: int) -> Sent:
        changes: dict[str, Any] = {key: {name: other}}
        if key == "path":
            changes = {"path": path.replace(f"{name}={count}", f"{name}={other}")}
        return bench.sent("fault", **changes)

    return count, sent_for
