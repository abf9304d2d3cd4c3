"""Streams that show how to fail, how to notice that the client has left, and how to keep a time limit."""

from __future__ import annotations

import logging
import random
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from ..describe import streamed
from ..events import event, failure
from ..stream import Events, Opened, Stream

router = APIRouter(tags=["robust"])

log = logging.getLogger(__name__)

_COUNTED = streamed("message+ complete", message={"count": 0}, complete={"done": True})


@router.get(
    "/stream/safe", **streamed("message{2} complete", message={"msg": "Starting"}, complete={"done": True})
)  # fmt: skip
async def stream_safely(
    stream: Opened,
    fail: Annotated[Literal["always", "never", "random"], Query(description="Whether it fails this time.")] = "random",
    seed: Annotated[int | None, Query(description="Makes the chance repeatable.")] = None,
) -> Response:
    """Fails in three runs of ten, and says so in the stream."""
    chance: random.Random = stream.request.app.state.chance if seed is None else random.Random(seed)
    drawn = chance.random() < stream.settings.failure_rate
    fails = {"always": True, "never": False, "random": drawn}[fail]
    return stream.respond(_safe(fails, stream))


async def _safe(fails: bool, stream: Stream) -> Events:
    try:
        yield event("message", {"msg": "Starting"})
        await stream.pause(1)
        if fails:
            raise ValueError("Random error occurred")
        yield event("message", {"msg": "Success"})
        yield event("complete", {"done": True})
    except ValueError as error:
        log.warning("/stream/safe: %s", error)
        yield failure(str(error), type(error).__name__)


@router.get("/stream/detect-disconnect", **_COUNTED)
async def stream_while_connected(
    stream: Opened, count: Annotated[int, Query(ge=1, le=1000, description="How far it counts.")] = 100
) -> Response:
    """Counts, a number a second, until the client leaves."""
    return stream.respond(_while_connected(count, stream))


async def _while_connected(count: int, stream: Stream) -> Events:
    for i in range(count):
        if await stream.is_disconnected():
            log.info("client disconnected at iteration %d", i)
            return
        yield event("message", {"count": i})
        await stream.pause(1)
    yield event("complete", {"done": True})


@router.get("/stream/timeout", **_COUNTED)
async def stream_for_a_time(
    stream: Opened,
    timeout: Annotated[float, Query(ge=0, le=3600, allow_inf_nan=False, description="Seconds, paced.")] = 30.0,  # noqa: ASYNC109 - the guide's name
    count: Annotated[int, Query(ge=1, le=1000, description="How far it counts.")] = 1000,
) -> Response:
    """Counts, a number a second, and ends with an error when its time is over."""
    return stream.respond(_for_a_time(timeout, count, stream))


async def _for_a_time(limit: float, count: int, stream: Stream) -> Events:
    for i in range(count):
        if stream.elapsed() > limit:
            seconds = int(limit) if limit.is_integer() else limit
            yield failure("Stream timeout exceeded", "TimeoutError", timeout=seconds)
            return
        yield event("message", {"count": i})
        await stream.pause(1)
    yield event("complete", {"done": True})
