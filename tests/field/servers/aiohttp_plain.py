"""aiohttp's StreamResponse, framed by hand."""

import asyncio
import json
import sys

from aiohttp import web

HEADERS = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def block(n: int, event: str = "tick") -> bytes:
    return f"id: {n}\nevent: {event}\ndata: {json.dumps({'n': n})}\n\n".encode()


async def stream(request: web.Request) -> web.StreamResponse:
    known = request.headers.get("Last-Event-ID", "")
    if known == "6":
        return web.Response(status=204)
    response = web.StreamResponse(headers=HEADERS)
    await response.prepare(request)
    if request.method == "HEAD":
        return response
    fail_after = int(request.query.get("fail_after", "99"))
    for n in range(int(known) + 1 if known in {"1", "2", "3", "4", "5"} else 1, 6):
        if n > fail_after:
            raise RuntimeError("made to fail")
        await response.write(block(n))
        await asyncio.sleep(0.1)
    await response.write(block(6, "done"))
    await response.write_eof()
    return response


async def endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers=HEADERS)
    await response.prepare(request)
    if request.method == "HEAD":
        return response
    n = 0
    while True:
        n += 1
        await response.write(block(n))
        await asyncio.sleep(0.05)


async def health(request: web.Request) -> web.Response:
    return web.Response(text="ok")


app = web.Application()
app.add_routes([web.get("/stream", stream), web.get("/endless", endless), web.get("/health", health)])
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
