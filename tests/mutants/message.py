"""What goes over a connection to a mutant: the request, the writing of a response, an event as bytes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field


@dataclass
class Call:
    """A request as it came in. `query` and `headers` hold the last value of each name; header names are in lower case."""

    method: str
    path: str
    query: dict[str, str]
    version: str
    headers: dict[str, str]
    body: bytes
    raw_path: str = ""
    names: tuple[str, ...] = ()  # of the header fields, as they were written


@dataclass
class Peer:
    """The connection to one client. `gone` is set as soon as the client has left."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    chunked: bool = False

    async def send(self, data: bytes) -> None:
        """Write bytes as they are."""
        self.writer.write(data)
        await self.writer.drain()

    async def content(self, data: bytes) -> None:
        """Write content in the framing of the response."""
        if data:
            await self.send(b"%x\r\n%s\r\n" % (len(data), data) if self.chunked else data)

    async def finish(self) -> None:
        """End the message."""
        if self.chunked:
            await self.send(b"0\r\n\r\n")

    def cut(self) -> None:
        """Drop the connection without ending the message."""
        self.writer.transport.abort()


def block(data: str, *, event: str = "", id: str = "", retry: int | None = None) -> bytes:
    """One event as the standard writes it, with LF."""
    lines = [f"retry: {retry}"] if retry is not None else []
    lines += [f"id: {id}"] if id else []
    lines += [f"event: {event}"] if event else []
    normal = data.replace("\r\n", "\n").replace("\r", "\n")
    lines += [f"data: {line}" for line in normal.split("\n")]
    return ("\n".join(lines) + "\n\n").encode()
