"""The response that carries a stream: by sse-starlette, or by FastAPI's own event streams, as the settings say.

Both send the same events of the same generators. What the second cannot do is left as it is, for it is what a user of
it gets: its keepalive comes every 15 s whatever the settings say, it has no limit on a client that does not read, and
it does not notice that the server stops. docs/servers.md shows the difference in bytes.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from typing import Annotated

import anyio
from fastapi import Depends, Request, Response
from fastapi.routing import APIRoute
from fastapi.sse import EventSourceResponse as NativeEventSourceResponse
from fastapi.sse import ServerSentEvent as NativeEvent
from sse_starlette.event import ServerSentEvent
from sse_starlette.sse import EventSourceResponse, SendTimeoutError
from starlette.types import Receive, Scope, Send

from .events import LINE_END, as_native, keepalive
from .probe import Watch
from .settings import Settings

log = logging.getLogger(__name__)


class StreamResponse(EventSourceResponse):
    """An event stream by sse-starlette: LF, comments as keepalive, cleanup when the client leaves."""

    media_type = "text/event-stream"

    def __init__(
        self, events: AsyncIterator[ServerSentEvent], watch: Watch, settings: Settings, leaving: anyio.Event
    ) -> None:
        super().__init__(
            events,
            headers={"Cache-Control": "no-store, no-transform"},
            media_type=self.media_type,
            ping=settings.keepalive_s,
            ping_message_factory=keepalive,
            sep=LINE_END,
            send_timeout=settings.send_timeout_s,
            shutdown_event=leaving,
            shutdown_grace_period=settings.shutdown_grace_s,
        )
        # Its default in HTTP/1.1, and forbidden in HTTP/2, where strict clients refuse the response.
        del self.headers["connection"]
        self._watch = watch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._watch.response():
            try:
                await super().__call__(scope, receive, send)
            except SendTimeoutError:
                log.warning("%s: gave up on a client that does not read", scope["path"])
            finally:
                # A client that left before the first event leaves a generator that nobody has closed.
                with anyio.CancelScope(shield=True):
                    await _close(self.body_iterator)


class NativeResponse(Response):
    """An event stream by FastAPI's own: a generator route of its kind is what sends the events."""

    def __init__(self, events: AsyncIterator[ServerSentEvent], watch: Watch) -> None:
        super().__init__(media_type="text/event-stream")
        self._events = events
        self._watch = watch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._watch.response():
            try:
                # A scope of its own: FastAPI keeps the request's open resources there, and so does the outer route.
                await _NATIVE.app({**scope, _EVENTS: self._events}, receive, send)
            finally:
                # FastAPI cancels a generator but does not close one that waits at its yield.
                with anyio.CancelScope(shield=True):
                    await _close(self._events)


_EVENTS = "target_app.events"


def _handed_over(request: Request) -> AsyncIterator[ServerSentEvent]:
    events: AsyncIterator[ServerSentEvent] = request.scope[_EVENTS]
    return events


async def _natively(
    events: Annotated[AsyncIterator[ServerSentEvent], Depends(_handed_over)],
) -> AsyncIterable[NativeEvent]:
    async for event in events:
        yield as_native(event)


# FastAPI encodes events in its routing, not in its response class, so it takes a route to have them sent.
_NATIVE = APIRoute("/", _natively, response_class=NativeEventSourceResponse)


async def _close(events: object) -> None:
    if isinstance(events, AsyncGenerator):
        await events.aclose()


def response_of(
    events: AsyncIterator[ServerSentEvent], watch: Watch, settings: Settings, leaving: anyio.Event
) -> Response:
    """The response that sends these events by the library of the settings. `leaving` is set where it notices a stop."""
    if settings.library == "fastapi":
        return NativeResponse(events, watch)
    return StreamResponse(events, watch, settings, leaving)
