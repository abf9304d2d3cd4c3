"""Sequence numbers and progress (rules ORD-05, ORD-06, ORD-10 to ORD-12)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

from ssegauge.judging import Untestable, broken, rule
from ssegauge.means.contract import first_terminal, part_of, unreadable
from ssegauge.observation import Arrival, Evidence, Observation
from ssegauge.profile.pointer import MISSING, whole_number
from ssegauge.visible import visible


@rule("ORD-05")
def test_sequence_never_repeats_or_goes_back(observation: Observation) -> None:
    """The declared sequence numbers strictly increase within a stream."""
    for (before, low), (after, high) in pairwise(_numbered(observation)):
        if high <= low:
            shown = [observation.show_event(before), observation.show_event(after)]
            broken(f"a number above {low}", f"{high}", shown)


@rule("ORD-10")
def test_sequence_has_no_gap(observation: Observation) -> None:
    """The declared sequence numbers leave no number out."""
    torn = {arrival.index for arrival in observation.contract_arrivals if unreadable(observation, arrival)}
    places = {number: arrival for arrival, number in _numbered(observation)}
    gaps: list[str] = []
    shown: list[Evidence] = []
    for low, high in pairwise(sorted(places)):
        before, after = sorted((places[low], places[high]), key=lambda arrival: arrival.index)
        if high - low > 1 and torn.isdisjoint(range(before.index, after.index)):  # JSON-01's, JSON-09's
            gaps.append(f"{low + 1}" if high - low == 2 else f"{low + 1} to {high - 1}")
            shown += [observation.show_event(before), observation.show_event(after)]
    if gaps:
        more = f" and {len(gaps) - 5} more" if len(gaps) > 5 else ""
        broken("every number", f"without {', '.join(gaps[:5])}{more}", shown)


@rule("ORD-06")
def test_progress_never_goes_back(observation: Observation) -> None:
    """The declared progress value never decreases."""
    for values in _progress_by_part(observation).values():
        for (before, low), (after, high) in pairwise(values):
            if high < low - _grain(observation):
                shown = [observation.show_event(before), observation.show_event(after)]
                broken(f"{low:g} or more", f"{high:g}", shown)


@rule("ORD-11")
def test_progress_stays_in_range(observation: Observation) -> None:
    """The declared progress value stays within the declared range."""
    progress = observation.endpoint.progress
    assert progress is not None
    least, most = progress.range
    for arrival, value in _progress(observation):
        if not isinstance(value, int | float) or isinstance(value, bool):
            broken(f"a number from {least:g} to {most:g}", visible(json.dumps(value)), observation.show_event(arrival))
        if not least - _grain(observation) <= value <= most + _grain(observation):
            broken(f"a value from {least:g} to {most:g}", f"{value:g}", observation.show_event(arrival))


@rule("ORD-12")
def test_progress_reaches_its_end_before_success(observation: Observation) -> None:
    """The declared progress value has reached the end of its range before a success terminal."""
    progress = observation.endpoint.progress
    assert progress is not None
    terminal = first_terminal(observation)
    for part, values in _progress_by_part(observation, terminal.index).items():
        furthest, most = max(values, key=lambda pair: pair[1])
        if most < progress.range[1] - _grain(observation):
            shown = [observation.show_event(furthest), observation.show_event(terminal, "the terminal")]
            of_part = "" if part is None else f" of part {visible(part)}"
            broken(f"{progress.range[1]:g} before the terminal", f"{most:g} at most{of_part}", shown)


def _numbered(observation: Observation) -> list[tuple[Arrival, int]]:
    """The events that carry a sequence number, with it."""
    sequence = observation.endpoint.sequence
    assert sequence is not None
    found = [(arrival, whole_number(sequence.in_data(arrival.data))) for arrival in observation.contract_arrivals]
    numbered = [(arrival, number) for arrival, number in found if number is not None]
    if not numbered:
        raise Untestable(f"no event carries a sequence number at {sequence.pointer}")
    return numbered


def _progress(observation: Observation) -> Iterator[tuple[Arrival, Any]]:
    """The events that tell progress, with what they tell; null is no value yet."""
    progress = observation.endpoint.progress
    assert progress is not None
    for arrival in observation.contract_arrivals:
        if progress.event is None or arrival.type == progress.event:
            value = progress.in_data(arrival.data)
            if value is not MISSING and value is not None:
                yield arrival, value


def _progress_by_part(
    observation: Observation, until: int | None = None
) -> dict[str | None, list[tuple[Arrival, float]]]:
    """Progress that is a number, up to the event of index `until`; by part where the profile declares a group."""
    parts: dict[str | None, list[tuple[Arrival, float]]] = {}
    for arrival, value in _up_to(_progress(observation), until):
        if isinstance(value, int | float) and not isinstance(value, bool):
            parts.setdefault(part_of(observation, arrival), []).append((arrival, value))
    if not parts:
        pointer = observation.endpoint.progress.pointer if observation.endpoint.progress else ""
        raise Untestable(f"no event tells its progress as a number at {pointer}")
    return parts


def _up_to(found: Iterable[tuple[Arrival, Any]], until: int | None) -> Iterator[tuple[Arrival, Any]]:
    return (pair for pair in found if until is None or pair[0].index <= until)


def _grain(observation: Observation) -> float:
    """What floating point may be off by: a millionth of the range."""
    progress = observation.endpoint.progress
    assert progress is not None
    return (progress.range[1] - progress.range[0]) * 1e-6
