"""What comes out of a stream: events, as text or as the bytes of their block, and the values of single fields."""

from __future__ import annotations

from typing import NamedTuple, Self

# Beyond any clock, and below the 640 digits at which Python's int() may be told to refuse.
_RETRY_DIGITS = 300


class Event(NamedTuple):
    """What the standard dispatches: `type` is "message" where the stream names none, `last_event_id` is sticky."""

    type: str
    data: str
    last_event_id: str


class RawEvent(bytes):
    """An event as the bytes of its block: the lines joined by LF. Type and data are decoded when asked for, each time."""

    raw_last_event_id: bytes

    @classmethod
    def of(cls, block: bytes, last_event_id: bytes) -> Self:
        """The event of a block, with the last event ID as it is then."""
        event = cls(block)
        event.raw_last_event_id = last_event_id
        return event

    @property
    def raw_type(self) -> bytes:
        """Bytes of the event type, b"message" where the block names none."""
        return type_in(self)

    @property
    def raw_data(self) -> bytes:
        """Bytes of the data: the values of the data lines joined by LF."""
        return data_in(self)

    @property
    def type(self) -> str:
        """As `Event.type`."""
        return type_in(self).decode("utf-8", "replace")

    @property
    def data(self) -> str:
        """As `Event.data`."""
        return data_in(self).decode("utf-8", "replace")

    @property
    def last_event_id(self) -> str:
        """As `Event.last_event_id`."""
        return self.raw_last_event_id.decode("utf-8", "replace")

    @property
    def size(self) -> int:
        """Bytes of the block, every line end counted as one, without the last line's and the blank line."""
        return len(self)

    def __repr__(self) -> str:
        return f"RawEvent(type={self.type!r}, data={self.data!r}, last_event_id={self.last_event_id!r})"


def type_in(block: bytes) -> bytes:
    """Bytes of the event type that a block gives, b"message" where it names none."""
    if b"event" not in block:
        return b"message"
    if block.startswith(b"event: ") and block.find(b"event", 7) < 0:
        return block[7:].partition(b"\n")[0] or b"message"
    kinds = [value for name, value in fields_of(block) if name == b"event"]
    return kinds[-1] or b"message" if kinds else b"message"


def data_in(block: bytes) -> bytes:
    """Bytes of the data that a block gives: the values of its data lines joined by LF."""
    before, _, last = block.rpartition(b"\n")
    if last.startswith(b"data: ") and b"data" not in before:
        return last[6:]
    return b"\n".join([value for name, value in fields_of(block) if name == b"data"])


def id_in(block: bytes) -> bytes | None:
    """The id that a block sets; None where it sets none. One with NUL is ignored."""
    if b"id" not in block:
        return None
    ids = [value for name, value in fields_of(block) if name == b"id" and b"\0" not in value]
    return ids[-1] if ids else None


def value_of(rest: bytes) -> bytes:
    """The field value in what follows the colon."""
    # "If value starts with a U+0020 SPACE character, remove it from value."
    return rest[1:] if rest[:1] == b" " else rest


def fields_of(block: bytes) -> list[tuple[bytes, bytes]]:
    """Name and value of each line of a block in LF; comments and blank lines have an empty name."""
    # "Collect the characters on the line before the first U+003A COLON character"; no colon: "the whole line as the
    # field name, and the empty string as the field value".
    parts = [line.partition(b":") for line in block.split(b"\n")]
    return [(name, value_of(rest)) for name, _, rest in parts]


def accepted_retry(value: bytes) -> int | None:
    """The reconnection time in milliseconds that this value sets; None where the field is ignored.

    "If the field value consists of only ASCII digits". An empty value can be read either way (Chromium 156 goes back
    to its default, Firefox 153 takes 0); it is no number, so it is ignored. Past 300 digits the rest is cut off.
    """
    if not value.isdigit():  # bytes.isdigit knows ASCII digits only
        return None
    return int(value.lstrip(b"0")[:_RETRY_DIGITS] or b"0")
