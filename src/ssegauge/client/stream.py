"""One request under way over a bare socket, so that framing, timing and the kind of end are seen as they were.

HTTP/1 messages are read by h11 (http1.py); the connection is ours (connection.py). `record` runs a request to its end.
"""

from __future__ import annotations

import ssl
import time
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from ssegauge.client.connection import Connection, Transport
from ssegauge.client.http1 import MessageReader
from ssegauge.client.request import head_bytes, with_defaults, with_own_value
from ssegauge.content_coding import Plain
from ssegauge.exchange import MAX_LINES, Exchange, Read, Sent, line_ends
from ssegauge.verdict import EndKind
from ssegauge.wire import Decoder


@dataclass(frozen=True)
class Limits:
    """How long and how much is waited for, in seconds and bytes. Every wait has a deadline.

    `keep` bounds what a long look at a fast stream holds in memory: at least so many of its newest bytes, at most twice.
    """

    connect: float = 5.0
    first_byte: float = 30.0
    window: float = 10.0
    max_body: int = 5 << 18
    max_events: int = 10_000
    keep: int | None = None  # None: all, up to max_body
    deadline: bool = False  # the window is a deadline of the contract: passing it is a timeout


LONG = Limits(max_body=1 << 50, max_events=1 << 50, keep=1 << 18)
"""For a long look at a stream that may be fast: no limit of bytes or events, the newest 256 KiB kept."""


class Stream:
    """One request under way. `exchange` grows with every read; `events` counts what has been dispatched, at `arrived`.

    `forgotten` are the bytes of content before the oldest that is kept.

    `pump` reads until a condition holds, the exchange ends, or time is up; `close`, `reset` and `finish` end it.
    """

    def __init__(
        self,
        sent: Sent,
        *,
        endpoint: str = "",
        limits: Limits | None = None,
        transport: Transport | None = None,
        connection: Connection | None = None,
        receive_buffer: int | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self.sent = with_defaults(with_own_value(sent))
        self.exchange = Exchange(endpoint, self.sent, started=datetime.now(UTC).isoformat(timespec="milliseconds"))
        self.events = 0
        self.arrived: list[float] = []
        self.lines = 0
        self.forgotten = 0
        self._kept = 0
        self.over = False
        self._decoder: Decoder | None = Decoder()
        self._plain: Plain | None = None
        self._reader = MessageReader(self.sent.method, self.exchange)
        self._began = time.monotonic()
        self.connection: Connection | None = connection
        try:
            if self.connection is None:
                self.connection = Connection(sent.url, transport or Transport(), self.limits.connect, receive_buffer)
                self.exchange.connect_s = self.connection.connect_s
            self._began = time.monotonic()
            self.connection.send(head_bytes(self.sent))
        except TimeoutError as error:
            self._end("timeout_connect", str(error) or "no connection in time")
        except OSError as error:
            self._end("connect_error", _reason(error))

    @property
    def received(self) -> int:
        """Bytes of content that have come."""
        return self._reader.content_bytes

    @property
    def elapsed(self) -> float:
        """Seconds since the first byte of the request was sent."""
        return time.monotonic() - self._began

    def pump(self, until: Callable[[Stream], bool] | None = None, within: float | None = None) -> bool:
        """Read until `until` holds (True), or the exchange is over or `within` seconds have passed (False).

        Without `within` the limits bound the wait: the deadline of the contract, or a window that begins with the head.
        """
        asked = None if within is None else time.monotonic() + within
        while not self.over:
            if until is not None and until(self):
                return True
            self._check_first_byte()
            left = (self._window_end() if asked is None else asked) - time.monotonic()
            if left <= 0 or self.over:
                return False
            self._step(min(left, self._first_byte_left()))
        return until is not None and until(self)

    def _window_end(self) -> float:
        if self.limits.deadline:
            return self._began + self.limits.window
        if self.exchange.first_byte_at is None:
            return self._began + max(self.limits.first_byte, self.limits.window)
        return self._began + (self.exchange.head_at or self.exchange.first_byte_at) + self.limits.window

    def until_events(self, count: int, within: float | None = None) -> bool:
        """Read until `count` events have been dispatched."""
        return self.pump(lambda stream: stream.events >= count, within)

    def until_head(self, within: float | None = None) -> bool:
        """Read until the header section is complete."""
        return self.pump(lambda stream: stream.exchange.head_at is not None, within)

    def _first_byte_left(self) -> float:
        if self.exchange.first_byte_at is not None:
            return float("inf")
        return max(self._began + self.limits.first_byte - time.monotonic(), 0.0)

    def _check_first_byte(self) -> None:
        if self.exchange.first_byte_at is None and self._first_byte_left() <= 0:
            self._end("timeout_first_byte", f"no byte of a response within {self.limits.first_byte:g} s")

    def _step(self, within: float) -> None:
        assert self.connection is not None  # noqa: S101 - an exchange that is not over has a connection
        try:
            data = self.connection.receive(within)
        except ssl.SSLEOFError:
            self._reader.end_of_input()
            self._end("eof", "the TLS connection ended without its closure alert")
            return
        except OSError as error:
            self._end("reset", _reason(error))
            return
        at = self.elapsed
        if data is None:
            return
        if not data:
            complete = self._reader.end_of_input()
            self._end(
                "message_end" if complete else "eof", "" if complete else "the connection was closed inside the message"
            )
            return
        if self.exchange.first_byte_at is None:
            self.exchange.first_byte_at = at
        self._take(at, data)

    def _take(self, at: float, data: bytes) -> None:
        if self.exchange.head_at is None or not self.exchange.wire:
            self.exchange.wire.append(Read(at, data))  # the content is kept in `reads`, once
        content = self._reader.feed(data, at)
        if content:
            self.exchange.reads.append(Read(at, content))
            self._count(content, at)
            self._forget(len(content))
        if self._reader.problem:
            self._end("malformed", self._reader.problem)
        elif self._reader.complete:
            self._linger()
            self._end("message_end")
        elif self._past_limits():
            self._end("client", "observation ended by its limit of bytes, lines or events")

    def _past_limits(self) -> bool:
        limits = self.limits
        lines = self.lines > max(MAX_LINES, 5 * limits.max_events)  # five fields an event: more than anybody sends
        return lines or self._reader.content_bytes > limits.max_body or self.events > limits.max_events

    def _forget(self, more: int) -> None:
        """Let go of the oldest reads where no more than `keep` bytes are asked for, and of what went before in one go."""
        keep = self.limits.keep
        self._kept += more
        if keep is None or self._kept <= 2 * keep:
            return
        reads, first = self.exchange.reads, 0
        while self._kept - len(reads[first].data) >= keep:
            self._kept -= len(reads[first].data)
            self.forgotten += len(reads[first].data)
            first += 1
        del reads[:first]
        del self.arrived[: bisect_left(self.arrived, reads[0].at)]

    def _count(self, content: bytes, at: float) -> None:
        self.lines += line_ends(content)
        if self._decoder is None:
            return
        try:
            if self._plain is None:
                self._plain = Plain(self.exchange.members("content-encoding"))
            dispatched = len(self._decoder.feed(self._plain.of(content)))
            self.events += dispatched
            self.arrived += [at] * dispatched
        except Exception:  # noqa: BLE001 - a limit or a coding: the rules on lengths and HDR-07 say what there is to say
            self._decoder = None

    def _linger(self) -> None:
        """Look for bytes after the end of a message that announced its length or allows no content."""
        self.exchange.end_at = self.elapsed
        self.exchange.excess = self._reader.trailing()
        announced = self.exchange.framing == "length" and self.exchange.essence == "text/event-stream"
        patience = 1.0 if announced else 0.2 if self.exchange.status in {204, 205, 304} else 0.0
        if self.connection is None or not patience:
            return
        deadline = time.monotonic() + patience
        while (left := deadline - time.monotonic()) > 0 and len(self.exchange.excess) < 1 << 16:
            try:
                data = self.connection.receive(left)
            except OSError:
                return
            if data is None or not data:
                self.exchange.closed_after_end = data == b""
                return
            self.exchange.excess += data

    def _end(self, kind: EndKind, detail: str = "") -> None:
        if self.over:
            return
        self.over = True
        self.exchange.end = kind
        self.exchange.end_at = self.exchange.end_at or max(self.elapsed, 0.0)
        self.exchange.detail = detail
        if self.connection is not None and kind != "message_end":
            self.connection.close()

    def give_up(self, kind: EndKind, detail: str) -> None:
        """End the exchange because a wait that the contract bounds is over."""
        self._end(kind, detail)

    def close(self) -> Exchange:
        """Leave by FIN; what has been seen is the exchange."""
        self._end("client", "we closed the connection")
        if self.connection is not None:
            self.connection.close()
        return self.exchange

    def reset(self) -> Exchange:
        """Leave by RST."""
        if self.connection is not None:
            self.connection.reset()
        self._end("client", "we reset the connection")
        return self.exchange

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _reason(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__


def record(
    sent: Sent, *, endpoint: str = "", limits: Limits | None = None, transport: Transport | None = None
) -> Exchange:
    """Run one request to its end, or to the end of the observation window, following no redirect."""
    with Stream(sent, endpoint=endpoint, limits=limits, transport=transport) as stream:
        stream.pump()
        if stream.limits.deadline and not stream.over:
            stream.give_up("timeout_total", f"still open after its deadline of {stream.limits.window:g} s")
        return stream.close()
