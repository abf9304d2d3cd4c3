"""Where the streams of one process write their figures."""

from __future__ import annotations

from typing import Protocol

from ssegauge.load.clock import Clock, monotonic_ns
from ssegauge.load.histogram import Histogram
from ssegauge.load.ledger import MOMENTS, ROW_TIMES, Ledger, Slice
from ssegauge.load.outcome import Outcome

GOOD = frozenset({"complete", "client_closed"})
"""Verdicts that are no failure: as the contract says, or ended by ourselves."""

_CENSORED = ("ttfb", "first_body_byte", "first_event", "first_match", "ttfb_from_intended", "first_event_from_intended")
_SECOND = 1_000_000_000
_MOMENT = _SECOND // MOMENTS
_MOST_MOMENTS = 60 * MOMENTS  # noted at once, after a time in which nothing ran


class Running(Protocol):
    """A stream that is not over. In monotonic nanoseconds: when it began, and its latest event, 0 while none came."""

    @property
    def begun(self) -> int: ...  # noqa: D102 - as above

    @property
    def last_event(self) -> int: ...  # noqa: D102 - as above


class Recorder:
    """The ledger of this process, and the slices of the second that runs. One thread, no locks."""

    def __init__(self, clock: Clock) -> None:
        self.ledger = Ledger()
        self.clock = clock
        self.read_lags: list[int] = []  # nanoseconds, of the second that runs
        self.loop_lags: list[int] = []  # the same
        self.current: dict[str, Slice] = {}  # endpoint to slice; emptied when the second changes
        self.open: dict[str, int] = {}
        self.running: dict[str, int] = {}  # attempted and not over
        self.streams: set[Running] = set()
        self.peak_open = 0
        self.peaks: dict[str, int] = {}
        self._harness: Slice | None = None
        self._turned = False
        self._second = clock.wall_second(monotonic_ns())
        self._next = self._next_moment = monotonic_ns()
        self._moment = self._moment_at(self._next)

    def slice(self, endpoint: str) -> Slice:
        """The slice of an endpoint for the second that runs."""
        found = self.current.get(endpoint)
        if found is None:
            found = self.current[endpoint] = self.ledger.book(endpoint).at(self._second)
        return found

    @property
    def harness(self) -> Slice:
        """The generator's own slice for the second that runs."""
        if self._harness is None:
            self._harness = self.ledger.harness.at(self._second)
        return self._harness

    def settle(self) -> None:
        """Count what the reads of this second have left raw."""
        for slice_ in self.current.values():
            slice_.settle()
        for name, lags in (("read_lag", self.read_lags), ("loop_lag", self.loop_lags)):
            if lags:
                self.harness.histogram(name).record_all([lag / 1000 for lag in lags])
                lags.clear()
        self.current.clear()
        self._harness = None

    def tick(self, now: int) -> bool:
        """Turn the page where a second has passed; True when one has since this was last asked."""
        self._turn(now)
        turned, self._turned = self._turned, False
        return turned

    def _turn(self, now: int) -> None:
        if now >= self._next_moment:  # else a stream that opened or closed has had it counted
            self._count_open(now)
        if now < self._next:
            return
        self.settle()
        second = self._second = self.clock.wall_second(now)
        self._next = (second + 1) * _SECOND - self.clock.offset_ns
        self._turned = True

    def _moment_at(self, now: int) -> int:
        return (now + self.clock.offset_ns) // _MOMENT

    def _count_open(self, now: int) -> None:
        """Note what was open at each moment that has passed. To be called before that changes, so that it is exact
        however late we are.
        """
        moment = self._moment_at(now)
        for passed in range(max(self._moment, moment - _MOST_MOMENTS), moment):
            for endpoint, count in self.open.items():
                self.ledger.book(endpoint).at(passed // MOMENTS).open[passed % MOMENTS] = count
        self._moment = max(self._moment, moment)  # a moment is counted once, wherever the clock goes
        self._next_moment = (moment + 1) * _MOMENT - self.clock.offset_ns

    def take(self) -> Ledger:
        """Everything since the last take."""
        self._count_open(monotonic_ns())
        self.settle()
        return self.ledger.take()

    def restart(self) -> None:
        """Begin anew. The streams that run are part of what follows, so that what ends has also been attempted."""
        self.take()
        for endpoint, count in self.running.items():
            self.ledger.book(endpoint).counters["attempted"] += count
        for endpoint, count in self.open.items():
            self.ledger.book(endpoint).counters["opened"] += count
        self.peaks = dict(self.open)
        self.peak_open = sum(self.open.values())

    def waits(self, least_us: float, *, for_the_first: bool) -> Histogram:
        """How long the streams that run have waited for their first event, or for any, where that is `least_us` or more."""
        waits = Histogram()
        now = monotonic_ns()
        for stream in self.streams:
            latest = stream.last_event
            if latest and for_the_first:
                continue
            waited = (now - (latest or stream.begun)) / 1000
            if waited >= least_us:
                waits.censor(waited)
        return waits

    def started(self, endpoint: str) -> None:
        """A stream was attempted."""
        self._turn(monotonic_ns())  # while nothing was open nobody has looked at the clock
        self.running[endpoint] = self.running.get(endpoint, 0) + 1
        self.ledger.book(endpoint).counters["attempted"] += 1
        self.slice(endpoint).counters["started"] += 1

    def opened(self, endpoint: str) -> None:
        """A stream has been accepted: 200 and an event stream."""
        self.ledger.book(endpoint).counters["opened"] += 1
        self.slice(endpoint).counters["opened"] += 1
        self._count_open(monotonic_ns())
        self.open[endpoint] = self.open.get(endpoint, 0) + 1
        self.peak_open = max(self.peak_open, sum(self.open.values()))
        self.peaks[endpoint] = max(self.peaks.get(endpoint, 0), self.open[endpoint])

    def closed(self, endpoint: str, comments: int) -> None:
        """A stream that had been accepted is over."""
        self._count_open(monotonic_ns())
        self.open[endpoint] -= 1
        if comments:
            self.slice(endpoint).comments += comments

    def dropped(self, endpoint: str, count: int = 1) -> None:
        """Arrivals that could not be made."""
        self.ledger.book(endpoint).counters["dropped_arrivals"] += count
        self.slice(endpoint).counters["dropped_arrivals"] += count

    def held_up(self, endpoint: str) -> None:
        """A task reads a stream more slowly than it comes, so that we stopped reading for it."""
        self.ledger.book(endpoint).counters["held_up"] += 1

    def lost(self, endpoint: str, count: int) -> None:
        """Events that a logical stream has not received on any of its connections."""
        self.ledger.book(endpoint).counters["lost"] += count

    def ended(self, outcome: Outcome) -> None:
        """A stream is over: its verdict, its faults, its times."""
        endpoint = outcome.endpoint
        book, slice_ = self.ledger.book(endpoint), self.slice(endpoint)
        self.running[endpoint] -= 1
        book.verdicts[outcome.verdict] += 1
        slice_.counters[outcome.verdict] += 1
        for name, count in outcome.faults.items():
            book.faults[name] += count
        if outcome.failed:
            book.counters["failed"] += 1
            slice_.counters["failed"] += 1
            book.note(outcome.message)
        if outcome.counting != "undeclared":
            book.counters[outcome.counting] += 1
        if outcome.counts_again:
            book.counters["named"] += 1
        for name in ("lost", "duplicated", "reordered", "reconnects"):
            count = getattr(outcome, name)
            if count:
                book.counters[name] += count
        if outcome.first_number is not None:
            book.began_with(outcome.first_number)
        if outcome.own_fault:
            book.counters["own_faults"] += 1
        if outcome.unjudged:
            book.counters["unjudged"] += 1
        book.counters["tokens"] += outcome.tokens
        if outcome.missed is not None:
            book.counters["judged"] += 1
            book.counters["good"] += not outcome.missed
            book.counters.update(f"missed {name}" for name in outcome.missed)
        self._times(outcome)

    def _times(self, outcome: Outcome) -> None:
        book = self.ledger.book(outcome.endpoint)
        side = book.failed if outcome.failed else book.latency
        for name, us in outcome.times.items():
            side.setdefault(name, Histogram()).record(us)
            if name in ROW_TIMES and not outcome.failed:
                self.slice(outcome.endpoint).histogram(name).record(us)
        per_token = outcome.times.get("time_per_token")
        if per_token:  # nothing where all tokens came at once: that is no rate
            side.setdefault("tokens_per_second", Histogram()).record(1e9 / per_token)
        for name in _CENSORED:
            if name not in outcome.times and name in outcome.expected:
                waited = outcome.lasted_us + (outcome.late_us if name.endswith("_from_intended") else 0.0)
                book.latency.setdefault(name, Histogram()).censor(waited)
        if "duration" not in outcome.times:
            book.latency.setdefault("duration", Histogram()).censor(outcome.lasted_us)
