"""Mutants of the header fields."""

from __future__ import annotations

import zlib

from .message import Call, Peer
from .server import Clean


def _field(name: str, value: str | None) -> type[Clean]:
    """A server whose stream carries the field with this value, or without it where it is None."""

    class Mutant(Clean):
        def stream_headers(self, call: Call) -> dict[str, str]:
            fields = super().stream_headers(call)
            fields.pop(name, None)
            return fields if value is None else {**fields, name: value}

    return Mutant


def _named(kind: type[Clean], rule: str) -> type[Clean]:
    return type(f"{rule}:{kind.__name__}", (kind,), {"rule": rule})


class GzipLie(Clean):
    """Says gzip, sends plain text."""

    rule = "HDR-07"

    def stream_headers(self, call: Call) -> dict[str, str]:
        return {**super().stream_headers(call), "Content-Encoding": "gzip"}


class Etag304(Clean):
    """Answers a conditional request with 304."""

    rule = "HDR-09"

    def refusal(self, call: Call) -> tuple[int, dict[str, str]] | None:
        if "if-none-match" in call.headers:
            return 304, {"Content-Type": "text/event-stream"}
        return super().refusal(call)

    async def reply(
        self, call: Call, peer: Peer, status: int, document: object, headers: dict[str, str] | None = None
    ) -> bool:
        if status == 304:
            await peer.send(b"HTTP/1.1 304 Not Modified\r\nCache-Control: no-store\r\n\r\n")
            return True
        return await super().reply(call, peer, status, document, headers)


class GzipUnasked(Clean):
    """Compresses whatever the client asked for."""

    rule = "HDR-10"

    def stream_headers(self, call: Call) -> dict[str, str]:
        return {**super().stream_headers(call), "Content-Encoding": "gzip"}

    async def produce(self, call: Call, peer: Peer, start: int) -> bool:
        await self.send_head(call, peer)
        machine = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
        async for frame in self.frames(call, start):
            await peer.content(machine.compress(frame) + machine.flush(zlib.Z_SYNC_FLUSH))
        await peer.content(machine.flush())
        await self.finish(call, peer)
        return True


MUTANTS: dict[str, type[Clean]] = {
    "ct-text-plain": _named(_field("Content-Type", "text/plain"), "HDR-01"),
    "ct-list": _named(_field("Content-Type", "application/json, text/event-stream"), "HDR-02"),
    "charset-latin1": _named(_field("Content-Type", "text/event-stream; charset=iso-8859-1"), "HDR-03"),
    "no-cache-control": _named(_field("Cache-Control", "no-transform"), "HDR-04"),
    "no-x-accel-buffering": _named(_field("X-Accel-Buffering", None), "HDR-05"),
    "fresh-headers": _named(_field("ETag", '"1"'), "HDR-06"),
    "gzip-lie": GzipLie,
    "etag-304": Etag304,
    "gzip-unasked": GzipUnasked,
    "no-no-transform": _named(_field("Cache-Control", "no-store"), "HDR-11"),
}
