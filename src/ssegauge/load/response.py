"""A response as it comes: head, content without its coding, proper end or not; of HTTP/1 without its framing, too."""

from __future__ import annotations

import httptools

from ssegauge.load.inflater import Inflater, Malformed, Unknown, inflater

MAX_HEAD = 131_072  # bytes; the largest default among common servers and proxies is 64 KB
_NO_CONTENT = frozenset({204, 304})


class Answer:
    """What both versions of HTTP know of a response. `to_head`: it answers HEAD, and so has no content.

    `done`: the message has come to its proper end. `status` is None until the head is complete.
    """

    __slots__ = ("_coding", "_to_head", "done", "headers", "status")

    def __init__(self, *, to_head: bool = False) -> None:
        self._to_head = to_head
        self.status: int | None = None
        self.headers: list[tuple[str, str]] = []
        self.done = False
        self._coding: Inflater | Unknown | None = None

    def feed(self, data: bytes) -> bytes:
        """The content that these bytes complete. Raises Malformed."""
        return self._coding.feed(data) if self._coding is not None else data

    def rest(self) -> bytes:
        """After `feed` has raised: the content that came before the fault."""
        return self._coding.rest if self._coding is not None else b""

    @property
    def unfinished(self) -> str:
        """What the content lacks though the message has ended; empty where nothing is missing."""
        return self._coding.unfinished if self._coding is not None else ""

    def header(self, name: str) -> str | None:
        """The first value of a field; `name` in lower case."""
        return next((value for key, value in self.headers if key == name), None)

    def close(self) -> None:
        """Give memory back at once."""


class FramedAnswer(Answer):
    """A response whose framing others undo, as in HTTP/2."""

    __slots__ = ("_left", "_rest")

    def __init__(self, *, to_head: bool = False) -> None:
        super().__init__(to_head=to_head)
        self._left: int | None = None  # bytes that content-length still promises
        self._rest = b""

    def head(self, status: int, headers: list[tuple[str, str]]) -> None:
        """The header section has come."""
        self.status, self.headers = status, headers
        length = self.header("content-length")
        if self._to_head or status in _NO_CONTENT:
            self._left = 0
        elif length is not None and length.isdigit():
            self._left = int(length)
        self._coding = inflater(self.header("content-encoding"))

    def feed(self, data: bytes) -> bytes:
        """The content of these bytes. Raises Malformed, also where it is not as long as content-length says."""
        left = self._left
        if left is None:
            return super().feed(data)
        content = super().feed(data[:left])
        self._left = left - len(data)
        if self._left < 0 or (self.done and self._left):
            self._rest = content
            raise Malformed(f"{'more' if self._left < 0 else 'less'} content than content-length says")
        return content

    def rest(self) -> bytes:
        """After `feed` has raised: the content that came before the fault."""
        return self._rest or super().rest()


class Response(Answer):
    """One of HTTP/1: feed it the bytes of the connection."""

    __slots__ = ("_framing", "_parser", "_pieces", "chunked", "length")

    def __init__(self, *, to_head: bool = False) -> None:
        super().__init__(to_head=to_head)
        self.chunked = False
        self.length: int | None = None
        self._pieces: list[bytes] = []
        self._framing = 0  # bytes since the last content: of a head, a chunk's head, or the trailer
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(_Callbacks(self))

    def feed(self, data: bytes) -> bytes:
        """The content that these bytes complete, framing and coding undone. Raises Malformed.

        What came before a fault is not lost: `rest` has it.
        """
        if self.done:  # what follows the message is nobody's business
            return b""
        try:
            self._parser.feed_data(data)  # type: ignore[union-attr]
        except httptools.HttpParserUpgrade:
            raise Malformed("the server changed the protocol") from None
        except httptools.HttpParserError as error:
            if not self.done:
                raise Malformed(_words(error)) from None
        if not self._pieces:
            self._bound(len(data))
            return b""
        self._framing = 0
        content = self._content()
        return self._coding.feed(content) if self._coding is not None else content

    def rest(self) -> bytes:
        """After `feed` has raised: the content that came before the fault."""
        content = self._content()
        if self._coding is None:
            return content
        try:
            return self._coding.feed(content) if content else self._coding.rest
        except Malformed:
            return self._coding.rest

    @property
    def ends_with_connection(self) -> bool:
        """Neither a length nor chunks: the close of the connection is the end of the message (RFC 9112, 6.3)."""
        return self.status is not None and self.length is None and not self.chunked

    def close(self) -> None:
        """Break the cycle of parser and callbacks, so that memory is given back at once."""
        self._parser = None

    def _content(self) -> bytes:
        pieces = self._pieces
        content = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        return content

    def _bound(self, size: int) -> None:
        self._framing += size
        if self._framing > MAX_HEAD and not self.done:
            raise Malformed(
                f"the response's head is longer than {MAX_HEAD} bytes"
                if self.status is None
                else f"more than {MAX_HEAD} bytes without content: a trailer, or a chunk's head"
            )

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
        self._framing = 0
        if self._to_head:
            self.done = True  # whatever its fields say of a content (RFC 9112, 6.3)
            raise _Over
        self._coding = inflater(self.header("content-encoding"))


class _Over(Exception):
    """Stops the parser: the message is complete. It would go on with the next, whose head and content are not ours."""


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
        if self._response.status is not None:  # an interim response is no end
            self._response.done = True
            raise _Over


def _words(error: Exception) -> str:
    cause = error.__context__
    return str(cause if isinstance(error, httptools.HttpParserCallbackError) and cause else error) or "no HTTP"
