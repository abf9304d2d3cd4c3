"""A stream that shares its connection with others: HTTP/2. Each keeps its own verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ssegauge.load.ledger import Slice
from ssegauge.load.reading import Reading
from ssegauge.load.response import FramedAnswer
from ssegauge.load.stream import Stream
from ssegauge.verdict import EndKind

Fields = list[tuple[str, str]]


class Shared(Protocol):
    """The connection, as a stream needs it. `taken`: events of the read that goes on."""

    taken: int

    def request(self, stream: Http2Stream, fields: Fields) -> None:
        """Send a request; there must be room."""

    def leave(self, stream: Http2Stream) -> None:
        """The stream is let go by us, or was over before."""

    def acknowledge(self, stream: Http2Stream) -> None:
        """Let the server send more on this stream."""

    def ready(self) -> None:
        """Read once."""


class Http2Stream(Stream):
    """One request among others. Closing it is RST_STREAM with CANCEL; its connection stays."""

    __slots__ = ("_connection", "_fields", "body", "id", "unacknowledged")

    response: FramedAnswer

    def __init__(self, connection: Shared, request: tuple[Fields, bytes], reading: Reading) -> None:
        fields, body = request
        super().__init__(FramedAnswer(to_head=(":method", "HEAD") in fields), reading)
        self._connection = connection
        self._fields = fields
        self.body = memoryview(body)  # what of it is yet to be sent
        self.id = 0
        self.unacknowledged = 0

    def start(self) -> None:
        """See `Stream`."""
        self._reader.arm(self)
        self._connection.request(self, self._fields)

    def close(self, *, reset: bool = False) -> None:  # noqa: ARG002 - the connection is not this stream's to reset
        """See `Stream`."""
        if self.end is None:
            self._finish("client")
        self._connection.leave(self)
        self.response.close()

    def ready(self) -> None:
        """See `Watched`."""
        self._connection.ready()

    def head(self, headers: Fields, stamp: int) -> None:
        """The header section has come; an interim one (1xx) is the first byte and nothing more."""
        if self.end is None:
            status = next((value for name, value in headers if name == ":status"), "")
            if status.isdigit() and int(status) >= 200:
                self.response.head(int(status), [field for field in headers if not field[0].startswith(":")])
            self._came(b"", stamp)

    def content(self, data: bytes, stamp: int) -> None:
        """A part of the content has come."""
        if self.end is None:
            self._came(data, stamp)

    def over(self, stamp: int) -> None:
        """The server has ended the stream."""
        self.response.done = True
        if self.end is None:
            self._came(b"", stamp)

    def broken(self, end: EndKind, error: str, *, unprocessed: bool = False) -> None:
        """The stream, or its connection, has come to a bad end."""
        if self.end is None:
            self.unprocessed = unprocessed
            self._finish(end, error)

    def _came(self, data: bytes, stamp: int) -> None:
        try:
            self._receive(data, stamp)
        except Exception as error:  # noqa: BLE001 - see `_stumbled`
            self._stumbled(error)

    def _hold(self) -> None:
        pass  # what has come is not acknowledged, so the server may send no more than is left of the window

    def _read_on(self) -> None:
        self._slow = False  # nothing of it has waited with us
        self._connection.acknowledge(self)

    def _take(self, events: Sequence[bytes], stamp: int, before: int, slice_: Slice) -> None:
        self._connection.taken += len(events)
        super()._take(events, stamp, before, slice_)
