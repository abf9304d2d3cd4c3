"""How long a stream may take, in each of its parts; each limit has a verdict of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ssegauge.verdict import EndKind


@dataclass(frozen=True, slots=True)
class Timeouts:
    """In seconds. `idle`: without any byte, comments included. `total`: from the request to the end. None: no limit."""

    connect: float = 10.0
    first_byte: float | None = 30.0
    idle: float | None = 60.0  # what nginx allows an upstream (proxy_read_timeout)
    total: float | None = None


class Timed(Protocol):
    """What of a stream the deadlines depend on, in monotonic nanoseconds; 0 means not yet, or never."""

    sent: int
    origin: int
    ttfb: int
    last_byte: int
    resumed: int
    leave_at: int
    paused: bool


def deadlines(limits: Timeouts, stream: Timed) -> tuple[tuple[int, EndKind, str], ...]:
    """When each limit is reached (0: not running), how the stream ends then, and what is said of it."""
    # Who does not read has no ground to call the other one silent.
    first = limits.first_byte if not stream.ttfb and not stream.paused else None
    idle = limits.idle if stream.ttfb and not stream.paused else None
    return (
        (_after(max(stream.sent, stream.resumed), first), "timeout_first_byte", f"no byte within {first or 0:g} s"),
        (_after(max(stream.last_byte, stream.resumed), idle), "timeout_idle", f"silent for {idle or 0:g} s"),
        (_after(stream.origin, limits.total), "timeout_total", f"not ended within {limits.total or 0:g} s"),
        (stream.leave_at, "client", ""),
    )


def _after(start: int, seconds: float | None) -> int:
    return start + int(seconds * 1e9) if start and seconds is not None else 0
