"""Agents that think, call tools and answer token by token."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from sse_starlette.event import ServerSentEvent

from ..describe import streamed
from ..events import event, failure
from ..stream import Events, Opened, Stream

router = APIRouter(tags=["agents"])

ANSWER_LIMIT_S = 30

Question = Annotated[str, Query(min_length=1, max_length=2000)]


@router.post(
    "/agent/process/stream",
    **streamed(
        "thinking{2} (tool tool){3} token{5} complete",
        thinking=[
            {"step": "understanding", "message": "Analyzing your request..."},
            {"step": "planning", "message": "Creating execution plan...", "plan": ["Fetch data"]},
        ],
        tool=[
            {"tool": "database", "status": "calling"},
            {"tool": "database", "status": "complete", "result": "database executed"},
        ],
        token={"token": "Here's"},
        complete={"message": "Processing complete", "tokens": 5},
    ),
)
async def process(query: Question, stream: Opened) -> Response:  # noqa: ARG001 - the guide's agent only pretends
    """Understands, plans, calls three tools, and answers."""
    stream.probe.jobs_started += 1
    return stream.respond(_process(stream))


async def _process(stream: Stream) -> Events:
    yield event("thinking", {"step": "understanding", "message": "Analyzing your request..."})
    await stream.pause(1)
    plan = ["Fetch data", "Process data", "Format response"]
    yield event("thinking", {"step": "planning", "message": "Creating execution plan...", "plan": plan})
    await stream.pause(1)
    for tool in ("database", "api", "formatter"):
        yield event("tool", {"tool": tool, "status": "calling"})
        await stream.pause(1)
        yield event("tool", {"tool": tool, "status": "complete", "result": f"{tool} executed"})
    tokens = ("Here's", " the", " result", ":", " Done!")
    for token in tokens:
        yield event("token", {"token": token})
        await stream.pause(0.2)
    yield event("complete", {"message": "Processing complete", "tokens": len(tokens)})


@router.get(
    "/agent/think/stream",
    **streamed(
        "thought{5} status token+ complete",
        thought=[
            {"type": "initial", "message": "Analyzing query: What is SSE"},
            {"type": "planning", "step": 1, "total_steps": 4, "message": "I need to break this down into steps"},
        ],
        status={"message": "Executing plan..."},
        token={"token": "Based "},
        complete={"message": "Thinking complete", "thoughts_count": 4, "response_length": 40},
    ),
)
async def think(query: Question, stream: Opened) -> Response:
    """Thinks aloud about the query, then answers word by word."""
    return stream.respond(_think(query, stream))


async def _think(query: str, stream: Stream) -> Events:
    yield event("thought", {"type": "initial", "message": f"Analyzing query: {query}"})
    await stream.pause(1)
    thoughts = (
        "I need to break this down into steps",
        "First, I'll gather the necessary information",
        "Then I'll process the data",
        "Finally, I'll format a response",
    )
    for step, thought in enumerate(thoughts, start=1):
        if await stream.is_disconnected():
            return
        planning = {"type": "planning", "step": step, "total_steps": len(thoughts), "message": thought}
        yield event("thought", planning)
        await stream.pause(0.8)
    yield event("status", {"message": "Executing plan..."})
    await stream.pause(1)
    answer = "Based on my analysis, here is the answer."
    for word in answer.split():
        if await stream.is_disconnected():
            return
        yield event("token", {"token": word + " "})
        await stream.pause(0.1)
    summary = {"message": "Thinking complete", "thoughts_count": len(thoughts), "response_length": len(answer)}
    yield event("complete", summary)


_STAMP = {"progress": 0, "timestamp": "2026-01-01T12:00:00+00:00"}


@router.get(
    "/agent/stream",
    **streamed(
        "status thought{4} token+ complete",
        status={"message": "Analyzing query..."} | _STAMP,
        thought={"step": 1, "total": 4, "thought": "Breaking down the problem"} | _STAMP,
        token={"token": "Based "} | _STAMP,
        complete={"done": True, "query": "What is SSE"} | _STAMP,
    ),
)
async def answer_query(query: Question, stream: Opened) -> Response:
    """The guide's challenge with its five extras: errors told in the stream, an end when the client leaves,
    percentages, times, and a limit of 30 seconds."""
    return stream.respond(_limited(_answer(query, stream), stream))


async def _limited(events: Events, stream: Stream) -> Events:
    try:
        async for item in events:
            if stream.elapsed() > ANSWER_LIMIT_S:
                yield failure("Stream timeout exceeded", "TimeoutError", timeout=ANSWER_LIMIT_S)
                return
            if await stream.is_disconnected():
                return
            yield item
    finally:
        await events.aclose()


async def _answer(query: str, stream: Stream) -> Events:
    thoughts = (
        "Breaking down the problem",
        "Searching for relevant information",
        "Processing the data",
        "Formulating a response",
    )
    words = f"Based on your query about '{query}', here is my response.".split()
    steps = 1 + len(thoughts) + len(words)

    yield _stamped("status", {"message": "Analyzing query..."}, 1, steps)
    await stream.pause(1)
    for step, thought in enumerate(thoughts, start=1):
        yield _stamped("thought", {"step": step, "total": len(thoughts), "thought": thought}, 1 + step, steps)
        await stream.pause(0.8)
    for position, word in enumerate(words, start=1):
        yield _stamped("token", {"token": word + " "}, 1 + len(thoughts) + position, steps)
        await stream.pause(0.1)
    yield _stamped("complete", {"done": True, "query": query}, steps, steps)


def _stamped(kind: str, payload: dict[str, Any], step: int, steps: int) -> ServerSentEvent:
    stamp = {"progress": 100 * step // steps, "timestamp": datetime.now(UTC).isoformat()}
    return event(kind, payload | stamp)
