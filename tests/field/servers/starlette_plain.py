"""Starlette's StreamingResponse, framed by hand; methods limited to GET, so HEAD never runs the generator."""

import asyncio
import json
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def block(n: int, event: str = "tick") -> str:
    return f"id: {n}\nevent: {event}\ndata: {json.dumps({'n': n})}\n\n"


def streaming(events: AsyncIterator[str]) -> StreamingResponse:
    return StreamingResponse(events, media_type="text/event-stream", headers=HEADERS)


async def stream(request: Request) -> Response:
    if request.method == "HEAD":
        return Response(media_type="text/event-stream", headers=HEADERS)
    known = request.headers.get("last-event-id", "")
    if known == "6":
        return Response(status_code=204)
    seen = int(known) if known in {"1", "2", "3", "4", "5"} else 0
    fail_after = int(request.query_params.get("fail_after", "99"))

    async def events() -> AsyncIterator[str]:
        for n in range(seen + 1, 6):
            if n > fail_after:
                raise RuntimeError("made to fail")
            yield block(n)
            await asyncio.sleep(0.1)
        yield block(6, "done")

    return streaming(events())


async def endless(request: Request) -> Response:
    if request.method == "HEAD":
        return Response(media_type="text/event-stream", headers=HEADERS)

    async def events() -> AsyncIterator[str]:
        n = 0
        while True:
            n += 1
            yield block(n)
            await asyncio.sleep(0.05)

    return streaming(events())


async def health(request: Request) -> PlainTextResponse:
    return PlainTextResponse("ok")


app = Starlette(routes=[Route("/stream", stream), Route("/endless", endless), Route("/health", health)])
