"""Bytes to events: WHATWG HTML 9.2.5 and 9.2.6, to the letter.

Sans-IO: no socket, no clock, no import from the package. `Decoder` builds every event; `LazyDecoder`
hands out blocks whose type and data are decoded only when asked for, which is what a load run needs.
Where the bytes are split never changes what comes out.
"""

from __future__ import annotations

import re
from itertools import repeat
from typing import NamedTuple

MIB = 1 << 20
_BOM = b"\xef\xbb\xbf"
_LINE_END = re.compile("\r\n|\r|\n")
_SLICE = 1 << 16
# The common shape of a block, in one step of the regular expression engine, or any other block as its lines: twice as
# fast as a loop over lines. Possessive, so nothing is ever tried twice.
_TEXT_BLOCKS = re.compile(
    r"(?:event: (.+)\n)?(?:id: ([^\n\0]+)\n(?:event: (.+)\n)?)?data: (.*+(?:\ndata: .*+)*+)\n\n|((?:.+\n)++)\n"
)
_BYTE_BLOCKS = re.compile(
    rb"((?:event: .+\n)?(?:id: ([^\n\0]+)\n(?:event: .+\n)?)?data: .*+(?:\ndata: .*+)*+)\n\n|((?:.+\n)++)\n"
)
_new = tuple.__new__  # half the time of the class's own constructor
# Beyond any clock, and below the 640 digits at which Python's int() may be told to refuse.
_RETRY_DIGITS = 300


class Event(NamedTuple):
    """What the standard dispatches: `type` is "message" where the stream names none, `last_event_id` is sticky."""

    type: str
    data: str
    last_event_id: str


class RawEvent(tuple[bytes, bytes]):
    """An event as bytes: its block (line ends as LF, no blank line) and its id. Decoded when asked for, and each time."""

    __slots__ = ()

    @property
    def raw_type(self) -> bytes:
        """Bytes of the event type, b"message" where the block names none."""
        kinds = [value for name, value in _fields(self[0]) if name == b"event"]
        return kinds[-1] or b"message" if kinds else b"message"

    @property
    def raw_data(self) -> bytes:
        """Bytes of the data: the values of the data lines joined by LF."""
        return b"\n".join([value for name, value in _fields(self[0]) if name == b"data"])

    @property
    def type(self) -> str:
        """As `Event.type`."""
        return self.raw_type.decode("utf-8", "replace")

    @property
    def data(self) -> str:
        """As `Event.data`."""
        return self.raw_data.decode("utf-8", "replace")

    @property
    def last_event_id(self) -> str:
        """As `Event.last_event_id`."""
        return self[1].decode("utf-8", "replace")

    @property
    def size(self) -> int:
        """Bytes of the block, every line end counted as one, without the blank line."""
        return len(self[0])

    def __repr__(self) -> str:
        return f"RawEvent(type={self.type!r}, data={self.data!r}, last_event_id={self.last_event_id!r})"


class _OneLine(RawEvent):
    """A block that is one data line, kept without its name: the value and the id."""

    __slots__ = ()

    @property
    def raw_type(self) -> bytes:
        return b"message"

    @property
    def raw_data(self) -> bytes:
        return self[0]

    @property
    def size(self) -> int:
        return len(self[0]) + 6


class LimitError(ValueError):
    """A line or an event passed its limit. Raised by `feed`, as LineTooLong or EventTooLong.

    `limit` is in bytes; `offset` is that of the first byte of the line that passed it. `events` holds what the same
    feed had completed before, so that nothing is lost. A decoder that raised is spent: it raises again when fed.
    """

    what = "line or event"

    def __init__(self, limit: int, offset: int) -> None:
        super().__init__(f"{self.what} of more than {limit} bytes at byte offset {offset}")
        self.limit = limit
        self.offset = offset
        self.events: list[Event] | list[RawEvent] = []


class LineTooLong(LimitError):
    """One line, be it a comment, has more than `max_line` bytes before its end."""

    what = "line"


class EventTooLong(LimitError):
    """The lines of one block, comments, retries and line ends not counted, have more than `max_event` bytes."""

    what = "event"


def _value(rest: bytes) -> bytes:
    # "If value starts with a U+0020 SPACE character, remove it from value."
    return rest[1:] if rest[:1] == b" " else rest


def _fields(block: bytes) -> list[tuple[bytes, bytes]]:
    # "Collect the characters on the line before the first U+003A COLON character"; no colon: "the whole line as the
    # field name, and the empty string as the field value".
    parts = [line.partition(b":") for line in block.split(b"\n")]
    return [(name, _value(rest)) for name, _, rest in parts]


def accepted_retry(value: bytes) -> int | None:
    """The reconnection time in milliseconds that this value sets; None where the field is ignored.

    "If the field value consists of only ASCII digits". An empty value can be read either way (Chromium 156 goes back
    to its default, Firefox 153 takes 0); it is no number, so it is ignored. Past 300 digits the rest is cut off.
    """
    if not value.isdigit():  # bytes.isdigit knows ASCII digits only
        return None
    return int(value.lstrip(b"0")[:_RETRY_DIGITS] or b"0")


class _Blocks:
    """Finds complete blocks; holds the open one as bytes, its line ends turned into LF."""

    def __init__(self, *, max_line: int, max_event: int) -> None:
        self._reconnection_time: int | None = None
        self._comments = 0
        self._max_line = max_line
        self._max_event = max_event
        self._safe = min(max_line, max_event)  # what is no longer than this needs no look at its lines
        self._fed = 0
        self._head: bytes | None = b""  # the first bytes while they may become a mark; None once that is settled
        self._after_cr = False
        self._ready = False  # nothing is open or odd: the next chunk can be taken as it is
        self._odd = True  # the next chunk needs care: it may hold the mark, or the LF of a CRLF
        self._kept = bytearray()  # complete lines of the open block that were looked at; no comments, no retries
        self._kept_size = 0  # their bytes without line ends
        self._tail = bytearray()  # the bytes after them
        self._spent: LimitError | None = None

    @property
    def retry(self) -> int | None:
        """The last accepted reconnection time in milliseconds; None where the stream has set none."""
        self._look(None, 0)
        return self._reconnection_time

    @property
    def pending(self) -> bool:
        """Whether an end of the stream now would cut something off: an unfinished line, or a block that is not closed.

        Complete comments and retries do not count, as they have had their effect.
        """
        self._look(None, 0)
        return bool(self._tail or self._kept or self._head)

    def _take(self, chunk: bytes) -> bytes:
        """The complete blocks, in LF and with their blank lines, that this chunk closes."""
        self._fed += len(chunk)
        if self._ready and chunk[-4:] == b"\r\n\r\n" and len(chunk) <= self._safe:
            in_lf = chunk.replace(b"\r\n", b"\n")
            if b"\r" not in in_lf:
                return in_lf
        raw = None
        if self._odd or b"\r" in chunk:
            raw, chunk = self._in_lf(chunk)
        cut = chunk.rfind(b"\n\n") + 2
        tail = self._tail
        if cut == 1 and not (chunk[:1] == b"\n" and (tail[-1:] == b"\n" or (self._kept and not tail))):
            complete = b""
            tail += chunk
        elif cut == len(chunk) and not self._kept and len(tail) + cut <= self._safe:
            tail += chunk
            complete = bytes(tail)
            tail.clear()
        else:
            # (cut == 1: the blank line is the chunk's first byte, after a line that an earlier chunk ended)
            complete = self._close(chunk, cut, raw)
            tail += chunk[cut:]
        size = len(tail)
        self._ready = not (size or self._kept or self._odd)
        unsafe = raw is not None or self._kept_size + size > self._safe
        if unsafe and size and (b"\n" in chunk or size > self._max_line):
            self._look(raw, len(chunk))
        return complete

    def _in_lf(self, chunk: bytes) -> tuple[bytes, bytes]:
        if self._spent is not None:
            raise type(self._spent)(self._spent.limit, self._spent.offset)
        if not self._odd:
            in_lf = chunk.replace(b"\r\n", b"\n")
            if b"\r" not in in_lf:
                return chunk, in_lf
        if self._head is not None:
            chunk = self._head + chunk
            if len(chunk) < 3 and _BOM.startswith(chunk):
                self._head = chunk
                return b"", b""
            self._head = None
        raw = chunk
        if not self._after_cr and self._fed == len(raw) and raw.startswith(_BOM):
            chunk = chunk[3:]
        if not chunk:
            self._odd = self._after_cr
            return raw, chunk
        after_cr, self._after_cr = self._after_cr, chunk.endswith(b"\r")
        self._odd = self._after_cr
        if after_cr and chunk.startswith(b"\n"):
            chunk = chunk[1:]
        return raw, chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _close(self, chunk: bytes, cut: int, raw: bytes | None) -> bytes:
        if self._tail or self._kept:
            complete = bytes(self._kept + self._tail + chunk[:cut])
            self._tail.clear()
            self._kept.clear()
            self._kept_size = 0
        else:
            complete = chunk[:cut]
        if len(complete) > self._safe:
            parts = _slices(complete) if self._safe >= _SLICE else [complete]
            if any(len(part) > self._safe for part in parts):
                return self._within_limits(complete, len(chunk) - cut, raw, len(chunk))
        return complete

    def _within_limits(self, complete: bytes, after: int, raw: bytes | None, size: int) -> bytes:
        """`complete` without what comes after a block that passes a limit."""
        at = block = weight = 0
        for line in complete.split(b"\n"):
            if not line:
                block, weight = at + 1, 0
            elif self._passes(line, weight, len(complete) - at + after, raw, size):
                return complete[:block]
            else:
                weight += _weight(line)
            at += len(line) + 1
        return complete

    def _passes(self, line: bytes, weight: int, from_end: int, raw: bytes | None, size: int) -> bool:
        if len(line) > self._max_line:
            self._spent = LineTooLong(self._max_line, self._offset(from_end, raw, size))
        elif weight + _weight(line) > self._max_event:
            self._spent = EventTooLong(self._max_event, self._offset(from_end, raw, size))
        return self._spent is not None

    def _offset(self, from_end: int, raw: bytes | None, size: int) -> int:
        """Where in the stream the last `from_end` bytes begin, when the chunk `raw` has become `size` bytes in LF."""
        if raw is None:
            return self._fed - from_end
        if from_end > size:
            return self._fed - len(raw) - (from_end - size)
        at = len(raw)
        for _ in range(from_end):
            at -= 2 if raw[max(at - 2, 0) : at] == b"\r\n" else 1
        return self._fed - len(raw) + at

    def _look(self, raw: bytes | None, size: int) -> None:
        """Look at the complete lines of the open block: keep the fields, obey retries, drop comments.

        What is kept is bounded by the limits. Each line is looked at once, so time stays linear.
        """
        if self._spent is not None:
            return
        end = self._tail.rfind(b"\n") + 1
        at = 0
        for line in bytes(self._tail[:end]).split(b"\n")[:-1] if end else ():
            if self._passes(line, self._kept_size, len(self._tail) - at, raw, size):
                return
            at += len(line) + 1
            if line.startswith(b":"):
                self._comments += 1
            elif _is_retry(line):
                self._obey(_value(line[6:]))
            elif line:
                self._kept += line + b"\n"
                self._kept_size += len(line)
        del self._tail[:end]
        if len(self._tail) > self._max_line:
            self._spent = LineTooLong(self._max_line, self._offset(len(self._tail), raw, size))

    def _obey(self, value: bytes) -> None:
        retry = accepted_retry(value)
        if retry is not None:
            self._reconnection_time = retry


def _slices(complete: bytes) -> list[bytes]:
    """Whole blocks in parts of 64 KiB, which stay in the processor's cache (a fifth faster on a megabyte)."""
    parts = []
    at = 0
    while at < len(complete):
        end = complete.rfind(b"\n\n", at, at + _SLICE) + 2
        if end <= at + 2:
            end = complete.find(b"\n\n", at) + 2
        parts.append(complete[at:end])
        at = end
    return parts


def _is_retry(line: bytes) -> bool:
    return line.startswith(b"retry:") or line == b"retry"


def _weight(line: bytes) -> int:
    return 0 if line.startswith(b":") or _is_retry(line) else len(line)


class Decoder(_Blocks):
    """Bytes to events, every event built. `last_event_id` is the id that a reconnect has sent."""

    def __init__(self, last_event_id: str = "", *, max_line: int = MIB, max_event: int = MIB) -> None:
        super().__init__(max_line=max_line, max_event=max_event)
        self.last_event_id = last_event_id
        """The last event ID string: what a reconnect would send."""

    def feed(self, chunk: bytes) -> list[Event]:
        """Events completed by these bytes, in order. `chunk` may end anywhere, inside a character or between CR and LF.

        Raises LineTooLong or EventTooLong past `max_line` or `max_event` bytes. HTML 9.2.6.
        """
        if self._ready and chunk[-2:] == b"\n\n" and b"\r" not in chunk and len(chunk) <= self._safe:
            # The usual chunk of a live stream: whole blocks. All that follows would find the same, at twice the time.
            self._fed += len(chunk)
            complete = chunk
        else:
            complete = self._take(chunk)
            if not complete and self._spent is None:
                return []
        if complete[:6] == b"data: " and complete.find(b"\n") == len(complete) - 2:
            events: list[Event] = [
                _new(Event, ("message", complete[6:-2].decode("utf-8", "replace"), self.last_event_id))
            ]
        elif len(complete) > _SLICE:
            events = []
            for part in _slices(complete):
                events += self._build(part)
        else:
            events = self._build(complete)
        if self._spent is not None:
            self._ready, self._odd = False, True
            self._spent.events = events
            raise self._spent
        return events

    def _build(self, complete: bytes) -> list[Event]:
        # A blank line never falls inside a character, not even a broken one, so all blocks are decoded at once.
        text = complete.decode("utf-8", "replace")
        if text[:6] == "data: ":
            values = text[6:-2].split("\n\ndata: ")
            if text.count("\n") == 2 * len(values):
                last_event_id = self.last_event_id
                return list(map(_new, repeat(Event), zip(repeat("message"), values, repeat(last_event_id))))
        events: list[Event] = []
        append = events.append
        last_event_id = self.last_event_id
        for kind, number, later, data, lines in _TEXT_BLOCKS.findall(text):
            if lines:
                event, last_event_id = self._interpret(lines, last_event_id)
                if event is not None:
                    append(event)
                continue
            if number:
                last_event_id = number
            text = data.replace("\ndata: ", "\n") if "\n" in data else data
            append(_new(Event, (later or kind or "message", text, last_event_id)))
        self.last_event_id = last_event_id
        return events

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
                self._obey(value.encode())
        # "If the data buffer is an empty string, set the data buffer and the event type buffer to the empty string and
        # return": the buffer holds an LF for every data line, so it is empty only where there was none.
        if not data:
            return None, last_event_id
        return Event(kind or "message", "\n".join(data), last_event_id), last_event_id


class LazyDecoder(_Blocks):
    """Bytes to blocks that are events; counts comments. Same arguments, limits and events as `Decoder`."""

    def __init__(self, last_event_id: str = "", *, max_line: int = MIB, max_event: int = MIB) -> None:
        super().__init__(max_line=max_line, max_event=max_event)
        self._id = last_event_id.encode("utf-8", "replace")

    @property
    def last_event_id(self) -> str:
        """The last event ID string: what a reconnect would send."""
        return self._id.decode("utf-8", "replace")

    @property
    def comments(self) -> int:
        """Comment lines seen."""
        self._look(None, 0)
        return self._comments

    def feed(self, chunk: bytes) -> list[RawEvent]:
        """Events completed by these bytes, in order, as `Decoder.feed` gives them."""
        if self._ready and chunk[-2:] == b"\n\n" and b"\r" not in chunk and len(chunk) <= self._safe:
            self._fed += len(chunk)
            complete = chunk
        else:
            complete = self._take(chunk)
            if not complete and self._spent is None:
                return []
        events: list[RawEvent]
        if complete[:6] == b"data: " and complete.find(b"\n") == len(complete) - 2:
            events = [_new(_OneLine, (complete[6:-2], self._id))]
        elif len(complete) > _SLICE:
            events = []
            for part in _slices(complete):
                events += self._sift(part)
        else:
            events = self._sift(complete)
        if self._spent is not None:
            self._ready, self._odd = False, True
            self._spent.events = events
            raise self._spent
        return events

    def _sift(self, complete: bytes) -> list[RawEvent]:
        last_event_id = self._id
        if complete[:6] == b"data: ":
            values = complete[6:-2].split(b"\n\ndata: ")
            if complete.count(b"\n") == 2 * len(values):
                return list(map(_OneLine, zip(values, repeat(last_event_id))))
        events: list[RawEvent] = []
        append = events.append
        for block, number, lines in _BYTE_BLOCKS.findall(complete):
            if lines:
                if self._has_data(lines):
                    append(_new(RawEvent, (lines[:-1], self._id)))
                continue
            if number:
                self._id = number
            append(_new(RawEvent, (block, self._id)))
        return events

    def _has_data(self, lines: bytes) -> bool:
        """Obey the fields of any block, and say whether it is an event."""
        has_data = False
        for name, value in _fields(lines[:-1]):
            if name == b"data":
                has_data = True
            elif name == b"id":
                if b"\0" not in value:
                    self._id = value
            elif name == b"retry":
                self._obey(value)
        self._comments += lines.startswith(b":") + lines.count(b"\n:")
        return has_data


def decode(body: bytes, last_event_id: str = "") -> list[Event]:
    """Events of a whole body, in order. What is open at its end is discarded, its id not taken. No limits."""
    size = len(body) + 1
    return Decoder(last_event_id, max_line=size, max_event=size).feed(body)


def encode(
    event: Event, *, previous_id: str = "", retry: int | None = None, comment: str | None = None, eol: str = "\n"
) -> bytes:
    """One event as a server writes it: `decode(encode(event)) == [event]`.

    The id line is written where `event.last_event_id` differs from `previous_id`, the event line where the type is not
    "message". CR, CRLF and LF in data all start a new data line, so they come back as LF: the standard can carry no CR
    in data. Raises ValueError for what it cannot carry at all: CR, LF or NUL in an id, CR or LF in a type, an empty
    type, a lone surrogate anywhere, a negative retry.
    """
    lines = [f": {line}" for line in _LINE_END.split(comment)] if comment is not None else []
    if retry is not None:
        if retry < 0:
            raise ValueError(f"a retry cannot be negative: {retry}")
        lines.append(f"retry: {retry}")
    if not event.type:
        raise ValueError('an event type cannot be empty: the standard reads it as "message"')
    if _LINE_END.search(event.type):
        raise ValueError(f"an event type cannot hold a line end: {event.type!r}")
    if _LINE_END.search(event.last_event_id) or "\0" in event.last_event_id:
        raise ValueError(f"an id cannot hold a line end or NUL: {event.last_event_id!r}")
    if event.type != "message":
        lines.append(f"event: {event.type}")
    if event.last_event_id != previous_id:
        lines.append(f"id: {event.last_event_id}")
    lines += [f"data: {line}" for line in _LINE_END.split(event.data)]
    try:
        return eol.join([*lines, "", ""]).encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(f"UTF-8 cannot carry a lone surrogate: {error.object[error.start]!r}") from error
