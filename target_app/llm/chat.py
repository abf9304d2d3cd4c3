"""POST /v1/chat/completions, as OpenAI and everybody who speaks its language streams it.

https://developers.openai.com/api/reference/resources/chat/subresources/completions/streaming-events
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import Field

from ..events import as_json, text_event
from ..stream import Events, Stream
from .answers import CREATED, Answer, Tool, answer, chosen, spoken
from .describe import answered
from .requests import Limit, LlmRoute, Loose, Message, Refused, Simulated, at_once

_KINDS = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}


def error_of(status: int, message: str, param: str | None = None) -> dict[str, Any]:
    """An error of this API: before the stream its whole body, in the stream the payload of its last event."""
    kind = _KINDS.get(status, "invalid_request_error" if status < 500 else "server_error")
    return {"error": {"message": message, "type": kind, "param": param, "code": None}}


class OpenaiRoute(LlmRoute):
    """Refusals as OpenAI tells them."""

    @staticmethod
    def shape(status: int, message: str, param: str | None) -> dict[str, Any]:
        """See `error_of`."""
        return error_of(status, message, param)


router = APIRouter(tags=["language models"], route_class=OpenaiRoute)


class StreamOptions(Loose):
    """What the stream carries beside the answer."""

    include_usage: bool = False


class Function(Loose):
    """A function that the model may call."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    parameters: dict[str, Any] = Field(default_factory=dict)


class ChatTool(Loose):
    """A tool that is a function."""

    function: Function


class ChatRequest(Loose):
    """What a client asks."""

    model: Annotated[str, Field(min_length=1, max_length=200)]
    messages: Annotated[list[Message], Field(min_length=1)]
    stream: bool = False
    stream_options: StreamOptions | None = None
    max_tokens: Limit = None
    max_completion_tokens: Limit = None
    n: Annotated[int, Field(ge=1, le=1)] | None = None
    tools: list[ChatTool] = Field(default_factory=list)
    tool_choice: Any = None
    seed: int | None = None


_CHUNK = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": CREATED, "model": "simulated"}


@router.post(
    "/v1/chat/completions",
    **answered(
        "message+ [DONE]",
        whole={
            **_CHUNK,
            "object": "chat.completion",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": "A"}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4},
        },
        events={
            "message": [
                {**_CHUNK, "choices": [{"index": 0, "delta": {"content": "A"}, "finish_reason": None}]},
                {**_CHUNK, "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}},
                error_of(500, "Injected fault after 1 events"),
            ]
        },
        last="[DONE]",
    ),
)
async def complete_chat(asked: ChatRequest, simulation: Simulated) -> Response:
    """Answers a conversation: token by token where `stream` is true, else at once. The last chunk is `[DONE]`."""
    stream = simulation.stream
    if asked.stream_options is not None and not asked.stream:
        raise Refused(400, "The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options")
    tools = [Tool(tool.function.name, tool.function.parameters) for tool in asked.tools]
    said = answer(
        [message.model_dump() for message in asked.messages],
        seed=asked.seed,
        tokens=simulation.tokens,
        limit=asked.max_completion_tokens or asked.max_tokens,
        tool=chosen(tools, asked.tool_choice, called=asked.messages[-1].role == "tool"),
    )
    stream.probe.jobs_started += 1
    if asked.stream:
        return stream.respond_plainly(_chunks(asked, said, stream), _told)
    return await at_once(said, stream, _whole(asked, said), events=len(said.tokens) + 2)


async def _chunks(asked: ChatRequest, said: Answer, stream: Stream) -> Events:
    usage = bool(asked.stream_options and asked.stream_options.include_usage)
    head = {**_head(asked, said), "object": "chat.completion.chunk"}
    between = {"usage": None} if usage else {}

    def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return {**head, "choices": [choice], **between}

    yield _unnamed(chunk({"role": "assistant", "content": None if said.tool else ""}))
    if said.tool is not None:
        call = {
            "index": 0,
            "id": said.id("call_"),
            "type": "function",
            "function": {"name": said.tool, "arguments": ""},
        }
        yield _unnamed(chunk({"tool_calls": [call]}))
    async for token in spoken(said, stream):
        piece = {"tool_calls": [{"index": 0, "function": {"arguments": token}}]} if said.tool else {"content": token}
        yield _unnamed(chunk(piece))
    yield _unnamed(chunk({}, _finish(said)))
    if usage:
        yield _unnamed({**head, "choices": [], "usage": _usage(said)})
    yield text_event("[DONE]")


def _whole(asked: ChatRequest, said: Answer) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": None if said.tool else said.text, "refusal": None}
    if said.tool is not None:
        function = {"name": said.tool, "arguments": said.text}
        message["tool_calls"] = [{"id": said.id("call_"), "type": "function", "function": function}]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _finish(said)}
    return {**_head(asked, said), "object": "chat.completion", "choices": [choice], "usage": _usage(said)}


def _head(asked: ChatRequest, said: Answer) -> dict[str, Any]:
    return {"id": said.id("chatcmpl-"), "created": CREATED, "model": asked.model}


def _finish(said: Answer) -> str:
    return "length" if said.limited else "tool_calls" if said.tool else "stop"


def _usage(said: Answer) -> dict[str, int]:
    spoken = len(said.tokens)
    return {
        "prompt_tokens": said.prompt_tokens,
        "completion_tokens": spoken,
        "total_tokens": said.prompt_tokens + spoken,
    }


def _unnamed(payload: dict[str, Any]) -> Any:
    return text_event(as_json(payload))


def _told(text: str, _kind: str) -> Any:
    return _unnamed(error_of(500, text))
