"""The same streams by FastAPI's own event streams (/native) and by sse-starlette (/starlette), each as it is documented.

Nothing is set that need not be: what the bytes show are the defaults. TRACE names a file in which a generator that was
cleaned up says so.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import sse_starlette
from fastapi import FastAPI, sse

app = FastAPI()
active: list[int] = []


@contextmanager
def watched() -> Iterator[None]:
    """The time in which a generator is alive."""
    active.append(1)
    try:
        yield
    finally:
        active.pop()
        if "TRACE" in os.environ:
            with Path(os.environ["TRACE"]).open("a") as trace:
                trace.write("cleaned up\n")


@app.get("/probe")
async def probe() -> dict[str, int]:
    return {"active_streams": len(active)}


async def numbers(fail_after: int, pause: float) -> AsyncIterator[int]:
    """1 to 5, `pause` seconds apart; fails after so many."""
    for n in range(1, 6):
        if n > fail_after:
            raise RuntimeError("made to fail")
        yield n
        if pause:
            await asyncio.sleep(pause)


async def without_end() -> AsyncIterator[int]:
    n = 0
    while True:
        n += 1
        yield n
        await asyncio.sleep(0.05)


@app.get("/native/stream", response_class=sse.EventSourceResponse)
async def native_stream(fail_after: int = 9, pause: float = 0.05) -> AsyncIterable[sse.ServerSentEvent]:
    with watched():
        async for n in numbers(fail_after, pause):
            yield sse.ServerSentEvent(event="tick", id=str(n), data={"n": n})
        yield sse.ServerSentEvent(event="done", data={"n": 6})


@app.get("/native/endless", response_class=sse.EventSourceResponse)
async def native_endless() -> AsyncIterable[sse.ServerSentEvent]:
    with watched():
        async for n in without_end():
            yield sse.ServerSentEvent(event="tick", id=str(n), data={"n": n})


@app.get("/native/idle", response_class=sse.EventSourceResponse)
async def native_idle() -> AsyncIterable[sse.ServerSentEvent]:
    with watched():
        await asyncio.sleep(3600)
        yield sse.ServerSentEvent(data={})


def tick(n: int, event: str = "tick") -> sse_starlette.ServerSentEvent:
    return sse_starlette.ServerSentEvent(json.dumps({"n": n}), event=event, id=str(n))


@app.get("/starlette/stream")
async def starlette_stream(fail_after: int = 9, pause: float = 0.05) -> sse_starlette.EventSourceResponse:
    async def events() -> AsyncIterator[sse_starlette.ServerSentEvent]:
        with watched():
            async for n in numbers(fail_after, pause):
                yield tick(n)
            yield tick(6, "done")

    return sse_starlette.EventSourceResponse(events())


@app.get("/starlette/endless")
async def starlette_endless() -> sse_starlette.EventSourceResponse:
    async def events() -> AsyncIterator[sse_starlette.ServerSentEvent]:
        with watched():
            async for n in without_end():
                yield tick(n)

    return sse_starlette.EventSourceResponse(events())


@app.get("/starlette/idle")
async def starlette_idle() -> sse_starlette.EventSourceResponse:
    async def events() -> AsyncIterator[sse_starlette.ServerSentEvent]:
        with watched():
            await asyncio.sleep(3600)
            yield tick(0)

    return sse_starlette.EventSourceResponse(events())
