"""POST /v1/responses: OpenAI's named events, counted, each with the name of its type inside.

https://developers.openai.com/api/reference/resources/responses/streaming-events
"""

from __future__ import annotations

from itertools import count
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import Field
from sse_starlette.event import ServerSentEvent

from ..events import event
from ..stream import Events, Stream
from .answers import CREATED, Answer, Tool, answer, chosen, spoken
from .chat import OpenaiRoute
from .describe import answered
from .requests import Limit, Loose, Simulated, at_once

router = APIRouter(tags=["language models"], route_class=OpenaiRoute)


class ResponsesTool(Loose):
    """A tool; those of another type than `function` are not called."""

    type: str
    name: Annotated[str, Field(max_length=64)] = ""
    parameters: dict[str, Any] | None = None


class ResponsesRequest(Loose):
    """What a client asks."""

    model: Annotated[str, Field(min_length=1, max_length=200)]
    input: Annotated[str | list[dict[str, Any]], Field(min_length=1)]
    instructions: str | None = None
    stream: bool = False
    max_output_tokens: Limit = None
    tools: list[ResponsesTool] = Field(default_factory=list)
    tool_choice: Any = None
    seed: int | None = None


_EXAMPLE = {"id": "resp_1", "object": "response", "created_at": CREATED, "status": "in_progress", "output": []}
_PLACE = {"item_id": "msg_1", "output_index": 0, "content_index": 0}


def _example(kind: str, number: int, **more: Any) -> dict[str, Any]:
    return {"type": kind, "sequence_number": number, **more}


@router.post(
    "/v1/responses",
    **answered(
        "response.created response.in_progress response.output_item.added .* response.output_item.done "
        "(response.completed | response.incomplete)",
        whole={**_EXAMPLE, "status": "completed"},
        events={
            "response.created": [_example("response.created", 0, response=_EXAMPLE)],
            "response.output_text.delta": [_example("response.output_text.delta", 4, **_PLACE, delta="A", logprobs=[])],
            "response.completed": [_example("response.completed", 8, response={**_EXAMPLE, "status": "completed"})],
            "error": [_example("error", 3, code="server_error", message="Injected fault after 3 events", param=None)],
        },
    ),
)
async def respond(asked: ResponsesRequest, simulation: Simulated) -> Response:
    """Answers an input: event by event where `stream` is true, else at once."""
    stream = simulation.stream
    items = asked.input if isinstance(asked.input, list) else []
    tools = [Tool(tool.name, tool.parameters or {}) for tool in asked.tools if tool.type == "function"]
    said = answer(
        [asked.instructions, asked.input],
        seed=asked.seed,
        tokens=simulation.tokens,
        limit=asked.max_output_tokens,
        tool=chosen(tools, asked.tool_choice, called=bool(items) and items[-1].get("type") == "function_call_output"),
    )
    stream.probe.jobs_started += 1
    reply = _Reply(asked, said)
    if asked.stream:
        return stream.respond_plainly(reply.events(stream), reply.told)
    return await at_once(said, stream, reply.response(reply.ending, reply.item(reply.ending)), len(said.tokens) + 8)


class _Reply:
    """One response and the events that tell of it."""

    def __init__(self, asked: ResponsesRequest, said: Answer) -> None:
        self.asked, self.said = asked, said
        self.numbers = count()
        self.ending = "incomplete" if said.limited else "completed"

    def event(self, kind: str, **payload: Any) -> ServerSentEvent:
        return event(kind, {"type": kind, "sequence_number": next(self.numbers), **payload})

    def told(self, text: str, _kind: str) -> ServerSentEvent:
        return self.event("error", code="server_error", message=text, param=None)

    async def events(self, stream: Stream) -> Events:
        yield self.event("response.created", response=self.response("in_progress"))
        yield self.event("response.in_progress", response=self.response("in_progress"))
        yield self.event("response.output_item.added", output_index=0, item=self.item("in_progress", empty=True))
        inside = self._arguments(stream) if self.said.tool is not None else self._text(stream)
        try:
            async for item in inside:
                yield item
        finally:
            await inside.aclose()
        whole = self.item(self.ending)
        yield self.event("response.output_item.done", output_index=0, item=whole)
        yield self.event(f"response.{self.ending}", response=self.response(self.ending, whole))

    async def _text(self, stream: Stream) -> Events:
        place = {"item_id": self.said.id("msg_"), "output_index": 0, "content_index": 0}
        yield self.event("response.content_part.added", **place, part=_part(""))
        async for token in spoken(self.said, stream):
            yield self.event("response.output_text.delta", **place, delta=token, logprobs=[])
        yield self.event("response.output_text.done", **place, text=self.said.text, logprobs=[])
        yield self.event("response.content_part.done", **place, part=_part(self.said.text))

    async def _arguments(self, stream: Stream) -> Events:
        place = {"item_id": self.said.id("fc_"), "output_index": 0}
        async for token in spoken(self.said, stream):
            yield self.event("response.function_call_arguments.delta", **place, delta=token)
        done = {"arguments": self.said.text, "name": self.said.tool}
        yield self.event("response.function_call_arguments.done", **place, **done)

    def item(self, status: str, *, empty: bool = False) -> dict[str, Any]:
        text = "" if empty else self.said.text
        if self.said.tool is None:
            content = [] if empty else [_part(text)]
            message = {"id": self.said.id("msg_"), "type": "message", "role": "assistant"}
            return {**message, "status": status, "content": content}
        call = {"id": self.said.id("fc_"), "type": "function_call", "call_id": self.said.id("call_")}
        return {**call, "status": status, "name": self.said.tool, "arguments": text}

    def response(self, status: str, item: dict[str, Any] | None = None) -> dict[str, Any]:
        spoken = len(self.said.tokens)
        usage = {
            "input_tokens": self.said.prompt_tokens,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": spoken,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": self.said.prompt_tokens + spoken,
        }
        return {
            "id": self.said.id("resp_"),
            "object": "response",
            "created_at": CREATED,
            "status": status,
            "error": None,
            "incomplete_details": {"reason": "max_output_tokens"} if status == "incomplete" else None,
            "instructions": self.asked.instructions,
            "max_output_tokens": self.asked.max_output_tokens,
            "metadata": {},
            "model": self.asked.model,
            "output": [] if item is None else [item],
            "parallel_tool_calls": True,
            "previous_response_id": None,
            "temperature": 1.0,
            "text": {"format": {"type": "text"}},
            "tool_choice": "auto",
            "tools": [],
            "top_p": 1.0,
            "truncation": "disabled",
            "usage": None if status == "in_progress" else usage,
        }


def _part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
