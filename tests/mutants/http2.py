"""Mutants that speak TLS, and HTTP/2 where a client offers it."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import trustme

from ssegauge.bench import Options
from ssegauge.client.connection import Transport

from .message import Call, Peer
from .server import Clean

CONNECTION_FIELDS = frozenset({"connection", "keep-alive", "transfer-encoding"})


@cache
def authority() -> trustme.CA:
    """Who vouches for the loopback here."""
    return trustme.CA()


@cache
def certificate() -> trustme.LeafCert:
    """A certificate for the loopback."""
    return authority().issue_cert("127.0.0.1")


@cache
def tls_context(*protocols: str) -> ssl.SSLContext:
    """The server's side of TLS, choosing among these protocols."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate().configure_cert(context)
    context.set_alpn_protocols(list(protocols))
    return context


class Connection:
    """One HTTP/2 connection: what the server writes to a peer goes into the peer's stream."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        # what a hand-written header would do must reach the wire
        config = h2.config.H2Configuration(
            client_side=False,
            header_encoding="utf-8",
            validate_outbound_headers=False,
            normalize_outbound_headers=False,
        )
        self.h2 = h2.connection.H2Connection(config)
        self.writer = writer

    async def flush(self) -> None:
        """Send what the protocol has to say."""
        self.writer.write(self.h2.data_to_send())
        await self.writer.drain()


class H2Peer(Peer):
    """A peer whose response is a stream of HTTP/2; it is told in the bytes of HTTP/1.1 and translates them."""

    def __init__(self, connection: Connection, stream: int, *, dropped: frozenset[str]) -> None:
        super().__init__(asyncio.StreamReader(), connection.writer)
        self.connection = connection
        self.stream = stream
        self.dropped = dropped
        self.left: int | None = None
        self.started = False

    async def send(self, data: bytes) -> None:
        if self.started:
            await self.body(data)
            return
        self.started = True
        head, _, rest = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        pairs = [line.partition(": ") for line in lines]
        fields = [(name.lower(), value) for name, _, value in pairs if name.lower() not in self.dropped]
        status = first.split(" ")[1]
        length = next((value for name, value in fields if name == "content-length"), "0" if status == "204" else None)
        self.left = None if length is None else int(length)
        self.connection.h2.send_headers(self.stream, [(":status", status), *fields], end_stream=self.left == 0)
        await self.connection.flush()
        await self.body(rest)

    async def body(self, data: bytes) -> None:
        """Send content; the stream ends with its announced length."""
        for start in range(0, len(data), 16_000):
            self.connection.h2.send_data(self.stream, data[start : start + 16_000])
        if self.left is not None and data:
            self.left -= len(data)
            if self.left <= 0:
                self.connection.h2.end_stream(self.stream)
        await self.connection.flush()

    async def content(self, data: bytes) -> None:
        await self.body(data)

    async def finish(self) -> None:
        self.connection.h2.end_stream(self.stream)
        await self.connection.flush()


class Secure(Clean):
    """Clean over TLS, by HTTP/1.1 and by HTTP/2."""

    options = Options(window=2.0, transport=Transport(verify=False))
    protocols: tuple[str, ...] = ("h2", "http/1.1")
    dropped = CONNECTION_FIELDS

    @property
    def tls(self) -> ssl.SSLContext:  # type: ignore[override]  # made when it is asked for: keys take time
        return tls_context(*self.protocols)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        chosen = writer.get_extra_info("ssl_object").selected_alpn_protocol()
        if chosen != "h2":
            await super().serve(reader, writer)
            return
        connection, peers, tasks = Connection(writer), dict[int, H2Peer](), set[asyncio.Task[Any]]()
        connection.h2.initiate_connection()
        with contextlib.suppress(ConnectionError, h2.exceptions.ProtocolError):
            await connection.flush()
            while data := await reader.read(1 << 16):
                for event in connection.h2.receive_data(data):
                    self.see(event, connection, peers, tasks)
                await connection.flush()
        for peer in peers.values():
            peer.reader.feed_eof()
        await asyncio.gather(*tasks, return_exceptions=True)
        with contextlib.suppress(Exception):
            writer.close()

    def see(
        self, event: h2.events.Event, connection: Connection, peers: dict[int, H2Peer], tasks: set[asyncio.Task[Any]]
    ) -> None:
        """A request begins an answer of its own; a reset ends it."""
        if isinstance(event, h2.events.RequestReceived):
            fields = {str(name): str(value) for name, value in event.headers or ()}
            path, _, query = fields[":path"].partition("?")
            call = self.call(fields[":method"], f"{path}?{query}" if query else path, fields)
            peers[event.stream_id] = H2Peer(connection, event.stream_id, dropped=self.dropped)
            tasks.add(asyncio.ensure_future(self.answer(call, peers[event.stream_id])))
        elif isinstance(event, h2.events.StreamReset) and event.stream_id in peers:
            peers.pop(event.stream_id).reader.feed_eof()

    def call(self, method: str, target: str, headers: dict[str, str]) -> Call:
        """The request in the words of the clean server."""
        parts = urlsplit(target)
        query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        return Call(method, parts.path, query, "1.1", headers, b"", target)


class ConnectionHeaderOnH2(Secure):
    """Sets Connection: keep-alive by hand."""

    rule = "HTTP-13"
    dropped = frozenset({"transfer-encoding"})

    def stream_headers(self, call: Call) -> dict[str, str]:
        return {**super().stream_headers(call), "Connection": "keep-alive"}


class AlpnHttp11Only(Secure):
    """Offers HTTP/1.1 alone."""

    rule = "HTTP-14"
    protocols = ("http/1.1",)


MUTANTS: dict[str, type[Clean]] = {
    "connection-header-on-h2": ConnectionHeaderOnH2,
    "alpn-http11-only": AlpnHttp11Only,
}
