"""What popular clients make of a stream: which of them would see other events than the standard says, and why.

httpx-sse is run on the bytes, since it is a dependency; what Firefox and eventsource-parser do differently is data, measured
in the versions that are named (`tests/vectors/README.md`, "Known deviations").
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator
from typing import NamedTuple

import httpx
from httpx_sse import EventSource

from ssegauge.anatomy import Anatomy, Block
from ssegauge.wire import Event


class Difference(NamedTuple):
    """Where a client leaves the standard: bytes `start` to `end` of the body, and what it does there."""

    start: int
    end: int
    text: str


def httpx_sse_differs(anatomy: Anatomy) -> Iterator[Difference]:
    """The first event that httpx-sse reads otherwise, by running it on the whole body."""
    version = importlib.metadata.version("httpx-sse")
    response = httpx.Response(200, headers={"Content-Type": "text/event-stream"}, content=anatomy.body)
    seen = [Event(event.event, event.data, event.id) for event in EventSource(response).iter_sse()]
    for index, (ours, theirs) in enumerate(zip(anatomy.events, seen, strict=False)):
        if ours != theirs:
            block = anatomy.event_blocks[index]
            what = _told(theirs) if theirs.data or not ours.data else f"an event without data ({_told(theirs)})"
            yield Difference(
                block.start, block.end, f"httpx-sse {version} reads {what} as event {index}{_reason(anatomy, block)}"
            )
            return
    if len(seen) != len(anatomy.events):
        last = anatomy.blocks[-1] if anatomy.blocks else None
        start, end = (last.start, last.end) if last else (0, 0)
        reason = _reason(anatomy, last) if last else ""
        yield Difference(
            start, end, f"httpx-sse {version} reads {len(seen)} events where {len(anatomy.events)} were sent{reason}"
        )


def _told(event: Event) -> str:
    return ascii(f"{event.type}: {event.data}"[:60])


def _reason(anatomy: Anatomy, block: Block) -> str:
    """The nearest known cause before the difference."""
    if anatomy.bom:
        return ": it keeps the byte order mark"
    for earlier in reversed([known for known in anatomy.blocks if known.start <= block.start]):
        if earlier.event is None and earlier.fields:
            kinds = {field.kind for field in earlier.fields}
            return f": it takes a block with only {' and '.join(sorted(kinds))} for an event"
        if earlier.event is None:
            return ": once an id was seen it takes every blank line for an event"
    return ""


FIREFOX = "Firefox ESR 153.7"


def firefox_differs(anatomy: Anatomy) -> Iterator[Difference]:
    """Blocks at which Firefox's EventSource was measured to leave the standard."""
    for block in anatomy.blocks:
        ids, data = block.of("id"), block.of("data")
        if ids and not data:
            yield Difference(
                block.start, block.end, f"{FIREFOX} ignores a block with an id and no data: nothing to resume from"
            )
        elif any(b"\0" in field.value for field in [*ids, *block.of("event")]):
            yield Difference(block.start, block.end, f"{FIREFOX} loses the event around a NUL in its id or type")


EVENTSOURCE_PARSER = "eventsource-parser 3.1.1"


def eventsource_parser_differs(anatomy: Anatomy) -> Iterator[Difference]:
    """An event at the very end that eventsource-parser holds back: its blank line is a lone CR, which may become CRLF."""
    blocks = anatomy.event_blocks
    if anatomy.ended and blocks and blocks[-1].end == len(anatomy.body) and anatomy.body.endswith(b"\r\r"):
        last = blocks[-1]
        yield Difference(
            last.start, last.end, f"{EVENTSOURCE_PARSER} never delivers the last event, which ends in CR CR"
        )
