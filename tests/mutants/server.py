"""A small raw asyncio HTTP/1.1 server that keeps every rule: the ground on which mutants break one each.

`Clean` serves the contract of `PROFILE`. A mutant is a subclass that overrides the one method whose behaviour it breaks.
The server is written against the standards and uses nothing of the product's reading or judging, so that a fault of ours
cannot hide itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
import time
from collections.abc import AsyncIterator
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from ssegauge.bench import Options

from .contract import AUTH, ORIGIN, PROFILE
from .message import Call, Peer, block

STEP = 0.03
"""Seconds between two events of a stream."""


class Clean:
    """Keeps every rule. `rule` names what a subclass breaks, `endpoint` where it shows, `profile` its contract."""

    rule: ClassVar[str] = ""
    endpoint: ClassVar[str] = "main"
    companions: ClassVar[tuple[str, ...]] = ()
    profile: ClassVar[str] = PROFILE
    options: ClassVar[Options] = Options(window=2.0)
    count: ClassVar[int] = 5
    silence_ms: ClassVar[int] = 1000  # that a client may leave what was sent unacknowledged
    process: ClassVar[bool] = False  # served in a process of its own, whose id the bench gets
    control: ClassVar[bool] = False  # served in a process that the bench may signal and start again
    tls: ClassVar[ssl.SSLContext | None] = None
    relay: ClassVar[Any] = None  # a class, made with the server's port: the proxy in front of it

    def __init__(self) -> None:
        self.active = 0
        self.opened = 0
        self.jobs = 0
        self.produced = 0
        self.subscribers: list[asyncio.Queue[bytes]] = []

    # -- one connection ---------------------------------------------------------------------------------------------

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve the requests of a connection until one closes it."""
        peer = Peer(reader, writer)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # a peer that is gone without a word is missed (tcp(7))
            writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, self.silence_ms)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                while (call := await self.read_call(peer)) is not None:
                    if not await self.answer(call, peer):
                        break
        finally:
            with contextlib.suppress(Exception):
                writer.close()

    async def read_call(self, peer: Peer) -> Call | None:
        """The next request, or None at the end of the connection."""
        try:
            head = (await peer.reader.readuntil(b"\r\n\r\n")).decode("utf-8", "surrogateescape")
        except asyncio.IncompleteReadError:
            return None
        first, *lines = head.split("\r\n")
        method, target, version = first.split(" ")
        pairs = [line.partition(":") for line in lines if line]
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        body = await peer.reader.readexactly(int(headers.get("content-length", "0")))
        parts = urlsplit(target)
        query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        names = tuple(name for name, _, _ in pairs)
        return Call(method, parts.path, query, version.removeprefix("HTTP/"), headers, body, target, names)

    async def answer(self, call: Call, peer: Peer) -> bool:
        """Answer one request. True where the connection stays open for the next."""
        routes = {
            "/stream": self.stream, "/echo": self.stream, "/idle": self.stream, "/ticks": self.stream, "/feed": self.stream, "/chat": self.stream,
            "/publish": self.publish, "/probe": self.probe, "/health": self.health,
        }  # fmt: skip
        handler = routes.get(call.path)
        if handler is None:
            return await self.reply(call, peer, 404, {"error": "no such path"})
        return await handler(call, peer)

    # -- plain answers ----------------------------------------------------------------------------------------------

    async def reply(
        self, call: Call, peer: Peer, status: int, document: Any, headers: dict[str, str] | None = None
    ) -> bool:
        """A complete JSON answer; the connection stays open."""
        body = b"" if status == 204 else json.dumps(document).encode()
        fields = {"Content-Type": "application/json", "Content-Length": str(len(body)), "Cache-Control": "no-store"}
        if status == 204:
            fields = {"Cache-Control": "no-store"}
        await peer.send(
            self.head(status, {**fields, **self.cors(call), **(headers or {})})
            + (b"" if call.method == "HEAD" else body)
        )
        return call.version == "1.1"

    async def probe(self, call: Call, peer: Peer) -> bool:
        """What still runs."""
        counts = {"active_streams": self.active, "opened": self.opened, "jobs": self.jobs, "produced": self.produced}
        return await self.reply(call, peer, 200, counts)

    async def health(self, call: Call, peer: Peer) -> bool:
        """An ordinary request."""
        return await self.reply(call, peer, 200, {"ok": True})

    async def publish(self, call: Call, peer: Peer) -> bool:
        """Give every subscriber of the feed the published message."""
        for queue in self.subscribers:
            queue.put_nowait(block(call.body.decode(), event="news"))
        return await self.reply(call, peer, 200, {"published": True})

    # -- the head ---------------------------------------------------------------------------------------------------

    def head(self, status: int, headers: dict[str, str]) -> bytes:
        """A response's head."""
        lines = [
            f"HTTP/1.1 {status} {'OK' if status < 400 else 'No'}",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def cors(self, call: Call) -> dict[str, str]:
        """What a cross-origin page may see: the declared origin, with credentials; nobody else."""
        fields = {"Vary": "Origin"}
        if call.headers.get("origin") == ORIGIN:
            fields |= {"Access-Control-Allow-Origin": ORIGIN, "Access-Control-Allow-Credentials": "true"}
        return fields

    def stream_headers(self, call: Call) -> dict[str, str]:
        """The header fields of a stream."""
        return {
            "Content-Type": "text/event-stream",
            "Cache-Control": "no-store, no-transform",
            "X-Accel-Buffering": "no",
            **self.framing(call),
            **self.cors(call),
        }

    def framing(self, call: Call) -> dict[str, str]:
        """Chunked, and close-delimited for HTTP/1.0."""
        return {"Transfer-Encoding": "chunked"} if call.version == "1.1" else {"Connection": "close"}

    def refusal(self, call: Call) -> tuple[int, dict[str, str]] | None:
        """Status and header fields of an answer that is no stream, where one is due."""
        methods = {"POST"} if call.path == "/chat" else {"GET", "HEAD"}
        allowed = {"Allow": ", ".join(sorted({*methods, "OPTIONS"}))}
        if call.method == "OPTIONS":
            wanted = "Last-Event-ID, Authorization, Cache-Control, Content-Type"
            return 204, {**allowed, "Access-Control-Allow-Headers": wanted, "Access-Control-Allow-Methods": "GET"}
        if call.headers.get("authorization") not in AUTH:
            return 401, {"WWW-Authenticate": "Bearer"}
        if call.method not in methods:
            return 405, allowed
        if not call.query.get("count", "1").isdigit():
            return 400, {}
        if any(character in call.query.get(name, "") for name in ("name", "mark") for character in "\r\n\0"):
            return 400, {}
        return None

    # -- the stream -------------------------------------------------------------------------------------------------

    async def stream(self, call: Call, peer: Peer) -> bool:
        """Answer with an event stream, watching for the client to leave."""
        refused = self.refusal(call)
        if refused is not None:
            return await self.reply(call, peer, refused[0], {"error": "refused"}, refused[1])
        if call.method == "HEAD":
            return await self.head_only(call, peer)
        start = self.resume_point(call)
        finished = call.path == "/echo" and call.headers.get("last-event-id") == "end"
        if finished or (start is not None and start >= self.last_id()):
            return await self.reply(call, peer, 204, None)
        return await self.run(call, peer, start or 0)

    async def head_only(self, call: Call, peer: Peer) -> bool:
        """HEAD: the fields of the stream, and nothing started."""
        await peer.send(self.head(200, self.stream_headers(call)))
        return call.version == "1.1"

    async def run(self, call: Call, peer: Peer, start: int) -> bool:
        """Produce the stream until it ends or its client leaves."""
        peer.chunked = call.version == "1.1"
        self.active += 1
        self.opened += 1
        work = asyncio.ensure_future(self.produce(call, peer, start))
        watch = asyncio.ensure_future(peer.reader.read(1))
        try:
            await asyncio.wait({work, watch}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                return await self.client_left(work)
            return bool(work.result()) and call.version == "1.1" and not watch.done()
        finally:
            self.active -= 1
            await _cancelled(watch)

    async def client_left(self, work: asyncio.Future[bool]) -> bool:
        """The client is gone: stop the work."""
        await _cancelled(work)
        return False

    async def produce(self, call: Call, peer: Peer, start: int) -> bool:
        """Write head, frames and end. True where the message was completed."""
        await self.send_head(call, peer)
        async for frame in self.frames(call, start):
            self.produced += 1
            await peer.content(frame)
        await self.finish(call, peer)
        return True

    async def send_head(self, call: Call, peer: Peer) -> None:
        """Write the head of the stream."""
        await peer.send(self.head(200, self.stream_headers(call)))

    async def finish(self, call: Call, peer: Peer) -> None:
        """End the message."""
        await peer.finish()

    def frames(self, call: Call, start: int) -> AsyncIterator[bytes]:
        """The frames of the stream that was asked for."""
        kinds = {"/echo": self.echo, "/idle": self.idle, "/ticks": self.ticks, "/feed": self.feed, "/chat": self.chat}
        kind = kinds.get(call.path)
        return self.events(call, start) if kind is None else kind(call)

    async def events(self, call: Call, start: int) -> AsyncIterator[bytes]:
        """The main contract: start, deltas, done; an error event where the request asks for a failure."""
        fail_after = int(call.query.get("fail_after", "-1"))
        if float(call.query.get("first_after", "0")):
            yield b": waiting\n\n"
            await asyncio.sleep(float(call.query["first_after"]))
        for number in range(start + 1, self.last_id() + 1):
            if number - 1 == fail_after:
                yield self.failure()
                return
            if number > start + 1:
                await self.pause()
            yield self.event(number)

    async def pause(self) -> None:
        """The time between two events."""
        await asyncio.sleep(STEP)

    def last_id(self) -> int:
        """The number of the terminal event."""
        return self.count + 2

    def resume_point(self, call: Call) -> int | None:
        """The number of the last event that the client has, where it says so and we know it."""
        given = call.headers.get("last-event-id", "")
        return (
            int(given)
            if call.path == "/stream" and given.isascii() and given.isdigit() and int(given) <= self.last_id()
            else None
        )

    def event(self, number: int) -> bytes:
        """The event of that number."""
        return block(
            json.dumps(self.payload(number)),
            event=self.type_of(number),
            id=str(number),
            retry=1500 if number == 1 else None,
        )

    def type_of(self, number: int) -> str:
        """start, delta…, done."""
        return "start" if number == 1 else "done" if number == self.last_id() else "delta"

    def payload(self, number: int) -> dict[str, Any]:
        """The event's JSON object."""
        payload: dict[str, Any] = {"type": self.type_of(number), "seq": number, "sent_us": time.time_ns() // 1000}
        if payload["type"] == "delta":
            payload |= {"progress": round(100 * (number - 1) / self.count), "text": f"part {number - 1} – ü"}
        return payload

    def failure(self) -> bytes:
        """The error event."""
        return block(
            json.dumps({"type": "error", "code": "upstream", "message": "the model is not there", "seq": 99}),
            event="error",
        )

    async def echo(self, call: Call) -> AsyncIterator[bytes]:
        """Reflect the inputs."""
        text = call.query.get("text", "hello")
        yield block(text, event=call.query.get("name", "echo"), id=call.query.get("mark", ""), retry=1500)
        await self.pause()
        yield block("bye", event="done", id="end")

    async def chat(self, call: Call) -> AsyncIterator[bytes]:
        """Three chunks without a name, and a sentinel."""
        for number in range(3):
            yield block(json.dumps({"chunk": number}), retry=1500 if number == 0 else None)
            await self.pause()
        yield block("[DONE]")

    async def idle(self, call: Call) -> AsyncIterator[bytes]:
        """Open and silent but for keepalives."""
        yield b": open\n\n"
        while True:
            await asyncio.sleep(15)
            yield b": keepalive\n\n"

    async def ticks(self, call: Call) -> AsyncIterator[bytes]:
        """Always more to send."""
        number = 0
        while True:
            number += 1
            yield block(json.dumps({"n": number}), event="tick")
            await asyncio.sleep(0.005)

    async def feed(self, call: Call) -> AsyncIterator[bytes]:
        """A shared feed: what is published goes to everybody."""
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        self.subscribers.append(queue)
        try:
            yield block(json.dumps({"hello": True}), event="hello", retry=1500)
            while True:
                yield await queue.get()
        finally:
            self.subscribers.remove(queue)


async def _cancelled(task: asyncio.Future[Any]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError, OSError):
        await task
