"""POST /v1/messages: Anthropic's named events, with pings.

https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import Field
from sse_starlette.event import ServerSentEvent

from ..events import event
from ..stream import Events, Stream
from .answers import Answer, Tool, answer, chosen, spoken
from .describe import answered
from .requests import LlmRoute, Loose, Message, Simulated, at_once

# Between pings, in tokens: the API sends them when it likes, "any number" of them, the first before any text.
_PING_EVERY = 10

_KINDS = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}


def error_of(status: int, message: str, _param: str | None = None) -> dict[str, Any]:
    """An error of this API: before the stream its whole body, in the stream the payload of an `error` event."""
    kind = _KINDS.get(status, "invalid_request_error" if status < 500 else "api_error")
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": None}


class AnthropicRoute(LlmRoute):
    """Refusals as Anthropic tells them."""

    @staticmethod
    def shape(status: int, message: str, param: str | None) -> dict[str, Any]:
        """See `error_of`."""
        return error_of(status, message, param)


router = APIRouter(tags=["language models"], route_class=AnthropicRoute)


class MessagesTool(Loose):
    """A tool that is a function."""

    name: Annotated[str, Field(min_length=1, max_length=128)]
    input_schema: dict[str, Any] = Field(default_factory=dict)


class MessagesRequest(Loose):
    """What a client asks."""

    model: Annotated[str, Field(min_length=1, max_length=200)]
    messages: Annotated[list[Message], Field(min_length=1)]
    max_tokens: Annotated[int, Field(ge=1, le=1_000_000)]
    system: str | list[dict[str, Any]] | None = None
    stream: bool = False
    tools: list[MessagesTool] = Field(default_factory=list)
    tool_choice: Any = None
    seed: int | None = None


_EXAMPLE = {"id": "msg_1", "type": "message", "role": "assistant", "model": "simulated", "content": []}
_USAGE = {"input_tokens": 3, "output_tokens": 1}


@router.post(
    "/v1/messages",
    **answered(
        "message_start (content_block_start content_block_delta* content_block_stop)? message_delta+ message_stop",
        whole={**_EXAMPLE, "stop_reason": "end_turn", "stop_sequence": None, "usage": _USAGE},
        events={
            "message_start": [{"type": "message_start", "message": {**_EXAMPLE, "usage": _USAGE}}],
            "content_block_start": [
                {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
            ],
            "ping": [{"type": "ping"}],
            "content_block_delta": [
                {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "A"}}
            ],
            "content_block_stop": [{"type": "content_block_stop", "index": 0}],
            "message_delta": [{"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": _USAGE}],
            "message_stop": [{"type": "message_stop"}],
            "error": [error_of(500, "Injected fault after 3 events")],
        },
    ),
)
async def answer_messages(asked: MessagesRequest, simulation: Simulated) -> Response:
    """Answers a conversation: event by event where `stream` is true, else at once."""
    stream = simulation.stream
    last = asked.messages[-1].content
    called = isinstance(last, list) and any(part.get("type") == "tool_result" for part in last)
    said = answer(
        [asked.system, [message.model_dump() for message in asked.messages]],
        seed=asked.seed,
        tokens=simulation.tokens,
        limit=asked.max_tokens,
        tool=chosen([Tool(tool.name, tool.input_schema) for tool in asked.tools], asked.tool_choice, called=called),
    )
    stream.probe.jobs_started += 1
    if asked.stream:
        return stream.respond_plainly(_events(asked, said, stream), _told)
    block = {**_block(said), **({"text": said.text} if said.tool is None else {"input": _input(said)})}
    whole = _message(asked, said) | {"content": [block], **_stop(said), "usage": _usage(said, len(said.tokens))}
    return await at_once(said, stream, whole, events=len(said.tokens) + 5)


async def _events(asked: MessagesRequest, said: Answer, stream: Stream) -> Events:
    yield _typed("message_start", message=_message(asked, said))
    yield _typed("content_block_start", index=0, content_block=_block(said))
    yield _typed("ping")
    number = 0
    async for token in spoken(said, stream):
        number += 1
        if number % _PING_EVERY == 0:
            yield _typed("ping")
        kind = {"type": "text_delta", "text": token}
        if said.tool is not None:
            kind = {"type": "input_json_delta", "partial_json": token}
        yield _typed("content_block_delta", index=0, delta=kind)
    yield _typed("content_block_stop", index=0)
    yield _typed("message_delta", delta=_stop(said), usage={"output_tokens": len(said.tokens)})
    yield _typed("message_stop")


def _message(asked: MessagesRequest, said: Answer) -> dict[str, Any]:
    message = {"id": said.id("msg_"), "type": "message", "role": "assistant", "model": asked.model, "content": []}
    return {**message, "stop_reason": None, "stop_sequence": None, "usage": _usage(said, 1)}


def _block(said: Answer) -> dict[str, Any]:
    if said.tool is None:
        return {"type": "text", "text": ""}
    return {"type": "tool_use", "id": said.id("toolu_"), "name": said.tool, "input": {}}


def _input(said: Answer) -> Any:
    return {} if said.limited else json.loads(said.text)


def _stop(said: Answer) -> dict[str, Any]:
    reason = "max_tokens" if said.limited else "tool_use" if said.tool else "end_turn"
    return {"stop_reason": reason, "stop_sequence": None}


def _usage(said: Answer, spoken: int) -> dict[str, int]:
    return {"input_tokens": said.prompt_tokens, "output_tokens": spoken}


def _typed(kind: str, **payload: Any) -> ServerSentEvent:
    return event(kind, {"type": kind, **payload})


def _told(text: str, _kind: str) -> ServerSentEvent:
    return event("error", error_of(500, text))
