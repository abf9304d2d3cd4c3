"""What both decoders do first: find the blocks that are complete, the usual ones by a short way."""

from __future__ import annotations

from collections.abc import Sequence

from ssegauge.wire.careful import Careful, is_retry
from ssegauge.wire.event import Event, accepted_retry, value_of
from ssegauge.wire.limits import MIB

CR, LF = 13, 10  # an int is found in bytes at a twentieth of the cost of a byte
# An open block up to here is looked at again with every chunk; a longer one is for Careful.
_SHORT = 1024
FEW = 512  # bytes of a chunk whose blocks are read one by one; in a larger one they are read in a row


class Blocks:
    """Holds the open block: here while it is short and plain, and in `Careful` where it is anything else."""

    __slots__ = ("_careful", "_fed", "_open", "_plain", "_safe", "_short")

    def __init__(self, *, max_line: int = MIB, max_event: int = MIB) -> None:
        self._safe = min(max_line, max_event)
        self._short = min(_SHORT, self._safe)
        self._careful = Careful(max_line=max_line, max_event=max_event, short=self._short)
        self._plain = False  # whether all that is open is in `_open`, and no LF that belongs to a CR is to come
        self._open = b""  # in LF; at most `_short` bytes, in which no block is complete
        self._fed = 0  # bytes so far, while `_plain`

    @property
    def retry(self) -> int | None:
        """The last accepted reconnection time in milliseconds; None where the stream has set none."""
        lines = self._open.split(b"\n")[:-1]
        values = [accepted_retry(value_of(line[6:])) for line in lines if is_retry(line)]
        return next((value for value in reversed(values) if value is not None), self._careful.retry)

    @property
    def pending(self) -> bool:
        """Whether an end of the stream now would cut something off: an unfinished line, or a block that is not closed.

        Complete comments and retries do not count, as they have had their effect.
        """
        *lines, last = self._open.split(b"\n")
        fields = [line for line in lines if line and not line.startswith(b":") and not is_retry(line)]
        return bool(last or fields) or self._careful.pending

    def _take(self, chunk: bytes) -> bytes:
        """The complete blocks, in LF and with their blank lines, that this chunk closes."""
        if self._plain:
            lines = chunk
            if CR not in chunk or CR not in (lines := chunk.replace(b"\r\n", b"\n")):
                opened = self._open + lines
                end = opened.rfind(b"\n\n") + 2
                if end == 1:
                    end = 0
                if len(opened) - end <= self._short and len(opened) <= self._safe:
                    self._open = opened[end:]
                    self._fed += len(chunk)
                    return opened[:end]
            self._plain = False
            self._careful.resume(self._open, self._fed)
            self._open = b""
        complete, opened_or_none = self._careful.take(chunk)
        if opened_or_none is not None:
            self._plain = True
            self._open = opened_or_none
            self._fed = self._careful.fed
        return complete

    def _raise_if_spent(self, events: Sequence[Event] | Sequence[bytes]) -> None:
        if not self._plain and self._careful.spent is not None:
            self._careful.spent.events = events
            raise self._careful.spent
