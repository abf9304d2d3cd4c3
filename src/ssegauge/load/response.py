"""A response as it comes: head, content without its coding, proper end or not; of HTTP/1 without its framing, too."""

from __future__ import annotations

import zlib
from typing import Any

import httptools

MAX_HEAD = 131_072  # bytes; the largest default among common servers and proxies is 64 KB
_MAX_INFLATED = 16 << 20  # bytes out of one read of 64 KB: more is a compression bomb
_NO_CONTENT = frozenset({204, 304})


class Malformed(Exception):
    """Bytes that are no HTTP, a content coding that we cannot undo, or a limit passed."""


class Answer:
    """What both versions of HTTP know of a response.

    `done`: the message has come to its proper end. `status` is None until the head is complete.
    """

    __slots__ = ("_coding", "done", "headers", "status")

    def __init__(self) -> None:
        self.status: int | None = None
        self.headers: list[tuple[str, str]] = []
        self.done = False
        self._coding: Any = None

    def feed(self, data: bytes) -> bytes:
        """The content that these bytes complete. Raises Malformed."""
        return self._decoded(data) if self._coding is not None else data

    def rest(self) -> bytes:
        """After `feed` has raised: the content that came before the fault."""
        return b""

    def header(self, name: str) -> str | None:
        """The first value of a field; `name` in lower case."""
        return next((value for key, value in self.headers if key == name), None)

    def close(self) -> None:
        """Give memory back at once."""

    def _decoded(self, content: bytes) -> bytes:
        try:
            out: bytes = self._coding.decompress(content, _MAX_INFLATED)
        except zlib.error as error:
            raise Malformed(f"content coding: {error}") from None
        if self._coding.unconsumed_tail:
            raise Malformed(f"a read inflates to more than {_MAX_INFLATED} bytes")
        return out


class FramedAnswer(Answer):
    """A response whose framing others undo, as in HTTP/2."""

    __slots__ = ()

    def head(self, status: int, headers: list[tuple[str, str]]) -> None:
        """The header section has come."""
        self.status, self.headers = status, headers
        self._coding = _coding(self.header("content-encoding"))


class Response(Answer):
    """One of HTTP/1: feed it the bytes of the connection."""

    __slots__ = ("_fed", "_parser", "_pieces", "chunked", "length")

    def __init__(self) -> None:
        super().__init__()
        self.chunked = False
        self.length: int | None = None
        self._pieces: list[bytes] = []
        self._fed = 0
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(_Callbacks(self))

    def feed(self, data: bytes) -> bytes:
        """The content that these bytes complete, framing and coding undone. Raises Malformed.

        What came before a fault is not lost: `rest` has it.
        """
        if self.status is None:
            self._fed += len(data)
        try:
            self._parser.feed_data(data)  # type: ignore[union-attr]
        except httptools.HttpParserUpgrade:
            raise Malformed("the server changed the protocol") from None
        except httptools.HttpParserError as error:
            if not self.done:  # bytes after the end of the message are nobody's business
                raise Malformed(_words(error)) from None
        if self.status is None and self._fed > MAX_HEAD:
            raise Malformed(f"the response's head is longer than {MAX_HEAD} bytes")
        pieces = self._pieces
        if not pieces:
            return b""
        content = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        return self._decoded(content) if self._coding is not None else content

    def rest(self) -> bytes:
        """After `feed` has raised: the content that came before the fault."""
        content = b"".join(self._pieces)
        self._pieces.clear()
        return content if self._coding is None else b""

    @property
    def ends_with_connection(self) -> bool:
        """Neither a length nor chunks: the close of the connection is the end of the message (RFC 9112, 6.3)."""
        return self.status is not None and self.length is None and not self.chunked

    def close(self) -> None:
        """Break the cycle of parser and callbacks, so that memory is given back at once."""
        self._parser = None

    def _head_complete(self, status: int) -> None:
        if 100 <= status < 200 and status != 101:
            self.headers.clear()
            return
        self.status = status
        transfer = self.header("transfer-encoding")
        self.chunked = transfer is not None and "chunked" in transfer.lower()
        length = self.header("content-length")
        self.length = int(length) if length is not None and length.isdigit() and not self.chunked else None
        if status in _NO_CONTENT:
            self.length = 0
        self._coding = _coding(self.header("content-encoding"))


class _Callbacks:
    """What httptools calls; content goes straight into a list."""

    __slots__ = ("_response", "on_body")

    def __init__(self, response: Response) -> None:
        self._response = response
        self.on_body = response._pieces.append

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._response.status is None:  # afterwards: a trailer
            self._response.headers.append((name.decode("latin-1").lower(), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        parser = self._response._parser
        if parser is not None:
            self._response._head_complete(parser.get_status_code())

    def on_message_complete(self) -> None:
        self._response.done = self._response.status is not None


def _coding(name: str | None) -> Any:
    name = (name or "identity").strip().lower()
    if name == "identity":
        return None
    if name in ("gzip", "x-gzip", "deflate"):
        # 32: zlib finds out whether it is gzip or zlib.
        return zlib.decompressobj(zlib.MAX_WBITS | 32)
    return _Unknown(name)


class _Unknown:
    unconsumed_tail = b""

    def __init__(self, name: str) -> None:
        self._name = name

    def decompress(self, _content: bytes, _limit: int) -> bytes:
        raise Malformed(f'content coding "{self._name}" was not asked for')


def _words(error: Exception) -> str:
    cause = error.__context__
    return str(cause if isinstance(error, httptools.HttpParserCallbackError) and cause else error) or "no HTTP"
