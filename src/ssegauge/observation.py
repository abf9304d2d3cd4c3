"""An exchange as the rules see it: decoded, dissected, each event with the time of its arrival, and its verdict."""

from __future__ import annotations

import json
from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from ssegauge.anatomy import Anatomy, Block, dissect
from ssegauge.exchange import Decoded, Exchange, offsets
from ssegauge.profile import Endpoint
from ssegauge.redaction import redact_headers
from ssegauge.verdict import Facts, Verdict, verdict
from ssegauge.visible import visible
from ssegauge.wire import Event

_SUCCESS = range(200, 300)
CONTEXT = 160
"""Bytes of the stream that a piece of evidence shows at most."""


class Evidence(NamedTuple):
    """A piece of what was seen: a time in seconds, an offset into the body, escaped bytes, and a remark."""

    note: str = ""
    bytes: str = ""
    offset: int | None = None
    at: float | None = None

    def __str__(self) -> str:
        place = [] if self.at is None else [f"{self.at * 1000:.0f} ms"]
        place += [] if self.offset is None else [f"byte {self.offset}"]
        return " ".join(part for part in (f"[{', '.join(place)}]" if place else "", self.note, self.bytes) if part)


@dataclass(frozen=True)
class Arrival:
    """A dispatched event, its block, its index in the stream, and when its closing line end arrived."""

    index: int
    event: Event
    block: Block
    at: float
    type: str
    """The event's type, as the contract goes by it."""

    @property
    def data(self) -> str:
        """The event's data."""
        return self.event.data

    @property
    def last_event_id(self) -> str:
        """The id that a reconnect after this event would send; empty where the stream has given none yet."""
        return self.event.last_event_id


@dataclass(eq=False)
class Observation:
    """What one exchange shows under the contract of its endpoint. `forgotten` bytes of content came before what it kept."""

    exchange: Exchange
    endpoint: Endpoint
    forgotten: int = 0

    @cached_property
    def decoded(self) -> Decoded:
        """The content without its content coding."""
        return self.exchange.decoded()

    @cached_property
    def body(self) -> bytes:
        """The decoded content as one piece."""
        return b"".join(read.data for read in self.decoded.reads)

    @cached_property
    def anatomy(self) -> Anatomy:
        """Blocks, fields, comments and events of the body."""
        return dissect(self.body, ended=self.ended)

    @property
    def ended(self) -> bool:
        """The server ended the stream; otherwise the observation was cut by us, and the end cannot be judged."""
        return self.exchange.ended_by_server

    @property
    def is_stream(self) -> bool:
        """The request was answered with a success that can carry a stream."""
        return self.exchange.status in _SUCCESS and self.exchange.status not in {204, 205}

    @property
    def is_silent(self) -> bool:
        """The server took the request, and nothing came while we waited."""
        exchange = self.exchange
        return exchange.head_at is None and exchange.end in {"timeout_first_byte", "timeout_total", "client"}

    @cached_property
    def _arrival_offsets(self) -> tuple[list[int], list[float]]:
        pairs = list(offsets(self.decoded.reads))
        return [end for end, _ in pairs], [at for _, at in pairs]

    def at(self, offset: int) -> float:
        """When the body's byte before `offset` had arrived."""
        ends, times = self._arrival_offsets
        if not times:
            return self.exchange.head_at or 0.0
        return times[min(bisect_left(ends, offset), len(times) - 1)]

    @cached_property
    def arrivals(self) -> list[Arrival]:
        """Every dispatched event in order."""
        blocks, type_of = self.anatomy.event_blocks, self.endpoint.type_of
        return [
            Arrival(index, block.event, block, self.at(block.end), type_of(block.event.type, block.event.data))
            for index, block in enumerate(blocks)
            if block.event is not None
        ]

    @cached_property
    def contract_arrivals(self) -> list[Arrival]:
        """The events that the contract speaks of: all but the ignored types and those that only prime an id."""
        endpoint = self.endpoint
        return [
            arrival
            for arrival in self.arrivals
            if not endpoint.is_ignored(arrival.type)
            and not endpoint.is_primer(arrival.data, bool(arrival.block.of("id")))
        ]

    @cached_property
    def types(self) -> list[str]:
        """The types of `contract_arrivals`."""
        return [arrival.type for arrival in self.contract_arrivals]

    @cached_property
    def terminals(self) -> list[Arrival]:
        """The events that the profile declares to end the stream."""
        return [arrival for arrival in self.arrivals if self.endpoint.is_terminal(arrival.type, arrival.data)]

    @cached_property
    def errors(self) -> list[Arrival]:
        """The events that the profile declares to report a failure."""
        return [arrival for arrival in self.arrivals if self.endpoint.is_error(arrival.type, arrival.data)]

    @cached_property
    def verdict(self) -> Verdict:
        """How the stream ended."""
        exchange = self.exchange
        return verdict(
            Facts(
                end=exchange.end,
                status=exchange.status,
                event_stream=exchange.essence == "text/event-stream",
                events=len(self.arrivals),
                terminal_declared="terminal" in self.endpoint.declares,
                terminal_seen=bool(self.terminals),
                error_seen=bool(self.errors),
                pending=self.anatomy.pending is not None and bool(self.anatomy.pending.fields),
            )
        )

    def show(self, start: int, end: int, note: str = "") -> Evidence:
        """The body's bytes from `start` to `end` as evidence, with the time they had arrived."""
        shown = visible(self.body[start : min(end, start + CONTEXT)])
        return Evidence(note, shown, self.forgotten + start, self.at(min(end, len(self.body))))

    def show_event(self, arrival: Arrival, note: str = "") -> Evidence:
        """An event's block as evidence."""
        return self.show(
            arrival.block.start, arrival.block.end, f"event {arrival.index}" + (f" ({note})" if note else "")
        )

    def show_head(self, *names: str) -> list[Evidence]:
        """The status line and the named fields (all where none is named) as evidence."""
        exchange = self.exchange
        wanted = {name.lower() for name in names}
        lines = [f"HTTP/{exchange.http_version} {exchange.status} {exchange.reason}"]
        fields = redact_headers(exchange.headers)
        lines += [f"{name}: {value}" for name, value in fields if not wanted or name.lower() in wanted]
        return [Evidence("", visible(line), None, exchange.head_at) for line in lines]


def parsed(data: str) -> Any:
    """The JSON value of a payload. Raises ValueError where it is none."""
    return json.loads(data)
