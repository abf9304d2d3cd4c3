"""An API with two event streams: the tokens of an answer, and the progress of a job."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException, Path
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, Field

PAUSE = 0.05
"""Seconds between two events: the real work would take its own time."""
PERCENT = (0, 25, 50, 75, 100)
LAST = len(PERCENT) + 1
"""The id of the event that ends a job's progress."""

app = FastAPI(title="your-api")
log = logging.getLogger(__name__)
active = 0


class Question(BaseModel):
    """What is asked."""

    text: str = Field(min_length=1, max_length=2000)


@asynccontextmanager
async def counted() -> AsyncIterator[None]:
    """Counts a stream for as long as its generator lives; GET /status shows it."""
    global active
    active += 1
    try:
        yield
    finally:
        active -= 1


@app.get("/health")
async def health() -> dict[str, bool]:
    """Whether the server serves."""
    return {"ok": True}


@app.get("/status")
async def status() -> dict[str, int]:
    """How many streams are open."""
    return {"active_streams": active}


@app.post("/answer", response_class=EventSourceResponse)
async def answer(question: Question, fail_after: int | None = None) -> AsyncIterator[ServerSentEvent]:
    """`status`, a `token` for each word, `done`; or `error`, and nothing after it. `fail_after` is for tests."""
    async with counted():
        try:
            yield ServerSentEvent(event="status", data={"state": "thinking"})
            words = f"You asked: {question.text}".split()
            for number, word in enumerate(words, 1):
                await asyncio.sleep(PAUSE)
                if number == fail_after:
                    raise RuntimeError("the model went away")
                yield ServerSentEvent(event="token", data={"number": number, "text": word})
            yield ServerSentEvent(event="done", data={"tokens": len(words)})
        except Exception:
            # The status is sent already: without this event a client takes a failure for the end.
            log.exception("the answer failed")
            yield ServerSentEvent(event="error", data={"code": "internal", "message": "the answer failed"})


async def seen(last_event_id: Annotated[str, Header()] = "") -> int:
    """The id of the last event that the client has. A dependency, for in a generator it would be too late to refuse."""
    number = int(last_event_id) if last_event_id in map(str, range(1, LAST + 1)) else 0
    if number == LAST:
        raise HTTPException(204)  # all is told: EventSource stops asking
    return number


@app.get("/jobs/{job}/progress", response_class=EventSourceResponse)
async def progress(
    job: Annotated[int, Path(ge=1)], seen: Annotated[int, Depends(seen)]
) -> AsyncIterator[ServerSentEvent]:
    """`progress` in per cent, then `done`. Whoever lost the connection goes on behind Last-Event-ID."""
    async with counted():
        retry = random.randint(1000, 3000)  # milliseconds; after a restart not all come back at once
        for number, percent in enumerate(PERCENT, 1):
            if number > seen:
                await asyncio.sleep(PAUSE)
                data = {"number": number, "percent": percent}
                yield ServerSentEvent(event="progress", id=str(number), data=data, retry=retry)
        yield ServerSentEvent(event="done", id=str(LAST), data={"number": LAST, "job": job})
