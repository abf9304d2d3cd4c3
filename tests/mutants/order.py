"""Mutants of the order of events, the terminal, the sequence and the progress."""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from typing import Any

from .contract import PROFILE
from .encoding import with_payload
from .message import Call, Peer, block
from .server import Clean


class StartAgain(Clean):
    """Begins a second time in the middle."""

    rule = "ORD-01"

    def type_of(self, number: int) -> str:
        return "start" if number == 3 else super().type_of(number)


class NoTerminal(Clean):
    """Ends as if it were done, without saying so."""

    rule = "ORD-02"

    async def events(self, call: Call, start: int) -> AsyncIterator[bytes]:
        async for frame in super().events(call, start):
            if b"event: done\n" not in frame:
                yield frame


WITHOUT_RESUME = PROFILE.replace('resume   = { from = "Last-Event-ID" }\n', "")


class Appending(Clean, ABC):
    """Sends one more event after the last one, which nobody can resume after."""

    profile = WITHOUT_RESUME

    @abstractmethod
    def more(self) -> bytes:
        """What follows the terminal."""

    async def events(self, call: Call, start: int) -> AsyncIterator[bytes]:
        async for frame in super().events(call, start):
            yield frame
            if b"event: done\n" in frame:
                yield self.more()


class EventAfterDone(Appending):
    """Sends its figures after the terminal."""

    rule = "ORD-03"

    def more(self) -> bytes:
        seq = self.last_id() + 1
        payload = {"type": "delta", "seq": seq, "progress": 100, "text": "7 tokens"}
        return block(json.dumps(payload), event="delta")


class TwoTerminals(Appending):
    """Says that it is done in the producer and in its cleanup."""

    rule = "ORD-08"

    def more(self) -> bytes:
        seq = self.last_id() + 1
        return block(json.dumps({"type": "done", "seq": seq}), event="done")


class NeverCloses(Clean):
    """Keeps the response open after the terminal."""

    rule = "ORD-04"
    profile = PROFILE.replace('deadline = "3s"', 'deadline = "2500ms"')

    async def finish(self, call: Call, peer: Peer) -> None:
        if call.path == "/stream" and "fail_after" not in call.query:
            await asyncio.sleep(3600)
        await super().finish(call, peer)


class SeqRepeats(Clean):
    """Sends an event twice."""

    rule = "ORD-05"
    profile = WITHOUT_RESUME

    def event(self, number: int) -> bytes:
        frame = super().event(number)
        return frame + frame.replace(b"id: 4\n", b"id: 4-again\n") if number == 4 else frame


class SeqGap(Clean):
    """Has lost an event from a full queue."""

    rule = "ORD-10"

    def payload(self, number: int) -> dict[str, Any]:
        payload = super().payload(number)
        return {**payload, "seq": number + (number > 3)}


def _with_progress(rule: str, which: int, value: float) -> type[Clean]:
    """A server whose event of that number tells this progress."""

    class Mutant(Clean):
        def event(self, number: int) -> bytes:
            change = with_payload(which, lambda payload: {**payload, "progress": value})
            return change(self, number, super().event(number))

    Mutant.rule = rule
    return Mutant


class PingFirst(Clean):
    """Sends a heartbeat, which is listed nowhere, before it starts."""

    rule = "ORD-07"
    profile = WITHOUT_RESUME

    def event(self, number: int) -> bytes:
        heartbeat = block(json.dumps({"type": "heartbeat"}), event="heartbeat", id="0")
        return heartbeat + super().event(number) if number == 1 else super().event(number)


class EndsWithoutMarker(Clean):
    """Ends, and the profile does not know by what."""

    rule = "ORD-09"
    endpoint = "echo"
    profile = PROFILE.replace('order    = "echo done"\nterminal = ["done"]\n', "")


class Parts(Clean):
    """Two parts that interleave, each with its own start, deltas and stop. Keeps every rule."""

    profile = (
        PROFILE.replace('"start delta+ done"', '"start (begin delta+ close)? done"\ngroup = { pointer = "/part" }')
        .replace('progress = { event = "delta", pointer = "/progress", range = [0, 100] }\n', "")
        .replace("fault      = { params = { fail_after = 3 } }\n", "")
    )  # fmt: skip
    steps = ("begin 0", "begin 1", "delta 0", "delta 1", "close 0", "close 1")
    count = len(steps)

    def type_of(self, number: int) -> str:
        return self.steps[number - 2].split()[0] if 1 < number < self.last_id() else super().type_of(number)

    def payload(self, number: int) -> dict[str, Any]:
        payload = super().payload(number)
        if 1 < number < self.last_id():
            payload |= {"part": int(self.steps[number - 2].split()[1]), "text": "…"}
        return payload


class OrphanDelta(Parts):
    """Writes to a part that nobody opened."""

    rule = "ORD-13"
    steps = ("begin 0", "delta 0", "delta 1", "delta 0", "close 0", "delta 1")


MUTANTS: dict[str, type[Clean]] = {
    "start-again": StartAgain,
    "no-terminal": NoTerminal,
    "event-after-done": EventAfterDone,
    "never-closes": NeverCloses,
    "seq-repeats": SeqRepeats,
    "progress-backwards": _with_progress("ORD-06", 4, 10),
    "ping-first": PingFirst,
    "two-terminals": TwoTerminals,
    "ends-without-marker": EndsWithoutMarker,
    "seq-gap": SeqGap,
    "progress-out-of-range": _with_progress("ORD-11", 6, 120),
    "progress-stops-short": _with_progress("ORD-12", 6, 90),
    "orphan-delta": OrphanDelta,
}
