"""One open stream: from its bytes to events, times and an end. How they come is the business of `http1` and `http2`."""

from __future__ import annotations

import logging
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import cast

from ssegauge.load.clock import monotonic_ns
from ssegauge.load.contract import Watch
from ssegauge.load.deadlines import deadlines
from ssegauge.load.histogram import Histogram
from ssegauge.load.inflater import Malformed
from ssegauge.load.ledger import Slice
from ssegauge.load.reading import Reading
from ssegauge.load.response import Answer
from ssegauge.verdict import EndKind
from ssegauge.wire import LazyDecoder, LimitError, RawEvent

logger = logging.getLogger("ssegauge.load")

_WITH_TRACEBACK = bool(os.environ.get("SSEGAUGE_TRACEBACK"))
_SHOWN = 120  # characters of an error page kept


class Stream(ABC):
    """The reading side of one request. All stamps are monotonic nanoseconds; 0 means not yet.

    `unprocessed`: the server has said that it did nothing with the request, which may be made again elsewhere.
    `paused`: nobody reads, on purpose. `unjudged`: we stumbled over what came.
    """

    __slots__ = (
        "_decoder",
        "_endpoint",
        "_on_end",
        "_on_events",
        "_read",
        "_reader",
        "_recorder",
        "_slices",
        "_slow",
        "_timeouts",
        "bytes",
        "end",
        "ended",
        "error",
        "events",
        "first_body_byte",
        "first_event",
        "first_match",
        "is_event_stream",
        "last_byte",
        "last_event",
        "last_match",
        "leave_at",
        "longest_gap",
        "longest_silence",
        "origin",
        "page",
        "paused",
        "response",
        "resumed",
        "sent",
        "slot",
        "ttfb",
        "unjudged",
        "unprocessed",
        "watch",
    )

    def __init__(self, response: Answer, reading: Reading) -> None:
        self._reader = reading.reader
        self._recorder = reading.recorder
        self._slices = reading.recorder.current
        self._endpoint = reading.endpoint
        self._timeouts = reading.timeouts
        self._on_end = reading.on_end
        self._on_events = reading.on_events
        self._decoder = LazyDecoder(reading.last_event_id)
        # Who reads along is given events; otherwise their blocks will do.
        self._read: Callable[[bytes], Sequence[bytes]]
        self._read = self._decoder.blocks if reading.on_events is None else self._decoder.feed
        self._slow = False  # stopped on purpose, and not caught up yet: its lag is not the generator's
        idle = reading.contract.is_idle
        self.watch = None if idle else Watch(reading.contract, reading.delivery, self._lag)
        self.response = response
        self.sent = monotonic_ns()
        self.origin = reading.origin or self.sent  # from here all times count: the first byte of the first request
        self.end: EndKind | None = None
        self.error = ""
        self.page = ""  # the beginning of an answer that is no stream
        self.is_event_stream = False
        self.events = self.bytes = 0
        self.ttfb = self.first_body_byte = self.first_event = self.first_match = 0
        self.last_byte = self.last_event = self.last_match = self.ended = 0
        self.longest_gap = self.longest_silence = 0
        self.leave_at = self.resumed = 0
        self.slot = 0
        self.paused = self.unjudged = self.unprocessed = False

    # -- what the user's greenlet does

    @abstractmethod
    def start(self) -> None:
        """Send the request and begin to read."""

    def leave(self, at_ns: int) -> None:
        """Close the stream ourselves at that time, unless it ends before."""
        self.leave_at = at_ns
        self._reader.arm(self)

    @abstractmethod
    def close(self, *, reset: bool = False) -> None:
        """Let go of the connection, by RST with `reset`; a stream that has not ended is ended by us."""

    def pause(self) -> None:
        """Stop reading, so that the server cannot write."""
        if self.end is None and not self.paused:
            self.paused = self._slow = True
            self._hold()

    def resume(self) -> None:
        """Read on."""
        if self.end is None and self.paused:
            self.paused = False
            self.resumed = monotonic_ns()
            self._read_on()
            self._reader.arm(self)

    @property
    def last_event_id(self) -> str:
        """What a reconnect would send."""
        return self._decoder.last_event_id

    @property
    def retry(self) -> int | None:
        """The reconnection time that the stream asked for, in milliseconds."""
        return self._decoder.retry

    @property
    def comments(self) -> int:
        """Comment lines seen."""
        return self._decoder.comments

    @property
    def pending(self) -> bool:
        """Bytes of an unfinished block are left, or of an unfinished content coding."""
        return self._decoder.pending or bool(self.response.unfinished)

    # -- what the reader calls

    @abstractmethod
    def ready(self) -> None:
        """Read once. See `Watched`."""

    def due(self) -> int:
        """The nearest deadline. See `Watched`."""
        if self.end is not None:
            return 0
        return min((at for at, _, _ in deadlines(self._timeouts, self) if at), default=0)

    def expire(self) -> None:
        """A deadline has passed. See `Watched`."""
        # What has come in time but was not read yet must not be called late.
        if not self.paused:
            self.ready()
        if self.end is not None:
            return
        now = monotonic_ns()
        for at, end, error in deadlines(self._timeouts, self):
            if at and at <= now:
                self._finish(end, error)
                return

    # -- bytes

    def _receive(self, data: bytes, stamp: int) -> None:
        self.bytes += len(data)
        fault = ""
        response = self.response
        try:
            content = response.feed(data)
        except Malformed as error:
            fault, content = str(error), response.rest()
        before, self.last_byte = self.last_byte, stamp
        if not before:
            self.ttfb = stamp
            self._reader.arm(self)  # from now on silence counts, whose limit may be nearer
        elif stamp - before > self.longest_silence:
            self.longest_silence = stamp - before
        slice_ = self._slices.get(self._endpoint) or self._recorder.slice(self._endpoint)
        slice_.bytes += len(data)
        if not self.is_event_stream and not self._begins(content, fault):
            return
        if content:
            if not self.first_body_byte:
                self.first_body_byte = stamp
            try:
                events = self._read(content)
            except LimitError as error:
                fault, events = str(error), cast("Sequence[bytes]", error.events)
            if events:
                self._take(events, stamp, before, slice_)
        if fault:
            self._finish("malformed", fault)
        elif response.done:
            self._finish("message_end")

    def _stumbled(self, error: Exception) -> None:
        # Whatever a server makes us stumble over costs its own stream, not those that are read beside it.
        told = f"{type(error).__name__}: {error}"
        logger.error("%s cannot be judged: %s", self._endpoint, told, exc_info=error if _WITH_TRACEBACK else None)
        self.unjudged = True
        if self.end is None:
            self._finish("malformed", f"it cannot be judged: {type(error).__name__}")

    def _begins(self, content: bytes, fault: str) -> bool:
        if self.response.status is not None:
            return self._accept(content)
        if fault:
            self._finish("malformed", fault)
        return False

    def _accept(self, content: bytes) -> bool:
        """Whether the head is that of a stream; the rest of any other answer is of no interest."""
        response = self.response
        kind = (response.header("content-type") or "").partition(";")[0].strip().lower()
        if response.status == 200 and kind == "text/event-stream":
            self.is_event_stream = True
            self._recorder.opened(self._endpoint)
            return True
        self.page = content[:_SHOWN].decode("utf-8", "replace")
        # The page may differ each time (a request's number, a clock); what failures are counted by must not.
        self._finish(
            "message_end", f"content type {kind or 'missing'}" if response.status == 200 else f"HTTP {response.status}"
        )
        return False

    def _take(self, events: Sequence[bytes], stamp: int, before: int, slice_: Slice) -> None:
        together = len(events)
        slice_.events += together
        counted = together if self.watch is None else self._look(self.watch, events, stamp)
        if counted:
            if self.first_event:
                gap = stamp - self.last_event
                slice_.raw.append(gap)
                if gap > self.longest_gap:
                    self.longest_gap = gap
                    slice_.longest_gap = max(slice_.longest_gap, gap / 1000)
            else:
                self.first_event = stamp
                slice_.histogram("first_event").record((stamp - self.origin) / 1000)
                self._flows()
            self.last_event = stamp
            self.events += counted
            if counted > 1:
                slice_.histogram("gap").record_zeros(counted - 1)
        if together > 1 and not self._slow:
            self._came_together(together, stamp, before)
        if self._on_events is not None:
            self._on_events(cast("list[RawEvent]", events))

    def _look(self, watch: Watch, events: Sequence[bytes], stamp: int) -> int:
        wall = (stamp + self._reader.clock.offset_ns) / 1e9
        counted, matched = 0, watch.matched
        for event in events:
            counted += watch.see(event, wall)
        if watch.matched > matched:
            self._match(watch.matched - matched, stamp)
        return counted

    def _match(self, count: int, stamp: int) -> None:
        if self.first_match:
            self._match_gaps().record((stamp - self.last_match) / 1000)
        else:
            self.first_match = stamp
        if count > 1:
            self._match_gaps().record_zeros(count - 1)
        self.last_match = stamp

    def _match_gaps(self) -> Histogram:
        return self._recorder.slice(self._endpoint).histogram("match_gap")

    def _lag(self, seconds: float) -> None:
        self._recorder.slice(self._endpoint).histogram("lag").record(max(0.0, seconds * 1e6))

    def _finish(self, end: EndKind, error: str = "") -> None:
        self.end = end
        self.error = error or (self.response.unfinished if end == "message_end" else "")
        # The last byte of a message is its end; nothing bears the time of a silence.
        self.ended = self.last_byte if end == "message_end" and self.response.done else monotonic_ns()
        if self.watch is not None:
            self.watch.close(ended=end == "message_end")
        if self.is_event_stream:
            self._recorder.closed(self._endpoint, comments=self._decoder.comments)
        self._reader.disarm(self)
        self._let_go()
        self._on_end()

    # -- what depends on the connection

    @abstractmethod
    def _hold(self) -> None:
        """See `pause`."""

    @abstractmethod
    def _read_on(self) -> None:
        """See `resume`."""

    def _flows(self) -> None:  # noqa: B027 - nothing to do on a shared connection
        """The first event is there."""

    def _came_together(self, events: int, stamp: int, before: int) -> None:  # noqa: B027 - nothing to do on a shared connection
        """So many events bear one stamp; `before`: that of the read before."""

    def _let_go(self) -> None:  # noqa: B027 - nothing to do on a shared connection
        """The stream has ended, whether or not its connection has."""
