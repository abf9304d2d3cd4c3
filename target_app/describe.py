"""Streams in the OpenAPI document: their event types, their payloads, the order in which they come."""

from __future__ import annotations

from typing import Any

from .events import as_json
from .response import StreamResponse

_TYPES: dict[type, str] = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}

_ERROR = {"error": "Injected fault after 1 events", "type": "InjectedFault", "message": "Injected fault after 1 events"}

_FINISHED = {"description": "The stream was finished: `Last-Event-ID` is the id of its last event."}


def streamed(order: str, /, **examples: Any) -> dict[str, Any]:
    """Arguments for a route whose stream has this order of event types and these payloads.

    `examples` has for each event type a payload, or a list of payloads where they differ in their members.
    A schema is made of them: the members that all have are required. The error event is added.
    """
    events = {kind: _payloads(given) for kind, given in examples.items()} | {"error": [_ERROR]}
    content = described(order, events)
    return {
        "response_class": StreamResponse,
        "status_code": 200,
        "responses": {
            200: {"description": f"An event stream: `{order}`, or an `error` at its end.",
                  "content": {"text/event-stream": content}},
            204: _FINISHED,
        },
    }  # fmt: skip


def described(order: str, events: dict[str, list[Any]]) -> dict[str, Any]:
    """What OpenAPI says of an event stream: its order, and for each event type a schema made of these payloads."""
    schemas = {kind: _schema(payloads) for kind, payloads in events.items()}
    return {
        "schema": {"type": "string"},
        # The name of OpenAPI 3.2 for what one item of a stream looks like.
        "itemSchema": {"oneOf": [_item(kind, schema) for kind, schema in schemas.items()]},
        "x-sse-order": order,
        "x-sse-events": schemas,
        "example": "".join(f"event: {kind}\ndata: {as_json(payloads[0])}\n\n" for kind, payloads in events.items()),
    }


def _payloads(given: Any) -> list[Any]:
    return given if isinstance(given, list) else [given]


def _item(kind: str, schema: dict[str, Any]) -> dict[str, Any]:
    data = {"type": "string", "contentMediaType": "application/json", "contentSchema": schema}
    return {
        "type": "object",
        "properties": {"event": {"const": kind}, "data": data, "id": {"type": "string"}, "retry": {"type": "integer"}},
        "required": ["event", "data"],
    }


def _schema(payloads: list[Any]) -> dict[str, Any]:
    if not all(isinstance(payload, dict) for payload in payloads):
        return {}
    members: dict[str, Any] = {}
    for payload in payloads:
        members.update(payload)
    required = [name for name in members if all(name in payload for payload in payloads)]
    properties = {name: {"type": _TYPES[type(value)]} if value is not None else {} for name, value in members.items()}
    return {"type": "object", "properties": properties, "required": required}
