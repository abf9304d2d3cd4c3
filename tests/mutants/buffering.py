"""Mutants of pace: what is held back, and what is late."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator

from .message import Call, Peer
from .server import Clean


class OneEventLate(Clean):
    """Writes the blank line of an event in front of the next one."""

    rule = "FRM-04"

    async def pause(self) -> None:
        await asyncio.sleep(0.09)

    async def events(self, call: Call, start: int) -> AsyncIterator[bytes]:
        blank = b""
        async for frame in super().events(call, start):
            yield blank + frame.removesuffix(b"\n")
            blank = b"\n"
        yield blank


class BuffersAll(Clean):
    """Collects the whole stream and sends it at its end."""

    rule = "BUF-01"

    async def pause(self) -> None:
        await asyncio.sleep(0.06)

    async def events(self, call: Call, start: int) -> AsyncIterator[bytes]:
        yield b"".join([frame async for frame in super().events(call, start)])


class GzipNoFlush(Clean):
    """Compresses for who accepts it, and flushes when the stream is over."""

    rule = "BUF-02"

    def stream_headers(self, call: Call) -> dict[str, str]:
        fields = {**super().stream_headers(call), "Vary": "Origin, Accept-Encoding"}
        return {**fields, "Content-Encoding": "gzip"} if self._packs(call) else fields

    def _packs(self, call: Call) -> bool:
        return "gzip" in call.headers.get("accept-encoding", "")

    async def produce(self, call: Call, peer: Peer, start: int) -> bool:
        if not self._packs(call):
            return await super().produce(call, peer, start)
        await self.send_head(call, peer)
        packer = zlib.compressobj(wbits=31)
        async for frame in self.frames(call, start):
            await peer.content(packer.compress(frame))
        await peer.content(packer.flush())
        await self.finish(call, peer)
        return True


class Nagle(Clean):
    """Every second event waits for an acknowledgement."""

    rule = "BUF-08"

    async def events(self, call: Call, start: int) -> AsyncIterator[bytes]:
        second = False
        async for frame in super().events(call, start):
            if second:
                await asyncio.sleep(0.2)
            second = not second
            yield frame


MUTANTS: dict[str, type[Clean]] = {
    "one-event-late": OneEventLate,
    "buffers-all": BuffersAll,
    "gzip-no-flush": GzipNoFlush,
    "nagle": Nagle,
}
