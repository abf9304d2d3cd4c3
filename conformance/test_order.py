"""Order of events, parts, terminal (rules ORD-01 to ORD-04, ORD-07 to ORD-09, ORD-13).

What the declared order speaks of: events of the types under `ignore` stand outside of it, and so does a sentinel
(`terminal_data`), unless the order names its text in quotes or has no other use for its type. An error event may come at
any time: the order holds up to it, and what follows one is ERR-04's. What follows the terminal is ORD-03's and ORD-08's.
"""

from __future__ import annotations

from typing import NamedTuple

from ssegauge.anomalies import JUDGES
from ssegauge.bench import Bench
from ssegauge.judging import NotDeclared, Untestable, broken, rule
from ssegauge.means.contract import first_terminal, part_of, unreadable
from ssegauge.means.timing import Delay, mostly
from ssegauge.observation import Arrival, Evidence, Observation
from ssegauge.order import Deviation, Order
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
    keyed = [(letter, part_of(observation, arrival)) for letter, arrival in zip(spoken.letters, spoken.arrivals, strict=True)]  # fmt: skip
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
        if deviation.found is None or not unreadable(observation, spoken.arrivals[indices[deviation.at]]):
            _report(observation, [spoken.arrivals[index] for index in indices], deviation, of_part)
        indices = [*indices[: deviation.at], *indices[deviation.at + 1 :]]


def _report(observation: Observation, arrivals: list[Arrival], deviation: Deviation, of_part: str) -> None:
    expected = " or ".join(deviation.expected) or "no more events"
    before = " ".join(visible(arrival.type) for arrival in arrivals[max(deviation.at - 6, 0) : deviation.at])
    after = f" after {before}" if before else ""
    shown = [observation.show_event(arrival) for arrival in arrivals[max(deviation.at - 2, 0) : deviation.at + 1]]
    if deviation.found is None:
        broken(f"{expected}{after}{of_part}", "no more events", shown)
    broken(f"{expected}{after}{of_part}", visible(deviation.found), shown)


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
    first = first_terminal(observation)
    later = [arrival for arrival in observation.contract_arrivals if arrival.index > first.index]
    after = [arrival for arrival in later if not observation.endpoint.is_terminal(arrival.type, arrival.data)]
    if after:
        shown = [observation.show_event(first, "the terminal"), *map(observation.show_event, after)]
        types = ", ".join(dict.fromkeys(visible(arrival.type) for arrival in after))
        broken("no event after the terminal", f"{len(after)} of type {types}", shown)


@rule("ORD-04")
def test_response_ends_soon_after_the_terminal(bench: Bench) -> None:
    """The response ends within 2 s of the terminal event."""
    first = first_terminal(bench.observation)
    seen = bench.observation
    if not seen.ended and _after_terminal(seen) <= SOON:
        if not bench.live:
            raise Untestable(f"the recording ends {_after_terminal(seen):.2f} s after the terminal")
        seen = _watch_the_end(bench, first.index + 1)
    late = mostly(bench, seen, _late_end, lambda: _watch_the_end(bench, first.index + 1), busy=SOON / 4)
    if late:
        broken(
            f"the end within {SOON:g} s of the terminal",
            late[0].delay.text,
            late[0].delay.evidence,
            [Evidence(f"sample {number}: {one.delay.text}") for number, one in enumerate(late, 1)],
        )


def _late_end(seen: Observation) -> Delay | None:
    if not seen.terminals or (seconds := _after_terminal(seen)) <= SOON:
        return None
    text = f"{'ended' if seen.ended else 'still open'} after {seconds:.2f} s"
    # a stream that is open is watched no longer than the rule allows: how late it would have ended, nobody knows
    return Delay(seconds - SOON if seen.ended else seconds, text, (seen.show_event(seen.terminals[0], "the terminal"),))


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
