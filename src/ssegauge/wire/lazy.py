"""Bytes to blocks that are events, their type and data decoded only when asked for."""

from __future__ import annotations

import re

from ssegauge.wire.blocks import CR, FEW, LF, Blocks
from ssegauge.wire.careful import slices
from ssegauge.wire.event import RawEvent, fields_of
from ssegauge.wire.limits import MIB

# As in `decoder`, in bytes and for any number of blocks; types and data are not looked into. Of the ids the last group
# that matched is the last of them.
_EVENT = (
    rb"(?:id: ?+([^\n\0]++)\n|event:.*+\n)*+"
    rb"data:.*+"
    rb"(?:\ndata:.*+|\nevent:.*+|\nid: ?+([^\n\0]++))*+"
)
_event_alone = re.compile(_EVENT).fullmatch
_events_alone = re.compile(rb"(?:" + _EVENT + rb"\n\n)++").fullmatch


class LazyDecoder(Blocks):
    """Bytes to blocks that are events; counts comments. Same arguments, limits and events as `Decoder`."""

    __slots__ = ("_comments", "_id")

    def __init__(self, last_event_id: str = "", *, max_line: int = MIB, max_event: int = MIB) -> None:
        super().__init__(max_line=max_line, max_event=max_event)
        self._id = last_event_id.encode("utf-8", "replace")
        self._comments = 0

    @property
    def last_event_id(self) -> str:
        """The last event ID string: what a reconnect would send."""
        return self._id.decode("utf-8", "replace")

    @property
    def comments(self) -> int:
        """Comment lines seen."""
        self._careful.look()
        opened = sum(line.startswith(b":") for line in self._open.split(b"\n")[:-1])
        return self._comments + self._careful.comments + opened

    def feed(self, chunk: bytes) -> list[RawEvent]:
        """Events completed by these bytes, in order, as `Decoder.feed` gives them."""
        events: list[RawEvent] = []
        for part in slices(self._take(chunk)):
            for block in part[:-2].split(b"\n\n"):
                # one by one, as each bears the id as it is then
                events += [RawEvent.of(lines, self._id) for lines in self._events_among([block])]
        self._raise_if_spent(events)
        return events

    def blocks(self, chunk: bytes) -> list[bytes]:
        """The blocks of the events that `feed` gives, without their ids: for who counts, or looks into few.

        A block is its lines joined by LF; `type_in`, `data_in` and `id_in` look into it.
        """
        if self._plain:
            # The usual chunk of a live stream: an event, or a part of one. What follows finds the same, at more cost.
            lines = chunk
            if CR not in chunk or (len(chunk) <= FEW and CR not in (lines := chunk.replace(b"\r\n", b"\n"))):
                opened = self._open + lines
                if len(opened) <= self._short:
                    self._fed += len(chunk)
                    if opened.endswith(b"\n\n"):
                        block = opened[:-2]
                        if (LF not in block and block.startswith(b"data:")) or self._is_usual(block):
                            self._open = b""
                            return [block]
                    elif LF not in chunk:
                        self._open = opened
                        return []
                    blocks = opened.split(b"\n\n")
                    self._open = blocks.pop()
                    for block in blocks:
                        if LF in block or not block.startswith(b"data:"):
                            return self._events_among(blocks)
                    return blocks
        events: list[bytes] = []
        for part in slices(self._take(chunk)):
            blocks = part[:-2].split(b"\n\n")
            found = _events_alone(part)
            if found is None:
                blocks = self._events_among(blocks)
            elif found.lastindex:
                self._id = found[found.lastindex]
            events += blocks
        self._raise_if_spent(events)
        return events

    def _events_among(self, blocks: list[bytes]) -> list[bytes]:
        events = []
        for block in blocks:
            if self._is_usual(block):
                events.append(block)
            else:
                lines = block.strip(b"\n")  # there may be more blank lines than one
                if self._has_data(lines):
                    events.append(lines)
        return events

    def _is_usual(self, block: bytes) -> bool:
        """Whether a block is an event of a usual shape; if so, its id is taken."""
        found = _event_alone(block)
        if found is None:
            return False
        if found.lastindex:
            self._id = found[found.lastindex]
        return True

    def _has_data(self, block: bytes) -> bool:
        """Whether any block is an event; its fields are obeyed."""
        has_data = False
        for name, value in fields_of(block):
            if name == b"data":
                has_data = True
            elif name == b"id":
                if b"\0" not in value:
                    self._id = value
            elif name == b"retry":
                self._careful.obey(value)
        self._comments += block.startswith(b":") + block.count(b"\n:")
        return has_data
