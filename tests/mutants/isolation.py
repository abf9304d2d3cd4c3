"""Mutants of what clients do to each other."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextvars import ContextVar

from ssegauge.bench import Options

from .message import Call, Peer, block
from .server import STEP, Clean

QUICK = Options(window=2.0, scale=0.1)
WORKER: ContextVar[int] = ContextVar("worker")


class SecondClientStarves(Clean):
    """Has one generator; who comes while it runs gets an empty stream."""

    rule = "ISO-01"

    def __init__(self) -> None:
        super().__init__()
        self.taken = False

    async def events(self, call: Call, start: int) -> AsyncIterator[bytes]:
        if self.taken:
            return
        self.taken = True
        try:
            async for frame in super().events(call, start):
                yield frame
        finally:
            self.taken = False


class GlobalQueue(Clean):
    """Keeps the text to send in one place for all clients."""

    rule = "ISO-02"
    endpoint = "echo"

    def __init__(self) -> None:
        super().__init__()
        self.text = ""

    async def echo(self, call: Call) -> AsyncIterator[bytes]:
        self.text = call.query.get("text", "hello")
        await self.pause()
        shared = Call(**{**vars(call), "query": {**call.query, "text": self.text}})
        async for frame in super().echo(shared):
            yield frame


class SyncWorkers(Clean):
    """Answers nothing else while many streams are open."""

    rule = "ISO-03"

    async def health(self, call: Call, peer: Peer) -> bool:
        while self.active >= 30:  # noqa: ASYNC110 - a worker that waits, as they do
            await asyncio.sleep(0.05)
        return await super().health(call, peer)


class SharedIterator(Clean):
    """Has one iterator for all streams: the first client takes what there is."""

    rule = "ISO-04"
    companions = ("ERR-10",)  # whoever comes after the first gets nothing, failures or not

    def __init__(self) -> None:
        super().__init__()
        self.numbers = iter(range(1, self.last_id() + 1))

    def events(self, call: Call, start: int) -> AsyncIterator[bytes]:
        plain = not call.query and call.version == "1.1"
        return self.shared() if plain else super().events(call, start)

    async def shared(self) -> AsyncIterator[bytes]:
        """What is left of the one iterator."""
        for number in self.numbers:
            yield self.event(number)
            await self.pause()


class LargeSharedTicks(Clean):
    """Sends large ticks to every client, each from a task of its own."""

    silence_ms = 0

    async def ticks(self, call: Call) -> AsyncIterator[bytes]:
        for number in itertools.count():
            yield block(json.dumps({"n": number, "filling": "x" * (16 << 10)}), event="tick")
            await asyncio.sleep(0.005)


class HeadOfLine(LargeSharedTicks):
    """Sends to one client after the other, and waits for each."""

    rule = "ISO-05"

    def __init__(self) -> None:
        super().__init__()
        self.turn = asyncio.Lock()

    async def produce(self, call: Call, peer: Peer, start: int) -> bool:
        if call.path != "/ticks":
            return await super().produce(call, peer, start)
        await self.send_head(call, peer)
        async for frame in self.frames(call, start):
            async with self.turn:
                await peer.content(frame)
        return True


class PerWorkerMemory(Clean):
    """Has two workers, each of which knows its own subscribers only."""

    rule = "ISO-06"
    options = QUICK
    endpoint = "feed"

    def __init__(self) -> None:
        super().__init__()
        self.workers: Iterator[int] = itertools.cycle((0, 1))
        self.feeds: list[list[asyncio.Queue[bytes]]] = [[], []]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        WORKER.set(next(self.workers))
        await super().serve(reader, writer)

    async def publish(self, call: Call, peer: Peer) -> bool:
        self.subscribers = self.feeds[WORKER.get()]
        return await super().publish(call, peer)

    async def feed(self, call: Call) -> AsyncIterator[bytes]:
        mine = self.feeds[WORKER.get()]
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        mine.append(queue)
        try:
            yield block(json.dumps({"hello": True}), event="hello", retry=1500)
            while True:
                yield await queue.get()
        finally:
            mine.remove(queue)


class StealingQueue(Clean):
    """Has one queue, from which every subscriber takes."""

    rule = "ISO-07"
    options = QUICK
    endpoint = "feed"

    def __init__(self) -> None:
        super().__init__()
        self.queue: asyncio.Queue[bytes] = asyncio.Queue()
        self.subscribers = [self.queue]

    async def feed(self, call: Call) -> AsyncIterator[bytes]:
        yield block(json.dumps({"hello": True}), event="hello", retry=1500)
        while True:
            yield await self.queue.get()


class FewWorkers(Clean):
    """Has sixteen workers for the stream, each busy until its client goes."""

    rule = "ISO-08"
    options = QUICK
    places = 16

    def __init__(self) -> None:
        super().__init__()
        self.workers = asyncio.Semaphore(self.places)
        self.held: set[int] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await super().serve(reader, writer)
        finally:
            if id(writer) in self.held:
                self.held.discard(id(writer))
                self.workers.release()

    async def stream(self, call: Call, peer: Peer) -> bool:
        if call.path == "/stream" and id(peer.writer) not in self.held:
            await self.workers.acquire()
            self.held.add(id(peer.writer))
        return await super().stream(call, peer)


class BlockingCall(Clean):
    """Makes a call for each event that stops the whole loop."""

    rule = "ISO-09"
    process = True

    async def pause(self) -> None:
        await super().pause()
        time.sleep(1.5 * STEP)  # noqa: ASYNC251 - that is the fault


MUTANTS: dict[str, type[Clean]] = {
    "second-client-starves": SecondClientStarves,
    "global-queue": GlobalQueue,
    "sync-workers": SyncWorkers,
    "shared-iterator": SharedIterator,
    "head-of-line": HeadOfLine,
    "per-worker-memory": PerWorkerMemory,
    "stealing-queue": StealingQueue,
    "few-workers": FewWorkers,
    "blocking-call": BlockingCall,
}
