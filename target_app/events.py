"""Events as the streams write them: LF only, JSON payloads, one shape of error."""

from __future__ import annotations

import json
from typing import Any

from fastapi import sse
from sse_starlette.event import ServerSentEvent

# sse-starlette's default is CRLF, on which clients that split at two LFs see no event at all; and an
# object keeps its own separator whatever the response says, so it is given here, once.
LINE_END = "\n"


def event(kind: str, payload: Any, *, id: str | None = None) -> ServerSentEvent:
    """One event of type `kind` whose data is `payload` as JSON."""
    return ServerSentEvent(as_json(payload), event=kind, id=id, sep=LINE_END)


def text_event(
    data: str | None = None,
    *,
    kind: str | None = None,
    id: str | None = None,
    retry: int | None = None,
    comment: str | None = None,
) -> ServerSentEvent:
    """One block with these fields and no other; `data` is sent as it is, a data line per line of it."""
    return ServerSentEvent(data, event=kind, id=id, retry=retry, comment=comment, sep=LINE_END)


def comment(text: str) -> ServerSentEvent:
    """A comment in a block of its own: no client sees it, every proxy does."""
    return ServerSentEvent(comment=text, sep=LINE_END)


def keepalive() -> ServerSentEvent:
    """What is sent while there is nothing to say."""
    return comment("keepalive")


def failure(error: str, kind: str, **context: Any) -> ServerSentEvent:
    """The error event: what went wrong and of which type, then what the stream knows about it.

    `message` repeats the text under the name that clients of problem details look for (RFC 9457).
    """
    return event("error", {"error": error, "type": kind, **context, "message": error})


def as_native(item: ServerSentEvent) -> sse.ServerSentEvent:
    """The same event for FastAPI's own streams. Raises ValueError for a line end in its type or its id."""
    data = None if item.data is None else str(item.data)
    return sse.ServerSentEvent(raw_data=data, event=item.event, id=item.id, retry=item.retry, comment=item.comment)


def as_json(payload: Any) -> str:
    """`payload` as JSON in ASCII; raises ValueError for NaN and the infinities, which are no JSON."""
    return json.dumps(payload, allow_nan=False)
