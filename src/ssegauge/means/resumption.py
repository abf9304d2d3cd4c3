"""A stream that was cut and taken up again, beside the same stream uncut: which events are the same, and what differs.

Payloads may hold times and other values that change from run to run. Two uncut runs show which parts do; only what
both have in common identifies an event.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ssegauge.bench import Bench
from ssegauge.client import Stream
from ssegauge.client.request import with_header
from ssegauge.exchange import Sent
from ssegauge.judging import Untestable
from ssegauge.observation import Arrival, Observation

Key = tuple[str, ...]


def own_id(arrival: Arrival) -> str | None:
    """The id that the event's own block sets, or None where it sets none (HTML 9.2.6: one with NUL is ignored)."""
    values = [line.text for line in arrival.block.of("id") if b"\0" not in line.value]
    return values[-1] if values else None


@dataclass(frozen=True)
class Identity:
    """Tells events of several runs apart by type and payload, without the `volatile` parts (JSON pointers)."""

    volatile: frozenset[str] = frozenset()
    by_id: bool = False

    def key(self, arrival: Arrival) -> Key:
        """Equal for the same event on every connection."""
        if self.by_id:
            return (arrival.type, own_id(arrival) or arrival.data)
        kept = sorted((place, text) for place, text in leaves(arrival.data).items() if place not in self.volatile)
        return (arrival.type, json.dumps(kept))

    def keys(self, arrivals: Iterable[Arrival]) -> list[Key]:
        """The keys of events in order."""
        return [self.key(arrival) for arrival in arrivals]


def leaves(data: str) -> dict[str, str]:
    """The scalar values of a JSON payload by their place; a payload that is no JSON is one value at ""."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return {"": data}
    return dict(_walk(document, ""))


def _walk(value: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for name, item in value.items():
            yield from _walk(item, f"{place}/{name}")
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from _walk(item, f"{place}/{index}")
    else:
        yield place, json.dumps(value)


def common_identity(one: Sequence[Arrival], other: Sequence[Arrival]) -> Identity | None:
    """What two uncut runs have in common, or None where they are two different sequences of types."""
    if [arrival.type for arrival in one] != [arrival.type for arrival in other]:
        return None
    volatile: set[str] = set()
    for left, right in zip(one, other, strict=True):
        before, after = leaves(left.data), leaves(right.data)
        volatile |= {place for place in before.keys() | after.keys() if before.get(place) != after.get(place)}
    return Identity(frozenset(volatile))


@dataclass(frozen=True)
class Resumed:
    """A stream that was left after `head` and taken up again with `last_id`.

    `expected` are the events that follow in an uncut run, `before` those that come first there; `extra` those that the
    left connection had already brought beyond the cut. Where `live`, the resumed stream may bring more than was known
    when it was compared; `later` is what was new then on a connection that was never cut.
    """

    identity: Identity
    last_id: str
    head: Sequence[Arrival]
    extra: Sequence[Arrival]
    expected: Sequence[Arrival]
    seen: Observation
    live: bool = False
    before: Sequence[Arrival] = ()
    later: Sequence[Arrival] = ()

    @property
    def got(self) -> list[Arrival]:
        """The events of the resumed stream that the contract speaks of."""
        return self.seen.contract_arrivals

    def difference(self) -> Difference:
        """What the resumed stream lacks, and what it brought again."""
        expected = Counter(self.identity.keys(self.expected))
        before = set(self.identity.keys(self.head)) - expected.keys()
        missing, repeated, foreign = Counter(expected), [], []
        for arrival in self.got:
            key = self.identity.key(arrival)
            if missing[key] > 0:
                missing[key] -= 1
            elif key in before:
                repeated.append(arrival)
            elif key not in expected:
                foreign.append(arrival)
        lost: list[Arrival] = []
        for arrival in reversed(self.expected):  # of equal events, the last ones are those that are missing
            if missing[self.identity.key(arrival)] > 0:
                missing[self.identity.key(arrival)] -= 1
                lost.insert(0, arrival)
        return Difference(lost, repeated, [] if self.live else foreign)

    def disorder(self) -> Arrival | None:
        """The first event after the cut that comes out of order or a second time."""
        remaining = self.identity.keys([*self.expected, *self.later])
        known = set(remaining)
        came = set(self.identity.keys(self.got))
        remaining = [key for key in remaining if key in came]
        for arrival in self.got:
            key = self.identity.key(arrival)
            if key not in known:
                continue
            if not remaining or remaining[0] != key:
                return arrival
            remaining.pop(0)
        return None

    def renamed(self) -> tuple[Arrival, Arrival] | None:
        """The same event with another id on the other connection: as it was, and as it came."""
        ids = [own_id(arrival) for arrival in self.head]
        always = None not in ids and ids == [own_id(arrival) for arrival in self.before]  # in each run
        one, other = self._unique([*self.head, *(self.expected if always else self.extra)]), self._unique(self.got)
        for key, was in one.items():
            came = other.get(key)
            if came is not None and own_id(was) and own_id(came) != own_id(was):
                return was, came
        return None

    def _unique(self, arrivals: Sequence[Arrival]) -> dict[Key, Arrival]:
        keys = self.identity.keys(arrivals)
        return {key: arrival for key, arrival in zip(keys, arrivals, strict=True) if keys.count(key) == 1}


@dataclass(frozen=True)
class Difference:
    """How a resumed stream differs from the rest of an uncut one."""

    missing: list[Arrival]
    repeated: list[Arrival]
    foreign: list[Arrival]

    def __bool__(self) -> bool:
        return bool(self.missing or self.repeated or self.foreign)

    def __str__(self) -> str:
        parts = [("lacks", self.missing), ("repeats", self.repeated), ("brings other data:", self.foreign)]
        return "; ".join(f"{word} {_named(arrivals)}" for word, arrivals in parts if arrivals)


def _named(arrivals: list[Arrival]) -> str:
    shown = ", ".join(f"{arrival.type} {own_id(arrival) or ''}".strip() for arrival in arrivals[:4])
    return shown + (f" and {len(arrivals) - 4} more" if len(arrivals) > 4 else "")


# -- cutting and resuming --------------------------------------------------------------------------------------------


REUSED = "no id stands for one event alone, which FLD-12 judges"


def cuts(bench: Bench) -> list[Resumed]:
    """The stream cut after 1, half and all but one of its events, and resumed; a live one cut once. Raises Untestable."""
    return bench.once("resumed", lambda: _cut_and_resumed(bench))


def _cut_and_resumed(bench: Bench) -> list[Resumed]:
    uncut = bench.observation
    if not uncut.ended:
        return [_cut_live(bench)]
    events = uncut.contract_arrivals
    points = _points(events)
    if not points:
        if any(own_id(arrival) for arrival in events[:-1]):
            raise Untestable(REUSED)
        raise Untestable("the stream has no event with an id that others follow (REC-01)")
    runs: list[Callable[[], Observation | Left | None]] = [lambda: bench.observe(bench.final_sent, follow=False)]
    runs += [partial(leave, bench, count) for count in points]
    made = bench.together(runs)
    other = next(each.contract_arrivals for each in made if isinstance(each, Observation))
    identity = common_identity(events, other)
    if identity is None:
        return [_resumed_afterwards(bench, points[len(points) // 2])]
    left = [each for each in made if isinstance(each, Left)]
    if not left:  # beside others a stream may be starved, which ISO-01 judges
        alone = leave(bench, points[0])
        if alone is None:
            raise Untestable("no second stream brought an event with an id")
        left = [alone]
    return [_resumed(bench, each, identity) for each in left]


def _points(events: list[Arrival]) -> list[int]:
    """After how many events to cut: 1, half, all but one, where they have an id that says which event it was.

    Ids in ASCII first: REC-06 has the rest.
    """
    ids = Counter(map(own_id, events))
    marked = [arrival for arrival in events[:-1] if own_id(arrival) and ids[own_id(arrival)] == 1]
    plain = [arrival for arrival in marked if (own_id(arrival) or "").isascii()] or marked
    places = [events.index(arrival) + 1 for arrival in plain]
    return sorted({places[0], places[len(places) // 2], places[-1]}) if places else []


@dataclass(frozen=True)
class Left:
    """What a client had when it left after `count` events, and the stream as it was resumed."""

    count: int
    part: list[Arrival]
    last_id: str
    seen: Observation


def leave(bench: Bench, count: int) -> Left | None:
    """Leave a stream of its own after so many events, and resume it. The first cut reads one event more, for REC-07."""
    with bench.open() as stream:
        read_contract(bench, stream, count + (count < 3))
        part = bench.view(stream).contract_arrivals
    last_id = own_id(part[count - 1]) if len(part) >= count else None
    return Left(count, part, last_id, resume(bench, last_id)) if last_id else None


def read_contract(bench: Bench, stream: Stream, count: int) -> None:
    """Read until so many events of the contract have come, whatever the ignored ones."""
    have = 0
    while have < count and stream.until_events(stream.events + count - have):
        have = len(bench.view(stream).contract_arrivals)


def resume(bench: Bench, last_id: str) -> Observation:
    """The whole stream that is asked for with this id."""
    return bench.observe(asking(bench, last_id), follow=False)


def asking(bench: Bench, last_id: str, *, field: str | None = None, sent: Sent | None = None) -> Sent:
    """The request for what follows this id, by the method that the profile names for it, which then needs no body."""
    sent = with_header(sent or bench.final_sent, field or field_name(bench), last_id)
    method = bench.endpoint.resume.method if bench.endpoint.resume else None
    if method is None:
        return sent
    kept = tuple((name, value) for name, value in sent.headers if name.lower() not in _OF_A_BODY)
    return replace(sent, method=method, headers=kept, body=None)


_OF_A_BODY = frozenset({"content-type", "content-length"})


def field_name(bench: Bench) -> str:
    """The header field by which this endpoint is resumed."""
    return bench.endpoint.resume.header if bench.endpoint.resume else "Last-Event-ID"


def _resumed(bench: Bench, left: Left, identity: Identity) -> Resumed:
    count, events = left.count, bench.observation.contract_arrivals
    head, extra = left.part[:count], left.part[count:]
    return Resumed(identity, left.last_id, head, extra, events[count:], left.seen, before=events[:count])


def cut_again(bench: Bench, cut: Resumed) -> Resumed | None:
    """The same cut alone: several at a time may have been the trouble, which ISO-01 tells."""
    if cut.live:
        return _cut_live(bench)
    if not cut.identity.by_id:
        left = leave(bench, len(cut.head))
        return _resumed(bench, left, cut.identity) if left else None
    return replace(cut, seen=resume(bench, cut.last_id))


def _resumed_afterwards(bench: Bench, count: int) -> Resumed:
    """No two runs are alike, so the recorded one is resumed after its end, where the server still knows its ids."""
    events = bench.observation.contract_arrivals
    last_id = own_id(events[count - 1]) or ""
    seen = resume(bench, last_id)
    ids = {own_id(arrival) for arrival in events} - {None}
    if not seen.is_stream or not ids & {own_id(arrival) for arrival in seen.contract_arrivals}:
        raise Untestable("no two uncut runs are alike, and a finished run cannot be resumed")
    return Resumed(Identity(by_id=True), last_id, events[:count], [], events[count:], seen)


def _cut_live(bench: Bench) -> Resumed:
    """A stream without end, cut while a witness stays; what the witness saw is what the resumed stream owes."""
    with bench.open() as witness, bench.open() as leaver:
        read_contract(bench, leaver, 2)
        part = [arrival for arrival in bench.view(leaver).contract_arrivals if own_id(arrival)]
        if len(part) < 2:
            raise Untestable("too few events with an id within the observation window")
        leaver.close()
        last_id = own_id(part[0]) or ""
        if own_id(part[1]) == last_id:
            raise Untestable(REUSED)
        events = bench.view(witness).contract_arrivals
        read_contract(bench, witness, len(events) + len(part) + 2)
        events = bench.view(witness).contract_arrivals
        place = next((index for index, arrival in enumerate(events) if own_id(arrival) == last_id), None)
        if place is None:
            return Resumed(
                Identity(), last_id, [], part, [], bench.view(witness), live=True
            )  # only ids can be compared
        expected = events[place + 1 :]
        with bench.open(asking(bench, last_id)) as back:
            read_contract(bench, back, len(expected))
            if {own_id(each) for each in expected} - {own_id(each) for each in bench.view(back).contract_arrivals}:
                read_contract(bench, back, 2 * len(expected))  # what comes twice holds up what is missing
            seen = bench.view(back)
        witness.pump(within=0.05)
        later = bench.view(witness).contract_arrivals[len(events) :]
    return Resumed(Identity(by_id=True), last_id, part[:1], part[1:], expected, seen, live=True, later=later)


def first_answer(bench: Bench, sent: Sent) -> Observation:
    """The answer to a request as far as its first event of the contract."""
    with bench.open(sent) as stream:
        read_contract(bench, stream, 1)
        return bench.view(stream)
