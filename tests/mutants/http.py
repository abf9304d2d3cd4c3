"""Mutants of status, methods, negotiation and the message."""

from __future__ import annotations

from typing import Any

from .contract import PROFILE
from .message import Call, Peer
from .server import Clean


class Status201(Clean):
    """Answers 201 with the stream."""

    rule = "HTTP-01"

    def head(self, status: int, headers: dict[str, str]) -> bytes:
        return super().head(201 if headers.get("Content-Type") == "text/event-stream" else status, headers)


class ErrorAs200(Clean):
    """Tells of a bad request inside of a stream."""

    rule = "HTTP-02"

    def refusal(self, call: Call) -> tuple[int, dict[str, str]] | None:
        refused = super().refusal(call)
        return None if refused is not None and refused[0] == 400 else refused

    async def produce(self, call: Call, peer: Peer, start: int) -> bool:
        if call.query.get("count", "1").isdigit():
            return await super().produce(call, peer, start)
        await self.send_head(call, peer)
        await peer.content(self.failure())
        await self.finish(call, peer)
        return True


class RerunsJobOnReconnect(Clean):
    """Does not know that the client has it all."""

    rule = "HTTP-04"

    def resume_point(self, call: Call) -> int | None:
        start = super().resume_point(call)
        return None if start == self.last_id() else start


class ContentWith204(Clean):
    """Sends content with 204."""

    rule = "HTTP-05"

    async def reply(
        self, call: Call, peer: Peer, status: int, document: Any, headers: dict[str, str] | None = None
    ) -> bool:
        if status != 204:
            return await super().reply(call, peer, status, document, headers)
        await peer.send(self.head(204, {**self.cors(call), **(headers or {})}) + b"null")
        return False


class HeadHangs(Clean):
    """Never answers HEAD."""

    rule = "HTTP-06"

    async def head_only(self, call: Call, peer: Peer) -> bool:
        await peer.reader.read(1)
        return False


class RedirectNoLocation(Clean):
    """Redirects to nowhere."""

    rule = "HTTP-07"

    def refusal(self, call: Call) -> tuple[int, dict[str, str]] | None:
        return super().refusal(call) or (307, {})


class AcceptExactMatch(Clean):
    """Compares Accept as one string."""

    rule = "HTTP-08"

    def refusal(self, call: Call) -> tuple[int, dict[str, str]] | None:
        accepted = call.headers.get("accept", "*/*") in {"text/event-stream", "*/*"}
        return super().refusal(call) or (None if accepted else (406, {}))


class TeAndCl(Clean):
    """Announces a length and chunks."""

    rule = "HTTP-09"

    def framing(self, call: Call) -> dict[str, str]:
        fields = super().framing(call)
        return {**fields, "Content-Length": "10000"} if "Transfer-Encoding" in fields else fields


class ClTooShort(Clean):
    """Counts its events and forgets its last comment."""

    rule = "HTTP-10"

    async def produce(self, call: Call, peer: Peer, start: int) -> bool:
        if call.path != "/stream":
            return await super().produce(call, peer, start)
        frames = [frame async for frame in self.frames(call, start)]
        fields = {**self.stream_headers(call), "Content-Length": str(len(b"".join(frames)))}
        fields.pop("Transfer-Encoding", None)
        await peer.send(self.head(200, fields))
        for frame in frames:
            await peer.send(frame)
            await self.pause()
        await peer.send(b": bye\n\n")
        return False


class ChunkTruncated(Clean):
    """Closes the connection in place of the last chunk."""

    rule = "HTTP-11"

    async def produce(self, call: Call, peer: Peer, start: int) -> bool:
        await super().produce(call, peer, start)
        return call.version == "1.0"

    async def finish(self, call: Call, peer: Peer) -> None:
        """Leave the message open."""


class ChunkedToHttp10(Clean):
    """Chunks whatever the client speaks."""

    rule = "HTTP-12"

    def framing(self, call: Call) -> dict[str, str]:
        return {"Transfer-Encoding": "chunked"}

    async def send_head(self, call: Call, peer: Peer) -> None:
        peer.chunked = True
        await super().send_head(call, peer)


class GetStartsSecondJob(Clean):
    """Begins anew for a client that was cut, unless it has it all."""

    rule = "HTTP-15"
    companions = ("REC-02",)  # what begins anew does not go on

    def resume_point(self, call: Call) -> int | None:
        start = super().resume_point(call)
        return start if start == self.last_id() else None


class NotAcceptableWithoutAccept(Clean):
    """Wants to be asked by name."""

    rule = "HTTP-16"

    def refusal(self, call: Call) -> tuple[int, dict[str, str]] | None:
        named = "event-stream" in call.headers.get("accept", "").lower()
        return super().refusal(call) or (None if named else (406, {}))


class ServerErrorForOtherAccept(Clean):
    """Has no answer to Accept: application/json."""

    rule = "HTTP-17"

    def refusal(self, call: Call) -> tuple[int, dict[str, str]] | None:
        return super().refusal(call) or ((500, {}) if call.headers.get("accept") == "application/json" else None)


class HeadLeaksStream(Clean):
    """Counts a stream for each HEAD and never ends it."""

    rule = "HTTP-18"

    async def head_only(self, call: Call, peer: Peer) -> bool:
        self.active += 1
        return await super().head_only(call, peer)


class _Moved(Clean):
    """Serves the stream at /moved, too."""

    async def answer(self, call: Call, peer: Peer) -> bool:
        if call.path == "/stream" and self.moves(call):
            return await self.reply(call, peer, *self.move(call))
        return await super().answer(Call(**{**vars(call), "path": call.path.replace("/moved", "/stream")}), peer)

    def moves(self, call: Call) -> bool:
        return True

    def move(self, call: Call) -> tuple[int, Any, dict[str, str]]:
        return 307, {"moved": True}, {"Location": call.raw_path.replace("/stream", "/moved", 1)}


class PostRedirect302(_Moved):
    """Redirects a POST so that clients come back with GET."""

    rule = "HTTP-19"
    profile = PROFILE.replace('{ path = "/stream" }', '{ method = "POST", path = "/stream" }')

    def moves(self, call: Call) -> bool:
        return call.method == "POST"

    def move(self, call: Call) -> tuple[int, Any, dict[str, str]]:
        return 302, {"moved": True}, {"Location": call.raw_path.replace("/stream", "/moved", 1)}


class RedirectOnce(_Moved):
    """Forgets the old address after one redirect."""

    rule = "HTTP-20"
    moved = 0

    def move(self, call: Call) -> tuple[int, Any, dict[str, str]]:
        self.moved += 1
        return super().move(call) if self.moved == 1 else (410, {"gone": True}, {})


class ContentLengthOnOpenStream(Clean):
    """Announces a length for a feed that never ends."""

    rule = "HTTP-21"
    endpoint = "feed"

    def framing(self, call: Call) -> dict[str, str]:
        return {"Content-Length": "1000000"} if call.path == "/feed" else super().framing(call)

    async def send_head(self, call: Call, peer: Peer) -> None:
        peer.chunked = peer.chunked and call.path != "/feed"
        await super().send_head(call, peer)


class BuffersForHttp10(Clean):
    """Sends old clients everything at the end."""

    rule = "HTTP-22"

    async def produce(self, call: Call, peer: Peer, start: int) -> bool:
        if call.version == "1.1":
            return await super().produce(call, peer, start)
        await self.send_head(call, peer)
        await peer.content(b"".join([frame async for frame in self.frames(call, start)]))
        return True


class PostStreams(Clean):
    """Streams whatever the method."""

    rule = "HTTP-23"

    def refusal(self, call: Call) -> tuple[int, dict[str, str]] | None:
        refused = super().refusal(call)
        return None if refused is not None and refused[0] == 405 else refused


class NoAllow(Clean):
    """Refuses a method without naming those that it takes."""

    rule = "HTTP-24"

    def refusal(self, call: Call) -> tuple[int, dict[str, str]] | None:
        refused = super().refusal(call)
        return (405, {}) if refused is not None and refused[0] == 405 else refused


class UnframedKeepAlive(Clean):
    """Ends by a close that it did not announce."""

    rule = "HTTP-25"

    def framing(self, call: Call) -> dict[str, str]:
        return {}

    async def send_head(self, call: Call, peer: Peer) -> None:
        peer.chunked = False
        await super().send_head(call, peer)

    async def produce(self, call: Call, peer: Peer, start: int) -> bool:
        await super().produce(call, peer, start)
        return False


class TeIdentity(UnframedKeepAlive):
    """Names a transfer coding that is none."""

    rule = "HTTP-26"

    def framing(self, call: Call) -> dict[str, str]:
        return {"Transfer-Encoding": "identity", "Connection": "close"} if call.version == "1.1" else {}


class NoVaryOrigin(Clean):
    """Lets caches keep what it chose by the origin."""

    rule = "HDR-08"

    def stream_headers(self, call: Call) -> dict[str, str]:
        fields = {**super().stream_headers(call), "Cache-Control": "no-cache, no-transform"}
        del fields["Vary"]
        return fields


MUTANTS: dict[str, type[Clean]] = {
    "status-201": Status201,
    "error-as-200": ErrorAs200,
    "reruns-job-on-reconnect": RerunsJobOnReconnect,
    "204-with-body": ContentWith204,
    "head-hangs": HeadHangs,
    "redirect-no-location": RedirectNoLocation,
    "accept-exact-match": AcceptExactMatch,
    "te-and-cl": TeAndCl,
    "cl-too-short": ClTooShort,
    "chunk-truncated": ChunkTruncated,
    "chunked-to-http10": ChunkedToHttp10,
    "get-starts-second-job": GetStartsSecondJob,
    "406-without-accept": NotAcceptableWithoutAccept,
    "500-for-other-accept": ServerErrorForOtherAccept,
    "head-leaks-stream": HeadLeaksStream,
    "post-redirect-302": PostRedirect302,
    "redirect-once": RedirectOnce,
    "content-length-on-open-stream": ContentLengthOnOpenStream,
    "buffers-for-http10": BuffersForHttp10,
    "post-streams": PostStreams,
    "405-without-allow": NoAllow,
    "unframed-keep-alive": UnframedKeepAlive,
    "te-identity": TeIdentity,
    "no-vary-origin": NoVaryOrigin,
}
