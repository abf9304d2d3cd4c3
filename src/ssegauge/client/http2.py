"""One request over HTTP/2 that can be cancelled by RST_STREAM while its connection stays, which HTTP clients do not do.

The protocol is the h2 package's; the socket is ours. One connection carries one stream (RFC 9113 section 5.1).
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import time
from collections.abc import Callable
from typing import Self
from urllib.parse import urlsplit

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions

from ssegauge.client.connection import Transport
from ssegauge.client.request import with_defaults
from ssegauge.exchange import Sent

_CONNECTION_FIELDS = frozenset({"connection", "host", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"})
"""Field names that HTTP/2 does not carry (RFC 9113 section 8.2.2)."""

MAX_KEPT = 1 << 16
"""Bytes of content that are kept: what is asked here is what becomes of the work, not what it says."""


class Http2Stream:
    """A request on an HTTP/2 connection of its own. Raises OSError where the server cannot be reached or speaks no h2.

    `status`, `headers` and `content` hold what has come so far; `ended` is True once the server ended the stream.
    """

    def __init__(self, sent: Sent, transport: Transport | None = None, timeout: float = 5.0) -> None:
        self.status: int | None = None
        self.headers: list[tuple[str, str]] = []
        self.content = b""
        self.ended = False
        parts = urlsplit(sent.url)
        host, port = parts.hostname or "", parts.port or 443
        context = (transport or Transport()).context()
        context.set_alpn_protocols(["h2"])
        self._socket = context.wrap_socket(socket.create_connection((host, port), timeout), server_hostname=host)
        if self._socket.selected_alpn_protocol() != "h2":
            self._socket.close()
            raise ConnectionError("the server did not choose HTTP/2")
        self._h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
        self._h2.initiate_connection()
        self._id = self._h2.get_next_available_stream_id()
        fields = [
            (":method", sent.method),
            (":scheme", parts.scheme),
            (":authority", parts.netloc.rpartition("@")[2]),
            (":path", (parts.path or "/") + (f"?{parts.query}" if parts.query else "")),
        ]
        fields += [(n.lower(), v) for n, v in with_defaults(sent).headers if n.lower() not in _CONNECTION_FIELDS]
        self._h2.send_headers(self._id, fields, end_stream=not sent.body)
        if sent.body:
            self._h2.send_data(self._id, sent.body, end_stream=True)
        self._flush()
        self._socket.setblocking(False)

    def until_head(self, within: float) -> bool:
        """Read until the header section has come."""
        return self.pump(lambda: self.status is not None, within)

    def pump(self, until: Callable[[], bool], within: float) -> bool:
        """Read until `until` holds (True), or the stream has ended or `within` seconds have passed (False)."""
        deadline = time.monotonic() + within
        while not until():
            left = deadline - time.monotonic()
            if self.ended or left <= 0:
                return False
            self._step(left)
        return True

    def cancel(self) -> None:
        """Send RST_STREAM with CANCEL and keep the connection."""
        self._h2.reset_stream(self._id, h2.errors.ErrorCodes.CANCEL)
        self._flush()

    def close(self) -> None:
        """Close the connection."""
        with contextlib.suppress(OSError):
            self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _step(self, within: float) -> None:
        try:
            data = self._socket.recv(1 << 16)
        except (ssl.SSLWantReadError, BlockingIOError):
            select.select([self._socket], [], [], within)
            return
        except OSError:
            data = b""
        if not data:
            self.ended = True
            return
        try:
            events = self._h2.receive_data(data)
        except h2.exceptions.ProtocolError:
            self.ended = True
            return
        for event in events:
            self._see(event)
        self._flush()

    def _see(self, event: h2.events.Event) -> None:
        if isinstance(event, h2.events.ResponseReceived):
            self.headers = [(_text(name), _text(value)) for name, value in event.headers or ()]
            self.status = int(dict(self.headers)[":status"])
        elif isinstance(event, h2.events.DataReceived):
            self.content = (self.content + (event.data or b""))[:MAX_KEPT]
            self._h2.acknowledge_received_data(event.flow_controlled_length or 0, self._id)
        elif isinstance(event, h2.events.StreamEnded | h2.events.StreamReset | h2.events.ConnectionTerminated):
            self.ended = True

    def _flush(self) -> None:
        data = self._h2.data_to_send()
        while data:
            try:
                data = data[self._socket.send(data) :]
            except (ssl.SSLWantWriteError, ssl.SSLWantReadError, BlockingIOError):
                select.select([], [self._socket], [], 1.0)


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
