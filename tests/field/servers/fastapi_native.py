"""FastAPI's own event streams (fastapi.sse), as its tutorial shows them, resuming by header."""

import asyncio
from collections.abc import AsyncIterable
from typing import Annotated

from fastapi import FastAPI, Header
from fastapi.sse import EventSourceResponse, ServerSentEvent

app = FastAPI()
active: list[int] = []


@app.get("/probe")
async def probe() -> dict[str, int]:
    return {"active_streams": len(active)}


@app.get("/health")
async def health() -> dict[str, bool]:
    return {"ok": True}


@app.get("/stream", response_class=EventSourceResponse)
async def stream(
    fail_after: int | None = None, pause: float = 0.1, last_event_id: Annotated[str, Header()] = ""
) -> AsyncIterable[ServerSentEvent]:
    seen = int(last_event_id) if last_event_id.isascii() and last_event_id.isdigit() and len(last_event_id) < 9 else 0
    for n in range(seen + 1, 6):
        if fail_after is not None and n > fail_after:
            raise RuntimeError("made to fail")
        yield ServerSentEvent(event="tick", id=str(n), data={"n": n})
        if pause:
            await asyncio.sleep(pause)
    yield ServerSentEvent(event="done", id="6", data={"n": 6})


@app.get("/endless", response_class=EventSourceResponse)
async def endless() -> AsyncIterable[ServerSentEvent]:
    active.append(1)
    try:
        n = 0
        while True:
            n += 1
            yield ServerSentEvent(event="tick", id=str(n), data={"n": n})
            await asyncio.sleep(0.05)
    finally:
        active.pop()
