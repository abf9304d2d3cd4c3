"""Mutants of what happens when a stream fails after its start."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

from .message import Call, Peer, block
from .server import Clean


class _Failed(Exception):
    """The producer's exception, which nobody catches."""


class SilentTruncation(Clean):
    """Cuts the connection without a word."""

    rule = "ERR-01"

    def failure(self) -> bytes:
        raise _Failed

    async def produce(self, call: Call, peer: Peer, start: int) -> bool:
        try:
            return await super().produce(call, peer, start)
        except _Failed:
            return False


def _saying(rule: str, failure: bytes) -> type[Clean]:
    """A server that says this when it fails."""

    class Mutant(Clean):
        def failure(self) -> bytes:
            return failure

    Mutant.rule = rule
    return Mutant


_TRACEBACK = "Traceback (most recent call last):\n  File \"/srv/app/streams.py\", line 88, in produce\nKeyError: 'x'"
_LEAKING = {"type": "error", "code": "internal", "message": _TRACEBACK, "seq": 99}


class DoneAfterError(Clean):
    """Goes on to the terminal whatever happened."""

    rule = "ERR-04"

    def failure(self) -> bytes:
        return super().failure() + self.event(self.last_id())


class SynthesisedTerminal(Clean):
    """Makes up the terminal that the upstream never sent."""

    rule = "ERR-07"

    def failure(self) -> bytes:
        return self.event(self.last_id())


class DropsLastEvent(Clean):
    """Loses the event that was written just before the failure."""

    rule = "ERR-08"

    async def events(self, call: Call, start: int) -> AsyncIterator[bytes]:
        held = b""
        async for frame in super().events(call, start):
            if b"event: error\n" not in frame:
                yield held
                held = frame
            else:
                held = b""
                yield frame
        yield held


class HangsAfterFailure(Clean):
    """Says that it failed, and stays open."""

    rule = "ERR-09"

    async def finish(self, call: Call, peer: Peer) -> None:
        if "fail_after" in call.query:
            await asyncio.sleep(3600)
        await super().finish(call, peer)


class FailureKillsServer(Clean):
    """The third failure takes the process with it; a supervisor brings it back after half a second."""

    rule = "ERR-10"

    def __init__(self) -> None:
        super().__init__()
        self.failed = 0
        self.down = False
        self.peers: list[Peer] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.down:
            writer.transport.abort()
        else:
            await super().serve(reader, writer)

    async def produce(self, call: Call, peer: Peer, start: int) -> bool:
        self.peers.append(peer)
        try:
            return await super().produce(call, peer, start)
        finally:
            self.peers.remove(peer)

    def failure(self) -> bytes:
        self.failed += 1
        if self.failed % 3 == 0:
            self.down = True
            asyncio.get_running_loop().call_later(0.5, self._come_back)
            for peer in self.peers:
                peer.cut()
        return super().failure()

    def _come_back(self) -> None:
        self.down = False


class UnframedError(Clean):
    """Lets the framework write its JSON error body into the stream."""

    rule = "ERR-11"

    def failure(self) -> bytes:
        return json.dumps({"timestamp": "2026-11-22", "status": 500, "error": "Internal Server Error"}).encode() + b"\n"


MUTANTS: dict[str, type[Clean]] = {
    "silent-truncation": SilentTruncation,
    "error-string": _saying("ERR-03", block('"the model is not there"', event="error")),
    "done-after-error": DoneAfterError,
    "traceback-in-error": _saying("ERR-05", block(json.dumps(_LEAKING), event="error")),
    "clean-end-after-failure": _saying("ERR-06", b""),
    "synthesised-terminal": SynthesisedTerminal,
    "drops-last-event-on-failure": DropsLastEvent,
    "hangs-after-failure": HangsAfterFailure,
    "failure-kills-server": FailureKillsServer,
    "unframed-error": UnframedError,
}
