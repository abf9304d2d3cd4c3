"""A stream that has a connection of its own: HTTP/1."""

from __future__ import annotations

import gevent

from ssegauge.load.arrival import Broken, arrival
from ssegauge.load.connect import send_all
from ssegauge.load.reading import Reading
from ssegauge.load.response import Response
from ssegauge.load.stream import Stream
from ssegauge.load.transport import READ_SIZE, Transport, close

_SEND_SECONDS = 30.0
_CLOSED = -1


class Http1Stream(Stream):
    """One request on one connection; `request` is what is sent."""

    __slots__ = ("_fd", "_request", "_transport")

    response: Response

    def __init__(self, transport: Transport, request: bytes, reading: Reading) -> None:
        super().__init__(Response(to_head=request.startswith(b"HEAD ")), reading)
        self._transport = transport
        self._fd = transport.sock.fileno()
        self._request = request

    def start(self) -> None:
        """See `Stream`. Waits where the kernel's buffer is full."""
        self._reader.add(self._fd, self)
        request, self._request = self._request, b""
        try:
            with gevent.Timeout(self._timeouts.first_byte or _SEND_SECONDS, False):  # type: ignore[arg-type]  # False: silent, says gevent
                send_all(self._transport, request)
        except OSError:
            pass  # the server closed before it had read all: its answer, or the reset, is read like any other

    def close(self, *, reset: bool = False) -> None:
        """See `Stream`."""
        if self.end is None:
            self._finish("client")
        # Its number may be another stream's as soon as it is closed.
        fd, self._fd = self._fd, _CLOSED
        if fd != _CLOSED:
            self._reader.remove(fd)
            close(self._transport.sock, reset=reset)
            self.response.close()

    def ready(self) -> None:
        """See `Stream`."""
        data, stamp = self.read()
        if data:
            self.take(data, stamp)

    def read(self) -> tuple[bytes, int]:
        """See `Watched`."""
        if self.end is not None:
            return b"", 0
        try:
            return arrival(self._transport, self._reader, self._recorder, slow=self._slow)
        except Broken as broken:
            at_the_end = broken.end == "eof" and self.response.ends_with_connection and not str(broken)
            self._finish("message_end" if at_the_end else broken.end, str(broken))
            return b"", 0

    def take(self, data: bytes, stamp: int) -> None:
        """See `Watched`."""
        try:
            self._receive(data, stamp)
        except Exception as error:  # noqa: BLE001 - see `_stumbled`
            self._stumbled(error)
        if self._slow and len(data) < READ_SIZE and not self.paused:
            self._slow = False  # what had waited has been read
        if self._transport.ended and self.end is None:
            self._finish("message_end" if self.response.ends_with_connection else "eof")

    def _hold(self) -> None:
        self._reader.pause(self._fd)  # the kernel's buffers fill, then the server's

    def _read_on(self) -> None:
        self._reader.resume(self._fd)

    def _flows(self) -> None:
        self._reader.gather(self._fd)

    def _came_together(self, events: int, stamp: int, before: int) -> None:
        self._reader.crowds += 1
        # They share the stamp of the newest; the others came after the socket was last seen empty.
        bound = max(0, stamp - max(self._reader.swept_ns, before))
        self._recorder.harness.histogram("stamp_bound").record(bound / 1000, events - 1)

    def _let_go(self) -> None:
        self._reader.remove(self._fd)
