"""From a stream that is over to its outcome: the facts for the verdict, the times, the faults."""

from __future__ import annotations

import math
from typing import NamedTuple

from ssegauge.load.clock import monotonic_ns
from ssegauge.load.contract import Contract, Delivery
from ssegauge.load.outcome import Counting, Outcome
from ssegauge.load.stream import Stream
from ssegauge.verdict import EndKind, Facts, verdict


class Failure(NamedTuple):
    """Why there was no stream at all. `own`: for want of our own files or ports."""

    end: EndKind
    error: str
    own: bool = False


class Course(NamedTuple):
    """What went on around the stream. `origin`: when the first request went out, 0 if none did; nanoseconds."""

    name: str
    begun: int
    intended: int
    origin: int
    connect_us: float
    duplicated_before: int
    reordered_before: int
    resumes: bool


def no_stream(course: Course, contract: Contract, failure: Failure) -> Outcome:
    """The outcome where no connection came about, or none was waited for."""
    facts = Facts(
        end=failure.end,
        status=None,
        event_stream=False,
        events=0,
        terminal_declared=contract.ends,
        terminal_seen=False,
        error_seen=False,
        pending=False,
    )
    outcome = Outcome(course.name, verdict(facts), facts, error=failure.error, own_fault=failure.own)
    if contract.endpoint.sequence is not None or contract.counts_ids:
        outcome.counting = "empty"
    now = monotonic_ns()
    outcome.lasted_us = (now - course.begun) / 1000
    if failure.end != "client":
        outcome.times["duration"] = outcome.lasted_us
    _expect(outcome, course, contract)
    outcome.missed = _missed(outcome, contract)
    return outcome


def of_stream(course: Course, contract: Contract, stream: Stream, delivery: Delivery) -> Outcome:
    """The outcome of a stream that has ended."""
    watch = stream.watch
    assert stream.end is not None  # noqa: S101 - for the type checker: it has ended
    facts = Facts(
        end=stream.end,
        status=stream.response.status,
        event_stream=stream.is_event_stream,
        events=stream.events,
        terminal_declared=contract.ends,
        terminal_seen=watch is not None and watch.terminal_seen,
        error_seen=watch is not None and watch.error_seen,
        pending=stream.pending,
    )
    outcome = Outcome(
        course.name,
        verdict(facts),
        facts,
        status=stream.response.status,
        headers=stream.response.headers,
        error=stream.error,
        page=stream.page,
        lasted_us=(stream.ended - course.origin) / 1000,
        opened=stream.is_event_stream,
        events=stream.events,
        bytes=stream.bytes,
        faults=dict(watch.faults) if watch is not None else {},
        duplicated=delivery.duplicated - course.duplicated_before,
        reordered=delivery.reordered - course.reordered_before,
        # What a resumed stream lacks may still come on its next connection.
        lost=0 if course.resumes else delivery.lost,
        counting=_counting(contract, stream, delivery),
        counts_again=contract.counts_ids,
        first_number=None if course.resumes or contract.is_shared else delivery.numbers.first,
        last_event_id=stream.last_event_id,
        retry_ms=stream.retry,
        unjudged=stream.unjudged,
    )
    if watch is not None and watch.matched:
        outcome.tokens = watch.matched if watch.tokens is None else watch.tokens
    _times(outcome, course, stream)
    _expect(outcome, course, contract)
    outcome.missed = _missed(outcome, contract)
    return outcome


def _counting(contract: Contract, stream: Stream, delivery: Delivery) -> Counting:
    if not (contract.endpoint.sequence is not None or contract.counts_ids):
        return "undeclared"
    if not stream.events:
        return "empty"
    if contract.counts_ids:
        return "counted" if delivery.ids.counting else "uncounted"
    return "counted" if delivery.numbers.first is not None else "unnumbered"


def _missed(outcome: Outcome, contract: Contract) -> tuple[str, ...] | None:
    """The limits that the stream did not keep, "failed" before all; None where none are stated, or we closed it."""
    if not contract.limits:
        return None
    if outcome.failed:
        return ("failed",)
    if outcome.facts.end == "client":
        return None
    # What only a second event or token has (a gap) cannot be too long where there is one.
    never = dict.fromkeys(("longest_gap", "time_per_token"), 0.0)
    times = {**never, **outcome.times}
    return tuple(name for name, limit in contract.limits.items() if times.get(name, math.inf) > limit * 1e6)


def _times(outcome: Outcome, course: Course, stream: Stream) -> None:
    times = outcome.times
    times["connect"] = course.connect_us
    for name in ("ttfb", "first_body_byte", "first_event", "first_match"):
        at = getattr(stream, name)
        if at:
            times[name] = (at - course.origin) / 1000
    if outcome.tokens > 1:
        times["time_per_token"] = (stream.last_match - stream.first_match) / 1000 / (outcome.tokens - 1)
    if stream.events > 1:
        times["longest_gap"] = stream.longest_gap / 1000
    if stream.first_body_byte:
        times["longest_silence"] = stream.longest_silence / 1000
    if outcome.facts.end != "client":
        times["duration"] = outcome.lasted_us


def _expect(outcome: Outcome, course: Course, contract: Contract) -> None:
    names = ["ttfb", "first_body_byte", "first_event"]
    if contract.matches:
        names.append("first_match")
    if course.intended:
        outcome.late_us = ((course.origin or course.begun) - course.intended) / 1000
        for name in ("ttfb", "first_event"):
            names.append(f"{name}_from_intended")
            if name in outcome.times:
                outcome.times[f"{name}_from_intended"] = outcome.times[name] + outcome.late_us
    outcome.expected = tuple(names)
