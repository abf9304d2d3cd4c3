"""Content codings undone as the bytes come (RFC 9110 section 8.4)."""

from __future__ import annotations

import zlib
from collections.abc import Callable

from ssegauge.errors import UserError

Inflate = Callable[[bytes, int], bytes]
"""Takes bytes and the most that it may give, and gives what they stand for."""
MAX_INFLATED = 1 << 20
"""Bytes that one read of a compressed stream may inflate to, where its events are only counted."""


def inflaters(codings: list[str]) -> list[Inflate]:
    """What undoes the codings, one after the other. Raises UserError where one is not known here."""
    found: list[Inflate] = []
    for coding in reversed([coding for coding in codings if coding != "identity"]):
        maker = _INFLATERS.get(coding)
        inflate = maker() if maker else None
        if inflate is None:
            raise UserError(f"content coding {coding!r} cannot be decoded here")
        found.append(inflate)
    return found


class Undecodable(Exception):
    """Raised where bytes are not what their coding says, or stand for more than anybody would want."""


class Plain:
    """The content of one response without its content codings, read by read; a server may use one that nobody asked for."""

    def __init__(self, codings: list[str]) -> None:
        self._inflaters = inflaters(codings)

    def of(self, content: bytes) -> bytes:
        """The next bytes. Raises Undecodable."""
        for inflate in self._inflaters:
            try:
                content = inflate(content, MAX_INFLATED)
            except Exception as error:  # each coding's library has its own
                raise Undecodable(str(error)) from error
            if len(content) >= MAX_INFLATED:
                raise Undecodable("one read inflates beyond all measure")
        return content


def _zlib_inflater(wbits: int) -> Inflate:
    machine = zlib.decompressobj(wbits)

    def inflate(data: bytes, most: int) -> bytes:
        nonlocal machine
        plain = machine.decompress(machine.unconsumed_tail + data, max(most, 1))
        while machine.eof and machine.unused_data and len(plain) < most:  # the next member (RFC 1952 section 2.2)
            rest, machine = machine.unused_data, zlib.decompressobj(wbits)
            plain += machine.decompress(rest, max(most - len(plain), 1))
        return plain

    return inflate


def _deflate_inflater() -> Inflate:
    """`deflate` is the zlib format; some servers send it bare (RFC 9110 section 8.4.1.2, note)."""
    machine: list[Inflate] = []

    def inflate(data: bytes, most: int) -> bytes:
        if not data:
            return b""
        if not machine:
            machine.append(_zlib_inflater(zlib.MAX_WBITS if data[0] & 0x0F == 8 else -zlib.MAX_WBITS))
        return machine[0](data, most)

    return inflate


def _brotli_inflater() -> Inflate | None:
    try:
        import brotli  # noqa: PLC0415 - optional: without it br is reported as not decodable
    except ImportError:
        return None
    machine = brotli.Decompressor()

    def inflate(data: bytes, most: int) -> bytes:
        return bytes(machine.process(data, output_buffer_limit=max(most, 1)))

    return inflate


_INFLATERS: dict[str, Callable[[], Inflate | None]] = {
    "gzip": lambda: _zlib_inflater(16 + zlib.MAX_WBITS),
    "x-gzip": lambda: _zlib_inflater(16 + zlib.MAX_WBITS),
    "deflate": _deflate_inflater,
    "br": _brotli_inflater,
}


def looks_compressed(body: bytes) -> bool:
    """The magic of gzip, or bytes that really inflate as zlib."""
    if body.startswith(b"\x1f\x8b\x08"):
        return True
    if body[:1] != b"\x78" or len(body) < 8:
        return False
    try:
        return bool(zlib.decompressobj().decompress(body[:4096]))
    except zlib.error:
        return False
