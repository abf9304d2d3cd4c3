"""Mutants of what happens when a client leaves, stalls or vanishes."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

import h2.events

from ssegauge.bench import Options

from .http2 import Connection, H2Peer, Secure
from .message import Call, Peer, block
from .server import Clean

PEER: ContextVar[Peer] = ContextVar("peer")
QUICK = Options(window=2.0, scale=0.15)
"""A client's leave may go unseen for 0.75 s instead of five."""
TOO_LONG = 1.8
"""Seconds that work goes on for nobody."""


class Watched(Clean):
    """Knows whose stream it was when a client has left."""

    async def run(self, call: Call, peer: Peer, start: int) -> bool:
        PEER.set(peer)
        try:
            complete = await super().run(call, peer, start)
        except OSError:
            complete = False
        if not complete:
            await self.abandoned(call, peer)
        return complete

    async def abandoned(self, call: Call, peer: Peer) -> None:
        """The client left before its stream was complete."""

    async def go_on(self) -> None:
        """Work for nobody."""
        self.active += 1
        await asyncio.sleep(TOO_LONG)
        self.active -= 1


class GeneratorLeak(Watched):
    """Goes on with a stream that has lost its client; idle ones it ends."""

    rule = "DIS-01"
    options = QUICK

    async def abandoned(self, call: Call, peer: Peer) -> None:
        if call.path != "/idle":
            await self.go_on()


class FdLeak(Clean):
    """Keeps a descriptor for each stream that was left."""

    rule = "DIS-02"
    options = QUICK
    process = True

    async def client_left(self, work: asyncio.Future[bool]) -> bool:
        os.dup(0)
        return await super().client_left(work)


class QueueLeak(Clean):
    """Keeps the queue of each stream that was left."""

    rule = "DIS-03"
    options = QUICK
    process = True

    def __init__(self) -> None:
        super().__init__()
        self.queues: list[bytes] = []

    async def client_left(self, work: asyncio.Future[bool]) -> bool:
        self.queues.append(os.urandom(256 << 10))
        return await super().client_left(work)


class CrashOnReset(Clean):
    """Does not survive a connection that is reset within a request; it is started again where it is missed twice."""

    rule = "DIS-04"

    def __init__(self) -> None:
        super().__init__()
        self.died: float | None = None
        self.missed = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.died is None or self.missed >= 2:
            await super().serve(reader, writer)
            return
        self.missed += time.monotonic() - self.died > 0.15  # who came with the one that was reset does not miss it
        writer.close()

    async def read_call(self, peer: Peer) -> Call | None:
        try:
            return await super().read_call(peer)
        except ConnectionResetError:
            if peer.reader._buffer and self.died is None:  # the beginning of a request
                self.died = time.monotonic()
            raise


class SharedCancel(Clean):
    """Ends all streams where one client leaves."""

    rule = "DIS-05"

    def __init__(self) -> None:
        super().__init__()
        self.departures = 0

    async def client_left(self, work: asyncio.Future[bool]) -> bool:
        self.departures += 1
        return await super().client_left(work)

    async def events(self, call: Call, start: int) -> AsyncIterator[bytes]:
        before = self.departures
        async for frame in super().events(call, start):
            if self.departures != before:
                return
            yield frame


class LargeTicks(Clean):
    """Fills buffers fast, and waits for its clients."""

    process = True
    silence_ms = 0
    waits = True

    async def ticks(self, call: Call) -> AsyncIterator[bytes]:
        for number in range(1 << 30):
            yield block(json.dumps({"n": number, "filling": "x" * (32 << 10)}), event="tick")
            await asyncio.sleep(0.01)

    async def produce(self, call: Call, peer: Peer, start: int) -> bool:
        if self.waits or call.path != "/ticks":
            return await super().produce(call, peer, start)
        await self.send_head(call, peer)
        async for frame in self.frames(call, start):
            peer.writer.write(b"%x\r\n%s\r\n" % (len(frame), frame))
        return True


class UnboundedQueue(LargeTicks):
    """Never waits for a client that does not read."""

    rule = "DIS-06"
    options = Options(window=2.0, scale=0.25)
    waits = False


class NoWriteTimeout(Clean):
    """Waits for ever on a client that is gone without a word."""

    rule = "DIS-07"
    options = Options(window=2.0, scale=0.01)
    silence_ms = 0


class ZombieUpstream(Watched):
    """Ends the stream with its client, and leaves the model running."""

    rule = "DIS-08"
    options = QUICK

    def __init__(self) -> None:
        super().__init__()
        self.upstream: list[asyncio.Task[None]] = []

    async def abandoned(self, call: Call, peer: Peer) -> None:
        self.upstream.append(asyncio.ensure_future(self.compute()))

    async def compute(self) -> None:
        """Make tokens that nobody gets."""
        for _ in range(24):
            self.produced += 1
            await asyncio.sleep(0.05)


class SpinsAfterDisconnect(Watched):
    """Does not give way any more once the client of its endless stream has left."""

    rule = "DIS-09"
    options = QUICK
    last = 0.0

    async def abandoned(self, call: Call, peer: Peer) -> None:
        if call.path == "/ticks" and time.monotonic() - self.last > 0.7:  # those that leave together spin as one
            time.sleep(1.0)  # noqa: ASYNC251 - it is the fault
            self.last = time.monotonic()


class StalledCloseLeak(Watched):
    """Sees no client leave that has not read for half a second."""

    rule = "DIS-10"
    options = QUICK
    silence_ms = 0

    def __init__(self) -> None:
        super().__init__()
        self.since: dict[int, float] = {}

    async def ticks(self, call: Call) -> AsyncIterator[bytes]:
        filling = block("x" * (64 << 10), event="tick")
        while True:
            self.since[id(PEER.get())] = time.monotonic()
            yield filling
            await asyncio.sleep(0.001)

    async def abandoned(self, call: Call, peer: Peer) -> None:
        since = self.since.get(id(peer))
        if since is not None and time.monotonic() - since > 0.5:
            await self.go_on()


class IdleLeak(Watched):
    """Notices nothing while it has nothing to write."""

    rule = "DIS-11"
    options = QUICK

    async def abandoned(self, call: Call, peer: Peer) -> None:
        if call.path == "/idle":
            await self.go_on()


class IgnoresReset(Secure):
    """Goes on with a stream of HTTP/2 that was reset, as long as its connection stands."""

    rule = "DIS-12"
    options = replace(Secure.options, scale=0.2)

    def see(
        self, event: h2.events.Event, connection: Connection, peers: dict[int, H2Peer], tasks: set[asyncio.Task[Any]]
    ) -> None:
        if isinstance(event, h2.events.StreamReset) and event.stream_id in peers:
            peers[event.stream_id].body = _nowhere
            return
        super().see(event, connection, peers, tasks)


async def _nowhere(data: bytes) -> None:
    """Where the content of a stream that was reset goes."""


MUTANTS: dict[str, type[Clean]] = {
    "generator-leak": GeneratorLeak,
    "fd-leak": FdLeak,
    "queue-leak": QueueLeak,
    "crash-on-rst": CrashOnReset,
    "shared-cancel": SharedCancel,
    "unbounded-queue": UnboundedQueue,
    "no-write-timeout": NoWriteTimeout,
    "zombie-upstream": ZombieUpstream,
    "spins-after-disconnect": SpinsAfterDisconnect,
    "stalled-close-leak": StalledCloseLeak,
    "idle-leak": IdleLeak,
    "ignores-rst-stream": IgnoresReset,
}
