"""Mistakes that many make: input written into event names, and blocking calls."""

import asyncio
import time
from collections.abc import AsyncIterable, AsyncIterator, Iterator

from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from sse_starlette import EventSourceResponse as OtherResponse

app = FastAPI()


@app.get("/hand")
async def hand(name: str = "tick") -> StreamingResponse:
    async def events() -> AsyncIterator[str]:
        yield f"event: {name}\ndata: 1\n\n"
        await asyncio.sleep(0.05)
        yield "event: done\ndata: 2\n\n"

    return StreamingResponse(events(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


@app.get("/native", response_class=EventSourceResponse)
async def native(name: str = "tick") -> AsyncIterable[ServerSentEvent]:
    yield ServerSentEvent(event=name, data=1)
    await asyncio.sleep(0.05)
    yield ServerSentEvent(event="done", data=2)


@app.get("/stripping")
async def stripping(name: str = "tick") -> OtherResponse:
    async def events() -> AsyncIterator[dict[str, str]]:
        yield {"event": name, "data": "1"}
        await asyncio.sleep(0.05)
        yield {"event": "done", "data": "2"}

    return OtherResponse(events())


@app.get("/pool")
def pool() -> StreamingResponse:
    def events() -> Iterator[str]:
        for n in range(60):
            yield f"data: {n}\n\n"
            time.sleep(10)

    return StreamingResponse(events(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


@app.get("/blocking")
async def blocking() -> StreamingResponse:
    async def events() -> AsyncIterator[str]:
        for n in range(4):
            yield f"data: {n}\n\n"
            time.sleep(0.7)  # noqa: ASYNC251 - the mistake

    return StreamingResponse(events(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


@app.get("/health")
def health() -> dict[str, bool]:
    return {"ok": True}
