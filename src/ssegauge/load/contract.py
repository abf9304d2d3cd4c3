"""An endpoint's contract, checked event by event while the load runs.

`Contract` is compiled once for an endpoint; `Watch` follows one connection, `Delivery` one logical stream over all of
its connections. Events whose payload nobody asks about are not even decoded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from jsonschema.protocols import Validator

from ssegauge.load.delivery import Ids, Numbers
from ssegauge.order import State
from ssegauge.profile.endpoint import Endpoint
from ssegauge.profile.pointer import MISSING, payload, whole_number
from ssegauge.wire import data_in, id_in, type_in

_MOST_KINDS = 1000  # a hostile server invents a type for each event


class Delivery:
    """What a logical stream has received, over all of its connections."""

    __slots__ = ("ids", "numbers")

    def __init__(self) -> None:
        self.numbers = Numbers()
        self.ids = Ids()

    @property
    def lost(self) -> int:
        """Left out, and not seen since."""
        return self.numbers.lost + self.ids.lost

    @property
    def duplicated(self) -> int:
        """Seen again."""
        return self.numbers.duplicated + self.ids.duplicated

    @property
    def reordered(self) -> int:
        """Seen after a later one."""
        return self.numbers.reordered


class Kind(NamedTuple):
    """What an endpoint says of an event type."""

    name: str
    ignored: bool
    ends: bool
    fails: bool
    matches: bool


class Contract:
    """What is to be looked at in each event of an endpoint. `json_share`: the share of payloads that is parsed only
    to see whether they are JSON; where a number stands in the payload, every payload is parsed anyway. `schema_share`:
    the share of payloads held against their type's JSON Schema, which costs more than all the rest. `limits`: seconds
    by the name of a stream's time; a stream within all of them is a good one.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        json_share: float = 1.0,
        schema_share: float = 1.0,
        limits: Mapping[str, float] | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.limits: Mapping[str, float] = limits or {str(name): limit for name, limit in endpoint.goodput.items()}
        self.tokens = endpoint.tokens
        self.order: State | None = endpoint.grammar.start() if endpoint.grammar is not None else None
        self.ends = bool(endpoint.terminal or endpoint.terminal_data or endpoint.terminal_when)
        self.matches = bool(endpoint.first_match or endpoint.first_match_when)
        self.names = endpoint.discriminator if endpoint.discriminator and endpoint.discriminator.names else None
        self.sentinels = frozenset(endpoint.terminal_data)
        self.tells_by_payload = bool(endpoint.terminal_when or endpoint.error_when or endpoint.first_match_when)
        looks_inside = (endpoint.sequence, endpoint.sent_at, endpoint.group, endpoint.progress)
        self.needs_document = any(place is not None for place in looks_inside)
        self.json_every = round(1 / json_share) if json_share > 0 and endpoint.data == "json" else 0
        self.schema_every = round(1 / schema_share) if schema_share > 0 and endpoint.schemas else 0
        # Counted over all streams of the endpoint: of short ones, too, each event may be the one that is looked at.
        self._json_turn = self._schema_turn = -1
        looks_at_text = self.sentinels or self.tells_by_payload or self.tokens
        self.needs_data = bool(looks_at_text or self.needs_document or self.json_every or self.schema_every)
        self.needs_type = bool(
            self.order
            or self.ends
            or self.matches
            or endpoint.errors
            or endpoint.ignore
            or endpoint.primer
            or self.needs_data
        )
        self.counts_ids = endpoint.resume is not None and endpoint.sequence is None
        self.group = endpoint.group
        self.primer = endpoint.primer
        self.is_shared = endpoint.broadcast is not None
        self.is_idle = not (self.needs_type or self.counts_ids)
        self._kinds: dict[bytes, Kind] = {}

    def kind(self, raw: bytes) -> Kind:
        """What the endpoint says of this type. Kept by its bytes: there are few, and this is asked of every event."""
        found = self._kinds.get(raw)
        if found is None:
            name, endpoint = raw.decode("utf-8", "replace"), self.endpoint
            found = Kind(
                name,
                ignored=name in endpoint.ignore,
                ends=name in endpoint.terminal,
                fails=name in endpoint.errors,
                matches=name in endpoint.first_match,
            )
            if len(self._kinds) < _MOST_KINDS:
                self._kinds[raw] = found
        return found

    def is_json_due(self) -> bool:
        """Whether this payload is among those that are parsed only to see whether they are JSON."""
        if not self.json_every:
            return False
        self._json_turn += 1
        return self._json_turn % self.json_every == 0

    def validator_due(self, type: str) -> Validator | None:
        """The validator of this type, where it has one and this payload is among those that are held against it."""
        if not self.schema_every:
            return None
        validator = self.endpoint.validator(type)
        if validator is None:
            return None
        self._schema_turn += 1
        return None if self._schema_turn % self.schema_every else validator

    def told_by(self, kind: Kind, data: str) -> Kind:
        """The same with what the payload says, for endpoints whose streams end, fail or begin by it."""
        endpoint = self.endpoint
        return kind._replace(
            ends=endpoint.is_terminal(kind.name, data),
            fails=endpoint.is_error(kind.name, data),
            matches=endpoint.is_first_match(kind.name, data),
        )


class Watch:
    """One connection under a contract. `on_lag` is given the seconds from an event's own time to `now`.

    `matched`: events so far of those that the profile calls tokens (`first_match`); `tokens`: as the server counts them.
    """

    __slots__ = (
        "_contract",
        "_delivery",
        "_groups",
        "_on_lag",
        "_order",
        "_progress",
        "_seen",
        "_terminals",
        "error_seen",
        "faults",
        "matched",
        "terminal_seen",
        "tokens",
    )

    def __init__(self, contract: Contract, delivery: Delivery, on_lag: Callable[[float], None]) -> None:
        self._contract = contract
        self._delivery = delivery
        delivery.ids.connect()
        delivery.numbers.connect()
        self._on_lag = on_lag
        self._order = contract.order
        self._groups: dict[Any, State] = {}
        self._progress: float | None = None
        self._terminals: set[bool] = set()  # an event and a sentinel, each once, as ORD-08 has it
        self.terminal_seen = False
        self.error_seen = False
        self.matched = 0
        self.tokens: int | None = None
        self.faults: dict[str, int] = {}

    def see(self, block: bytes, arrived_wall: float) -> bool:
        """Look at one event; False where the contract says that it does not count."""
        contract = self._contract
        kind = contract.kind(type_in(block))
        if contract.names is not None and kind.name == "message":
            kind = contract.kind(contract.names.type_of(kind.name, _text(block)).encode("utf-8", "surrogatepass"))
        if kind.ignored or (contract.primer and contract.endpoint.is_primer(_text(block), id_in(block) is not None)):
            return False
        if contract.counts_ids:
            number = id_in(block)
            if number:  # an empty one takes the id away
                self._delivery.ids.see(number.decode("utf-8", "replace"))
        document, sentinel = MISSING, False
        if contract.needs_data:
            data = _text(block)
            sentinel = data in contract.sentinels
            if not sentinel:
                document = self._document(kind.name, data)
                if document is not MISSING and contract.needs_document:
                    self._inside(kind.name, document, arrived_wall)
            if contract.tells_by_payload:
                kind = contract.told_by(kind, data)
            if contract.tokens is not None:
                count = contract.tokens.count(data)
                self.tokens = self.tokens if count is None else count
        if kind.matches:
            self.matched += 1
        if kind.fails:
            self.error_seen = True
            return True
        if kind.ends or sentinel:
            self._terminal(sentinel=sentinel)
        elif self.terminal_seen:
            self._fault("terminal")
        if self._order is not None and not sentinel:
            self._advance(kind.name, document)
        return True

    def close(self, *, ended: bool) -> None:
        """The connection is over; `ended`: properly, so that the order must have come to its end."""
        if ended and not self.error_seen and "order" not in self.faults:
            states = self._groups.values() if self._groups else (self._order,)
            if any(state is not None and not state.accepting for state in states):
                self._fault("order")

    def _fault(self, kind: str) -> None:
        self.faults[kind] = self.faults.get(kind, 0) + 1

    def _document(self, kind: str, data: str) -> Any:
        contract = self._contract
        validator = contract.validator_due(kind)
        if not (contract.needs_document or contract.is_json_due() or validator):
            return MISSING
        document = payload(data)
        if document is MISSING:
            if contract.endpoint.data == "json":
                self._fault("json")
            elif validator is not None:
                self._fault("schema")
            return MISSING
        if validator is not None and not _keeps(validator, document):
            self._fault("schema")
        return document

    def _inside(self, kind: str, document: Any, arrived_wall: float) -> None:
        endpoint = self._contract.endpoint
        if endpoint.sequence is not None:
            number = whole_number(endpoint.sequence.find(document))
            if number is not None:
                self._delivery.numbers.see(number)
        if endpoint.sent_at is not None:
            sent = endpoint.sent_at.seconds(document)
            if sent is not None:
                self._on_lag(arrived_wall - sent)
        progress = endpoint.progress
        if progress is not None and progress.event in (None, kind):
            value = progress.find(document)
            if isinstance(value, int | float) and not isinstance(value, bool):
                back = self._progress is not None and value < self._progress
                if back or not progress.range[0] <= value <= progress.range[1]:
                    self._fault("progress")
                self._progress = value

    def _terminal(self, *, sentinel: bool) -> None:
        self.terminal_seen = True
        if sentinel in self._terminals:
            self._fault("terminal")
        self._terminals.add(sentinel)

    def _advance(self, kind: str, document: Any) -> None:
        if "order" in self.faults:
            return  # one breach, told once
        group = self._contract.group
        if group is None:
            self._order = self._stepped(self._order, kind)
            return
        part = group.find(document) if document is not MISSING else MISSING
        if isinstance(part, dict | list):
            part = MISSING
        if part is MISSING:
            # It belongs to every part, and to those that are yet to begin.
            self._order = self._stepped(self._order, kind)
            for key, state in list(self._groups.items()):
                self._groups[key] = self._stepped(state, kind)
        else:
            self._groups[part] = self._stepped(self._groups.get(part) or self._order, kind)

    def _stepped(self, state: State | None, kind: str) -> State:
        assert state is not None  # noqa: S101 - for the type checker: the caller has an order
        following = state.advance(kind)
        if following is None:
            self._fault("order")
            return state
        return following


def _keeps(validator: Validator, document: Any) -> bool:
    try:
        return validator.is_valid(document)
    except RecursionError:  # a schema that refers to itself, and a payload that takes it down without end
        return False


def _text(block: bytes) -> str:
    return data_in(block).decode("utf-8", "replace")
