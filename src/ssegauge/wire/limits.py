"""What ends an endless line or event: an error that says which limit, and where."""

from __future__ import annotations

from collections.abc import Sequence

from ssegauge.wire.event import Event

MIB = 1 << 20


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
        self.events: Sequence[Event] | Sequence[bytes] = ()


class LineTooLong(LimitError):
    """One line, be it a comment, has more than `max_line` bytes before its end."""

    what = "line"


class EventTooLong(LimitError):
    """The lines of one block, comments, retries and line ends not counted, have more than `max_event` bytes."""

    what = "event"
