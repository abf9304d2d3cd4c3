"""Mutants of reconnection and resuming."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import AsyncIterator
from urllib.parse import unquote

from .contract import AUTH, PROFILE
from .message import Call, Peer
from .server import Clean


def _given(call: Call) -> str | None:
    return call.headers.get("last-event-id")


def _known(call: Call) -> bool:
    """An id that this server may have given."""
    given = _given(call)
    return not given or (given.isascii() and given.isdigit() and len(given) < 3)


class IdEvery10th(Clean):
    """Writes an id into every tenth event only."""

    rule = "REC-01"
    count = 8

    def event(self, number: int) -> bytes:
        frame = super().event(number)
        return frame if number % 10 == 0 else frame.replace(b"id: %d\n" % number, b"")


class ReplaysAll(Clean):
    """Begins anew whatever the client has; what is finished stays finished."""

    rule = "REC-02"

    async def run(self, call: Call, peer: Peer, start: int) -> bool:
        return await super().run(call, peer, 0)


class Needs(Clean):
    """Fails without Last-Event-ID; the profile's own request carries it."""

    rule = "REC-03"
    profile = PROFILE.replace(
        'request  = { path = "/stream" }', 'request  = { path = "/stream", headers = { Last-Event-ID = "0" } }'
    )

    def refusal(self, call: Call) -> tuple[int, dict[str, str]] | None:
        missing = call.path == "/stream" and call.method == "GET" and _given(call) is None
        return (500, {}) if missing else super().refusal(call)


class NeedsAlways(Needs):
    """Fails without Last-Event-ID, and no profile helps."""

    profile = PROFILE
    companions = ("HTTP-01",)


class FailsOnBadId(Clean):
    """Fails where it does not know the id."""

    rule = "REC-04"

    def refusal(self, call: Call) -> tuple[int, dict[str, str]] | None:
        return super().refusal(call) if _known(call) or call.path != "/stream" else (500, {})


class SilentOnLongId(Clean):
    """Does not answer where the id is long."""

    rule = "REC-04"

    async def stream(self, call: Call, peer: Peer) -> bool:
        if len(_given(call) or "") > 1000:
            await asyncio.sleep(8)
            return False
        return await super().stream(call, peer)


class ReflectsId(Clean):
    """Tells in a comment where it goes on, the id decoded."""

    rule = "REC-05"

    async def frames_of(self, call: Call, start: int) -> AsyncIterator[bytes]:
        if _given(call):
            yield f": after {unquote(_given(call) or '')}\n\n".encode("utf-8", "surrogateescape")
        async for frame in super().frames(call, start):
            yield frame

    def frames(self, call: Call, start: int) -> AsyncIterator[bytes]:
        return self.frames_of(call, start)


class Latin1Id(Clean):
    """Gives one event an id in UTF-8, and reads what comes back as Latin-1."""

    rule = "REC-06"
    reads_as = "latin-1"

    def event(self, number: int) -> bytes:
        frame = super().event(number)
        return frame.replace(b"id: 3\n", "id: drei·3\n".encode()) if number == 3 else frame

    def resume_point(self, call: Call) -> int | None:
        raw = (_given(call) or "").encode("utf-8", "surrogateescape")
        return 3 if raw.decode(self.reads_as, "replace") == "drei·3" else super().resume_point(call)


class PerConnectionIds(Clean):
    """Names events after the connection that they go out on; knows all names when they come back."""

    rule = "REC-07"

    def __init__(self) -> None:
        super().__init__()
        self.connections = itertools.count(1)

    async def produce(self, call: Call, peer: Peer, start: int) -> bool:
        await self.send_head(call, peer)
        name = next(self.connections)
        async for frame in self.frames(call, start):
            await peer.content(re.sub(rb"(?m)^id: ", b"id: c%d." % name, frame))
        await self.finish(call, peer)
        return True

    def resume_point(self, call: Call) -> int | None:
        given = (_given(call) or "").rpartition(".")[2]
        return super().resume_point(_with_id(call, given)) if call.path == "/stream" else None


def _with_id(call: Call, value: str) -> Call:
    return Call(**{**vars(call), "headers": {**call.headers, "last-event-id": value}})


class LiveBeforeReplay(Clean):
    """Sends what happens now before what was missed."""

    rule = "REC-08"

    async def events(self, call: Call, start: int) -> AsyncIterator[bytes]:
        held: list[bytes] = []
        async for frame in super().events(call, start):
            if start and not held:
                held.append(frame)
                continue
            yield frame
            if held:
                yield held[0]
                held = [b""]
        if held and held[0]:
            yield held[0]


class LeaksById(Clean):
    """Finds whose stream to go on with by the id alone."""

    rule = "REC-09"
    checks = False

    def owner(self, call: Call) -> str:
        """Whose events these are."""
        return AUTH.get(call.headers.get("authorization", ""), "a")

    def resume_point(self, call: Call) -> int | None:
        whose, _, number = (_given(call) or "").rpartition("-")
        if self.checks and whose != self.owner(call):
            return None
        return super().resume_point(_with_id(call, number)) if whose else None

    async def events(self, call: Call, start: int) -> AsyncIterator[bytes]:
        whose = (_given(call) or "").rpartition("-")[0] if start else self.owner(call)
        async for frame in super().events(call, start):
            head, _, rest = frame.partition(b"id: ")
            yield head + f"id: {whose}-".encode() + rest.replace(b"part ", b"part of %s " % whose.encode())


class NoRetry(Clean):
    """Leaves the time of the reconnect to the browser."""

    rule = "REC-10"

    def event(self, number: int) -> bytes:
        return super().event(number).replace(b"retry: 1500\n", b"")


class FailsOnEmptyId(Clean):
    """Fails where the id is empty."""

    rule = "REC-11"

    def refusal(self, call: Call) -> tuple[int, dict[str, str]] | None:
        return (500, {}) if _given(call) == "" else super().refusal(call)


class CaseSensitiveField(Clean):
    """Looks for Last-Event-ID in that spelling only."""

    rule = "REC-12"

    def resume_point(self, call: Call) -> int | None:
        return super().resume_point(call) if "Last-Event-ID" in call.names else None


class EmptyOnBadId(Clean):
    """Answers an unknown id with a stream that ends at once."""

    rule = "REC-13"

    def frames(self, call: Call, start: int) -> AsyncIterator[bytes]:
        return super().frames(call, start) if _known(call) or call.path != "/stream" else self.nothing()

    async def nothing(self) -> AsyncIterator[bytes]:
        """No event at all."""
        for frame in ():
            yield frame


MUTANTS: dict[str, type[Clean]] = {
    "id-every-10th": IdEvery10th,
    "replays-all": ReplaysAll,
    "500-without-leid": Needs,
    "500-on-bad-leid": FailsOnBadId,
    "leid-reflected": ReflectsId,
    "latin1-leid": Latin1Id,
    "per-connection-ids": PerConnectionIds,
    "live-before-replay": LiveBeforeReplay,
    "leaks-by-leid": LeaksById,
    "no-retry-field": NoRetry,
    "500-on-empty-leid": FailsOnEmptyId,
    "leid-case-sensitive": CaseSensitiveField,
    "empty-200-on-bad-leid": EmptyOnBadId,
}
