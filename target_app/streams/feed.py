"""A shared feed: who listens gets every message that is published from then on."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import JSONResponse

from ..describe import streamed
from ..events import comment, event, failure
from ..stream import Events, Opened, ServerLeaving, Stream

router = APIRouter(tags=["feed"])

# A subscriber that is so many messages behind is sent away: neither the publisher nor the memory waits for it.
MAX_BEHIND = 1000

MAX_MESSAGE = 64 * 1024


class Subscriber:
    """The messages that one listener has still to get."""

    def __init__(self) -> None:
        self.waiting: asyncio.Queue[dict[str, Any]] = asyncio.Queue(MAX_BEHIND)
        self.left_behind = False


class Feed:
    """One feed of one application."""

    def __init__(self) -> None:
        self.published = 0
        self._subscribers: set[Subscriber] = set()

    @contextmanager
    def subscribed(self) -> Iterator[Subscriber]:
        """A subscriber from now on."""
        subscriber = Subscriber()
        self._subscribers.add(subscriber)
        try:
            yield subscriber
        finally:
            self._subscribers.discard(subscriber)

    def publish(self, data: Any) -> dict[str, int]:
        """Gives `data` to every subscriber, without waiting for any."""
        self.published += 1
        message = {"seq": self.published, "sent_us": time.time_ns() // 1000, "data": data}
        reached = 0
        for subscriber in self._subscribers:
            try:
                subscriber.waiting.put_nowait(message)
                reached += 1
            except asyncio.QueueFull:
                subscriber.left_behind = True
        return {"seq": self.published, "subscribers": reached}


@router.get("/feed", **streamed("message*", message={"seq": 1, "sent_us": 1767268800000000, "data": None}))
async def listen(stream: Opened) -> Response:
    """Every message that is published while the stream is open, in order. It has no end."""
    return stream.respond(_messages(stream.request.app.state.feed, stream))


async def _messages(feed: Feed, stream: Stream) -> Events:
    with feed.subscribed() as subscriber:
        # After the subscription: who has read this byte misses nothing.
        yield comment("open")
        while not subscriber.left_behind:
            yield event("message", await _next(subscriber, stream))
        yield failure(f"More than {MAX_BEHIND} messages behind", "SlowReader")


async def _next(subscriber: Subscriber, stream: Stream) -> dict[str, Any]:
    if not subscriber.waiting.empty():
        return subscriber.waiting.get_nowait()
    message = asyncio.ensure_future(subscriber.waiting.get())
    leaving = asyncio.ensure_future(stream.leaving.wait())
    try:
        await asyncio.wait((message, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not message.done():
            raise ServerLeaving
        return message.result()
    finally:
        message.cancel()
        leaving.cancel()


@router.post("/publish", status_code=202)
async def publish(request: Request) -> Response:
    """Publishes the body, any JSON (or text, which is published as a string), to all who listen."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_MESSAGE:
            raise HTTPException(413, f"a message has at most {MAX_MESSAGE} bytes")
    feed: Feed = request.app.state.feed
    return JSONResponse(feed.publish(_message(body)), status_code=202, headers={"Cache-Control": "no-store"})


def _message(body: bytes) -> Any:
    text = body.decode("utf-8", errors="replace")
    if not text:
        return None
    try:
        return json.loads(text, parse_constant=_no_json)
    except (ValueError, RecursionError):
        return text


def _no_json(constant: str) -> NoReturn:
    raise ValueError(constant)
