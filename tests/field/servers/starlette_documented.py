"""The tutorials' StreamingResponse: a generator, a media type, and nothing else. A synchronous one, as many write it."""

import gc
import json
import os
import time
from collections.abc import Iterator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Route

active: list[int] = []


def events(fail_after: int) -> Iterator[str]:
    for n in range(1, 6):
        if n > fail_after:
            raise RuntimeError("made to fail")
        yield f"event: tick\ndata: {json.dumps({'n': n})}\n\n"
        time.sleep(0.1)
    yield "event: done\ndata: {}\n\n"


async def stream(request: Request) -> StreamingResponse:
    fail_after = int(request.query_params.get("fail_after", "99"))
    return StreamingResponse(events(fail_after), media_type="text/event-stream")


async def endless(request: Request) -> StreamingResponse:
    def ticks() -> Iterator[str]:
        active.append(1)
        try:
            n = 0
            while True:
                n += 1
                yield f"event: tick\ndata: {json.dumps({'n': n})}\n\n"
                time.sleep(0.05)
        finally:
            active.pop()

    return StreamingResponse(ticks(), media_type="text/event-stream")


async def probe(request: Request) -> JSONResponse:
    return JSONResponse({"active_streams": len(active)})


async def health(request: Request) -> PlainTextResponse:
    return PlainTextResponse("ok")


if os.environ.get("COLLECT") == "no":
    gc.disable()  # when the collector comes by chance, `finally` runs by chance
app = Starlette(
    routes=[Route("/stream", stream), Route("/endless", endless), Route("/probe", probe), Route("/health", health)]
)
