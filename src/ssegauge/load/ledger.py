"""The figures of a load run: counters, histograms, one row a second; by endpoint, exact under merging.

Everything here adds. A worker sends what came since its last word (`take`), the master adds it (`merge`), and no
percentile is taken before the last addition. Times are microseconds; a second is one of the wall clock, so that rows
of several workers meet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from ssegauge.load.histogram import Histogram

STREAM_TIMES = (
    "connect",
    "ttfb",
    "first_body_byte",
    "first_event",
    "first_match",
    "ttfb_from_intended",
    "first_event_from_intended",
    "longest_gap",
    "longest_silence",
    "time_per_token",
    "duration",
)
"""Measured once a stream."""

EVENT_TIMES = ("gap", "match_gap", "lag")
"""Measured with every event."""

RATES = ("tokens_per_second",)
"""Measured once a stream, per 1000 s, so that what is kept to 0.2 % from 1 on is kept from one thousandth on."""

LATENCIES = (
    *(*STREAM_TIMES[:7], "gap", "match_gap", "time_per_token"),
    *("longest_gap", "longest_silence", "lag", "duration"),
)
"""The order in which results name them."""

ROW_TIMES = ("ttfb", "longest_gap", "duration")
"""Measured once a stream, and given by the second in which it ended, too; of streams that did not fail."""

HARNESS_TIMES = ("read_lag", "stamp_bound", "schedule_lag", "loop_lag")
"""What the generator measures of itself."""

MOMENTS = 20
"""How often in a second streams that are open are counted: at the same moments of the wall clock in all processes."""

MOST = (1 << 63) - 1
"""The largest number that travels: a sequence may jump by any number, and what was left out counts as lost."""

MAX_FIRST_NUMBERS = 1000
MAX_MESSAGES = 100  # different failure texts kept for an endpoint; a hostile server must not fill our memory


class Slice:
    """One second: what happened in it, as counters and histograms.

    `raw` collects what every read gives (gaps in nanoseconds); `settle` counts them, many at once. `open`: streams open
    at each of the second's moments, by its number; the last one is the second's end.
    """

    __slots__ = ("bytes", "comments", "counters", "events", "histograms", "levels", "longest_gap", "open", "raw")

    def __init__(self) -> None:
        # The three that change with every read are plain numbers.
        self.events = 0
        self.bytes = 0
        self.comments = 0
        self.longest_gap = 0.0
        self.counters: Counter[str] = Counter()
        self.levels: dict[str, float] = {}
        self.open: dict[int, int] = {}
        self.histograms: dict[str, Histogram] = {}
        self.raw: list[int] = []

    def settle(self) -> None:
        """Count the raw values."""
        if self.raw:
            self.histogram("gap").record_all([value / 1000 for value in self.raw])
            self.raw.clear()

    def histogram(self, name: str) -> Histogram:
        """The histogram of that name, made where it is asked for first."""
        found = self.histograms.get(name)
        if found is None:
            found = self.histograms[name] = Histogram()
        return found

    def merge(self, other: Slice) -> None:
        """Add another slice: of the same second elsewhere, or of a later one to sum up. Levels add, too."""
        self.events += other.events
        self.bytes += other.bytes
        self.comments += other.comments
        self.longest_gap = max(self.longest_gap, other.longest_gap)
        self.counters.update(other.counters)
        for name, level in other.levels.items():
            self.levels[name] = self.levels.get(name, 0) + level
        for moment, count in other.open.items():
            self.open[moment] = self.open.get(moment, 0) + count
        for name, histogram in other.histograms.items():
            self.histogram(name).merge(histogram)

    def to_json(self) -> dict[str, Any]:
        """Plain values, as they travel."""
        return {
            "events": self.events,
            "bytes": self.bytes,
            "comments": self.comments,
            "longest_gap": self.longest_gap,
            "counters": dict(self.counters),
            "levels": self.levels,
            "open": [[moment, count] for moment, count in self.open.items()],
            "histograms": {name: histogram.to_json() for name, histogram in self.histograms.items() if histogram},
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Slice:
        """What `to_json` wrote."""
        slice_ = cls()
        slice_.events = document["events"]
        slice_.bytes = document["bytes"]
        slice_.comments = document["comments"]
        slice_.longest_gap = document["longest_gap"]
        slice_.counters = Counter(document["counters"])
        slice_.levels = dict(document["levels"])
        slice_.open = dict(document["open"])
        slice_.histograms = {name: Histogram.from_json(found) for name, found in document["histograms"].items()}
        return slice_


class Book:
    """One endpoint, or the generator itself: what is known of whole streams, and the seconds.

    `latency` holds the streams that did not fail, and as censored values those that never came so far; `failed` the
    times of those that failed, which must not make the good ones look better or worse. `past` sums up the seconds
    whose slices were let go (`fold`). `first_numbers`: with which number of the declared sequence streams began.
    """

    def __init__(self) -> None:
        self.counters: Counter[str] = Counter()
        self.verdicts: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.messages: Counter[str] = Counter()
        self.first_numbers: Counter[int] = Counter()
        self.latency: dict[str, Histogram] = {}
        self.failed: dict[str, Histogram] = {}
        self.slices: dict[int, Slice] = {}
        self.past = Slice()

    def at(self, second: int) -> Slice:
        """The slice of that second."""
        found = self.slices.get(second)
        if found is None:
            found = self.slices[second] = Slice()
        return found

    def fold(self, second: int) -> None:
        """Let go of a second's slice: its sums go into `past`."""
        slice_ = self.slices.pop(second, None)
        if slice_ is not None:
            self.past.merge(slice_)

    def began_with(self, number: int) -> None:
        """Count a stream by the first number of its sequence; a thousand different ones are no common beginning, and
        what does not travel (64 bits, says msgpack) is not counted from.
        """
        known = number in self.first_numbers or len(self.first_numbers) < MAX_FIRST_NUMBERS
        if known and abs(number) <= MOST:
            self.first_numbers[number] += 1

    def note(self, message: str) -> None:
        """Count a failure's text; past a hundred different ones they count together."""
        self.messages[message if message in self.messages or len(self.messages) < MAX_MESSAGES else "others"] += 1

    def merge(self, other: Book) -> None:
        """Add another book of the same endpoint."""
        self.counters.update(other.counters)
        self.verdicts.update(other.verdicts)
        self.faults.update(other.faults)
        self.first_numbers.update(other.first_numbers)
        self.past.merge(other.past)
        for message, count in other.messages.items():
            known = message in self.messages or len(self.messages) < MAX_MESSAGES
            self.messages[message if known else "others"] += count
        for mine, theirs in ((self.latency, other.latency), (self.failed, other.failed)):
            for name, histogram in theirs.items():
                mine.setdefault(name, Histogram()).merge(histogram)
        for second, slice_ in other.slices.items():
            self.at(second).merge(slice_)

    def to_json(self) -> dict[str, Any]:
        """Plain values, as they travel."""
        return {
            "counters": {name: min(count, MOST) for name, count in self.counters.items()},
            "verdicts": dict(self.verdicts),
            "faults": dict(self.faults),
            "messages": dict(self.messages),
            # JSON has no integer keys
            "first_numbers": [[number, count] for number, count in self.first_numbers.items()],
            "past": self.past.to_json(),
            "latency": {name: histogram.to_json() for name, histogram in self.latency.items()},
            "failed": {name: histogram.to_json() for name, histogram in self.failed.items()},
            "slices": [[second, slice_.to_json()] for second, slice_ in self.slices.items()],
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Book:
        """What `to_json` wrote."""
        book = cls()
        book.counters = Counter(document["counters"])
        book.verdicts = Counter(document["verdicts"])
        book.faults = Counter(document["faults"])
        book.messages = Counter(document["messages"])
        book.first_numbers = Counter(dict(document["first_numbers"]))
        book.past = Slice.from_json(document["past"])
        book.latency = {name: Histogram.from_json(found) for name, found in document["latency"].items()}
        book.failed = {name: Histogram.from_json(found) for name, found in document["failed"].items()}
        book.slices = {second: Slice.from_json(found) for second, found in document["slices"]}
        return book


class Ledger:
    """The books of all endpoints, and of the generator (`harness`)."""

    def __init__(self) -> None:
        self.books: dict[str, Book] = {}
        self.harness = Book()

    def book(self, endpoint: str) -> Book:
        """The book of that endpoint, begun where it is asked for first."""
        found = self.books.get(endpoint)
        if found is None:
            found = self.books[endpoint] = Book()
        return found

    def merge(self, other: Ledger) -> None:
        """Add all books of another ledger."""
        for endpoint, book in other.books.items():
            self.book(endpoint).merge(book)
        self.harness.merge(other.harness)

    def take(self) -> Ledger:
        """Everything so far, as a ledger of its own; this one begins anew."""
        taken = Ledger()
        taken.books, taken.harness = self.books, self.harness
        self.books, self.harness = {}, Book()
        return taken

    def total(self) -> Book:
        """All endpoints as one book."""
        total = Book()
        for book in self.books.values():
            total.merge(book)
        return total

    def seconds(self) -> Iterator[int]:
        """The seconds in which anything was noted, ascending."""
        books = (*self.books.values(), self.harness)
        return iter(sorted({second for book in books for second in book.slices}))

    def to_json(self) -> dict[str, Any]:
        """Plain values, as they travel."""
        return {
            "books": {endpoint: book.to_json() for endpoint, book in self.books.items()},
            "harness": self.harness.to_json(),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Ledger:
        """What `to_json` wrote."""
        ledger = cls()
        ledger.books = {endpoint: Book.from_json(found) for endpoint, found in document["books"].items()}
        ledger.harness = Book.from_json(document["harness"])
        return ledger
