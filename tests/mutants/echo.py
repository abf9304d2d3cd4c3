"""Mutants of the echo contract."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from typing import Any

from .contract import AUTH, PROFILE
from .message import Call, Peer
from .server import Clean

ECHO = """
[[endpoint]]
name    = "contract"
request = { method = "POST", path = "/contract", json = [{ data = "Hello", retry = 1500 }, { type = "complete", data = "end" }] }
data    = "text"
terminal = ["complete"]
echo    = true
"""


class Contract(Clean):
    """Keeps the contract."""

    endpoint = "contract"
    profile = PROFILE + ECHO

    async def answer(self, call: Call, peer: Peer) -> bool:
        if call.path != "/contract":
            return await super().answer(call, peer)
        if call.method == "OPTIONS":
            return await self.stream(call, peer)
        if call.method != "POST":
            return await self.reply(call, peer, 405, {}, {"Allow": "POST, OPTIONS"})
        if call.headers.get("authorization") not in AUTH:
            return await self.reply(call, peer, 401, {}, {"WWW-Authenticate": "Bearer"})
        return await self.run(call, peer, 0)

    def frames(self, call: Call, start: int) -> AsyncIterator[bytes]:
        return self.echoed(call) if call.path == "/contract" else super().frames(call, start)

    async def echoed(self, call: Call) -> AsyncIterator[bytes]:
        for item in json.loads(call.body):
            yield ("\n".join(self.lines(item)) + "\n\n").encode()

    def lines(self, item: dict[str, Any]) -> list[str]:
        lines = [f": {line}" for line in _split(item.get("comment"))]
        lines += [
            f"{name}: {item[key]}" for key, name in (("id", "id"), ("type", "event"), ("retry", "retry")) if key in item
        ]
        return [*lines, *(f"data: {line}" for line in _split(item.get("data")))]


class DropsEmptyData(Contract):
    """Takes empty text for no text."""

    rule = "FLD-18"

    def lines(self, item: dict[str, Any]) -> list[str]:
        return [line for line in super().lines(item) if line != "data: "]


class NoSpace(Contract):
    """Writes no space after the colon, so that one of the value's own is lost."""

    rule = "FLD-18"

    def lines(self, item: dict[str, Any]) -> list[str]:
        return [line.replace(": ", ":", 1) if line.startswith("event: ") else line for line in super().lines(item)]


def _split(text: str | None) -> list[str]:
    return [] if text is None else re.split("\r\n|\r|\n", text)


MUTANTS: dict[str, type[Clean]] = {"drops-empty-data": DropsEmptyData, "no-space-after-event": NoSpace}
