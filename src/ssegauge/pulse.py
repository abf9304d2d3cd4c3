"""Tells whether this machine was too busy to judge times: a thread that measures how late it wakes up."""

from __future__ import annotations

import threading
import time
from collections import deque

EVERY = 0.01
"""Seconds between two beats."""
KEEP = 6_000
"""Beats that are kept: a minute."""


class Pulse:
    """Beats every 10 ms and notes how late each beat came. `worst` answers for a span of monotonic time."""

    _one: Pulse | None = None

    def __init__(self) -> None:
        self._late: deque[tuple[float, float]] = deque(maxlen=KEEP)
        self._thread: threading.Thread | None = None

    @classmethod
    def shared(cls) -> Pulse:
        """The process's own pulse."""
        if cls._one is None:
            cls._one = cls()
        return cls._one

    def start(self) -> None:
        """Begin to beat; a second call changes nothing."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._beat, name="ssegauge-pulse", daemon=True)
            self._thread.start()

    def _beat(self) -> None:
        while True:
            before = time.monotonic()
            time.sleep(EVERY)
            now = time.monotonic()
            self._late.append((now, now - before - EVERY))

    def worst(self, since: float) -> float:
        """The latest beat since a monotonic time, in seconds."""
        return max((late for at, late in tuple(self._late) if at >= since), default=0.0)
