"""Faults that only some requests bring to light, and servers that only seem to have them."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncIterator, Callable

import pytest

from tests.mutants.contract import ORIGIN, PROFILE
from tests.mutants.host import Host
from tests.mutants.message import Call, Peer, block
from tests.mutants.server import Clean

from .near import held, outcome, outcomes
from .recorded import at_once, exchange, said


class Moved(Clean):
    """Reached by a redirect."""

    status = 307

    async def answer(self, call: Call, peer: Peer) -> bool:
        if call.path == "/stream":
            return await self.reply(call, peer, self.status, {}, {"Location": self.target(call)})
        if call.path == "/moved":
            return await self.at_target(Call(**{**vars(call), "path": "/stream"}), peer)
        return await super().answer(call, peer)

    def target(self, call: Call) -> str:
        return call.raw_path.replace("/stream", "/moved", 1)

    async def at_target(self, call: Call, peer: Peer) -> bool:
        return await Clean.answer(self, call, peer)


def test_a_redirect_to_a_page_does_not_lead_to_the_stream(host: Host) -> None:
    class ToLogin(Moved):
        async def at_target(self, call: Call, peer: Peer) -> bool:
            return await self.reply(call, peer, 200, "please log in", {"Content-Type": "text/html"})

    [told] = outcomes(host, ToLogin(), "HTTP-07").values()
    assert told.startswith("fail")
    assert "status 200, text/html" in told


def test_what_an_address_for_one_request_refuses_is_said_once(host: Host) -> None:
    class Ticket(Moved):
        def __init__(self) -> None:
            super().__init__()
            self.issued = 0
            self.used: set[str] = set()

        def target(self, call: Call) -> str:
            self.issued += 1
            return f"/moved?ticket={self.issued}"

        async def at_target(self, call: Call, peer: Peer) -> bool:
            ticket = call.query["ticket"]
            if ticket in self.used:
                return await self.reply(call, peer, 410, {"error": "used"})
            self.used.add(ticket)
            return await super().at_target(call, peer)

    found = outcomes(host, Ticket(), "HTTP-20", "HTTP-07", "HTTP-08", "HTTP-16", "HDR-09", "REC-11")
    assert found.pop("HTTP-20").startswith("fail")
    assert found.pop("HTTP-07") == "pass"
    assert all(text.startswith("untestable") and "HTTP-20" in text for text in found.values()), found


def test_a_refusal_behind_a_redirect_is_told_where_the_address_keeps_serving(host: Host) -> None:
    class Narrow(Moved):
        async def at_target(self, call: Call, peer: Peer) -> bool:
            if call.headers.get("accept", "*/*") not in {"text/event-stream", "*/*"}:
                return await self.reply(call, peer, 406, {})
            return await super().at_target(call, peer)

    found = outcomes(host, Narrow(), "HTTP-08", "HTTP-20")
    assert found["HTTP-08"].startswith("fail")
    assert found["HTTP-20"] == "pass"


def test_content_after_a_304_is_found(host: Host) -> None:
    class Chatty304(Clean):
        async def answer(self, call: Call, peer: Peer) -> bool:
            if "if-none-match" in call.headers:
                await peer.send(self.head(304, {"ETag": '"1"', "Content-Length": "4"}) + b"null")
                return False
            return await super().answer(call, peer)

    class Quiet304(Chatty304):
        async def answer(self, call: Call, peer: Peer) -> bool:
            if "if-none-match" in call.headers:  # a 304 may say how long the 200 would have been (RFC 9110, 8.6)
                await peer.send(self.head(304, {"ETag": '"1"', "Content-Length": "4"}))
                return False
            return await super().answer(call, peer)

    assert outcome(host, Chatty304(), "HTTP-05") == "fail"
    assert outcome(host, Quiet304(), "HTTP-05") == "pass"


class Compresses(Clean):
    """Uses gzip where the client takes it, flushed after each event."""

    def stream_headers(self, call: Call) -> dict[str, str]:
        coding = {"Content-Encoding": "gzip"} if self.asked(call) else {}
        return {**super().stream_headers(call), "Vary": "Accept-Encoding, Origin", **coding}

    def asked(self, call: Call) -> bool:
        return "gzip" in call.headers.get("accept-encoding", "")

    async def produce(self, call: Call, peer: Peer, start: int) -> bool:
        await self.send_head(call, peer)
        machine = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
        async for frame in self.frames(call, start):
            packed = machine.compress(frame) + machine.flush(zlib.Z_SYNC_FLUSH)
            await peer.content(packed if self.asked(call) else frame)
        if self.asked(call):
            await peer.content(machine.flush())
        await peer.finish()
        return True


def test_a_coding_that_browsers_ask_for_is_looked_into(host: Host) -> None:
    class SaysGzip(Compresses):
        async def produce(self, call: Call, peer: Peer, start: int) -> bool:
            return await Clean.produce(self, call, peer, start)

    class HidesGzip(Compresses):
        def stream_headers(self, call: Call) -> dict[str, str]:
            return Clean.stream_headers(self, call)

    class HoldsGzip(Compresses):
        async def produce(self, call: Call, peer: Peer, start: int) -> bool:
            await self.send_head(call, peer)
            body = b"".join([frame async for frame in self.frames(call, start)])
            await peer.content(gzip.compress(body) if self.asked(call) else body)
            await peer.finish()
            return True

    assert outcome(host, SaysGzip(), "HDR-07") == "fail"
    assert outcome(host, HidesGzip(), "HDR-07") == "fail"
    held(host, Compresses(), "HDR-07", "HDR-10", "BUF-02")
    held(host, HoldsGzip(), "HDR-07")  # that it holds events back is BUF-02's


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress], ids=["gzip", "zlib"])
def test_a_compressed_body_without_a_name_is_told_once(pack: Callable[[bytes], bytes]) -> None:
    seen = exchange(at_once(pack(b"data: x\n\n" * 20)))
    assert said("HDR-07", seen).startswith("fail")
    for rule in ("ENC-01", "ENC-04", "FRM-05", "FRM-10", "FLD-16"):
        assert said(rule, seen).startswith("untestable"), rule


@pytest.mark.parametrize(
    ("value", "expected"),
    [('no-cache="set-cookie"', "fail"), ('private, no-cache="set-cookie, set-cookie2"', "fail"),
     ('no-cache="set-cookie", no-store', "pass"), ("No-Cache", "pass")],
)  # fmt: skip
def test_a_no_cache_that_names_fields_speaks_of_these_only(value: str, expected: str) -> None:
    head = (("Content-Type", "text/event-stream"), ("Cache-Control", value))
    assert said("HDR-04", exchange(at_once(b"data: x\n\n"), headers=head)).partition(":")[0] == expected


def test_the_head_of_a_resumed_stream_is_looked_at_too(host: Host) -> None:
    class Other(Clean):
        field = ("Content-Type", "application/octet-stream")

        def stream_headers(self, call: Call) -> dict[str, str]:
            again = dict([self.field]) if call.headers.get("last-event-id") else {}
            return {**super().stream_headers(call), **again}

    class Kept(Other):
        field = ("Cache-Control", "max-age=60")

    found = outcomes(host, Other(), "HDR-01", "HDR-04")
    assert "asked with Last-Event-ID: 1" in found["HDR-01"]
    assert found["HDR-04"] == "pass"
    assert outcome(host, Kept(), "HDR-04") == "fail"
    held(host, Clean(), "HDR-01", "HDR-04", endpoint="chat")


class TakesNul(Clean):
    """Lets NUL into an id."""

    endpoint = "echo"

    async def echo(self, call: Call) -> AsyncIterator[bytes]:
        yield block("hello", event="echo", id=self.mark(call.query.get("mark", "")), retry=1500)
        await self.pause()
        yield block("bye", event="done", id="end")

    def mark(self, given: str) -> str:
        return given

    def refusal(self, call: Call) -> tuple[int, dict[str, str]] | None:
        shown = {name: value.replace("\0", "") for name, value in call.query.items()}
        return super().refusal(Call(**{**vars(call), "query": shown}))


def test_an_input_with_nul_may_not_get_into_an_id(host: Host) -> None:
    class DropsNul(TakesNul):
        def mark(self, given: str) -> str:
            return given.replace("\0", "")

    assert outcome(host, TakesNul(), "FLD-02") == "fail"
    held(host, DropsNul(), "FLD-02")
    held(host, Clean(), "FLD-02", endpoint="echo")  # refuses it


def test_an_origin_that_only_a_pattern_with_open_dots_takes_is_tried(host: Host) -> None:
    class Pattern(Clean):
        def cors(self, call: Call) -> dict[str, str]:
            origin = call.headers.get("origin", "")
            if origin not in {ORIGIN, ORIGIN.replace(".", "x")}:
                return {"Vary": "Origin"}
            return {"Vary": "Origin", "Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": "true"}

    assert outcome(host, Pattern(), "COR-03") == "fail"


# -- what is said of a fault is enough to see it ---------------------------------------------------------------------


def test_a_permission_that_is_no_true_is_shown(host: Host) -> None:
    class Python(Clean):
        def cors(self, call: Call) -> dict[str, str]:
            fields = super().cors(call)
            return fields | ({"Access-Control-Allow-Credentials": "True"} if len(fields) > 1 else {})

    assert "Access-Control-Allow-Credentials: True" in outcomes(host, Python(), "COR-02")["COR-02"]


def test_the_validators_that_a_client_would_send_are_tried(host: Host) -> None:
    class Exact(Clean):
        validator, condition = ("ETag", '"v1"'), "if-none-match"

        def stream_headers(self, call: Call) -> dict[str, str]:
            return {**super().stream_headers(call), **dict([self.validator])}

        def refusal(self, call: Call) -> tuple[int, dict[str, str]] | None:
            kept = call.headers.get(self.condition) == self.validator[1]
            return (304, {}) if kept else super().refusal(call)

        async def reply(self, call: Call, peer: Peer, status: int, *more: object) -> bool:
            if status != 304:
                return await super().reply(call, peer, status, *more)
            await peer.send(self.head(304, {}))
            return True

    class ExactDate(Exact):
        validator, condition = ("Last-Modified", "Tue, 01 Jan 2019 00:00:00 GMT"), "if-modified-since"

    assert outcome(host, Exact(), "HDR-09") == outcome(host, ExactDate(), "HDR-09") == "fail"


def test_one_blank_line_that_is_late_each_time_is_found() -> None:
    def told(*gaps: tuple[float, bytes]) -> str:
        return said("FRM-04", exchange(gaps)).partition(":")[0]

    events = [(0.1 * number, b"data: %d\n\n" % number) for number in range(5)]
    assert told(*events, (0.6, b"data: last\n"), (1.1, b"\n")) == "fail"
    assert told(*events, (0.6, b"data: last\n"), (0.7, b"\n")) == "pass"
    # cut anywhere, as a buffer or a slow link does
    assert told(*events, (0.6, b"data: la"), (0.9, b"st\n"), (1.2, b"\ndata: x\n\n")) == "pass"


def test_a_text_that_takes_long_to_come_to_its_place_is_not_missing(host: Host) -> None:
    class Talks(Clean):
        endpoint = "echo"
        profile = PROFILE.replace('data     = "text"\norder    = "echo done"', 'data     = "json"')

        async def echo(self, call: Call) -> AsyncIterator[bytes]:
            text = call.query.get("text", "hello")
            for word in text.split(" "):
                yield block(json.dumps({"token": word}), event="token", retry=1500)
                await asyncio.sleep(0.02)
            yield block(json.dumps({"full": text}), event="echo", id=call.query.get("mark", ""))
            yield block("{}", event="done", id="end")

    held(host, Talks(), "ENC-07", "FRM-02", "FLD-09")


def test_a_blank_that_was_lost_is_seen(host: Host) -> None:
    class NoBlank(Clean):
        endpoint = "echo"

        async def echo(self, call: Call) -> AsyncIterator[bytes]:
            yield f"event: echo\nretry: 1500\ndata:{call.query.get('text', 'hello')}\n\n".encode()
            yield block("bye", event="done", id="end")

    told = outcomes(host, NoBlank(), "FLD-10")["FLD-10"]
    assert "' x' in the data" in told
    assert "'x' in the data" in told


def test_an_empty_answer_to_a_reconnect_is_no_work_again(host: Host) -> None:
    class Empty(Clean):
        async def frames(self, call: Call, start: int) -> AsyncIterator[bytes]:
            if call.headers.get("last-event-id", "") != str(self.last_id()):
                async for frame in super().frames(call, start):
                    yield frame

        def resume_point(self, call: Call) -> int | None:
            return None

    assert "status 200 and no event" in outcomes(host, Empty(), "HTTP-04")["HTTP-04"]


def test_keepalives_with_a_name_are_no_work_that_runs_again(host: Host) -> None:
    class Pings(Clean):
        async def frames(self, call: Call, start: int) -> AsyncIterator[bytes]:
            async for frame in super().frames(call, start):
                yield b"event: ping\ndata: {}\n\n"
                yield frame

        async def reply(self, call: Call, peer: Peer, status: int, *more: object) -> bool:
            if status != 204 or call.method != "GET":
                return await super().reply(call, peer, status, *more)
            peer.chunked = call.version == "1.1"
            await self.send_head(call, peer)
            await peer.content(b"event: ping\ndata: {}\n\n" + self.event(self.last_id()))
            await asyncio.sleep(0)
            await peer.finish()
            return True

    held(host, Pings(), "HTTP-04", "HTTP-15", "REC-02")
