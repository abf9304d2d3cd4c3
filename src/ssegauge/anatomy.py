"""The same bytes as in wire, with everything that can be seen in them: spans, comments, line ends, what is left open.

Slower than the decoders, and for who asks: the rules judge this. Its events are exactly those of `wire.Decoder`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

from ssegauge.wire import Event, accepted_retry

Kind = Literal["data", "event", "id", "retry", "comment", "unknown"]

BOM = b"\xef\xbb\xbf"
_LINE_END = re.compile(rb"[\r\n]")
_LINE_OR_BLANKS = re.compile(rb"([^\r\n]++)(\r\n|\r|\n)|[\r\n]++")
_KNOWN: dict[bytes, Kind] = {b"data": "data", b"event": "event", b"id": "id", b"retry": "retry"}


class Field(NamedTuple):
    """One line that is not blank.

    `name` is what stands before the first colon (the whole line where there is none); `value` is without the one
    leading space, except in a comment, where it is all that follows the colon. `end` is before the line end `eol`,
    which is b"" where the line is unfinished.
    """

    kind: Kind
    name: bytes
    value: bytes
    start: int
    end: int
    eol: bytes

    @property
    def text(self) -> str:
        """The value as a client reads it."""
        return self.value.decode("utf-8", "replace")


class Block(NamedTuple):
    """The lines up to a blank line, that line included; `closed` is False where the stream ended before it came.

    More blank lines after it are one block without fields, however many they are. `event` is what the block dispatched, `index` its number.
    """

    start: int
    end: int
    fields: tuple[Field, ...]
    event: Event | None
    index: int | None  # type: ignore[assignment]  # hides tuple.index, which nobody asks a block for
    closed: bool

    def of(self, kind: Kind) -> list[Field]:
        """The fields of this kind, in order."""
        return [field for field in self.fields if field.kind == kind]


@dataclass(frozen=True)
class Anatomy:
    """A stream taken apart. Every byte of `body` belongs to the mark, to one of `blocks`, or to `pending`.

    `ended` is False where the stream went on and the recording was cut by us: what is open at its end says nothing.
    """

    body: bytes
    bom: bool
    blocks: list[Block]
    pending: Block | None
    line_ends: dict[bytes, int]
    last_event_id: str
    ended: bool = True

    @cached_property
    def worked_out(self) -> dict[Hashable, Any]:
        """What those who judge it have worked out, by a key of theirs: each thing once."""
        return {}

    @cached_property
    def event_blocks(self) -> list[Block]:
        """The blocks that dispatched an event."""
        return [block for block in self.blocks if block.event is not None]

    @cached_property
    def events(self) -> list[Event]:
        """The events, in order."""
        return [block.event for block in self.blocks if block.event is not None]

    @cached_property
    def all_blocks(self) -> list[Block]:
        """The blocks and, at the end, the pending one."""
        return [*self.blocks, self.pending] if self.pending else self.blocks

    @cached_property
    def fields(self) -> list[Field]:
        """Every line that is not blank, in order; an unfinished last line is one of them."""
        return [field for block in self.all_blocks for field in block.fields]

    @cached_property
    def comments(self) -> list[Field]:
        """Finished comment lines."""
        return [field for field in self.fields if field.kind == "comment" and field.eol]

    @cached_property
    def unknown(self) -> list[Field]:
        """Finished lines whose field name is not one of the four."""
        return [field for field in self.fields if field.kind == "unknown" and field.eol]

    @cached_property
    def retries(self) -> list[int]:
        """Accepted reconnection times; a retry takes effect at its line end, not at the blank line."""
        values = (accepted_retry(field.value) for field in self.fields if field.kind == "retry" and field.eol)
        return [value for value in values if value is not None]


class Dissector:
    """Takes a stream apart as it comes."""

    def __init__(self, last_event_id: str = "") -> None:
        self._body = bytearray()
        self._at = 0  # start of the first line that was not looked at
        self._searched = 0  # no line end between that and here
        self._bom: bool | None = None
        self._blocks: list[Block] = []
        self._block_start = 0
        self._fields: list[Field] = []
        self._events = 0
        self._line_ends: Counter[bytes] = Counter()
        self._last_event_id = last_event_id

    def feed(self, chunk: bytes) -> list[Block]:
        """Blocks closed by these bytes. One that ends in a lone CR waits for the next byte, which may be its LF.

        Blank lines alone wait for what ends them.
        """
        self._body += chunk
        first = len(self._blocks)
        self._advance(final=False)
        return self._blocks[first:]

    def anatomy(self, *, ended: bool = True) -> Anatomy:
        """All that came so far. Call it once, after the last byte; `ended` says whether the stream ended there."""
        self._advance(final=True)
        pending = None
        rest = bytes(self._body[self._at :])
        if not self._fields:
            self._close_blanks()
        if rest or self._fields:
            fields = tuple(self._fields) + ((_field(rest, self._at, b""),) if rest else ())
            pending = Block(self._block_start, len(self._body), fields, None, None, closed=False)
        return Anatomy(
            bytes(self._body),
            bool(self._bom),
            self._blocks,
            pending,
            dict(self._line_ends),
            self._last_event_id,
            ended,
        )

    def _advance(self, *, final: bool) -> None:
        body = self._body
        if self._bom is None:
            if len(body) < 3 and BOM.startswith(bytes(body)) and not final:
                return
            self._bom = body.startswith(BOM)
            self._at = self._searched = self._block_start = 3 if self._bom else 0
        if _LINE_END.search(body, self._searched):
            # not the line that is still open: to look for its end at each of its bytes would take the square of its length
            last = max(body.rfind(b"\n", self._at), body.rfind(b"\r", self._at))
            self._lines(bytes(body[self._at : last + 1]), final=final or last + 1 < len(body))
        # a CR at the end is looked at again, with what follows it
        self._searched = max(len(body) - 1, self._at)

    def _lines(self, text: bytes, *, final: bool) -> None:
        base = self._at
        waits = len(text) - 1 if text.endswith(b"\r") and not final else len(text)
        for found in _LINE_OR_BLANKS.finditer(text):
            line, eol = found.groups()
            if line is None:
                self._blanks(text[found.start() : min(found.end(), waits)])
            elif found.end() <= waits:
                if not self._fields:
                    self._close_blanks()
                self._line_ends[eol] += 1
                self._fields.append(_field(line, base + found.start(), eol))
                self._at = base + found.end()

    def _blanks(self, run: bytes) -> None:
        """Line ends after a line's own: the first closes the open block, the others are blank lines of their own."""
        crlf = run.count(b"\r\n")
        for eol, count in ((b"\r\n", crlf), (b"\r", run.count(b"\r") - crlf), (b"\n", run.count(b"\n") - crlf)):
            if count:
                self._line_ends[eol] += count
        if run and self._fields:
            self._close(self._at + (2 if run.startswith(b"\r\n") else 1))
        self._at += len(run)

    def _close_blanks(self) -> None:
        if self._block_start < self._at:
            self._close(self._at)

    def _close(self, end: int) -> None:
        event = self._dispatch() if self._fields else None
        index = self._events if event else None
        self._blocks.append(Block(self._block_start, end, tuple(self._fields), event, index, closed=True))
        self._events += event is not None
        self._fields.clear()
        self._block_start = end

    def _dispatch(self) -> Event | None:
        kind = ""
        for field in self._fields:
            if field.kind == "event":
                kind = field.text
            elif field.kind == "id" and b"\0" not in field.value:
                self._last_event_id = field.text
        data = [field.text for field in self._fields if field.kind == "data"]
        return Event(kind or "message", "\n".join(data), self._last_event_id) if data else None


def dissect(body: bytes, last_event_id: str = "", *, ended: bool = True) -> Anatomy:
    """A whole body taken apart; `ended` False where the stream went on and the body is only its beginning."""
    dissector = Dissector(last_event_id)
    dissector.feed(body)
    return dissector.anatomy(ended=ended)


def _field(line: bytes, start: int, eol: bytes) -> Field:
    name, _, value = line.partition(b":")
    if line.startswith(b":"):
        kind: Kind = "comment"
    else:
        kind = _KNOWN.get(name, "unknown")
        value = value[1:] if value[:1] == b" " else value
    return Field(kind, name, value, start, start + len(line), eol)
