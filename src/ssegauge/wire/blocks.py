"""What both decoders do first: find the blocks that are complete, the usual ones by a short way."""

from __future__ import annotations

from ssegauge.wire.careful import Careful, is_retry
from ssegauge.wire.event import accepted_retry, value_of
from ssegauge.wire.limits import MIB

CR, LF = 13, 10  # an int is found in bytes at a twentieth of the cost of a byte
# Open bytes up to here are kept as they came, and looked at again with the next chunk; longer ones are for Careful.
_SHORT = 1024


class Blocks:
    """Holds the open block: as it came while it is short and plain, and in `Careful` where it is anything else."""

    __slots__ = ("_careful", "_fed", "_open", "_plain", "_safe", "_short")

    def __init__(self, *, max_line: int = MIB, max_event: int = MIB) -> None:
        self._safe = min(max_line, max_event)
        self._short = min(_SHORT, self._safe)
        self._careful = Careful(max_line=max_line, max_event=max_event, short=self._short)
        self._plain = False  # whether all that is open is in `_open`, and no LF that belongs to a CR is to come
        self._open = b""  # at most `_short` bytes, in which no block is complete
        self._fed = 0  # bytes before `_open`, while `_plain`

    @property
    def retry(self) -> int | None:
        """The last accepted reconnection time in milliseconds; None where the stream has set none."""
        values = [accepted_retry(value_of(line[6:])) for line in self._open_lines()[:-1] if is_retry(line)]
        return next((value for value in reversed(values) if value is not None), self._careful.retry)

    @property
    def pending(self) -> bool:
        """Whether an end of the stream now would cut something off: an unfinished line, or a block that is not closed.

        Complete comments and retries do not count, as they have had their effect.
        """
        *lines, last = self._open_lines()
        fields = [line for line in lines if line and not line.startswith(b":") and not is_retry(line)]
        return bool(last or fields) or self._careful.pending

    def _open_lines(self) -> list[bytes]:
        return self._open.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")

    def _take(self, chunk: bytes) -> bytes:
        """The complete blocks, in LF and with their blank lines, that this chunk closes."""
        if self._plain:
            chunk = self._open + chunk
            if CR in chunk:
                end = chunk.rfind(b"\r\n\r\n") + 4
                end = 0 if end == 3 else end
                complete, rest = chunk[:end].replace(b"\r\n", b"\n"), chunk[end:]
                plain = CR not in complete and not (rest and _has_blank_line(rest))
            else:
                end = chunk.rfind(b"\n\n") + 2
                end = 0 if end == 1 else end
                complete, rest = chunk[:end], chunk[end:]
                plain = True
            if plain and len(rest) <= self._short and len(chunk) <= self._safe:
                self._open = rest
                self._fed += end
                return complete
            self._plain = False
            self._open = b""
            self._careful.fed = self._fed
        complete, maybe_open = self._careful.take(chunk)
        if maybe_open is not None:
            self._plain = True
            self._open = maybe_open
            self._fed = self._careful.fed
        return complete


def _has_blank_line(rest: bytes) -> bool:
    return rest.find(b"\n\r") >= 0 or rest.find(b"\n\n") >= 0 or rest.find(b"\r\r") >= 0


def raw_rest(opened: bytes, size: int) -> bytes | None:
    """What follows the last blank line of a chunk in CRLF and has `size` bytes in LF; None where lines end otherwise."""
    at = opened.rfind(b"\r\n\r\n")
    rest = opened[at + 4 :]
    return rest if at >= 0 and len(rest) - rest.count(b"\r\n") == size else None
