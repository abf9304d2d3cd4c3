"""Bytes to events, every event built."""

from __future__ import annotations

import re
from itertools import repeat

from ssegauge.wire.blocks import CR, FEW, LF, Blocks
from ssegauge.wire.careful import slices
from ssegauge.wire.event import Event
from ssegauge.wire.limits import MIB

# A block of id and event lines around its data, in one step of the regular expression engine: twice as fast as a loop
# over lines. Possessive, so nothing is ever tried twice. A group holds the last line of its kind, which is the one that
# counts; where an empty one would count, the block is left to the loop.
_HEAD = r"(?:id: ?+([^\n\0]++)\n|event: ?+(.*+)\n)*+"
_DATA = r"data: ?+(.*+(?:\ndata: .*+)*+)"
_TAIL = r"(?:\nid: ?+([^\n\0]++)|\nevent: ?+(.++))*+"
_one_block = re.compile(_HEAD + _DATA + _TAIL).fullmatch
_each_block = re.compile(_HEAD + _DATA + _TAIL + r"\n\n|((?:.+\n)++)\n").findall
_new = tuple.__new__  # half the time of the class's own constructor


class Decoder(Blocks):
    """Bytes to events, every event built. `last_event_id` is the id that a reconnect has sent."""

    __slots__ = ("last_event_id",)

    def __init__(self, last_event_id: str = "", *, max_line: int = MIB, max_event: int = MIB) -> None:
        super().__init__(max_line=max_line, max_event=max_event)
        self.last_event_id = last_event_id
        """The last event ID string: what a reconnect would send."""

    def feed(self, chunk: bytes) -> list[Event]:
        """Events completed by these bytes, in order. `chunk` may end anywhere, inside a character or between CR and LF.

        Raises LineTooLong or EventTooLong past `max_line` or `max_event` bytes. HTML 9.2.6.
        """
        events: list[Event]
        if self._plain:
            # The usual chunk of a live stream: an event, or a part of one. What follows finds the same, at more cost.
            lines = chunk
            if CR not in chunk or (len(chunk) <= FEW and CR not in (lines := chunk.replace(b"\r\n", b"\n"))):
                opened = self._open + lines
                if len(opened) <= self._short:
                    self._fed += len(chunk)
                    if opened.endswith(b"\n\n"):
                        event = self._usual(opened[:-2].decode("utf-8", "replace"))
                        if event is not None:
                            self._open = b""
                            return [event]
                    elif LF not in chunk:
                        self._open = opened
                        return []
                    blocks = opened.split(b"\n\n")
                    self._open = blocks.pop()
                    events = []
                    for block in blocks:
                        text = block.decode("utf-8", "replace")
                        event = self._usual(text) or self._any(text.lstrip("\n"))
                        if event is not None:
                            events.append(event)
                    return events
        events = []
        for part in slices(self._take(chunk)):
            # A blank line never falls inside a character, not even a broken one, so all blocks are decoded at once.
            events += self._many(part.decode("utf-8", "replace"))
        self._raise_if_spent(events)
        return events

    def _usual(self, text: str) -> Event | None:
        """The event of one block of a usual shape; None for anything else."""
        if text.startswith("data: ") and "\n" not in text:
            return _new(Event, ("message", text[6:], self.last_event_id))
        found = _one_block(text)
        if found is None:
            return None
        number, kind, data, later_number, later_kind = found.groups()
        if later_number or number:
            self.last_event_id = later_number or number
        if "\n" in data:
            data = data.replace("\ndata: ", "\n")
        return _new(Event, (later_kind or kind or "message", data, self.last_event_id))

    def _many(self, text: str) -> list[Event]:
        if text.startswith("data: "):
            values = text[6:-2].split("\n\ndata: ")
            if text.count("\n") == 2 * len(values):
                return list(map(_new, repeat(Event), zip(repeat("message"), values, repeat(self.last_event_id))))
        events: list[Event] = []
        append = events.append
        last_event_id = self.last_event_id
        for number, kind, data, later_number, later_kind, lines in _each_block(text):
            if lines:
                self.last_event_id = last_event_id
                event = self._any(lines)
                last_event_id = self.last_event_id
                if event is not None:
                    append(event)
                continue
            if later_number or number:
                last_event_id = later_number or number
            value = data.replace("\ndata: ", "\n") if "\n" in data else data
            append(_new(Event, (later_kind or kind or "message", value, last_event_id)))
        self.last_event_id = last_event_id
        return events

    def _any(self, lines: str) -> Event | None:
        """The event of any block, line by line: 9.2.6, "process the field" and "dispatch the event"."""
        kind = ""
        data = []
        for line in lines.split("\n"):
            name, _, value = line.partition(":")
            if value[:1] == " ":
                value = value[1:]
            if name == "data":
                data.append(value)
            elif name == "event":
                kind = value
            elif name == "id":
                if "\0" not in value:
                    self.last_event_id = value
            elif name == "retry":
                self._careful.obey(value.encode())
        # "If the data buffer is an empty string, set the data buffer and the event type buffer to the empty string and
        # return": the buffer holds an LF for every data line, so it is empty only where there was none.
        return Event(kind or "message", "\n".join(data), self.last_event_id) if data else None


def decode(body: bytes, last_event_id: str = "") -> list[Event]:
    """Events of a whole body, in order. What is open at its end is discarded, its id not taken. No limits."""
    size = len(body) + 1
    return Decoder(last_event_id, max_line=size, max_event=size).feed(body)
