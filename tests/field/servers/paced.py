"""A stream without any header for proxies, its events stamped; and one that says hello and then nothing for long."""

import asyncio
import json
import time
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

active: list[int] = []


def block(n: int, event: str = "tick") -> str:
    return f"id: {n}\nevent: {event}\ndata: {json.dumps({'n': n, 'at': time.time()})}\n\n"


async def ticks(count: int, pause: float, seen: int) -> AsyncIterator[str]:
    active.append(1)
    try:
        for n in range(seen + 1, count):
            yield block(n)
            await asyncio.sleep(pause)
        yield block(count, "done")
    finally:
        active.pop()


async def stream(request: Request) -> StreamingResponse:
    known = request.headers.get("last-event-id", "")
    count = int(request.query_params.get("count", "8"))
    pause = float(request.query_params.get("pause", "0.1"))
    return StreamingResponse(
        ticks(count, pause, int(known) if known.isdecimal() else 0), media_type="text/event-stream"
    )


async def idle(request: Request) -> StreamingResponse:
    async def silence() -> AsyncIterator[str]:
        active.append(1)
        try:
            yield block(1)
            await asyncio.sleep(3600)
        finally:
            active.pop()

    return StreamingResponse(silence(), media_type="text/event-stream")


async def probe(request: Request) -> JSONResponse:
    return JSONResponse({"active_streams": len(active)})


app = Starlette(routes=[Route("/stream", stream), Route("/idle", idle), Route("/probe", probe)])
