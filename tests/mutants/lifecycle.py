"""Mutants of opening, keepalives, lifetime and shutdown."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from ssegauge.bench import Options

from .contract import PROFILE
from .message import Call, Peer, block
from .server import Clean

LONG = Options(window=2.0, long=True, scale=0.06)  # 30 s of silence become 1.8 s, 65 s of watching 3.9 s
SLEEP = 3600.0


class HeadersWithFirstEvent(Clean):
    """Sends its header section when there is something to say."""

    rule = "LIF-01"

    async def send_head(self, call: Call, peer: Peer) -> None:
        await asyncio.sleep(1.2 if call.path == "/stream" else 0)
        await super().send_head(call, peer)


class SilentOpen(Clean):
    """Sends its header section, and then nothing for a while."""

    rule = "LIF-02"

    async def send_head(self, call: Call, peer: Peer) -> None:
        await super().send_head(call, peer)
        await asyncio.sleep(1.2 if call.path == "/stream" else 0)


class Hurried(Clean):
    """Keeps every rule where minutes are seconds."""

    options = LONG

    async def idle(self, call: Call) -> AsyncIterator[bytes]:
        yield b": open\n\n"
        while True:
            await asyncio.sleep(1.2)
            yield b": keepalive\n\n"


class NoKeepalive(Hurried):
    """Opens, and says nothing more."""

    rule = "LIF-03"

    async def idle(self, call: Call) -> AsyncIterator[bytes]:
        yield b": open\n\n"
        await asyncio.sleep(SLEEP)


class PingAsMessage(Clean):
    """Keeps alive by events that every client takes for data."""

    rule = "LIF-05"

    async def idle(self, call: Call) -> AsyncIterator[bytes]:
        while True:
            yield block("{}", event="")
            await asyncio.sleep(0.4)


class HangsForever(Clean):
    """Waits for something that never comes."""

    rule = "LIF-06"
    profile = PROFILE.replace('deadline = "3s"', 'deadline = "1s"')

    async def events(self, call: Call, start: int) -> AsyncIterator[bytes]:
        async for frame in super().events(call, start):
            if b"event: done\n" in frame:
                await asyncio.sleep(SLEEP)
            yield frame


class WorkerTimeout(Hurried):
    """A limit of the worker cuts every stream at the same age."""

    rule = "LIF-07"

    async def produce(self, call: Call, peer: Peer, start: int) -> bool:
        try:
            async with asyncio.timeout(0.6):
                return await super().produce(call, peer, start)
        except TimeoutError:
            return False


class NoKeepaliveBeforeFirstEvent(Hurried):
    """Starts its keepalives with the first event."""

    rule = "LIF-09"
    profile = PROFILE.replace("first_after = 1.2", "first_after = 2.4")


class PingFlood(Clean):
    """Zero means no pause."""

    rule = "LIF-12"

    async def idle(self, call: Call) -> AsyncIterator[bytes]:
        while True:
            yield b": keepalive\n\n"
            await asyncio.sleep(0.02)


class Leaving(Clean):
    """Ends its streams on an event boundary and as complete messages when it is told to stop. Keeps every rule."""

    control = True

    def __init__(self) -> None:
        super().__init__()
        self.leaving = asyncio.Event()

    async def frames(self, call: Call, start: int) -> AsyncIterator[bytes]:
        frames = super().frames(call, start)
        leaving = asyncio.ensure_future(self.leaving.wait())
        while True:
            following = asyncio.ensure_future(anext(frames))
            try:
                await asyncio.wait({following, leaving}, return_when=asyncio.FIRST_COMPLETED)
                if not following.done():
                    return
                yield following.result()
            except StopAsyncIteration:
                return
            finally:
                following.cancel()

    async def leave(self) -> None:
        """What SIGTERM brings about."""
        self.leaving.set()
        while self.active:  # noqa: ASYNC110 - a counter that everything else already keeps
            await asyncio.sleep(0.01)


class SigtermHangs(Leaving):
    """Waits for streams that nobody ends."""

    rule = "LIF-08"
    options = Options(window=2.0, scale=0.1)  # 10 s of grace become one

    async def leave(self) -> None:
        await asyncio.sleep(SLEEP)


class SigtermCuts(Leaving):
    """Is gone at once, with every stream in the middle."""

    rule = "LIF-11"

    async def leave(self) -> None:
        return


MUTANTS: dict[str, type[Clean]] = {
    "headers-with-first-event": HeadersWithFirstEvent,
    "silent-open": SilentOpen,
    "no-keepalive": NoKeepalive,
    "ping-as-message": PingAsMessage,
    "hangs-forever": HangsForever,
    "30s-worker-timeout": WorkerTimeout,
    "sigterm-hangs": SigtermHangs,
    "no-keepalive-before-first-event": NoKeepaliveBeforeFirstEvent,
    "sigterm-cuts": SigtermCuts,
    "ping-flood": PingFlood,
}
