"""Bytes to events, every event built."""

from __future__ import annotations

import re
from itertools import repeat

from ssegauge.wire.blocks import CR, LF, Blocks, raw_rest
from ssegauge.wire.careful import SLICE, slices
from ssegauge.wire.event import Event
from ssegauge.wire.limits import MIB

# A block of id and event lines around its data, in one step of the regular expression engine: twice as fast as a loop
# over lines. Possessive, so nothing is ever tried twice. A group holds the last line of its kind, which is the one that
# counts; where an empty one would count, the block is left to the loop.
_BLOCK = (
    r"(?:id: ?+([^\n\0]++)\n|event: ?+(.*+)\n)*+"
    r"data: ?+(.*+(?:\ndata: .*+)*+)\n"
    r"(?:id: ?+([^\n\0]++)\n|event: ?+(.++)\n)*+\n"
)
_one_block = re.compile(_BLOCK).fullmatch
_each_block = re.compile(_BLOCK + r"|((?:.+\n)++)\n").findall
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
                    event = self._one_event(block.decode("utf-8", "replace")) if chunk[-1] == LF else None
                    if event is not None:
                        self._open = b""
                        self._fed += len(opened)
                        return [event]
                    end = block.rfind(b"\n\n") + 2
                    if end == 1:
                        self._open = opened
                        return []
                    rest = opened[end:] if block is opened else raw_rest(opened, len(block) - end)
                    if rest is not None:
                        self._open = rest
                        self._fed += len(opened) - len(rest)
                        return self._build(block[:end])
        complete = self._take(chunk)
        if len(complete) <= SLICE:
            events = self._build(complete) if complete else []
        else:
            events = []
            for part in slices(complete):
                events += self._build(part)
        if self._careful.spent is not None:
            self._careful.spent.events = events
            raise self._careful.spent
        return events

    def _build(self, complete: bytes) -> list[Event]:
        # A blank line never falls inside a character, not even a broken one, so all blocks are decoded at once.
        text = complete.decode("utf-8", "replace")
        event = self._one_event(text)
        if event is not None:
            return [event]
        if text[:6] == "data: ":
            values = text[6:-2].split("\n\ndata: ")
            if text.count("\n") == 2 * len(values):
                return list(map(_new, repeat(Event), zip(repeat("message"), values, repeat(self.last_event_id))))
        events: list[Event] = []
        append = events.append
        last_event_id = self.last_event_id
        for number, kind, data, later_number, later_kind, lines in _each_block(text):
            if lines:
                event, last_event_id = self._interpret(lines, last_event_id)
                if event is not None:
                    append(event)
                continue
            if later_number or number:
                last_event_id = later_number or number
            text = data.replace("\ndata: ", "\n") if "\n" in data else data
            append(_new(Event, (later_kind or kind or "message", text, last_event_id)))
        self.last_event_id = last_event_id
        return events

    def _one_event(self, text: str) -> Event | None:
        """The event of one block of a usual shape; None for anything else."""
        if text[:6] == "data: " and text.find("\n") == len(text) - 2:
            return _new(Event, ("message", text[6:-2], self.last_event_id))
        found = _one_block(text)
        if found is None:
            return None
        number, kind, data, later, later_kind = found.groups()
        if later or number:
            self.last_event_id = later or number
        if "\n" in data:
            data = data.replace("\ndata: ", "\n")
        return _new(Event, (later_kind or kind or "message", data, self.last_event_id))

    def _interpret(self, lines: str, last_event_id: str) -> tuple[Event | None, str]:
        """Any block, line by line: 9.2.6, "process the field" and "dispatch the event"."""
        kind = ""
        data = []
        for line in lines.split("\n")[:-1]:
            name, _, value = line.partition(":")
            if value[:1] == " ":
                value = value[1:]
            if name == "data":
                data.append(value)
            elif name == "event":
                kind = value
            elif name == "id":
                if "\0" not in value:
                    last_event_id = value
            elif name == "retry":
                self._careful.obey(value.encode())
        # "If the data buffer is an empty string, set the data buffer and the event type buffer to the empty string and
        # return": the buffer holds an LF for every data line, so it is empty only where there was none.
        if not data:
            return None, last_event_id
        return Event(kind or "message", "\n".join(data), last_event_id), last_event_id


def decode(body: bytes, last_event_id: str = "") -> list[Event]:
    """Events of a whole body, in order. What is open at its end is discarded, its id not taken. No limits."""
    size = len(body) + 1
    return Decoder(last_event_id, max_line=size, max_event=size).feed(body)
