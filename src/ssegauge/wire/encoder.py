"""Events to bytes, as a server writes them."""

from __future__ import annotations

import re

from ssegauge.wire.event import Event

_LINE_END = re.compile("\r\n|\r|\n")


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
