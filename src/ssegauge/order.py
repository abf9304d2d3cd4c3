r"""The event-order grammar: a regular expression whose letters are event types.

    thought+ status token+ complete

A word is an event type; words side by side follow one another; ``|`` chooses, ``( )`` groups,
``* + ? {m} {m,} {m,n}`` repeat what stands before them, and a lone ``.`` is any one event.
A type may be written bare when it is made of letters, digits and ``. _ - : /``; any other stands
in double quotes, in which ``\\`` quotes the next character.

The text becomes positions (one per word, after the counted repetitions are written out) and, for
each, the positions that may follow: Glushkov's construction. A state is a set of positions, kept
as the bits of one integer, so reading an event costs the same whatever came before it, and nothing
ever backtracks. Every position can be reached and can reach the end: a sequence for which `advance`
still gives a state can still be completed, and the event for which it gives None is the end of the
shortest prefix that no continuation can repair.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import Final, NamedTuple, TypeVar

from ssegauge.order_grammar import ANY_TYPE, Choice, Node, OrderError, Parser, Repeat, Sequence, Word

__all__ = ["Deviation", "Order", "OrderError", "State"]


# Bounds on what one line of a profile may ask for: `tick{10000}` is more than anybody counts by hand.
MAX_POSITIONS: Final = 10_000
MAX_KEPT_STEPS: Final = 10_000

K = TypeVar("K", bound=Hashable)


class Deviation(NamedTuple):
    """Where a sequence left the order.

    at: index of the first event that no continuation can repair; the length of the sequence when it
    stopped too early. found: that event's type, None when the sequence stopped too early.
    expected: the types that were possible there, in the order in which the grammar names them.
    """

    at: int
    found: str | None
    expected: tuple[str, ...]


class State:
    """A place in an order: what may come next, and whether the stream may end here."""

    __slots__ = ("_mask", "_order", "accepting")

    def __init__(self, order: Order, mask: int, accepting: bool) -> None:
        self._order = order
        self._mask = mask
        self.accepting = accepting

    def advance(self, type: str) -> State | None:
        """The state after one more event, or None when no continuation can repair the sequence."""
        return self._order._step(self, type)

    @property
    def expected(self) -> tuple[str, ...]:
        """The types that may come next, `.` for any; empty where the order is exhausted."""
        names = self._order._names
        return tuple(dict.fromkeys(names[position] or "." for position in _bits(self._mask)))


class Order:
    """A compiled order. Immutable to its users; equal when the texts are equal."""

    def __init__(self, text: str) -> None:
        """Raises OrderError, which names the column and what was expected there."""
        self.text = text
        table = _Table()
        whole = table.build(Parser(text).parse())
        self._names, self._follow, self._last = table.names, table.follow, whole.last
        self._by_name: dict[str, int] = {}
        for position, name in enumerate(self._names):
            self._by_name[name] = self._by_name.get(name, 0) | 1 << position
        self._start = State(self, whole.first, whole.nullable)
        self._steps: dict[tuple[int, str], State | None] = {}

    @classmethod
    def compile(cls, text: str) -> Order:
        """The order that `text` says. Raises OrderError."""
        return cls(text)

    def start(self) -> State:
        """The state before the first event."""
        return self._start

    def first(self, type: str) -> bool:
        """Whether an event of this type can begin the order."""
        return self._start.advance(type) is not None

    @property
    def types(self) -> frozenset[str]:
        """The types that the order names; `.` is not among them."""
        return frozenset(self._by_name) - {ANY_TYPE}

    def deviation(self, types: Iterable[str]) -> Deviation | None:
        """Where this sequence leaves the order; None when the order accepts it."""
        state, index = self._start, 0
        for type in types:
            after = state.advance(type)
            if after is None:
                return Deviation(index, type, state.expected)
            state, index = after, index + 1
        return None if state.accepting else Deviation(index, None, state.expected)

    def parts(self, events: Iterable[tuple[str, K | None]]) -> dict[K | None, list[int]]:
        """Indices of the events of each part, given (type, key) pairs: the order holds for each part.

        An event without a key (None) that the order names belongs to every part, so that an order
        can speak of what surrounds the parts (`message_start (start delta* stop)? message_stop`);
        one that the order does not name belongs to none. Without any key there is one part, None.
        """
        listed = list(events)
        keys = dict.fromkeys(key for _, key in listed if key is not None)
        if not keys:
            return {None: list(range(len(listed)))}
        shared = self.types
        found: dict[K | None, list[int]] = {key: [] for key in keys}
        for index, (type, key) in enumerate(listed):
            if key is not None:
                found[key].append(index)
            elif type in shared:
                for indices in found.values():
                    indices.append(index)
        return found

    def _step(self, state: State, type: str) -> State | None:
        key = (state._mask, type)
        if key in self._steps:
            return self._steps[key]
        hit = state._mask & (self._by_name.get(type, 0) | self._by_name.get(ANY_TYPE, 0))
        after: State | None = None
        if hit:
            mask = 0
            for position in _bits(hit):
                mask |= self._follow[position]
            after = State(self, mask, bool(hit & self._last))
        if len(self._steps) < MAX_KEPT_STEPS:
            self._steps[key] = after
        return after

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Order) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"Order({self.text!r})"


def _bits(mask: int) -> Iterator[int]:
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


class _Part(NamedTuple):
    """A piece of the table: positions that can begin it, that can end it, whether it may be empty."""

    first: int
    last: int
    nullable: bool


_NOTHING = _Part(0, 0, True)


class _Table:
    """Positions with their names, and for each the mask of those that may follow."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.follow: list[int] = []

    def build(self, node: Node) -> _Part:
        match node:
            case Word(name, column):
                return self._position(name, column)
            case Sequence(items):
                return self._sequence([self.build(item) for item in items])
            case Choice(items):
                parts = [self.build(item) for item in items]
                return _Part(
                    _union(part.first for part in parts),
                    _union(part.last for part in parts),
                    any(part.nullable for part in parts),
                )
            case Repeat(item, least, most):
                return self._repeat(item, least, most)

    def _position(self, name: str, column: int) -> _Part:
        if len(self.names) >= MAX_POSITIONS:
            raise OrderError(
                column,
                f"the order is too long: its counted repetitions come to more than {MAX_POSITIONS} "
                "events; use + or * instead of the count",
            )
        bit = 1 << len(self.names)
        self.names.append(name)
        self.follow.append(0)
        return _Part(bit, bit, False)

    # Folded from the right, so that each link is made once and not once per optional neighbour.
    def _sequence(self, parts: list[_Part]) -> _Part:
        whole = _NOTHING
        for part in reversed(parts):
            whole = self._join(part, whole)
        return whole

    def _join(self, left: _Part, right: _Part) -> _Part:
        self._link(left.last, right.first)
        return _Part(
            left.first | right.first if left.nullable else left.first,
            left.last | right.last if right.nullable else right.last,
            left.nullable and right.nullable,
        )

    def _repeat(self, item: Node, least: int, most: int | None) -> _Part:
        copies = [self.build(item) for _ in range(max(least, 1) if most is None else most)]
        if most is None:
            again = copies[-1]
            self._link(again.last, again.first)
            copies[-1] = again._replace(nullable=again.nullable or least == 0)
            return self._sequence(copies)
        whole = _NOTHING
        for number in range(len(copies), 0, -1):  # a{1,3} is a(a(a)?)?
            whole = self._join(copies[number - 1], whole)
            if number > least:
                whole = whole._replace(nullable=True)
        return whole

    def _link(self, sources: int, targets: int) -> None:
        for position in _bits(sources):
            self.follow[position] |= targets


def _union(masks: Iterable[int]) -> int:
    whole = 0
    for mask in masks:
        whole |= mask
    return whole
