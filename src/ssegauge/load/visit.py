"""One request to its end: connection, redirects, the stream, and what became of it. Runs in the user's greenlet."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from gevent.hub import get_hub
from greenlet import getcurrent

from ssegauge.load.clock import monotonic_ns
from ssegauge.load.connect import ConnectError, Origin, Route, open_transport
from ssegauge.load.contract import Delivery
from ssegauge.load.cookies import Cookies
from ssegauge.load.deadlines import Timeouts
from ssegauge.load.http1 import Http1Stream
from ssegauge.load.http2 import Http2Stream
from ssegauge.load.judge import Course, Failure, no_stream, of_stream
from ssegauge.load.outcome import Outcome
from ssegauge.load.reading import Reading
from ssegauge.load.request import fields_of, redirected, render
from ssegauge.load.session import Session
from ssegauge.load.stream import Stream
from ssegauge.profile.endpoint import Endpoint
from ssegauge.wire import RawEvent

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_WAITING = 10_000  # events that a slow task may leave unread before we stop reading for it
_MOST_AGAIN = 5  # of a request that HTTP/2 servers leave unprocessed (RFC 9113, 8.7)


@dataclass
class Plan:
    """A request as it is to be made. `intended`: when it should have started, in monotonic nanoseconds."""

    endpoint: Endpoint
    name: str
    method: str
    url: str
    headers: dict[str, str]
    body: bytes
    route: Route
    timeouts: Timeouts
    cookies: Cookies
    extra_cookies: dict[str, str] | None = None
    secret_names: frozenset[str] = frozenset()  # of header fields that another origin must not see, in lower case
    redirects: int = 5
    last_event_id: str = ""
    delivery: Delivery | None = None
    intended: int = 0
    leave_after: float | None = None
    reset: bool = False
    again: bool = False


class Visit:
    """One stream while it lasts. As a context manager it iterates events as they come.

    `outcome` is there when it is over: after `run`, or after the with-block.
    """

    def __init__(self, plan: Plan, session: Session, done: Callable[[Outcome], None], *, iterates: bool) -> None:
        self.plan = plan
        self.outcome: Outcome | None = None
        self._session = session
        self._done = done
        self._iterates = iterates
        self._inbox: deque[RawEvent] = deque()
        self._paused = False
        self._stream: Stream | None = None
        self._failure: Failure | None = None
        self._begun = 0
        self._origin = 0
        self._connect_us = 0.0
        self._greenlet: Any = None
        self._woken = False
        self._delivery = plan.delivery or Delivery()
        self._before = (self._delivery.duplicated, self._delivery.reordered)

    # -- to its end

    def run(self) -> Outcome:
        """Read to the end."""
        with self:
            for _ in self:
                pass
        assert self.outcome is not None  # noqa: S101 - for the type checker: __exit__ has set it
        return self.outcome

    # -- event by event

    def __enter__(self) -> Self:
        self._begun = monotonic_ns()
        self._session.recorder.started(self.plan.name)
        self._session.recorder.streams.add(self)
        if self.plan.intended:
            lag = max(0, self._begun - self.plan.intended)
            self._session.recorder.harness.histogram("schedule_lag").record(lag / 1000)
        return self

    def __iter__(self) -> Iterator[RawEvent]:
        plan = self.plan
        hops = 0
        while self._open(plan):
            stream = self._stream
            while stream is not None and stream.end is None:
                self._wait()
                yield from self._unread()
            yield from self._unread()
            following = self._following(plan, hops)
            if following is None:
                return
            plan, hops = following, hops + 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Reached with GreenletExit, too: nothing here waits.
        self._session.recorder.streams.discard(self)
        if self._stream is not None:
            self._stream.close(reset=self.plan.reset)
        self.outcome = self._judge()
        self._done(self.outcome)

    def leave(self, *, reset: bool = False) -> None:
        """Close the stream now, with FIN or with RST."""
        self.plan.reset = reset
        self._inbox.clear()  # whoever has left hears no more
        if self._stream is not None:
            self._stream.close(reset=reset)

    def pause(self) -> None:
        """Stop reading: what a client does that hangs."""
        if self._stream is not None:
            self._stream.pause()

    def resume(self) -> None:
        """Read on."""
        if self._stream is not None:
            self._stream.resume()

    @property
    def begun(self) -> int:
        """When its times begin, in monotonic nanoseconds; while it connects, when that began."""
        return self._origin or self._begun

    @property
    def last_event(self) -> int:
        """When its latest event came, in monotonic nanoseconds; 0 while none has."""
        return self._stream.last_event if self._stream is not None else 0

    @property
    def status(self) -> int | None:
        """The response's status, once its head is there."""
        return self._stream.response.status if self._stream is not None else None

    @property
    def retry_ms(self) -> int | None:
        """The reconnection time that the stream asked for."""
        return self._stream.retry if self._stream is not None else None

    @property
    def last_event_id(self) -> str:
        """What a reconnect would send."""
        return self._stream.last_event_id if self._stream is not None else self.plan.last_event_id

    # -- inside

    def _open(self, plan: Plan) -> bool:
        headers = dict(plan.headers)
        cookie = plan.cookies.header(plan.url, plan.extra_cookies)
        if cookie:
            headers.setdefault("Cookie", cookie)
        began = monotonic_ns()
        self._stream = None  # that of a redirect, say: who is stopped while this one connects has none
        self._late_ns = 0
        try:
            self._stream = stream = self._connected(plan, headers)
        except (ConnectError, ValueError) as error:
            own = isinstance(error, ConnectError) and error.own
            late = isinstance(error, ConnectError) and error.timeout
            self._failure = Failure("timeout_connect" if late else "connect_error", str(error), own)
            return False
        self._connect_us += (stream.sent - began - self._late_ns) / 1000
        self._origin = stream.origin
        if plan.leave_after is not None:
            stream.leave_at = stream.origin + int(plan.leave_after * 1e9)
        stream.start()
        return True

    def _connected(self, plan: Plan, headers: dict[str, str]) -> Stream:
        """A stream that is ready to start. Raises ConnectError, ValueError."""
        session, route, origin = self._session, plan.route, Origin.of(plan.url)
        reading = Reading(
            reader=session.reader,
            recorder=session.recorder,
            endpoint=plan.name,
            contract=session.contract(plan.endpoint),
            delivery=self._delivery,
            timeouts=plan.timeouts,
            on_end=self._wake,
            on_events=self._arrived if self._iterates else None,
            origin=self._origin,
            last_event_id=plan.last_event_id,
        )
        if route.http2:
            fields = fields_of(plan.method, plan.url, headers, plan.body)
            connection = session.http2.connection(origin, route, plan.timeouts.connect)
            return Http2Stream(connection, (fields, plan.body), reading)
        request = render(plan.method, plan.url, headers, plan.body, route.proxy)
        transport = open_transport(origin, route, plan.timeouts.connect)
        self._late_ns = transport.late_ns  # that an answer waited for us is no part of how long it took
        return Http1Stream(transport, request, reading)

    def _following(self, plan: Plan, hops: int) -> Plan | None:
        """The request that comes next, where the server sends us on, or has not touched this one."""
        if self._stream is not None and self._stream.unprocessed and hops < _MOST_AGAIN:
            self._stream.close()
            return plan
        return self._redirection(plan, hops)

    def _redirection(self, plan: Plan, hops: int) -> Plan | None:
        stream = self._stream
        if stream is None:
            return None
        plan.cookies.keep(plan.url, stream.response.headers)
        location = stream.response.header("location")
        status = stream.response.status
        if status not in _REDIRECTS or location is None or stream.end != "message_end":
            return None
        if hops >= plan.redirects:
            if plan.redirects:
                stream.error = f"more than {plan.redirects} redirects"
            return None
        try:
            method, url, headers, body = redirected(
                status, plan.method, plan.url, location, plan.headers, plan.body, plan.secret_names
            )
            cookies = plan.extra_cookies if Origin.of(url) == Origin.of(plan.url) else None
        except ValueError:
            stream.error = "redirected to what is no http address"
            return None
        stream.close()
        self.plan.url = url
        said = {"method": method, "url": url, "headers": headers, "body": body, "extra_cookies": cookies}
        return Plan(**{**vars(plan), **said})

    def _arrived(self, events: list[RawEvent]) -> None:
        self._inbox.extend(events)
        if len(self._inbox) > _MOST_WAITING and not self._paused and self._stream is not None:
            self._paused = True
            self._session.recorder.held_up(self.plan.name)
            self._stream.pause()
        self._wake()

    def _unread(self) -> Iterator[RawEvent]:
        while self._inbox:
            yield self._inbox.popleft()
        if self._paused and self._stream is not None and self._stream.end is None:
            self._paused = False
            self._stream.resume()

    def _wait(self) -> None:
        stream = self._stream
        while not self._inbox and stream is not None and stream.end is None:
            self._greenlet = getcurrent()
            try:
                get_hub().switch()
            finally:
                self._greenlet = None

    def _wake(self) -> None:
        # Not at once: the reader has other sockets to look at first.
        if self._greenlet is not None and not self._woken:
            self._woken = True
            get_hub().loop.run_callback(self._switch)

    def _switch(self) -> None:
        self._woken = False
        waiting = self._greenlet
        if waiting is not None:
            waiting.switch()

    def _judge(self) -> Outcome:
        plan = self.plan
        course = Course(
            name=plan.name,
            begun=self._begun,
            intended=plan.intended,
            origin=self._origin,
            connect_us=self._connect_us,
            duplicated_before=self._before[0],
            reordered_before=self._before[1],
            resumes=plan.delivery is not None,
        )
        contract = self._session.contract(plan.endpoint)
        if self._stream is None:
            outcome = no_stream(course, contract, self._failure or Failure("client", ""))
        else:
            outcome = of_stream(course, contract, self._stream, self._delivery)
        outcome.reconnects = int(plan.again)
        return outcome
