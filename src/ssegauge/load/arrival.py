"""One read of a socket: what came, when the kernel had it, and how the line ended."""

from __future__ import annotations

import errno
import ssl

from ssegauge.load.clock import monotonic_ns
from ssegauge.load.reader import Reader
from ssegauge.load.recorder import Recorder
from ssegauge.load.transport import Transport
from ssegauge.verdict import EndKind

_RESETS = frozenset({errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED, errno.ENOTCONN})


class Broken(Exception):
    """No more will come: `end` is "eof" or "reset"; the message may say why."""

    def __init__(self, end: EndKind, message: str = "") -> None:
        super().__init__(message)
        self.end = end


def arrival(transport: Transport, reader: Reader, recorder: Recorder, *, slow: bool = False) -> tuple[bytes, int]:
    """What has come, and when in monotonic nanoseconds; no bytes where nothing has. Raises Broken.

    `slow`: whoever reads here had stopped on purpose, so that its lag is not the generator's.
    """
    try:
        data, stamp = transport.receive()
    except BlockingIOError:
        return b"", 0
    except ssl.SSLEOFError:
        # What has no length of its own is then cut, maybe by an attacker (RFC 9112, 9.8).
        raise Broken("eof", "TLS: closed without close_notify") from None
    except ssl.SSLError as error:
        raise Broken("reset", f"TLS: {error.reason or error}") from None
    except OSError as error:
        raise Broken("reset" if error.errno in _RESETS else "eof", error.strerror or "") from None
    now = monotonic_ns()
    if data is None:
        raise Broken("eof")
    if not stamp:
        recorder.harness.counters["user_stamps"] += 1
        return data, now
    # A segment cannot have come after we read it, nor before the request; clocks that were just set can.
    stamp -= reader.clock.offset_ns
    if stamp > now:  # noqa: PLR1730 - this is done for every read, and min() costs three times as much
        stamp = now
    if not slow:
        recorder.read_lags.append(now - stamp)
    return data, stamp
