"""First streams: counters, words, steps and percentages."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response

from ..describe import streamed
from ..events import event
from ..stream import Events, Opened, Stream

router = APIRouter(tags=["basic"])

MAX_COUNTDOWN = 3600


@router.get("/")
async def root() -> dict[str, str]:
    """What this is."""
    return {"message": "SSE Streaming API"}


@router.get("/stream", **streamed("message{5} complete", message={"count": 0}, complete={"done": True}))
async def stream_counter(stream: Opened) -> Response:
    """Counts from 0 to 4, one number a second."""
    return stream.respond(_counter(stream))


async def _counter(stream: Stream) -> Events:
    for i in range(5):
        yield event("message", {"count": i})
        await stream.pause(1)
    yield event("complete", {"done": True})


@router.get("/stream/hello", **streamed("message{4} complete", message={"text": "Hello"}, complete={"done": True}))
async def stream_hello(stream: Opened) -> Response:
    """Says hello, a word a second."""
    return stream.respond(_hello(stream))


async def _hello(stream: Stream) -> Events:
    for word in ("Hello", "from", "Server-Sent", "Events!"):
        yield event("message", {"text": word})
        await stream.pause(1)
    yield event("complete", {"done": True})


@router.get("/stream/progress", **streamed("progress{11} complete", progress={"progress": 0}, complete={"done": True}))
async def stream_progress(stream: Opened) -> Response:
    """Goes from 0 to 100 per cent in tens, two steps a second."""
    return stream.respond(_progress(stream))


async def _progress(stream: Stream) -> Events:
    for percent in range(0, 101, 10):
        yield event("progress", {"progress": percent})
        await stream.pause(0.5)
    yield event("complete", {"done": True})


@router.get(
    "/process/stream", **streamed("progress{3} complete", progress={"step": "Analyzing"}, complete={"result": "Done!"})
)
async def stream_process(stream: Opened) -> Response:
    """Names the three steps of a process as it takes them."""
    return stream.respond(_process(stream))


async def _process(stream: Stream) -> Events:
    for step in ("Analyzing", "Processing", "Finalizing"):
        yield event("progress", {"step": step})
        await stream.pause(1)
    yield event("complete", {"result": "Done!"})


@router.get(
    "/countdown/{seconds}",
    **streamed("countdown* complete", countdown={"remaining": 3}, complete={"message": "Countdown finished!"}),
)
async def stream_countdown(seconds: Annotated[int, Path(ge=0, le=MAX_COUNTDOWN)], stream: Opened) -> Response:
    """Counts the seconds down to 1, then says that it has finished."""
    return stream.respond(_countdown(seconds, stream))


async def _countdown(seconds: int, stream: Stream) -> Events:
    for remaining in range(seconds, 0, -1):
        if await stream.is_disconnected():
            return
        yield event("countdown", {"remaining": remaining})
        await stream.pause(1)
    yield event("complete", {"message": "Countdown finished!"})
