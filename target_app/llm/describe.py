"""The two answers of a language model's route in the OpenAPI document: the stream, and the whole as JSON."""

from __future__ import annotations

from typing import Any

from ..describe import described
from ..events import as_json
from ..response import StreamResponse


def answered(
    order: str, /, *, whole: dict[str, Any], events: dict[str, list[Any]], last: str | None = None
) -> dict[str, Any]:
    """Arguments for a route that streams these events in this order, or answers with `whole` at once.

    `events` has example payloads by event type, "message" for events without a name; `last` is the text that ends
    the stream where no event does.
    """
    content = described(order, events)
    blocks = [
        ("" if kind == "message" else f"event: {kind}\n") + f"data: {as_json(payloads[0])}\n\n"
        for kind, payloads in events.items()
    ]
    content["example"] = "".join(blocks) + (f"data: {last}\n\n" if last else "")
    error = {"description": "Refused, in the API's own shape.", "content": {"application/json": {"schema": {}}}}
    return {
        "response_class": StreamResponse,
        "status_code": 200,
        "responses": {
            200: {
                "description": f"Where `stream` is true an event stream: `{order}`. Else the whole answer as JSON.",
                "content": {
                    "text/event-stream": content,
                    "application/json": {"schema": {"type": "object"}, "example": whole},
                },
            },
            "4XX": error,
            "5XX": error,
        },
    }
