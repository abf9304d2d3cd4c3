"""Bytes to blocks that are events, their type and data decoded only when asked for."""

from __future__ import annotations

import re
from itertools import repeat

from ssegauge.wire.blocks import CR, LF, Blocks, raw_rest
from ssegauge.wire.careful import SLICE, slices
from ssegauge.wire.event import RawEvent, fields_of
from ssegauge.wire.limits import MIB

# As in `decoder`, in bytes; types and data are not looked into.
_one_block = re.compile(
    rb"(?:id: ?+([^\n\0]++)\n|event:.*+\n)*+"
    rb"data:.*+\n"
    rb"(?:data:.*+\n|event:.*+\n|id: ?+([^\n\0]++)\n)*+\n"
).fullmatch
# Events of one shape in a row, in which either none has an id or each has one; a group holds the last.
_alike = re.compile(
    rb"(?:(?:event:.*+\n)?+(?:data:.*+\n)++(?:event:.*+\n)?+\n)++"
    rb"|(?:id: ?+([^\n\0]++)\n(?:event:.*+\n)?+(?:data:.*+\n)++\n)++"
    rb"|(?:(?:event:.*+\n)?+(?:data:.*+\n)++(?:event:.*+\n)?+id: ?+([^\n\0]++)\n\n)++"
).match
_new = tuple.__new__  # half the time of the class's own constructor


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
                        return [_new(RawEvent, (block[:-2], self._id))]
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
            return [_new(RawEvent, (complete[:-2], self._id))]
        events: list[RawEvent] = []
        at, size = 0, len(complete)
        while at < size:
            found = _alike(complete, at)
            if found is None:
                lines, at = _lines_of_a_block(complete, at)
                if lines and self._is_event(lines):
                    events.append(_new(RawEvent, (lines, self._id)))
                continue
            blocks = complete[at : found.end() - 2].split(b"\n\n")
            at = found.end()
            known: bytes | None = self._id
            if found.lastindex:
                self._id, known = found[found.lastindex], None
            events += map(_new, repeat(RawEvent), zip(blocks, repeat(known)))
        return events

    def _is_event(self, lines: bytes) -> bool:
        """Obey the fields of any block, and say whether it has data."""
        has_data = False
        for name, value in fields_of(lines):
            if name == b"data":
                has_data = True
            elif name == b"id":
                if b"\0" not in value:
                    self._id = value
            elif name == b"retry":
                self._careful.obey(value)
        self._comments += lines.startswith(b":") + lines.count(b"\n:")
        return has_data


def _lines_of_a_block(complete: bytes, at: int) -> tuple[bytes, int]:
    """The lines of the first block from there on, without those blank before them; and where the next one begins."""
    if complete[at] == LF:
        while at < len(complete) and complete[at] == LF:
            at += 1
        return b"", at
    end = complete.find(b"\n\n", at)
    return complete[at:end], end + 2
