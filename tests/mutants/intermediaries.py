"""Mutants of what stands between server and client: relays in front of the clean server, and a cache."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import re
from collections.abc import AsyncIterator
from typing import ClassVar

from ssegauge.bench import Options

from .contract import PROFILE
from .lifecycle import Leaving
from .message import Call, Peer
from .server import Clean


class Relay:
    """An honest proxy at the level of bytes: passes everything on at once, and each end to the other side."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection."""
        behind_reader, behind = await asyncio.open_connection("127.0.0.1", self.port)
        ways = [
            asyncio.ensure_future(self.upward(reader, behind)),
            asyncio.ensure_future(self.downward(behind_reader, writer)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            if not ways[1].done():
                await self.client_left(ways[1])
        finally:
            for way in ways:
                way.cancel()
            for side in (behind, writer):
                with contextlib.suppress(Exception):
                    side.close()

    async def upward(self, reader: asyncio.StreamReader, behind: asyncio.StreamWriter) -> None:
        """Pass on what the client says until it leaves."""
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(1 << 16):
                behind.write(self.request(data))
                await behind.drain()

    async def downward(self, behind: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on what the server says until it ends."""
        with contextlib.suppress(ConnectionError):
            while data := await behind.read(1 << 16):
                writer.write(data)
                await writer.drain()

    def request(self, data: bytes) -> bytes:
        """What the server gets of the client's bytes."""
        return data

    async def client_left(self, server: asyncio.Future[None]) -> None:
        """The client is gone."""


class BufferingRelay(Relay):
    """Passes a stream on when it has all of it."""

    async def downward(self, behind: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        kept = b""
        while data := await behind.read(1 << 16):
            kept += data
            if b"text/event-stream" not in kept or kept.endswith(b"0\r\n\r\n"):
                writer.write(kept)
                kept = b""
        writer.write(kept)


class Packing(Relay):
    """One connection of the next."""

    packs = False

    def request(self, data: bytes) -> bytes:
        self.packs = re.search(rb"\r\naccept-encoding:[^\r\n]*gzip", data, flags=re.IGNORECASE) is not None
        return data

    async def downward(self, behind: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        kept = b""
        while data := await behind.read(1 << 16):
            kept += data
            if not self.packs or b"text/event-stream" not in kept:
                writer.write(kept)
                kept = b""
            elif kept.endswith(b"0\r\n\r\n"):
                head, _, body = kept.partition(b"\r\n\r\n")
                plain = b"".join(re.findall(rb"[0-9a-f]+\r\n(.+?)\r\n(?=[0-9a-f]+\r\n)", body, flags=re.DOTALL))
                packed = gzip.compress(plain)
                head += b"\r\nContent-Encoding: gzip\r\n\r\n"
                writer.write(head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(packed), packed))
                kept = b""
        writer.write(kept)


class PackingRelay(Relay):
    """Compresses where it may, and passes on what it has compressed when it has all of it."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await Packing(self.port).serve(reader, writer)


class DroppingRelay(Relay):
    """Does not know Last-Event-ID."""

    def request(self, data: bytes) -> bytes:
        return re.sub(rb"\r\nlast-event-id:[^\r\n]*", b"", data, flags=re.IGNORECASE)


class HidingRelay(Relay):
    """Keeps its connection to the server when the client has left, and goes on reading from it."""

    async def client_left(self, server: asyncio.Future[None]) -> None:
        await asyncio.wait([server])

    async def downward(self, behind: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await behind.read(1 << 16):
            if not writer.is_closing():
                writer.write(data)


class CuttingRelay(Relay):
    """Drops a connection on which the server has been silent for half a second."""

    async def downward(self, behind: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(TimeoutError):
            while data := await asyncio.wait_for(behind.read(1 << 16), 0.5):
                writer.write(data)


class SwallowingRelay(Relay):
    """Takes comments for nothing."""

    async def downward(self, behind: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await behind.read(1 << 16):
            writer.write(re.sub(rb"[0-9a-f]+\r\n: keepalive\n\n\r\n", b"", data))


class EndingRelay(Relay):
    """Takes the death of the server for the end of its answer."""

    async def downward(self, behind: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        kept = b""
        with contextlib.suppress(ConnectionError):
            while data := await behind.read(1 << 16):
                kept = (kept + data)[-5:]
                writer.write(data)
        if kept != b"0\r\n\r\n":
            writer.write(b"0\r\n\r\n")
            await writer.drain()


class DeafRelay(Relay):
    """Does not look whether the server is still there."""

    async def downward(self, behind: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await super().downward(behind, writer)
        await asyncio.sleep(3600)


class Proxied(Clean):
    """Clean, behind an honest relay."""

    relay: ClassVar[type[Relay]] = Relay


class ProxyBuffers(Clean):
    """Stands behind a relay that buffers."""

    rule = "BUF-03"
    relay = BufferingRelay


class ProxyPacks(Clean):
    """Stands behind a relay that compresses for browsers, and holds back what it compresses."""

    rule = "BUF-03"
    relay = PackingRelay


class ProxyDropsLeid(Clean):
    """Stands behind a relay that forwards a list of fields."""

    rule = "BUF-04"
    relay = DroppingRelay


class CacheReplays(Clean):
    """Stands behind a cache that keeps streams."""

    rule = "BUF-05"
    companions = ("REC-02", "REC-12")  # a stored run and one that goes on differ in their times

    def __init__(self) -> None:
        super().__init__()
        self.stored: dict[str, list[bytes]] = {}

    async def produce(self, call: Call, peer: Peer, start: int) -> bool:
        if call.raw_path in self.stored and not start:
            await self.send_head(call, peer)
            for frame in self.stored[call.raw_path]:
                await peer.content(frame)
                await self.pause()
            await self.finish(call, peer)
            return True
        frames: list[bytes] = []
        await self.send_head(call, peer)
        async for frame in self.frames(call, start):
            frames.append(frame)
            await peer.content(frame)
        await self.finish(call, peer)
        if not start:
            self.stored[call.raw_path] = frames
        return True


class CacheSaysHit(Clean):
    """Stands behind a cache that says so."""

    rule = "BUF-05"
    runs = 0

    def stream_headers(self, call: Call) -> dict[str, str]:
        self.runs += 1
        return {**super().stream_headers(call), "X-Cache": "MISS" if self.runs == 1 else "Hit from cloudfront"}


class ProxyHidesDisconnect(Clean):
    """Stands behind a relay that never hangs up."""

    rule = "BUF-06"
    relay = HidingRelay


class ControlledAndProxied(Leaving):
    """Clean in a process of its own, behind an honest relay."""

    relay: ClassVar[type[Relay]] = Relay


class ProxyHidesUpstreamDeath(ControlledAndProxied):
    """Stands behind a relay that ends the message in the server's place."""

    rule = "BUF-07"
    relay: ClassVar[type[Relay]] = EndingRelay


class ProxyHoldsDeadStream(ControlledAndProxied):
    """Stands behind a relay that keeps its clients waiting."""

    rule = "BUF-07"
    relay: ClassVar[type[Relay]] = DeafRelay


class ProxyCutsIdle(Clean):
    """Stands behind a relay with a short patience."""

    rule = "BUF-09"
    relay: ClassVar[type[Relay]] = CuttingRelay
    profile = PROFILE.replace('lifetime = "1s"\n', "")
    options = Options(window=2.0, long=True, scale=0.05)  # 65 s of holding become 3.25 s

    async def idle(self, call: Call) -> AsyncIterator[bytes]:
        while True:
            yield b": keepalive\n\n"
            await asyncio.sleep(1.2)


class ProxyEatsComments(ProxyCutsIdle):
    """Stands behind a relay that takes comments for nothing."""

    rule = "BUF-09"
    relay = SwallowingRelay


MUTANTS: dict[str, type[Clean]] = {
    "proxy-buffers": ProxyBuffers,
    "proxy-packs": ProxyPacks,
    "proxy-drops-leid": ProxyDropsLeid,
    "cache-replays": CacheReplays,
    "cache-says-hit": CacheSaysHit,
    "proxy-hides-disconnect": ProxyHidesDisconnect,
    "proxy-hides-upstream-death": ProxyHidesUpstreamDeath,
    "proxy-holds-dead-stream": ProxyHoldsDeadStream,
    "proxy-cuts-idle": ProxyCutsIdle,
    "proxy-eats-comments": ProxyEatsComments,
}
