"""aiohttp-sse, as its README shows it: sse_response, send, a terminal, and the end."""

import asyncio
import json
import sys

from aiohttp import web
from aiohttp_sse import sse_response


async def stream(request: web.Request) -> web.StreamResponse:
    fail_after = int(request.query.get("fail_after", "99"))
    async with sse_response(request) as response:
        for n in range(1, 6):
            if n > fail_after:
                raise RuntimeError("made to fail")
            await response.send(json.dumps({"n": n}), event="tick", id=str(n))
            await asyncio.sleep(0.1)
        await response.send(json.dumps({"n": 6}), event="done", id="6")
    return response


async def endless(request: web.Request) -> web.StreamResponse:
    async with sse_response(request) as response:
        n = 0
        while response.is_connected():
            n += 1
            await response.send(json.dumps({"n": n}), event="tick", id=str(n))
            await asyncio.sleep(0.05)
    return response


async def health(request: web.Request) -> web.Response:
    return web.Response(text="ok")


app = web.Application()
app.add_routes([web.get("/stream", stream), web.get("/endless", endless), web.get("/health", health)])
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
