"""sse-starlette on Starlette."""

import asyncio
import json
from collections.abc import AsyncIterator

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route


def tick(n: int, event: str = "tick") -> ServerSentEvent:
    return ServerSentEvent(json.dumps({"n": n}), event=event, id=str(n))


async def stream(request: Request) -> EventSourceResponse:
    known = request.headers.get("last-event-id", "")
    seen = int(known) if known.isascii() and known.isdigit() and len(known) < 9 else 0
    fail_after = int(request.query_params.get("fail_after", "99"))

    async def events() -> AsyncIterator[ServerSentEvent]:
        for n in range(seen + 1, 6):
            if n > fail_after:
                raise RuntimeError("made to fail")
            yield tick(n)
            await asyncio.sleep(0.1)
        yield tick(6, "done")

    return EventSourceResponse(events())


async def endless(request: Request) -> EventSourceResponse:
    async def events() -> AsyncIterator[ServerSentEvent]:
        n = 0
        while True:
            n += 1
            yield tick(n)
            await asyncio.sleep(0.05)

    return EventSourceResponse(events())


async def health(request: Request) -> PlainTextResponse:
    return PlainTextResponse("ok")


app = Starlette(routes=[Route("/stream", stream), Route("/endless", endless), Route("/health", health)])
