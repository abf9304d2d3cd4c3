"""Any bytes in any split, within limits: what the short ways of `blocks` leave aside comes here."""

from __future__ import annotations

from ssegauge.wire.event import accepted_retry, value_of
from ssegauge.wire.limits import EventTooLong, LimitError, LineTooLong

SLICE = 1 << 16
_CR, _LF = 13, 10  # an int is found in bytes at a twentieth of the cost of a byte
_BOM = b"\xef\xbb\xbf"


class Careful:
    """Finds complete blocks; holds the open one as bytes, its line ends turned into LF. What it holds is bounded."""

    __slots__ = (
        "_after_cr", "_closed_retry", "_head", "_kept", "_kept_size", "_max_event", "_max_line", "_odd", "_open_retry", "_safe", "_short", "_tail",
        "comments", "fed", "spent",
    )  # fmt: skip

    def __init__(self, *, max_line: int, max_event: int, short: int) -> None:
        self._closed_retry: int | None = None
        self._open_retry: int | None = None  # of the open block: it comes after those of blocks not yet read
        self.comments = 0  # those of lines that were looked at; who reads a block counts its own
        self.fed = 0
        self.spent: LimitError | None = None
        self._max_line = max_line
        self._max_event = max_event
        self._safe = min(max_line, max_event)  # what is no longer than this needs no look at its lines
        self._short = short
        self._head: bytes | None = b""  # the first bytes while they may become a mark; None once that is settled
        self._after_cr = False
        self._odd = True  # the next chunk needs care: it may hold the mark, or the LF of a CRLF
        self._kept = bytearray()  # complete lines of the open block that were looked at; no comments, no retries
        self._kept_size = 0  # their bytes without line ends
        self._tail = bytearray()  # the bytes after them

    @property
    def retry(self) -> int | None:
        """The last accepted reconnection time, an open block's too."""
        self.look()
        return self._closed_retry if self._open_retry is None else self._open_retry

    @property
    def pending(self) -> bool:
        """Whether a line is unfinished or a block not closed, complete comments and retries aside."""
        self.look()
        return bool(self._tail or self._kept or self._head)

    def resume(self, opened: bytes, fed: int) -> None:
        """Hold this open block again, the last of `fed` bytes. It is in LF and within the limits."""
        self.fed = fed
        self._tail += opened
        # Its lines may have ended in CRLF: looked at now, nobody asks later where in the stream they began.
        self.look()

    def take(self, chunk: bytes) -> tuple[bytes, bytes | None]:
        """The complete blocks that this chunk closes, in LF and with their blank lines; and what then is open.

        The latter in LF and no longer held, to be given back by `resume`; None where it is long, or odd in any way.
        """
        if self.spent is not None:
            raise type(self.spent)(self.spent.limit, self.spent.offset)
        self.fed += len(chunk)
        if self._open_retry is not None:
            self._closed_retry, self._open_retry = self._open_retry, None
        raw = None
        if self._odd or _CR in chunk:
            raw, chunk = self._in_lf(chunk)
        cut = chunk.rfind(b"\n\n") + 2
        tail = self._tail
        if cut == 1 and not (chunk[:1] == b"\n" and (tail[-1:] == b"\n" or (self._kept and not tail))):
            complete = b""
            tail += chunk
        else:
            # (cut == 1: the blank line is the chunk's first byte, after a line that an earlier chunk ended)
            complete = self._close(chunk, cut, raw)
            tail += chunk[cut:]
        size = len(tail)
        if size <= self._short and not (self._kept or self._odd or self.spent):
            opened = bytes(tail)
            tail.clear()
            return complete, opened
        if (
            size
            and (raw is not None or self._kept_size + size > self._safe)
            and (_LF in chunk or size > self._max_line)
        ):
            self.look(raw, len(chunk))
        return complete, None

    def _in_lf(self, chunk: bytes) -> tuple[bytes, bytes]:
        if self._head is not None:
            chunk = self._head + chunk
            if len(chunk) < 3 and _BOM.startswith(chunk):
                self._head = chunk
                return b"", b""
            self._head = None
            raw, chunk = chunk, chunk.removeprefix(_BOM)
        else:
            raw = chunk
        if not chunk:
            self._odd = self._after_cr
            return raw, chunk
        after_cr, self._after_cr = self._after_cr, chunk[-1] == _CR
        self._odd = self._after_cr
        if after_cr and chunk[0] == _LF:
            chunk = chunk[1:]
        return raw, chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if _CR in chunk else chunk

    def _close(self, chunk: bytes, cut: int, raw: bytes | None) -> bytes:
        if self._tail or self._kept:
            complete = bytes(self._kept + self._tail + chunk[:cut])
            self._tail.clear()
            self._kept.clear()
            self._kept_size = 0
        else:
            complete = chunk[:cut]
        if len(complete) > self._safe:
            parts = slices(complete) if self._safe >= SLICE else [complete]
            if any(len(part) > self._safe for part in parts):
                return self._within_limits(complete, len(chunk) - cut, raw, len(chunk))
        return complete

    def _within_limits(self, complete: bytes, after: int, raw: bytes | None, size: int) -> bytes:
        """`complete` without what comes after a block that passes a limit."""
        at = block = weight = 0
        for line in complete.split(b"\n"):
            if not line:
                block, weight = at + 1, 0
            elif self._passes(line, weight, len(complete) - at + after, raw, size):
                return complete[:block]
            else:
                weight += _weight(line)
            at += len(line) + 1
        return complete

    def _passes(self, line: bytes, weight: int, from_end: int, raw: bytes | None, size: int) -> bool:
        if len(line) > self._max_line:
            self.spent = LineTooLong(self._max_line, self._offset(from_end, raw, size))
        elif weight + _weight(line) > self._max_event:
            self.spent = EventTooLong(self._max_event, self._offset(from_end, raw, size))
        return self.spent is not None

    def _offset(self, from_end: int, raw: bytes | None, size: int) -> int:
        """Where in the stream the last `from_end` bytes begin, when the chunk `raw` has become `size` bytes in LF."""
        if raw is None:
            return self.fed - from_end
        if from_end > size:
            return self.fed - len(raw) - (from_end - size)
        at = len(raw)
        for _ in range(from_end):
            at -= 2 if raw[max(at - 2, 0) : at] == b"\r\n" else 1
        return self.fed - len(raw) + at

    def look(self, raw: bytes | None = None, size: int = 0) -> None:
        """Look at the complete lines of the open block: keep the fields, obey retries, drop comments.

        What is kept is bounded by the limits. Each line is looked at once, so time stays linear.
        """
        if self.spent is not None:
            return
        end = self._tail.rfind(b"\n") + 1
        at = 0
        for line in bytes(self._tail[:end]).split(b"\n")[:-1] if end else ():
            if self._passes(line, self._kept_size, len(self._tail) - at, raw, size):
                return
            at += len(line) + 1
            if line.startswith(b":"):
                self.comments += 1
            elif is_retry(line):
                retry = accepted_retry(value_of(line[6:]))
                self._open_retry = self._open_retry if retry is None else retry
            elif line:
                self._kept += line + b"\n"
                self._kept_size += len(line)
        del self._tail[:end]
        if len(self._tail) > self._max_line:
            self.spent = LineTooLong(self._max_line, self._offset(len(self._tail), raw, size))

    def obey(self, value: bytes) -> None:
        """Set the reconnection time to this value of a closed block's retry, if it is accepted."""
        retry = accepted_retry(value)
        if retry is not None:
            self._closed_retry = retry


def slices(complete: bytes) -> list[bytes]:
    """Whole blocks in parts of 64 KiB, which stay in the processor's cache (a fifth faster on a megabyte)."""
    if len(complete) <= SLICE:
        return [complete] if complete else []
    parts = []
    at = 0
    while at < len(complete):
        end = complete.rfind(b"\n\n", at, at + SLICE) + 2
        if end <= at + 2:
            end = complete.find(b"\n\n", at) + 2
        parts.append(complete[at:end])
        at = end
    return parts


def is_retry(line: bytes) -> bool:
    """Whether a line sets the reconnection time, which takes effect at the line's end."""
    return line.startswith(b"retry:") or line == b"retry"


def _weight(line: bytes) -> int:
    return 0 if line.startswith(b":") or is_retry(line) else len(line)
