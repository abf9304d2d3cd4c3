"""Mutants of the encoding, the lines and blocks, and the fields."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import ClassVar

from .message import Call, block
from .server import STEP, Clean


def rewriting(rule: str, change: Callable[[Clean, int, bytes], bytes], *, count: int = 5) -> type[Clean]:
    """A server whose events pass through `change(server, number, frame)` on their way out."""

    class Mutant(Clean):
        def event(self, number: int) -> bytes:
            return change(self, number, super().event(number))

    Mutant.rule, Mutant.count = rule, count
    return Mutant


def on(which: int, old: bytes, new: bytes) -> Callable[[Clean, int, bytes], bytes]:
    """Replace bytes in the event of that number."""

    def change(_: Clean, number: int, frame: bytes) -> bytes:
        if number == which and old not in frame:
            raise AssertionError(f"{old!r} is not in {frame!r}")
        return frame.replace(old, new, 1) if number == which else frame

    return change


def before(which: int, extra: bytes) -> Callable[[Clean, int, bytes], bytes]:
    """Put bytes in front of the event of that number."""
    return lambda _, number, frame: extra + frame if number == which else frame


def everywhere(old: bytes, new: bytes) -> Callable[[Clean, int, bytes], bytes]:
    """Replace bytes in every event."""
    return lambda _, __, frame: frame.replace(old, new)


def with_payload(which: int, change: Callable[[dict[str, object]], object]) -> Callable[[Clean, int, bytes], bytes]:
    """Send another payload in the event of that number."""

    def rewrite(server: Clean, number: int, frame: bytes) -> bytes:
        if number != which:
            return frame
        document = change(server.payload(number))
        text = document if isinstance(document, str) else json.dumps(document, ensure_ascii=False)
        return block(text, event=server.type_of(number), id=str(number))

    return rewrite


def split_at_four_kib(_: Clean, number: int, frame: bytes) -> bytes:
    """Decode a chunk that ends inside a character, as a careless gateway does."""
    data = frame.replace(b"\\u00fc", "ü".encode())
    cut = data.find(b"\xbc") if number == 3 else -1
    if cut < 0:
        return data
    return (data[:cut].decode(errors="replace") + data[cut:].decode(errors="replace")).encode()


class MillionLine(Clean):
    """A line of ten megabytes."""

    rule = "FRM-08"

    def event(self, number: int) -> bytes:
        frame = super().event(number)
        return frame.replace(b"part", b"x" * 10_000_000) if number == 3 else frame


class Html502(Clean):
    """An error page under the name of an event stream."""

    rule = "FRM-05"

    async def events(self, call: Call, start: int) -> AsyncIterator[bytes]:
        yield b"<html>\n<head><title>502 Bad Gateway</title></head>\n<body>\n<h1>502 Bad Gateway</h1>\n</body>\n</html>\n"


class EmptyBody(Clean):
    """200, and nothing."""

    rule = "FRM-10"

    async def events(self, call: Call, start: int) -> AsyncIterator[bytes]:
        if call.path != "/stream":
            yield b""
        await asyncio.sleep(0)


class EmptyFeed(EmptyBody):
    """The same where no terminal is declared, so that nothing else can be at fault."""

    endpoint = "feed"

    def frames(self, call: Call, start: int) -> AsyncIterator[bytes]:
        return self.nothing()

    async def nothing(self) -> AsyncIterator[bytes]:
        yield b": here and gone\n\n"


class SingleNewline(Clean):
    """One line feed between two events, the second of which is written without a name, so that only their data merges."""

    rule = "FRM-06"

    async def events(self, call: Call, start: int) -> AsyncIterator[bytes]:
        held = b""
        async for frame in super().events(call, start):
            if frame.startswith(b"id: 2\n"):
                held = frame
                continue
            data = frame.split(b"\n")[-3]
            merges = held and frame.startswith(b"id: 3\n")
            yield held.removesuffix(b"\n") + data + b"\n\n" if merges else held + frame
            held = b""


class Interleaved(Clean):
    """Two tasks write their lines to one connection without a lock."""

    rule = "FRM-14"
    companions = ("REC-01",)  # what is left of the event has no id

    def lines(self, number: int) -> tuple[list[bytes], list[bytes]]:
        """The event's id and type, and its data over several lines."""
        payload = json.dumps(self.payload(number), indent=1).split("\n")
        return [b"id: %d\n" % number, b"event: delta\n"], [f"data: {line}\n".encode() for line in payload]

    async def events(self, call: Call, start: int) -> AsyncIterator[bytes]:
        if start > 1:  # what follows those two is right
            async for frame in super().events(call, start):
                yield frame
            return
        if not start:
            yield self.event(1)
        (head, data), (other_head, other_data) = self.lines(2), self.lines(3)
        yield b"".join([*head, *data[:2], *other_head, *other_data, b"\n", *data[2:], b"\n"])
        for number in range(4, self.last_id() + 1):
            await asyncio.sleep(STEP)
            yield self.event(number)


class Text(Clean):
    """Frames of the text endpoint, written by hand; no order and no terminal is declared, so that nothing else is at fault."""

    endpoint = "echo"
    profile = Clean.profile.replace('order    = "echo done"\n', "")
    written: ClassVar[bytes] = b""

    async def echo(self, call: Call) -> AsyncIterator[bytes]:
        yield block("hello", event="echo", retry=1500)
        await self.pause()
        yield self.written
        yield block("bye", event="done", id="end")


class DoubleFraming(Text):
    """The library frames, and so does the caller."""

    rule = "FRM-09"
    written = b"data: data: hello\n\n" * 4


class EscapedNewlines(Text):
    """Backslash and n instead of line feeds."""

    rule = "FRM-15"
    written = b"data: hello\\n\\nevent: echo\\ndata: world\\n\\n\n\n"


class EmptyData(Text):
    """An event with nothing in it."""

    rule = "FLD-08"
    written = b"event: echo\ndata:\n\n"


class TrailingSpace(Clean):
    """Another type than the one that listeners name."""

    rule = "FLD-11"
    endpoint = "feed"

    async def feed(self, call: Call) -> AsyncIterator[bytes]:
        async for frame in super().feed(call):
            yield frame.replace(b"event: hello\n", b"event: hello \n")


class KeepaliveSplits(Clean):
    """A keepalive, blank line and all, in the middle of an event."""

    rule = "LIF-04"
    companions = ("REC-01",)  # the second half of the event has no id

    def event(self, number: int) -> bytes:
        frame = super().event(number)
        if number != 3:
            return frame
        payload = json.dumps(self.payload(3), indent=1).split("\n")
        head = b"id: 3\nevent: delta\n"
        lines = [f"data: {line}\n".encode() for line in payload]
        return head + b"".join(lines[:2]) + b": ping\n\n" + b"event: delta\n" + b"".join(lines[2:]) + b"\n"


class NamedOpen(Clean):
    """An event under the name of EventSource's own."""

    rule = "ERR-02"
    endpoint = "feed"

    async def feed(self, call: Call) -> AsyncIterator[bytes]:
        yield block("{}", event="open")
        async for frame in super().feed(call):
            yield frame


class QuotedSentinel(Clean):
    """The sentinel through a JSON encoder."""

    rule = "JSON-08"
    endpoint = "chat"

    async def chat(self, call: Call) -> AsyncIterator[bytes]:
        async for frame in super().chat(call):
            yield frame.replace(b"[DONE]", b'"[DONE]"')


MUTANTS: dict[str, type[Clean]] = {
    "latin1-bytes": rewriting("ENC-01", on(3, b"part", b"p\xe4rt")),
    "split-then-decode": rewriting("ENC-02", split_at_four_kib),
    "bom-at-start": rewriting("ENC-03", before(1, b"\xef\xbb\xbf")),
    "control-characters": rewriting("ENC-04", before(3, b": beep \x07\n")),
    "raw-u2028": rewriting("ENC-05", on(3, b"part", "p\u2028rt".encode())),
    "double-encoded-utf8": rewriting(
        "ENC-06",
        everywhere(b"\\u00fc", "Ã¼ber Ã¤ndern schÃ¶n".encode()),
    ),
    "bom-per-event": rewriting("ENC-08", on(3, b"event:", b"\xef\xbb\xbfdata: lost\nevent:")),
    "no-final-blank": rewriting("FRM-01", lambda s, n, f: f + b"event: delta\ndata: {}\n" if n == s.last_id() else f),
    "lone-cr": rewriting("FRM-03", everywhere(b"\n", b"\r")),
    "html-502-body": Html502,
    "single-newline": SingleNewline,
    "unprefixed-lines": rewriting(
        "FRM-07", lambda s, n, f: f.removesuffix(b"\n\n") + b"\nsecond line of the text\ndata:\n\n" if n == 3 else f
    ),
    "10mb-line": MillionLine,
    "double-framing": DoubleFraming,
    "empty-200": EmptyFeed,
    "mixed-line-ends": rewriting("FRM-12", lambda s, n, f: f.replace(b"\n", b"\r\n") if n == 3 else f),
    "crlf-line-ends": rewriting("FRM-13", everywhere(b"\n", b"\r\n")),
    "interleaved-writers": Interleaved,
    "escaped-newlines": EscapedNewlines,
    "Data-capital": rewriting("FLD-01", lambda s, n, f: f.removesuffix(b"\n") + b"Data: {}\n\n" if n == 3 else f),
    "nul-in-id": rewriting("FLD-02", on(3, b"id: 3", b"id: 3\0")),
    "retry-5s": rewriting("FLD-03", on(2, b"id: 2", b"retry: 5s\nid: 2")),
    "retry-0": rewriting("FLD-04", on(1, b"retry: 1500", b"retry: 0")),
    "id-only-prime": rewriting("FLD-05", before(1, b"id: 0\n\n")),
    "two-events-one-block": rewriting("FLD-06", on(3, b"event: delta", b"event: delta\nevent: delta")),
    "event-without-data": rewriting("FLD-07", before(3, b"event: delta\n\n")),
    "empty-data": EmptyData,
    "event-trailing-space": TrailingSpace,
    "constant-id": rewriting(  # the terminal's is its own: who has it all is known by that
        "FLD-12", lambda s, n, f: f if n == s.last_id() else f.replace(b"id: %d" % n, b"id: 1")
    ),
    "id-with-space": rewriting("FLD-13", on(3, b"id: 3", b"id: 3 a")),
    "empty-id-line": rewriting("FLD-14", on(3, b"id: 3", b"id:")),
    "error-field": rewriting("FLD-16", on(3, b"id: 3", b"error: none\nid: 3")),
    "retry-only-block": rewriting("FLD-17", before(1, b"retry: 2000\n\n")),
    "event-error": NamedOpen,
    "no-retry-field": rewriting("REC-10", on(1, b"retry: 1500\n", b"")),
    "comment-block-after-id": rewriting("LIF-10", before(3, b": ping\n\n")),
    "keepalive-splits-event": KeepaliveSplits,
    "half-json": rewriting("JSON-01", on(3, b"}", b"")),
    "nan": rewriting("JSON-02", with_payload(3, lambda p: json.dumps({**p, "score": float("nan")}))),
    "dup-keys": rewriting("JSON-03", on(3, b'"text"', b'"text": "once", "text"')),
    "bigint-id": rewriting("JSON-04", with_payload(3, lambda p: {**p, "ident": 2**53 + 1})),
    "wrong-type": rewriting("JSON-05", with_payload(3, lambda p: {**p, "text": 5})),
    "quoted-sentinel": QuotedSentinel,
    "type-mismatch": rewriting("JSON-06", with_payload(3, lambda p: {**p, "type": "start"})),
    "python-repr": rewriting("JSON-07", with_payload(3, repr)),
    "double-encoded-json": rewriting("JSON-09", with_payload(3, lambda p: json.dumps(json.dumps(p)))),
}
