"""Bytes to blocks that are events, their type and data decoded only when asked for."""

from __future__ import annotations

import re
from itertools import repeat

from ssegauge.wire.blocks import CR, LF, Blocks, raw_rest
from ssegauge.wire.careful import SLICE, slices
from ssegauge.wire.event import OneLine, RawEvent, fields_of
from ssegauge.wire.limits import MIB

# As in `decoder`, in bytes; types and data are not looked into.
_BLOCK = (
    rb"(?:id: ?+([^\n\0]++)\n|event:.*+\n)*+"
    rb"data:.*+\n"
    rb"(?:data:.*+\n|event:.*+\n|id: ?+([^\n\0]++)\n)*+\n"
)
_one_block = re.compile(_BLOCK).fullmatch
_each_block = re.compile(rb"(" + _BLOCK + rb")|((?:.+\n)++)\n").findall


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
        opened = sum(line.startswith(b":") for line in self._open_lines()[:-1])
        return self._comments + self._careful.comments + opened

    def feed(self, chunk: bytes) -> list[RawEvent]:
        """Events completed by these bytes, in order, as `Decoder.feed` gives them."""
        if self._plain and chunk:
            # The usual chunk of a live stream: an event, or a part of one. What follows finds the same, at more cost.
            opened = self._open + chunk if self._open else chunk
            if LF not in chunk:
                if CR not in chunk and len(opened) <= self._short:
                    self._open = opened
                    return []
            elif len(opened) <= self._short:
                block = opened.replace(b"\r\n", b"\n") if CR in opened else opened
                if CR not in block:
                    found = _one_block(block) if chunk[-1] == LF else None
                    if found is not None:
                        self._open = b""
                        self._fed += len(opened)
                        if found.lastindex:
                            self._id = found[found.lastindex]
                        return [RawEvent((block, self._id))]
                    end = block.rfind(b"\n\n") + 2
                    if end == 1:
                        self._open = opened
                        return []
                    rest = opened[end:] if block is opened else raw_rest(opened, len(block) - end)
                    if rest is not None:
                        self._open = rest
                        self._fed += len(opened) - len(rest)
                        return self._sift(block[:end])
        complete = self._take(chunk)
        if len(complete) <= SLICE:
            events = self._sift(complete) if complete else []
        else:
            events = []
            for part in slices(complete):
                events += self._sift(part)
        if self._careful.spent is not None:
            self._careful.spent.events = events
            raise self._careful.spent
        return events

    def _sift(self, complete: bytes) -> list[RawEvent]:
        found = _one_block(complete)
        if found is not None:
            if found.lastindex:
                self._id = found[found.lastindex]
            return [RawEvent((complete, self._id))]
        if complete[:6] == b"data: ":
            values = complete[6:-2].split(b"\n\ndata: ")
            if complete.count(b"\n") == 2 * len(values):
                return list(map(OneLine, zip(values, repeat(self._id))))
        events: list[RawEvent] = []
        append = events.append
        for block, number, later, lines in _each_block(complete):
            if lines:
                if self._is_event(lines):
                    append(RawEvent((lines + b"\n", self._id)))
                continue
            if later or number:
                self._id = later or number
            append(RawEvent((block, self._id)))
        return events

    def _is_event(self, lines: bytes) -> bool:
        """Obey the fields of any block, and say whether it has data."""
        has_data = False
        for name, value in fields_of(lines[:-1]):
            if name == b"data":
                has_data = True
            elif name == b"id":
                if b"\0" not in value:
                    self._id = value
            elif name == b"retry":
                self._careful.obey(value)
        self._comments += lines.startswith(b":") + lines.count(b"\n:")
        return has_data
