"""A Model Context Protocol server over streamable HTTP by the official package: a tool that reports its progress,
and an event store, so that a client that was cut off comes back for the rest.
"""

import asyncio

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.streamable_http import EventCallback, EventMessage, EventStore
from mcp_types import JSONRPCMessage
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response


class Events(EventStore):
    """Every event of every stream, for as long as the process lives."""

    def __init__(self) -> None:
        self._all: list[tuple[str, JSONRPCMessage | None]] = []

    async def store_event(self, stream_id: str, message: JSONRPCMessage | None) -> str:
        self._all.append((stream_id, message))
        return str(len(self._all))

    async def replay_events_after(self, last_event_id: str, send_callback: EventCallback) -> str | None:
        seen = (
            int(last_event_id) if last_event_id.isascii() and last_event_id.isdigit() and len(last_event_id) < 9 else 0
        )
        if not 0 < seen <= len(self._all):
            return None
        stream_id = self._all[seen - 1][0]
        for number, (stream, message) in enumerate(self._all[seen:], seen + 1):
            if stream == stream_id and message is not None:
                await send_callback(EventMessage(message, str(number)))
        return stream_id


server = MCPServer("field")


@server.tool()
async def count(upto: int, context: Context, pause: float = 0.1, fail: bool = False) -> str:
    """Count, and report each number as progress."""
    for number in range(1, upto + 1):
        await context.report_progress(number, upto)
        await asyncio.sleep(pause)
    if fail:
        raise RuntimeError("made to fail")
    return f"counted to {upto}"


@server.custom_route("/health", methods=["GET"])
async def health(request: Request) -> Response:
    return PlainTextResponse("ok")


app = server.streamable_http_app(event_store=Events(), retry_interval=500)
stateless = server.streamable_http_app(stateless_http=True)
