"""HTTP/2 frames, told apart before the h2 package sees them (RFC 9113, section 4.1).

h2 takes GOAWAY for the end of the connection and refuses whatever follows it, while the streams that the server has
accepted may go on to their end (section 6.8; python-hyper/h2#1181). So GOAWAY is kept from it. Frame by frame, no event
is lost either where a later frame breaks the protocol.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from h2.errors import ErrorCodes

MAX_FRAME = 16_384
"""The longest frame that we allow: SETTINGS_MAX_FRAME_SIZE, as it is at first (section 6.5.2)."""

_HEAD = 9
_GOAWAY = 7
_SHOWN = 120  # characters of the server's reason kept


class NoFrames(Exception):
    """Bytes that are no frames, or one longer than allowed."""


class GoAway(NamedTuple):
    """No new streams, and none above `last`."""

    last: int
    code: int
    reason: str

    def __str__(self) -> str:
        return f"GOAWAY {name_of(self.code)}" + (f": {self.reason}" if self.reason else "")


class Frames:
    """Holds what is not yet a whole frame."""

    __slots__ = ("_open",)

    def __init__(self) -> None:
        self._open = b""

    def feed(self, data: bytes) -> Iterator[bytes | GoAway]:
        """The frames that these bytes complete. Raises NoFrames."""
        data = self._open + data if self._open else data
        at, end = 0, len(data)
        while end - at >= _HEAD:
            length = data[at] << 16 | data[at + 1] << 8 | data[at + 2]
            if length > MAX_FRAME:
                self._open = b""
                raise NoFrames(
                    "the answer is HTTP/1" if data[at : at + 5] == b"HTTP/" else f"a frame of {length} bytes"
                )
            following = at + _HEAD + length
            if following > end:
                break
            frame = data[at:following]
            at = following
            yield _go_away(frame) if frame[3] == _GOAWAY and length >= 8 else frame
        self._open = data[at:]


def name_of(code: int) -> str:
    """What RFC 9113, section 7, calls an error code."""
    try:
        return ErrorCodes(code).name
    except ValueError:
        return f"error {code:#x}"


def _go_away(frame: bytes) -> GoAway:
    last = int.from_bytes(frame[9:13], "big") & 0x7FFFFFFF
    reason = frame[17:].decode("utf-8", "replace")[:_SHOWN]
    return GoAway(last, int.from_bytes(frame[13:17], "big"), reason)
