"""Streams that have nothing to say, that say it late, and that never stop talking."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import APIRouter, Query, Response

from ..describe import streamed
from ..events import comment, event
from ..stream import Events, Opened, Stream

router = APIRouter(tags=["waiting"])


@router.get("/idle", **streamed(""))
async def stream_nothing(
    stream: Opened,
    keepalive: Annotated[
        float | None, Query(ge=0.05, le=30, allow_inf_nan=False, description="Seconds between comments.")
    ] = None,
) -> Response:
    """Stays open and sends comments only: one at once, so that a browser opens, then as keepalive."""
    response = stream.respond(_nothing(stream))
    return stream.kept_alive(response, keepalive)


async def _nothing(stream: Stream) -> Events:
    yield comment("open")
    await stream.leaving.wait()


@router.get("/slow-start", **streamed("message complete", message={"text": "At last"}, complete={"done": True}))
async def stream_late(
    stream: Opened,
    first_after: Annotated[float, Query(ge=0, le=120, allow_inf_nan=False, description="Seconds, not paced.")] = 2,
    keepalive: Annotated[
        float | None, Query(ge=0.05, le=30, allow_inf_nan=False, description="Seconds between comments.")
    ] = None,
) -> Response:
    """A comment at once, and its first event only after a while, with keepalive comments meanwhile."""
    response = stream.respond(_late(first_after, stream))
    return stream.kept_alive(response, keepalive)


async def _late(first_after: float, stream: Stream) -> Events:
    yield comment("open")
    await stream.wait(first_after)
    yield event("message", {"text": "At last"})
    yield event("complete", {"done": True})


@router.get(
    "/ticks",
    **streamed("tick* complete?", tick={"seq": 1, "sent_us": 1767268800000000, "pad": ""}, complete={"ticks": 1}),
)
async def stream_ticks(
    stream: Opened,
    interval: Annotated[float, Query(ge=0, le=10, allow_inf_nan=False, description="Seconds, not paced.")] = 0,
    count: Annotated[int | None, Query(ge=1, le=1_000_000, description="How many; without it, no end.")] = None,
    size: Annotated[int, Query(ge=0, le=65_000, description="Characters of padding.")] = 0,
) -> Response:
    """Numbered ticks with the time they were made, as fast as the client reads, and without end unless counted."""
    return stream.respond(_ticks(interval, count, "x" * size, stream))


async def _ticks(interval: float, count: int | None, pad: str, stream: Stream) -> Events:
    seq = 0
    while count is None or seq < count:
        seq += 1
        # Microseconds: in nanoseconds the time passes 2^53 and JavaScript rounds it.
        yield event("tick", {"seq": seq, "sent_us": time.time_ns() // 1000, "pad": pad})
        await stream.wait(interval)
    yield event("complete", {"ticks": seq})
