"""What comes out of a stream: events, as text or as the bytes of their block, and the values of single fields."""

from __future__ import annotations

from typing import NamedTuple

# Beyond any clock, and below the 640 digits at which Python's int() may be told to refuse.
_RETRY_DIGITS = 300


class Event(NamedTuple):
    """What the standard dispatches: `type` is "message" where the stream names none, `last_event_id` is sticky."""

    type: str
    data: str
    last_event_id: str


class RawEvent(tuple[bytes, bytes | None]):
    """An event as bytes: the lines of its block, joined by LF, and its id. Decoded when asked for, each time.

    In place of the id is None where the block has just one, which is it.
    """

    __slots__ = ()

    @property
    def raw_type(self) -> bytes:
        """Bytes of the event type, b"message" where the block names none."""
        kinds = [value for name, value in fields_of(self[0]) if name == b"event"]
        return kinds[-1] or b"message" if kinds else b"message"

    @property
    def raw_data(self) -> bytes:
        """Bytes of the data: the values of the data lines joined by LF."""
        return b"\n".join([value for name, value in fields_of(self[0]) if name == b"data"])

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
        known = self[1]
        if known is None:
            known = next(value for name, value in fields_of(self[0]) if name == b"id")
        return known.decode("utf-8", "replace")

    @property
    def size(self) -> int:
        """Bytes of the block, every line end counted as one, without the last line's and the blank line."""
        return len(self[0])

    def __repr__(self) -> str:
        return f"RawEvent(type={self.type!r}, data={self.data!r}, last_event_id={self.last_event_id!r})"


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
