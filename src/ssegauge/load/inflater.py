"""Content codings undone as the bytes come: gzip, and deflate in both of its forms."""

from __future__ import annotations

import zlib
from typing import Any

MAX_INFLATED = 16 << 20
"""Bytes out of one read of 64 KB: more is a compression bomb."""
_FLUSHED = b"\0\0\xff\xff"  # the empty stored block of Z_SYNC_FLUSH and Z_FULL_FLUSH (RFC 1951, 3.2.4)
_GZIP = 16 + zlib.MAX_WBITS
_EITHER = 32 + zlib.MAX_WBITS  # zlib finds out whether it is gzip or zlib


class Malformed(Exception):
    """Bytes that are no HTTP, a content coding that we cannot undo, or a limit passed."""


class Inflater:
    """Undoes one coding. `rest`: after a fault, the content that came before it in the same read."""

    __slots__ = ("_again", "_bare", "_machine", "_name", "_tail", "rest")

    def __init__(self, name: str) -> None:
        self._name = name
        self._bare = name == "deflate"
        self._again = False  # a member is complete
        self._machine: Any = None  # none before the first byte, and after the end of a member
        self._tail = b""
        self.rest = b""

    def feed(self, data: bytes) -> bytes:
        """The content that these bytes stand for. Raises Malformed."""
        self._tail = (self._tail + data)[-len(_FLUSHED) :]
        parts: list[bytes] = []
        room = MAX_INFLATED
        try:
            while data := self._begun(data):
                parts.append(self._machine.decompress(data, room))
                room -= len(parts[-1])
                if room <= 0 or self._machine.unconsumed_tail:
                    raise Malformed(f"a read inflates to more than {MAX_INFLATED} bytes")
                data = self._ended()
        except zlib.error as error:
            self.rest = b"".join(parts)
            raise Malformed(f"content coding: {error}") from None
        return parts[0] if len(parts) == 1 else b"".join(parts)

    @property
    def unfinished(self) -> str:
        """What is missing, should this be all; empty where nothing is.

        Servers that flush each event and close without finishing the coding are common enough that browsers take it for
        an end (Chromium: net/filter/gzip_source_stream.cc), and after a flush nothing is held back. Anywhere else an
        event may be cut.
        """
        if self._machine is None or self._tail == _FLUSHED:
            return ""
        return f"the {self._name} content has no end"

    def _begun(self, data: bytes) -> bytes:
        # gzip is a series of members (RFC 1952, 2.2), padded with zeros as gzip(1) has it. Browsers pass over anything
        # else that follows; curl, Go and Python refuse it. So do we: it may be events that nobody will see.
        if self._machine is None:
            data = data.lstrip(b"\0") if self._again else data
            if data:
                self._machine = zlib.decompressobj(_GZIP if self._again else self._form(data[0]))
        return data

    def _form(self, first: int) -> int:
        # Some servers send deflate without zlib's head, and browsers take it (RFC 9110, 8.4.1.2, note). Of zlib the
        # lower half of the first byte is 8 (RFC 1950, 2.2); gzip begins with 1f, which no bare block does.
        return -zlib.MAX_WBITS if self._bare and first & 0x0F != 8 and first != 0x1F else _EITHER

    def _ended(self) -> bytes:
        """What follows the end of a member."""
        if not self._machine.eof:
            return b""
        data: bytes = self._machine.unused_data
        self._machine, self._again = None, True
        return data


class Unknown:
    """A coding that nobody asked for."""

    unfinished = ""
    rest = b""

    def __init__(self, name: str) -> None:
        self._name = name

    def feed(self, _data: bytes) -> bytes:
        """Raises Malformed."""
        raise Malformed(f'content coding "{self._name}" was not asked for')


def inflater(name: str | None) -> Inflater | Unknown | None:
    """What undoes a Content-Encoding; None where there is nothing to undo."""
    name = (name or "identity").strip().lower()
    if name == "identity":
        return None
    return Inflater(name) if name in ("gzip", "x-gzip", "deflate") else Unknown(name)
