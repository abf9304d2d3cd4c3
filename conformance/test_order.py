"""Order of events, terminal, sequence, progress, parts (rules ORD-*).

What the declared order speaks of: events of the types under `ignore` stand outside of it, and so does a sentinel
(`terminal_data`), unless the order names its text in quotes or has no other use for its type. An error event may come at
any time: the order holds up to it, and what follows one is ERR-04's. What follows the terminal is ORD-03's and ORD-08's.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

from ssegauge.anomalies import JUDGES
from ssegauge.bench import Bench
from ssegauge.judging import NotDeclared, Untestable, broken, rule
from ssegauge.observation import Arrival, Evidence, Observation
from ssegauge.order import Deviation, Order
from ssegauge.pointer import MISSING, payload
from ssegauge.timing import mostly
from ssegauge.visible import visible

SOON = 2.0
"""Seconds from the terminal to the end of the response (ORD-04)."""


# -- the declared order ---------------------------------------------------------------------------------------------


class Spoken(NamedTuple):
    """The events that the order speaks of, their letters, and whether the stream is known to be over after them."""

    arrivals: list[Arrival]
    letters: list[str]
    whole: bool


@rule("ORD-01")
def test_sequence_of_types_is_accepted_by_the_declared_order(observation: Observation) -> None:
    """The sequence of event types, without the ignored ones, is accepted by the declared order."""
    if observation.endpoint.group is not None:
        raise NotDeclared("the profile declares a group, so the order holds for each part, which ORD-13 judges")
    grammar = _grammar(observation)
    spoken = _spoken(observation, grammar)
    _require_fitting_first(grammar, spoken)
    _expect_order(observation, grammar, spoken, list(range(len(spoken.letters))), "")


@rule("ORD-07")
def test_first_event_can_begin_the_declared_order(observation: Observation) -> None:
    """The first event that is not ignored can begin the declared order."""
    grammar = _grammar(observation)
    spoken = _spoken(observation, grammar)
    if not spoken.letters:
        raise Untestable("no event came of which the order speaks")
    if not grammar.first(spoken.letters[0]):
        expected = " or ".join(grammar.start().expected)
        broken(f"{expected} first", f"{visible(spoken.letters[0])}", observation.show_event(spoken.arrivals[0]))


@rule("ORD-13")
def test_every_part_keeps_its_own_order(observation: Observation) -> None:
    """Where events belong to parts by a key, each part keeps the declared order by itself."""
    grammar = _grammar(observation)
    spoken = _spoken(observation, grammar)
    _require_fitting_first(grammar, spoken)
    keyed = [(letter, _part(observation, arrival)) for letter, arrival in zip(spoken.letters, spoken.arrivals, strict=True)]  # fmt: skip
    for key, indices in grammar.parts(keyed).items():
        _expect_order(observation, grammar, spoken, indices, "" if key is None else f" in part {visible(key)}")


def _grammar(observation: Observation) -> Order:
    grammar = observation.endpoint.grammar
    assert grammar is not None  # the rules here need `order`
    return grammar


def _spoken(observation: Observation, grammar: Order) -> Spoken:
    """What the order is compared with: up to the first error event, or up to the first terminal, that included."""
    endpoint = observation.endpoint
    arrivals: list[Arrival] = []
    letters: list[str] = []
    for arrival in observation.contract_arrivals:
        if endpoint.is_error(arrival.type, arrival.data):
            return Spoken(arrivals, letters, whole=False)
        if _is_sentinel(observation, arrival):
            return _with_sentinel(grammar, arrivals, letters, arrival)
        arrivals.append(arrival)
        letters.append(arrival.type)
        if endpoint.is_terminal(arrival.type, arrival.data):
            return Spoken(arrivals, letters, whole=True)
    # without a declared terminal only the proper end of the message says that no more was to come
    over = observation.exchange.end == "message_end" and observation.anatomy.pending is None
    return Spoken(arrivals, letters, whole=over and "terminal" not in endpoint.declares)


def _is_sentinel(observation: Observation, arrival: Arrival) -> bool:
    endpoint = observation.endpoint
    return arrival.data in endpoint.terminal_data and arrival.type not in endpoint.terminal


def _with_sentinel(grammar: Order, arrivals: list[Arrival], letters: list[str], sentinel: Arrival) -> Spoken:
    if sentinel.data in grammar.types:
        return Spoken([*arrivals, sentinel], [*letters, sentinel.data], whole=True)
    counted = [*letters, sentinel.type]
    only_use = bool(letters) and sentinel.type not in letters
    if only_use and grammar.deviation(letters) is not None and grammar.deviation(counted) is None:
        return Spoken([*arrivals, sentinel], counted, whole=True)  # `start delta* message`: the sentinel is the message
    return Spoken(arrivals, letters, whole=True)


def _require_fitting_first(grammar: Order, spoken: Spoken) -> None:
    if spoken.letters and not grammar.first(spoken.letters[0]):
        raise Untestable("the first event cannot begin the order, which ORD-07 judges")
    if not spoken.letters and not spoken.whole:
        raise Untestable("no event came of which the order speaks")


def _expect_order(observation: Observation, grammar: Order, spoken: Spoken, indices: list[int], of_part: str) -> None:
    """The order holds for these events. A payload that was torn apart leaves an event too many, which is JSON-01's."""
    while True:
        deviation = grammar.deviation(spoken.letters[index] for index in indices)
        if deviation is None or (deviation.found is None and not spoken.whole):
            return
        if deviation.found is None or not _unreadable(observation, spoken.arrivals[indices[deviation.at]]):
            _report(observation, [spoken.arrivals[index] for index in indices], deviation, of_part)
        indices = [*indices[: deviation.at], *indices[deviation.at + 1 :]]


def _unreadable(observation: Observation, arrival: Arrival) -> bool:
    """Data that is declared to be JSON and is no object or list: another rule says what is wrong with it."""
    sentinel = arrival.data in observation.endpoint.terminal_data
    return observation.endpoint.data == "json" and not sentinel and not isinstance(payload(arrival.data), dict | list)


def _report(observation: Observation, arrivals: list[Arrival], deviation: Deviation, of_part: str) -> None:
    expected = " or ".join(deviation.expected) or "no more events"
    before = " ".join(visible(arrival.type) for arrival in arrivals[max(deviation.at - 6, 0) : deviation.at])
    after = f" after {before}" if before else ""
    shown = [observation.show_event(arrival) for arrival in arrivals[max(deviation.at - 2, 0) : deviation.at + 1]]
    if deviation.found is None:
        broken(f"{expected}{after}{of_part}", "no more events", shown)
    broken(f"{expected}{after}{of_part}", visible(deviation.found), shown)


def _part(observation: Observation, arrival: Arrival) -> str | None:
    """The key of the part that an event belongs to, as JSON, so that 0 and "0" stay apart; None where it has none."""
    group = observation.endpoint.group
    key = MISSING if group is None else group.in_data(arrival.data)
    return None if key is MISSING or key is None else json.dumps(key, sort_keys=True)


# -- the terminal ---------------------------------------------------------------------------------------------------


@rule("ORD-02")
def test_stream_that_ends_has_its_terminal(observation: Observation) -> None:
    """A stream that ended without being asked to fail has carried its declared terminal event or sentinel."""
    if observation.terminals:
        return
    exchange = observation.exchange
    if not observation.ended and exchange.end != "malformed":
        raise Untestable("the stream was still open when its observation ended, and had not brought its terminal")
    _require_event_stream(observation)
    if _terminal_is_pending(observation):
        raise Untestable("its terminal came, but without the blank line that closes it (FRM-01)")
    last = observation.arrivals[-1:]
    ways = {"message_end": "the response ended properly", "eof": "the connection was closed inside the response"}
    how = ways.get(exchange.end, f"{exchange.end}: {exchange.detail}")
    if observation.errors:
        how = f"an error event came, and {how}"
    broken(
        f"{_declared_terminals(observation)} before the end",
        f"{how} after {len(observation.arrivals)} events without it",
        [observation.show_event(arrival, "the last") for arrival in last],
        Evidence(f"end: {exchange.end}", at=exchange.end_at),
    )


@rule("ORD-03")
def test_nothing_follows_the_terminal(observation: Observation) -> None:
    """No event follows the terminal. Comments are tolerated; a second terminal is ORD-08."""
    first = _first_terminal(observation)
    later = [arrival for arrival in observation.contract_arrivals if arrival.index > first.index]
    after = [arrival for arrival in later if not observation.endpoint.is_terminal(arrival.type, arrival.data)]
    if after:
        shown = [observation.show_event(first, "the terminal"), *map(observation.show_event, after)]
        types = ", ".join(dict.fromkeys(visible(arrival.type) for arrival in after))
        broken("no event after the terminal", f"{len(after)} of type {types}", shown)


@rule("ORD-04")
def test_response_ends_soon_after_the_terminal(bench: Bench) -> None:
    """The response ends within 2 s of the terminal event."""
    first = _first_terminal(bench.observation)
    seen = bench.observation
    if not seen.ended and _after_terminal(seen) <= SOON:
        if not bench.live:
            raise Untestable(f"the recording ends {_after_terminal(seen):.2f} s after the terminal")
        seen = _watch_the_end(bench, first.index + 1)
    late = mostly(
        bench,
        seen,
        lambda one: bool(one.terminals) and _after_terminal(one) > SOON,
        lambda: _watch_the_end(bench, first.index + 1),
        busy=SOON / 4,
    )
    if late:
        ends = [f"{'ended' if one.ended else 'still open'} after {_after_terminal(one):.2f} s" for one in late]
        broken(
            f"the end within {SOON:g} s of the terminal",
            ends[0],
            late[0].show_event(late[0].terminals[0], "the terminal"),
            [Evidence(f"sample {number}: {text}") for number, text in enumerate(ends, 1)],
        )


@rule("ORD-08")
def test_terminal_comes_once(observation: Observation) -> None:
    """The terminal event or sentinel comes at most once; a terminal event may be followed by one sentinel."""
    sentinels = [arrival for arrival in observation.terminals if _is_sentinel(observation, arrival)]
    events = [arrival for arrival in observation.terminals if arrival not in sentinels]
    for found in (events, sentinels):
        if len(found) > 1:
            broken("one terminal", f"{len(found)}", map(observation.show_event, found))


@rule("ORD-09")
def test_stream_without_a_declared_terminal_is_reported(observation: Observation) -> None:
    """A stream ended and the profile declares no terminal: whether it was complete cannot be told."""
    if "terminal" in observation.endpoint.declares or observation.exchange.end != "message_end" or observation.errors:
        return
    if not observation.arrivals:
        raise Untestable("no event came, which FRM-10 judges")
    last = [observation.show_event(arrival, "the last") for arrival in observation.arrivals[-1:]]
    broken(
        "a declared terminal", f"a stream that ended after {len(observation.arrivals)} events, and none declared", last
    )


def _first_terminal(observation: Observation) -> Arrival:
    if not observation.terminals:
        raise Untestable("the stream brought no terminal, which ORD-02 judges")
    return observation.terminals[0]


def _after_terminal(observation: Observation) -> float:
    """Seconds from the first terminal to the end, or to the end of the observation."""
    return observation.exchange.end_at - observation.terminals[0].at


def _watch_the_end(bench: Bench, events: int) -> Observation:
    """Another stream, read up to its terminal and as long after it as the rule allows."""
    with bench.open() as stream:
        if stream.until_events(events):
            stream.pump(within=SOON + 0.2)
        stream.close()
        return bench.view(stream)


def _require_event_stream(observation: Observation) -> None:
    if not observation.arrivals and observation.exchange.essence != "text/event-stream":
        raise Untestable("the answer is no event stream (HDR-01)")
    if list(JUDGES["FRM-05"](observation.anatomy)):
        raise Untestable("the body is no event stream (FRM-05)")


def _terminal_is_pending(observation: Observation) -> bool:
    pending = observation.anatomy.pending
    if pending is None:
        return False
    kind = next((field.text for field in reversed(pending.of("event"))), "message")
    data = "\n".join(field.text for field in pending.of("data"))
    return bool(pending.of("data")) and observation.endpoint.is_terminal(kind, data)


def _declared_terminals(observation: Observation) -> str:
    endpoint = observation.endpoint
    names = [*endpoint.terminal, *(f"data: {data}" for data in endpoint.terminal_data)]
    if endpoint.terminal_when is not None:
        names.append(f"an event with {endpoint.terminal_when.pointer}")
    return " or ".join(names)


# -- sequence and progress ------------------------------------------------------------------------------------------


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
    unreadable = {arrival.index for arrival in observation.contract_arrivals if _unreadable(observation, arrival)}
    places = {number: arrival for arrival, number in _numbered(observation)}
    gaps: list[str] = []
    shown: list[Evidence] = []
    for low, high in pairwise(sorted(places)):
        before, after = sorted((places[low], places[high]), key=lambda arrival: arrival.index)
        if high - low > 1 and unreadable.isdisjoint(range(before.index, after.index)):  # JSON-01's, JSON-09's
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
    terminal = _first_terminal(observation)
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
    found = [(arrival, _whole_number(sequence.in_data(arrival.data))) for arrival in observation.contract_arrivals]
    numbered = [(arrival, number) for arrival, number in found if number is not None]
    if not numbered:
        raise Untestable(f"no event carries a sequence number at {sequence.pointer}")
    return numbered


def _whole_number(value: Any) -> int | None:
    """The number of 7, 7.0 or "7"."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 40:
        return int(value)
    return value if isinstance(value, int) else None


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
            parts.setdefault(_part(observation, arrival), []).append((arrival, value))
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
