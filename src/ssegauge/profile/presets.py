"""The shapes of well-known streams, as keys of an endpoint; what a profile says itself goes before them.

A preset says nothing about the address: gateways offer these streams under any path. Where a protocol demands a
field of the request, the preset sends it.
"""

from __future__ import annotations

from typing import Any, Final

# Chunks without an event name; the last is the sentinel [DONE], sent as raw text.
#   https://developers.openai.com/api/reference/resources/chat/subresources/completions/streaming-events
#   "... an additional chunk will be streamed before the data: [DONE] message" (stream_options.include_usage)
# A failure after the start is an event like any other whose payload has "error"; that is how the official client
# tells it: https://github.com/openai/openai-python/blob/main/src/openai/_streaming.py (_raise_streaming_error), and
# it compares the sentinel by its beginning, other clients literally.
# The first chunk carries the role and an empty text, so the first token is the first chunk with content, or with a
# piece of a tool call. The count of tokens includes those of a reasoning that is not streamed.
_OPENAI_CHAT: Final[dict[str, Any]] = {
    "data": "json",
    "order": "message+",
    "terminal_data": ["[DONE]"],
    "error_when": {"pointer": "/error"},
    "first_match_when": [
        {"pointer": "/choices/0/delta/content"},
        {"pointer": "/choices/0/delta/tool_calls"},
        {"pointer": "/choices/0/delta/refusal"},
    ],
    "tokens": {
        "pointer": "/usage/completion_tokens",
        "less": "/usage/completion_tokens_details/reasoning_tokens",
    },
}

# https://developers.openai.com/api/reference/resources/responses/streaming-events
# Named events that repeat their name under /type and count in /sequence_number. The official client goes by /type
# alone (_streaming.py, above), and gateways leave the names out: that is JSON-06's, and not an end that never came. Three ways to end: completed,
# incomplete (a limit was hit, which is a proper end), failed. No [DONE]. A failure comes as `error`, as
# `response.failed`, or as one after the other. Parts of the output interleave by /output_index.
_OPENAI_RESPONSES: Final[dict[str, Any]] = {
    "data": "json",
    "order": (
        "response.created response.queued? response.in_progress? "
        "(response.output_item.added .* response.output_item.done)? "
        "(response.completed | response.incomplete)"
    ),
    "group": {"pointer": "/output_index"},
    "terminal": ["response.completed", "response.incomplete"],
    "errors": ["error", "response.failed"],
    "sequence": {"pointer": "/sequence_number"},
    "discriminator": {"pointer": "/type", "names": True},
    "first_match": [
        "response.output_text.delta",
        "response.function_call_arguments.delta",
        "response.refusal.delta",
    ],
    "tokens": {
        "pointer": "/response/usage/output_tokens",
        "less": "/response/usage/output_tokens_details/reasoning_tokens",
    },
}

# https://platform.claude.com/docs/en/build-with-claude/streaming
# message_start; per content block (its /index) start, deltas, stop; message_delta once or more; message_stop.
# Pings may come anywhere. Errors are events: {"type": "error", "error": {"type": "overloaded_error", ...}}.
# The page says "one or more" deltas a block; a block whose whole content is in its start has none, so * and not +.
_ANTHROPIC_MESSAGES: Final[dict[str, Any]] = {
    "data": "json",
    "order": (
        "message_start (content_block_start content_block_delta* content_block_stop)? message_delta+ message_stop"
    ),
    "group": {"pointer": "/index"},
    "terminal": ["message_stop"],
    "errors": ["error"],
    "ignore": ["ping"],
    "discriminator": {"pointer": "/type"},
    "first_match": ["content_block_delta"],
    "tokens": {"pointer": "/usage/output_tokens"},
}

# https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#streamable-http
# The answer to a POST: JSON-RPC notifications and requests, then the response, after which "the server SHOULD
# terminate the SSE stream". A response has "result" or "error" (https://www.jsonrpc.org/specification#response_object).
# "The client MUST include an Accept header, listing both application/json and text/event-stream": one alone is refused.
# "The server SHOULD immediately send an SSE event consisting of an event ID and an empty data field in order to prime
# the client to reconnect": that event is no JSON and no message.
# A tool that fails says so in its result: https://modelcontextprotocol.io/specification/2025-11-25/server/tools#error-handling
_MCP_STREAMABLE_HTTP: Final[dict[str, Any]] = {
    "request": {"headers": {"Accept": "application/json, text/event-stream"}},
    "data": "json",
    "order": "message+",
    "primer": True,
    "terminal_when": {"pointer": "/result"},
    "error_when": [{"pointer": "/error"}, {"pointer": "/result/isError"}],
}

PRESETS: Final[dict[str, dict[str, Any]]] = {
    "openai-chat": _OPENAI_CHAT,
    "openai-responses": _OPENAI_RESPONSES,
    "anthropic-messages": _ANTHROPIC_MESSAGES,
    "mcp-streamable-http": _MCP_STREAMABLE_HTTP,
}
