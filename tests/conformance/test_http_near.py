"""Messages that look odd and are right, and what the harness's own reader makes of them."""

from __future__ import annotations

import asyncio

import pytest

from tests.mutants.contract import PROFILE
from tests.mutants.host import Host
from tests.mutants.message import Call, Peer
from tests.mutants.server import Clean

from .near import held, outcome, outcomes
from .recorded import exchange, finding

MESSAGE_RULES = (
    "HTTP-01", "HTTP-05", "HTTP-06", "HTTP-09", "HTTP-10", "HTTP-11", "HTTP-12", "HTTP-21", "HTTP-22", "HTTP-25", "HTTP-26",
    "ORD-02",
)  # fmt: skip


class EarlyHints(Clean):
    """An informational answer comes first (RFC 8297)."""

    async def send_head(self, call: Call, peer: Peer) -> None:
        if call.version == "1.1":
            await peer.send(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n")
        await super().send_head(call, peer)


class ByteByByte(Clean):
    """Every byte comes alone."""

    async def content(self, peer: Peer, data: bytes) -> None:
        for position in range(len(data)):
            await peer.send(data[position : position + 1])
            await asyncio.sleep(0)

    async def send_head(self, call: Call, peer: Peer) -> None:
        await self.content(peer, self.head(200, self.stream_headers(call)))
        send = peer.send

        async def slowly(data: bytes) -> None:
            for position in range(len(data)):
                await send(data[position : position + 1])
                if not position % 8:
                    await asyncio.sleep(0)

        peer.send = slowly  # type: ignore[method-assign]


class ChunksInPieces(Clean):
    """Chunks end in the middle of lines, sizes have extensions and leading zeros, and there is a trailer."""

    async def produce(self, call: Call, peer: Peer, start: int) -> bool:
        if call.version == "1.0":
            return await super().produce(call, peer, start)
        await self.send_head(call, peer)
        async for frame in self.frames(call, start):
            for piece in (frame[:7], frame[7:]):
                await peer.send(b"00%X;part=yes\r\n%s\r\n" % (len(piece), piece))
        await peer.send(b"0\r\nServer-Timing: total\r\n\r\n")
        return True


class OddSpelling(Clean):
    """Field names in capitals, values in mixed case, blanks around them."""

    def stream_headers(self, call: Call) -> dict[str, str]:
        fields = {name.upper(): value for name, value in super().stream_headers(call).items()}
        fields["CONTENT-TYPE"] = "  Text/Event-Stream ; Charset=UTF-8"
        return {**fields, **({"TRANSFER-ENCODING": "Chunked"} if "TRANSFER-ENCODING" in fields else {})}


class CloseDelimited(Clean):
    """Neither chunks nor a length, and the close announced: Connection names another option as well."""

    def framing(self, call: Call) -> dict[str, str]:
        return {"Connection": "X-Hop, Close"}

    async def produce(self, call: Call, peer: Peer, start: int) -> bool:
        peer.chunked = False
        await super().produce(call, peer, start)
        return False


class KnownLength(Clean):
    """The whole stream is there before it begins, so its length is known."""

    async def produce(self, call: Call, peer: Peer, start: int) -> bool:
        body = b"".join([frame async for frame in self.frames(call, start)])
        fields = {**self.stream_headers(call), "Content-Length": str(len(body))}
        fields.pop("Transfer-Encoding", None)
        await peer.send(self.head(200, fields) + body)
        return call.version == "1.1"


class NoHead(Clean):
    """HEAD is not offered, and says so."""

    def refusal(self, call: Call) -> tuple[int, dict[str, str]] | None:
        return (405, {"Allow": "GET"}) if call.method == "HEAD" else super().refusal(call)


class BareLineFeeds(Clean):
    """Heads with LF alone, which recipients may take (RFC 9112 section 2.2)."""

    def head(self, status: int, headers: dict[str, str]) -> bytes:
        return super().head(status, headers).replace(b"\r\n", b"\n")


@pytest.mark.parametrize(
    "kind", [EarlyHints, ByteByByte, ChunksInPieces, OddSpelling, CloseDelimited, NoHead, BareLineFeeds]
)
def test_odd_messages_are_right(host: Host, kind: type[Clean]) -> None:
    held(host, kind(), *(rule for rule in MESSAGE_RULES if rule != "HTTP-22" or kind is not ChunksInPieces))


def test_a_stream_of_known_length_is_right(host: Host) -> None:
    held(host, KnownLength(), *(rule for rule in MESSAGE_RULES if rule != "HTTP-22"))


def test_an_http_1_0_server_is_right(host: Host) -> None:
    class Old(CloseDelimited):
        def head(self, status: int, headers: dict[str, str]) -> bytes:
            return super().head(status, headers).replace(b"HTTP/1.1", b"HTTP/1.0", 1)

        def framing(self, call: Call) -> dict[str, str]:
            return {}

        async def answer(self, call: Call, peer: Peer) -> bool:
            await super().answer(call, peer)
            return False

    held(host, Old(), *MESSAGE_RULES)


def test_a_length_that_is_too_large_is_seen(host: Host) -> None:
    class TooLong(KnownLength):
        def head(self, status: int, headers: dict[str, str]) -> bytes:
            if headers.get("Content-Type") == "text/event-stream" and "Content-Length" in headers:
                headers = {**headers, "Content-Length": str(int(headers["Content-Length"]) + 5)}
            return super().head(status, headers)

        async def produce(self, call: Call, peer: Peer, start: int) -> bool:
            await super().produce(call, peer, start)
            return False

    found = outcomes(host, TooLong(), "HTTP-10", "HTTP-11")
    assert found["HTTP-10"].startswith("fail")
    assert found["HTTP-11"] == "pass"


def test_a_redirected_stream_may_refuse_at_its_final_address(host: Host) -> None:
    class Slash(Clean):
        async def answer(self, call: Call, peer: Peer) -> bool:
            if call.path == "/stream":
                return await self.reply(
                    call, peer, 307, {}, {"Location": call.raw_path.replace("/stream", "/stream/", 1)}
                )
            return await super().answer(Call(**{**vars(call), "path": call.path.rstrip("/")}), peer)

    held(host, Slash(), "HTTP-02", "HTTP-07", "HTTP-20", "COR-01", "SEC-05")


@pytest.mark.parametrize("status", [301, 302, 303, 308])
def test_every_kind_of_redirect_leads_to_the_stream(host: Host, status: int) -> None:
    class Moved(Clean):
        async def answer(self, call: Call, peer: Peer) -> bool:
            if call.path == "/stream":
                return await self.reply(
                    call, peer, status, {}, {"Location": "//" + call.headers["host"] + "/new?x=%20"}
                )
            return await super().answer(Call(**{**vars(call), "path": call.path.replace("/new", "/stream")}), peer)

    held(host, Moved(), "HTTP-01", "HTTP-07", "HTTP-20")


def test_a_redirect_loop_ends(host: Host) -> None:
    class Loop(Clean):
        async def answer(self, call: Call, peer: Peer) -> bool:
            return await self.reply(call, peer, 302, {}, {"Location": call.raw_path})

    assert outcome(host, Loop(), "HTTP-07") == "fail"


def test_a_post_redirected_with_307_keeps_its_method(host: Host) -> None:
    class Moved(Clean):
        endpoint = "chat"
        profile = PROFILE.replace('path = "/chat"', 'path = "/old"')

        async def answer(self, call: Call, peer: Peer) -> bool:
            if call.path == "/old":
                return await self.reply(call, peer, 307, {}, {"Location": "/chat"})
            return await super().answer(call, peer)

    held(host, Moved(), "HTTP-01", "HTTP-07", "HTTP-19")


def test_a_refusal_is_shown_in_the_servers_own_words() -> None:
    """A missing key, a model that does not exist: the reason stands in the body, and nobody should need curl for it."""
    seen = exchange([(0.02, b'{"error": {"message": "The model `m` does not exist"}}')])
    seen.status, seen.reason, seen.headers = 404, "Not Found", [("Content-Type", "application/json")]
    found = finding("HTTP-01", seen)
    assert found.actual == "status 404"
    assert found.evidence[-1].note == "the body"
    assert "The model `m` does not exist" in found.evidence[-1].bytes
    seen.reads.clear()
    assert [piece.note for piece in finding("HTTP-01", seen).evidence] == ["", ""]
