"""Mutants of planned ends."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

from .lifecycle import Leaving
from .message import Call
from .server import Clean


class CutMidEvent(Clean):
    """Ends a stream by the clock, wherever it is."""

    rule = "FRM-11"

    async def ticks(self, call: Call) -> AsyncIterator[bytes]:
        began = time.monotonic()
        async for frame in super().ticks(call):
            if time.monotonic() - began > 1.2:
                yield frame[:-4]
                return
            yield frame


class Controlled(Leaving):
    """Clean, in a process that may be killed and started again."""


class RefusesReconnect(Controlled):
    """Is not ready for those who come back right after its start."""

    rule = "HTTP-03"

    def refusal(self, call: Call) -> tuple[int, dict[str, str]] | None:
        early = self.opened == 0 and "last-event-id" in call.headers
        return super().refusal(call) or ((503, {"Retry-After": "1"}) if early else None)


MUTANTS: dict[str, type[Clean]] = {
    "cut-mid-event": CutMidEvent,
    "503-on-reconnect": RefusesReconnect,
}
