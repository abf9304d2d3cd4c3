"""How the stream of the fault request failed, for all the rules that ask: it is run once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from ssegauge.bench import Bench
from ssegauge.judging import Untestable
from ssegauge.observation import Arrival, Observation
from ssegauge.profile.pointer import payload

Way = Literal["told", "unframed", "terminal", "clean_end", "cut", "open"]


def failed_stream(bench: Bench) -> Observation:
    """The stream of the fault request, once it has failed. Raises Untestable where it did not, or never started."""
    fault = run_fault(bench)
    status = fault.exchange.status
    if status is None:
        raise Untestable(f"the fault request got no response: {fault.exchange.detail or fault.exchange.end}")
    if not fault.is_stream:
        raise Untestable(f"the fault request was answered with status {status}: it fails before the stream starts")
    if _is_the_usual_stream(bench, fault):
        raise Untestable("the fault request brought the same finished stream as the ordinary one: nothing failed")
    return fault


def run_fault(bench: Bench) -> Observation:
    """The fault request's stream, whatever came of it, run once."""
    return bench.once("fault", lambda: _run(bench))


def _run(bench: Bench) -> Observation:
    fault = bench.observe(bench.sent("fault"))
    bench.keep(fault, "fault")
    return fault


def _is_the_usual_stream(bench: Bench, fault: Observation) -> bool:
    usual = bench.observation
    finished = all(one.exchange.end == "message_end" and not told_by(bench, one) for one in (usual, fault))
    return finished and fault.types == usual.types and bool(fault.terminals) == bool(usual.terminals)


def way_of(bench: Bench, fault: Observation) -> Way:
    """How it told that it failed, or ended without telling; each way has one rule."""
    if told_by(bench, fault):
        return "told"
    if fault.exchange.end == "malformed" or next(unframed(bench, fault), None) is not None:
        return "unframed"
    if fault.terminals:
        return "terminal"
    if not fault.ended:
        return "open"
    return "clean_end" if fault.exchange.end == "message_end" and not _left_open(fault) else "cut"


def _left_open(fault: Observation) -> bool:
    """The message ended properly inside an event: the failure shows in what is missing of it."""
    return fault.anatomy.pending is not None and bool(fault.anatomy.pending.of("data"))


def told_by(bench: Bench, observation: Observation) -> list[Arrival]:
    """The error events. Where the profile declares none: what looks like one, or an end of a type of its own."""
    if "errors" in bench.endpoint.declares:
        return observation.errors
    arrivals = observation.contract_arrivals
    told = [arrival for arrival in arrivals if _looks_like_an_error(arrival)]
    if not told and observation is not bench.observation and arrivals[-1:]:
        strange = arrivals[-1].type not in set(bench.observation.types)
        told = arrivals[-1:] if strange and not observation.terminals else []
    return told


def _looks_like_an_error(arrival: Arrival) -> bool:
    if re.search(r"error|fail|abort", arrival.type, re.IGNORECASE):
        return True
    document = payload(arrival.data)
    return isinstance(document, dict) and bool(document.get("error"))


def unframed(bench: Bench, fault: Observation) -> Iterator[tuple[int, int]]:
    """Lines without a field name that the ordinary stream does not have."""
    usual = {field.name for field in bench.observation.anatomy.unknown}
    for field in fault.anatomy.fields:
        cut_off = not field.eol and any(name.startswith(field.name) for name in (b"data", b"event", b"id", b"retry"))
        if field.kind == "unknown" and field.name not in usual and not cut_off:
            yield field.start, field.end
