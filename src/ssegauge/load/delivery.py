"""Which numbered events came, came twice, came late, or never; across the connections of one logical stream."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque

_MAX_HOLES = 10_000  # separate holes remembered for one stream; a server that jumps about must not fill our memory
_MAX_IDS = 512  # ids remembered where there is no number: a resumed stream repeats its latest


class Numbers:
    """Follows a sequence that should go up by one. The first number seen is where it began."""

    __slots__ = ("_holes", "_resumed", "_starts", "duplicated", "first", "forgotten", "next", "reordered")

    def __init__(self) -> None:
        self.first: int | None = None
        self.next = 0
        self.duplicated = 0
        self.reordered = 0
        self.forgotten = 0
        self._resumed = False
        self._starts: list[int] = []  # ascending starts of the holes
        self._holes: dict[int, int] = {}  # start to end (exclusive)

    def connect(self) -> None:
        """A new connection begins."""
        self._resumed = self.first is not None

    def see(self, number: int) -> None:
        """One more event."""
        if number == self.next and self.first is not None:
            self.next = number + 1
        elif self.first is None:
            self.first, self.next = number, number + 1
        elif number > self.next:
            self._miss(self.next, number)
            self.next = number + 1
        elif number < self.first and self._resumed:
            self.duplicated += 1  # replayed from before the place to resume from
        elif number < self.first:
            # It began earlier than it seemed: this one was overtaken.
            if number + 1 < self.first:
                self._miss(number + 1, self.first)
            self.first = number
            self.reordered += 1
        elif self._fill(number):
            self.reordered += 1
        else:
            self.duplicated += 1

    @property
    def lost(self) -> int:
        """Numbers left out and not seen since."""
        return self.forgotten + sum(end - start for start, end in self._holes.items())

    def _miss(self, start: int, end: int) -> None:
        if len(self._starts) >= _MAX_HOLES:
            self.forgotten += end - start
            return
        at = bisect_right(self._starts, start)
        self._starts.insert(at, start)
        self._holes[start] = end

    def _fill(self, number: int) -> bool:
        at = bisect_right(self._starts, number) - 1
        if at < 0:
            return False
        start = self._starts[at]
        end = self._holes[start]
        if number >= end:
            return False
        del self._starts[at], self._holes[start]
        if number + 1 < end:
            self._starts.insert(at, number + 1)
            self._holes[number + 1] = end
        if start < number:
            self._starts.insert(at, start)
            self._holes[start] = number
        return True


class Ids:
    """Event ids, where nothing else numbers the events: a repetition can be seen, among the latest.

    Ids that go up by one on every connection are as good as a declared sequence: what is left out when a stream is
    resumed has been lost then.
    """

    __slots__ = ("_latest", "_numbers", "_previous", "_seen", "duplicated")

    def __init__(self) -> None:
        self.duplicated = 0
        self._latest: deque[str] = deque()
        self._seen: set[str] = set()
        self._numbers: Numbers | None = Numbers()
        self._previous: int | None = None

    def connect(self) -> None:
        """A new connection begins: its first id may be any."""
        self._previous = None

    def see(self, event_id: str) -> None:
        """One more event that bears an id of its own."""
        self._count(event_id)
        if event_id in self._seen:
            self.duplicated += 1
            return
        self._seen.add(event_id)
        self._latest.append(event_id)
        if len(self._latest) > _MAX_IDS:
            self._seen.discard(self._latest.popleft())

    @property
    def counting(self) -> bool:
        """Whether they count, so that what was left out is known."""
        return self._numbers is not None and self._numbers.first is not None

    @property
    def lost(self) -> int:
        """Numbers left out between connections; 0 where the ids do not count."""
        return self._numbers.lost if self._numbers is not None else 0

    def _count(self, event_id: str) -> None:
        if self._numbers is None:
            return
        # 18 digits: any longer one is a token and no count
        number = int(event_id) if event_id.isascii() and event_id.isdigit() and len(event_id) <= 18 else None
        if number is None or (self._previous is not None and number != self._previous + 1):
            self._numbers = None
            return
        self._previous = number
        self._numbers.see(number)
