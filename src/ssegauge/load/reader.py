"""Watches the sockets of all streams on gevent's hub, without a greenlet per read.

Sockets are looked at together, once every four or eight milliseconds, more often where events come close together: as
the kernel stamps what arrives, this costs no accuracy as long as no stream has two segments waiting, and saves a
wake-up for each event. A stream that waits for its first event is looked at as soon as it is ready. Each look (`sweep`) covers
every socket, so data read now arrived after the sweep before: that is the bound of the times of a read that bears one
stamp for several segments.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

from gevent.hub import get_hub
from gevent.monkey import get_original

from ssegauge.load.clock import Clock, monotonic_ns
from ssegauge.load.transport import KERNEL_STAMPS

_HAS_EPOLL = sys.platform == "linux"
_READ = 1  # POLLIN, EPOLLIN and libev's EV_READ are the same bit
_MS = 1_000_000
# Seconds between sweeps. A wake-up costs as much as five reads (40 us), so there shall be few, and each shall find some.
# Where segments would wait behind each other they come more often, the most of a generator with little to do.
_SHORT = 0.001
_USUAL = 0.002
_LONG = 0.004
_LONGEST = 0.008 if KERNEL_STAMPS else _LONG
_SOME = 1_000.0  # sockets found ready a second, on average, that are much to do
_MANY = 4_000.0  # of which one of the longer intervals brings enough
_CROWDED = 0.002  # share of reads that brought several events, past which sweeps come more often
_PACE_NS = 50 * _MS  # the interval is thought over this often, and the clocks are compared
_MEMORY = 0.2  # weight of the latest such span in what was found
_MOST = 1024  # sockets read in one sweep, so that greenlets get their turn; the rest keeps its place in the queue
_TOGETHER = 32  # of them are read before they are looked into
_WHEEL_NS = 20 * _MS  # deadlines are looked at this often


class Limited(Protocol):
    """What has deadlines. `slot`: where in the wheel the next one stands; the reader's own."""

    slot: int

    def due(self) -> int:
        """When `expire` is to be called, in monotonic nanoseconds; 0 when the stream is over."""

    def expire(self) -> None:
        """The deadline has passed."""


class Watched(Limited, Protocol):
    """What has a socket. Its methods must neither block nor raise."""

    def read(self) -> tuple[bytes, int]:
        """The socket has something: bytes, an end, or an error. The bytes if any, and when they came, in monotonic
        nanoseconds.
        """

    def take(self, data: bytes, stamp: int) -> None:
        """Look into what `read` has given."""


class Reader:
    """One per process. `swept_ns` is when every socket was last known to hold nothing unread."""

    def __init__(self, *, on_sweep: Callable[[int, int], None] | None = None) -> None:
        self.clock = Clock()
        self.swept_ns = monotonic_ns()
        self._on_sweep = on_sweep  # called with the time and how late the sweep was, in nanoseconds
        self._hub = get_hub()
        self._eager = _poller()
        self._gathered = _poller()
        self._watched: dict[int, Watched] = {}
        self._new: set[int] = set()  # those in `_eager`
        # Only epoll can be watched itself; without it new streams wait for the next sweep like all others.
        fileno = getattr(self._eager, "fileno", None)
        self._eager_watcher: Any = self._hub.loop.io(fileno(), _READ) if fileno else None
        self._timer: Any = self._hub.loop.timer(_LONG, _LONG)
        self._interval = _LONG
        self._interval_ns = int(_LONG * 1e9)
        # Reads since the interval was thought over; those of sweeps in time; and of these, those with several events.
        self._found = self._in_time = self._crowds = 0
        self._found_rate = self._crowded = 0.0  # reads a second, share of those that brought several: on average
        self._paced = 0
        self.crowds = 0  # reads of a sweep that brought several events, counted by the streams
        self._running = False
        self._last_sweep = 0
        self._wheel: dict[int, set[Limited]] = {}
        self._wheel_at = monotonic_ns() // _WHEEL_NS

    def add(self, fd: int, stream: Watched) -> None:
        """Watch a socket, eagerly at first."""
        self._watched[fd] = stream
        self._new.add(fd)
        self._eager.register(fd, _READ)
        self.arm(stream)
        if not self._running:
            self._start()

    def gather(self, fd: int) -> None:
        """From now on look at this socket only in the common sweeps."""
        if fd in self._new:  # it may have been paused and resumed before its first event
            self._forget(fd)
            self._gathered.register(fd, _READ)

    def pause(self, fd: int) -> None:
        """Leave this socket's bytes where they are: a reader that has stopped reading."""
        self._forget(fd)

    def resume(self, fd: int) -> None:
        """Read a paused socket again."""
        self._gathered.register(fd, _READ)

    def remove(self, fd: int) -> None:
        """Stop watching, before the socket is closed."""
        if self._watched.pop(fd, None) is not None:
            self._forget(fd)

    def arm(self, stream: Limited) -> None:
        """Ask the stream when it is due, and call it then. To be repeated where that has become earlier; a deadline
        that moves later costs nothing until it comes.
        """
        self.disarm(stream)
        due = stream.due()
        if due:
            stream.slot = max(due // _WHEEL_NS + 1, self._wheel_at)
            self._wheel.setdefault(stream.slot, set()).add(stream)

    def disarm(self, stream: Limited) -> None:
        """Forget a stream that is over: its limits may lie an hour ahead, and it would be kept until then."""
        self._wheel.get(stream.slot, set()).discard(stream)

    @property
    def open_sockets(self) -> int:
        """How many are watched."""
        return len(self._watched)

    def _forget(self, fd: int) -> None:
        poller = self._eager if fd in self._new else self._gathered
        self._new.discard(fd)
        with suppress(OSError):  # it is paused
            poller.unregister(fd)

    def _start(self) -> None:
        self._running = True
        now = monotonic_ns()
        self.swept_ns = self._last_sweep = self._paced = now
        self._wheel_at = min(self._wheel_at, now // _WHEEL_NS)
        self.clock.look()
        if self._eager_watcher is not None:
            self._eager_watcher.start(self._read_eager)
        self._timer.start(self._sweep, update=True)

    def _stop(self) -> None:
        self._running = False
        if self._eager_watcher is not None:
            self._eager_watcher.stop()
        self._timer.stop()

    def _read_eager(self) -> None:
        self._read(self._eager.poll(0, _MOST))

    def _read(self, ready: list[tuple[int, int]]) -> None:
        # Several are read before one is looked into: going to and fro between the kernel and us costs a sixth more.
        watched = self._watched
        for start in range(0, len(ready), _TOGETHER):
            came = []
            for fd, _ in ready[start : start + _TOGETHER]:
                stream = watched.get(fd)  # one read may have ended another stream
                if stream is not None:
                    data, stamp = stream.read()
                    if data:
                        came.append((stream, data, stamp))
            for stream, data, stamp in came:
                stream.take(data, stamp)

    def _sweep(self) -> None:
        now = monotonic_ns()
        late = now - self._last_sweep - self._interval_ns
        self._last_sweep = now
        ready = self._gathered.poll(0, _MOST)
        fresh = self._eager.poll(0, _MOST) if self._new else []
        whole = max(len(ready), len(fresh)) < _MOST
        ready += fresh
        self._read(ready)
        if whole:
            # Whoever was not ready at `now` was empty then, whoever was has been read since.
            self.swept_ns = now
        if now >= self._wheel_at * _WHEEL_NS:
            self._expire(now)
        self._found += len(ready)
        if late < _MS:  # a late sweep finds segments behind each other whatever the pace: that says nothing of it
            self._in_time += len(ready)
            self._crowds += self.crowds
        self.crowds = 0
        if self._on_sweep is not None:
            self._on_sweep(now, max(0, late))
        if now >= self._paced + _PACE_NS:
            self.clock.look()
            self._pace(now)

    def _pace(self, now: int) -> None:
        if not self._watched and not self._wheel:
            self._stop()
            return
        rate = self._found * 1e9 / (now - self._paced)
        self._found_rate += _MEMORY * (rate - self._found_rate)
        if self._in_time:
            self._crowded += _MEMORY * (self._crowds / self._in_time - self._crowded)
        self._found = self._in_time = self._crowds = 0
        self._paced = now
        if self._crowded > _CROWDED:
            interval = _SHORT if self._found_rate < _SOME else _USUAL
        else:
            interval = _LONGEST if self._found_rate < _MANY else _LONG
        if interval != self._interval:
            self._interval = interval
            self._interval_ns = int(interval * 1e9)
            self._timer.stop()
            self._timer = self._hub.loop.timer(interval, interval)
            self._timer.start(self._sweep, update=True)

    def _expire(self, now: int) -> None:
        slot = now // _WHEEL_NS
        while self._wheel_at <= slot:
            streams = self._wheel.pop(self._wheel_at, set())
            self._wheel_at += 1
            for stream in streams:
                if 0 < stream.due() <= now:
                    stream.expire()
                self.arm(stream)


class _Poll:
    """The few methods of epoll that the reader uses, over poll: for systems without epoll."""

    def __init__(self) -> None:
        self._poll = get_original("select", "poll")()

    def register(self, fd: int, mask: int) -> None:
        self._poll.register(fd, mask)

    def unregister(self, fd: int) -> None:
        try:
            self._poll.unregister(fd)
        except KeyError:
            raise FileNotFoundError from None

    def poll(self, timeout: float, most: int) -> list[tuple[int, int]]:
        ready: list[tuple[int, int]] = self._poll.poll(timeout)
        return ready[:most]


def _poller() -> Any:
    # gevent takes epoll away and replaces poll: a greenlet that calls them would stop the process. We never wait in them.
    return get_original("select", "epoll")() if _HAS_EPOLL else _Poll()
