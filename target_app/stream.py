"""One stream: its pace, its faults on request, and how it ends."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from functools import partial
from typing import Annotated, Any

import anyio
from fastapi import Depends, Header, Query, Request, Response
from sse_starlette.event import ServerSentEvent

from .events import failure
from .probe import Probe, Watch
from .response import StreamResponse, response_of
from .settings import MAX_PACE, Settings

log = logging.getLogger(__name__)

Events = AsyncGenerator[ServerSentEvent, None]
Tell = Callable[[str, str], ServerSentEvent]
"""An error's text and type to the event that tells of it."""

# The id of every `complete` that has no id of its own. EventSource comes back by itself after the end and
# then sends it, which is how a finished stream is told from a new one without remembering either.
FINISHED = "finished"

LAST_EVENTS = frozenset({"complete", "error"})


class InjectedFault(Exception):
    """Raised inside a stream because its request asked for it with `fail_after`."""


class ServerLeaving(Exception):
    """Raised from a pause when the server is about to stop: the stream ends where it is."""


class Stream:
    """What a stream has at hand: the request's wishes, a clock, and the way to answer."""

    def __init__(
        self, request: Request, *, pace: float, fail_after: int | None = None, last_event_id: str | None = None
    ) -> None:
        self.request = request
        self.settings: Settings = request.app.state.settings
        self.probe: Probe = request.app.state.probe
        self.watch = Watch(self.probe)
        self.pace = pace
        self.fail_after = fail_after
        self.last_event_id = last_event_id
        self.leaving = anyio.Event()
        self._started = time.monotonic()
        self._paused = 0.0

    async def pause(self, seconds: float) -> None:
        """Waits `seconds` times the pace, others run meanwhile. Raises ServerLeaving when the server stops."""
        self._paused += seconds
        await self.wait(seconds * self.pace)

    async def wait(self, seconds: float) -> None:
        """Waits `seconds` whatever the pace. Raises ServerLeaving when the server stops."""
        if seconds > 0:
            with anyio.move_on_after(seconds):
                await self.leaving.wait()
        else:
            await asyncio.sleep(0)
        if self.leaving.is_set():
            raise ServerLeaving

    def elapsed(self) -> float:
        """Seconds since the request, as they were without the pace: what time limits are compared with."""
        return (time.monotonic() - self._started) / self.pace if self.pace else self._paused

    def took(self) -> float:
        """Seconds since the request, as the clock counts them."""
        return time.monotonic() - self._started

    async def is_disconnected(self) -> bool:
        """Whether the client has left. The response stops its generator anyway; work that lives outside it asks."""
        return await self.request.is_disconnected()

    def respond(self, source: Events, **context: Any) -> Response:
        """The response that sends `source`, with what all streams have in common.

        A `retry` on the first event, an id on `complete`, an error event (with `context`) in place of an
        exception, nothing after either, and 204 for a browser that comes back to a finished stream.
        """
        return self._unless_finished(self._dressed(self._guarded(source, partial(failure, **context))))

    def respond_plainly(self, source: Events, tell: Tell = failure) -> Response:
        """The response that sends `source` and nothing beside it, failures excepted: they are told by `tell`."""
        return self._unless_finished(self._guarded(source, tell, last=frozenset()))

    def send(self, events: AsyncIterator[ServerSentEvent]) -> Response:
        """The response that sends these events as they are, exceptions included."""
        return response_of(events, self.watch, self.settings, self.leaving)

    def _unless_finished(self, events: Events) -> Response:
        if self.last_event_id == FINISHED:
            return Response(status_code=204, headers={"Cache-Control": "no-store"})
        return self.send(events)

    def kept_alive(self, response: Response, seconds: float | None) -> Response:
        """The same response with keepalive comments every so many seconds, where a number is given; 0 for none.

        FastAPI's own streams have one interval, which is not for the application to choose.
        """
        if seconds is not None and isinstance(response, StreamResponse):
            response.ping_interval = seconds
        return response

    async def _dressed(self, events: Events) -> Events:
        retry: int | None = self.settings.retry_ms
        try:
            async for item in events:
                if item.data is not None and retry is not None:
                    item.retry, retry = retry, None
                if item.event == "complete" and item.id is None:
                    item.id = FINISHED
                yield item
        finally:
            await events.aclose()

    async def _guarded(self, source: Events, tell: Tell, last: frozenset[str] = LAST_EVENTS) -> Events:
        sent = 0
        with self.watch.work():
            try:
                self._fail_if_due(sent)
                async for item in source:
                    sent += item.data is not None
                    self.probe.events += item.data is not None
                    yield item
                    if item.event in last:
                        return
                    self._fail_if_due(sent)
            except ServerLeaving:
                log.info("%s: the server stops, ended after %d events", self.request.url.path, sent)
            except Exception as error:  # noqa: BLE001 - whatever a stream raises is told to its reader
                self.probe.failed += 1
                self.probe.events += 1
                yield self._told(error, tell)
            except BaseException:
                log.info("%s: the client left after %d events", self.request.url.path, sent)
                raise
            finally:
                await source.aclose()

    def _fail_if_due(self, sent: int) -> None:
        if sent == self.fail_after:
            raise InjectedFault(f"Injected fault after {sent} events")

    def _told(self, error: Exception, tell: Tell) -> ServerSentEvent:
        if isinstance(error, InjectedFault):
            log.warning("%s: %s", self.request.url.path, error)
            return tell(str(error), type(error).__name__)
        # The text of an exception from elsewhere may hold a path or a secret: it is for the log only.
        log.error("%s: stream failed", self.request.url.path, exc_info=error)
        return tell("The stream failed", type(error).__name__)


async def open_stream(
    request: Request,
    pace: Annotated[
        float | None,
        Query(ge=0, le=MAX_PACE, allow_inf_nan=False, description="Factor on the delays; 0 for none."),
    ] = None,
    fail_after: Annotated[
        int | None, Query(ge=0, le=1_000_000, description="Fail after so many events; 0 before the first.")
    ] = None,
    last_event_id: Annotated[str | None, Header(description="The id of the last event that was received.")] = None,
) -> Stream:
    """The stream that this request asks for."""
    settings: Settings = request.app.state.settings
    return Stream(
        request,
        pace=settings.pace if pace is None else pace,
        fail_after=fail_after,
        last_event_id=last_event_id or None,
    )


Opened = Annotated[Stream, Depends(open_stream)]
