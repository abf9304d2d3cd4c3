"""One clock for all figures: monotonic nanoseconds, into which the kernel's receive stamps are translated.

Receive stamps are wall-clock time. The distance between the two clocks is constant but for steps (an administrator,
a leap, a virtual machine that slept): each step is noticed and invalidates the run.
"""

from __future__ import annotations

import time

monotonic_ns = time.monotonic_ns

# A reading of both clocks that took longer than this was interrupted in between, and says nothing.
_TIGHT_NS = 50_000
# NTP slews by at most 500 parts in a million and moves both clocks alike; 2 ms between two looks is a step.
_STEP_NS = 2_000_000
_ATTEMPTS = 5


class Clock:
    """Translates wall-clock stamps. `steps` counts the jumps of the wall clock that were seen."""

    def __init__(self) -> None:
        self.steps = 0
        self.largest_step_ns = 0
        self.offset_ns = _distance() or (time.time_ns() - monotonic_ns())

    def look(self) -> None:
        """Compare the clocks again; call it several times a second."""
        offset = _distance()
        if offset is None:
            return
        step = offset - self.offset_ns
        if abs(step) > _STEP_NS:
            self.steps += 1
            self.largest_step_ns = max(self.largest_step_ns, abs(step))
        self.offset_ns = offset

    def wall_second(self, monotonic: int) -> int:
        """The second of the wall clock at that monotonic time."""
        return (monotonic + self.offset_ns) // 1_000_000_000


def _distance() -> int | None:
    """Wall clock minus monotonic clock; None where every attempt was interrupted."""
    for _ in range(_ATTEMPTS):
        before = monotonic_ns()
        wall = time.time_ns()
        after = monotonic_ns()
        if after - before < _TIGHT_NS:
            return wall - (before + after) // 2
    return None
