"""Reads one HTTP/1 response into an exchange, with h11, and goes on where h11 refuses a head.

h11 is strict on purpose. A gauge must also see what strict clients refuse (HTTP-26, HTTP-09): where only the
framing fields are at fault, the message is read the way browsers read it and the head is kept as it came.
"""

from __future__ import annotations

import email.parser
import email.policy

import h11

from ssegauge.exchange import Exchange

MAX_HEAD = 64 << 10
"""Bytes of a header section that are read; browsers stop at 256 KiB, most proxies at 8 to 64 KiB."""


class MessageReader:
    """Feeds received bytes to h11 and fills in status, headers, framing and content of `exchange`.

    `complete` is True once the message has come to its proper end; `problem` says why it cannot be read.
    """

    def __init__(self, method: str, exchange: Exchange) -> None:
        self.exchange = exchange
        self.method = method
        self.complete = False
        self.problem = ""
        self.content_bytes = 0
        self._head = bytearray()
        self._connection = self._fresh()

    def _fresh(self) -> h11.Connection:
        connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD)
        # h11 needs to know the method (HEAD has no content); what we really sent may be stranger than it allows
        connection.send(
            h11.Request(method=self.method, target="/", headers=[("Host", "target"), ("Connection", "close")])
        )
        connection.send(h11.EndOfMessage())
        return connection

    def feed(self, data: bytes, at: float) -> bytes:
        """Take bytes that arrived at `at`; returns the content they brought."""
        if self.complete or self.problem:
            return b""
        if self.exchange.head_at is None:
            self._head += data
        return self._advance(data, at)

    def _advance(self, data: bytes, at: float) -> bytes:
        content = bytearray()
        try:
            self._connection.receive_data(data)
            while not self.complete:
                event = self._connection.next_event()
                if event is h11.NEED_DATA or event is h11.PAUSED:
                    break
                self._see(event, at, content)
        except h11.RemoteProtocolError as error:
            return bytes(content) + self._recover(str(error), at)
        self.content_bytes += len(content)
        return bytes(content)

    def _see(self, event: object, at: float, content: bytearray) -> None:
        if isinstance(event, h11.Response):
            if self.exchange.head_at is None:
                self._keep_head(event, at)
        elif isinstance(event, h11.Data):
            content += event.data
        elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
            self.complete = isinstance(event, h11.EndOfMessage)

    def _keep_head(self, response: h11.Response, at: float) -> None:
        exchange = self.exchange
        exchange.head_at = at
        exchange.status = response.status_code
        exchange.reason = response.reason.decode("latin-1")
        exchange.http_version = response.http_version.decode("ascii")
        exchange.headers = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in response.headers.raw_items()]
        self._name_framing()

    def _name_framing(self) -> None:
        exchange = self.exchange
        bodiless = self.method == "HEAD" or exchange.status in {204, 304}
        if bodiless:
            exchange.framing = "none"
        elif "chunked" in exchange.members("transfer-encoding"):
            exchange.framing = "chunked"
        else:
            exchange.framing = "length" if exchange.values("content-length") else "close"

    def _recover(self, problem: str, at: float) -> bytes:
        """Where h11 refused a head for its framing fields, read the message without them."""
        head, separator, rest = bytes(self._head).partition(b"\r\n\r\n")
        if self.exchange.head_at is not None or not separator:
            self.problem = problem
            return b""
        status_line, _, fields = head.partition(b"\r\n")
        parts = status_line.split(b" ", 2)
        if not status_line.startswith(b"HTTP/1.") or len(parts) < 2 or not parts[1].isdigit():
            self.problem = problem
            return b""
        parsed = email.parser.BytesParser(policy=email.policy.compat32).parsebytes(
            fields + b"\r\n\r\n", headersonly=True
        )
        exchange = self.exchange
        exchange.status, exchange.head_at = int(parts[1]), at
        exchange.http_version = status_line[5:8].decode("latin-1")
        exchange.reason = parts[2].decode("latin-1") if len(parts) > 2 else ""
        exchange.headers = [(str(name), str(value).strip()) for name, value in parsed.items()]
        exchange.detail = problem
        self._name_framing()
        self._connection = self._fresh()
        return self._advance(self._readable_head() + rest, at)

    def _readable_head(self) -> bytes:
        lines = [f"HTTP/1.1 {self.exchange.status} lenient"]
        if self.exchange.framing == "chunked":
            lines.append("Transfer-Encoding: chunked")
        elif self.exchange.framing == "length":
            lengths = [value for value in self.exchange.members("content-length") if value.isdigit()]
            if lengths:
                lines.append(f"Content-Length: {lengths[0]}")
            else:
                self.exchange.framing = "close"
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def end_of_input(self) -> bool:
        """The connection was closed by FIN. True where that completes the message."""
        if self.complete or self.problem:
            return self.complete
        try:
            self._connection.receive_data(b"")
            while not self.complete:
                event = self._connection.next_event()
                if not isinstance(event, h11.EndOfMessage | h11.Data | h11.Response):
                    break
                self.complete = isinstance(event, h11.EndOfMessage)
        except h11.RemoteProtocolError:
            return False
        return self.complete

    def trailing(self) -> bytes:
        """Bytes that came after the end of the message."""
        return self._connection.trailing_data[0]
