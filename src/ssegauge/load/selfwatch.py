"""The generator watches itself: how late it reads, how busy its process is, what it holds."""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path

from ssegauge.load.recorder import Recorder

_FD_DIR = Path("/proc/self/fd")


class SelfWatch:
    """Writes into the harness's slice: loop lag with every sweep; CPU, memory and files once a second."""

    def __init__(self) -> None:
        self._recorder: Recorder | None = None
        self._cpu = time.process_time()
        self._wall = time.monotonic()
        self._run_cpu, self._run_wall = self._cpu, self._wall

    def attach(self, recorder: Recorder) -> None:
        """Where to write."""
        self._recorder = recorder

    def swept(self, now: int, late: int) -> None:
        """Called by the reader with every sweep."""
        recorder = self._recorder
        if recorder is None:
            return
        recorder.loop_lags.append(late)
        if recorder.tick(now):
            self.second()

    def second(self) -> None:
        """Note what the process used since the last time."""
        recorder = self._recorder
        if recorder is None:
            return
        cpu, wall = time.process_time(), time.monotonic()
        passed = wall - self._wall
        slice_ = recorder.harness
        if passed > 0:
            slice_.levels["cpu_percent"] = round(100 * (cpu - self._cpu) / passed, 1)
            slice_.counters["cpu_us"] += int((cpu - self._cpu) * 1e6)
            slice_.counters["wall_us"] += int(passed * 1e6)
        self._cpu, self._wall = cpu, wall
        slice_.levels["fds"] = open_files()
        slice_.levels["rss_bytes"] = resident_bytes()

    def restart(self) -> None:
        """A run begins: what the process did before is not part of it."""
        self._cpu, self._wall = time.process_time(), time.monotonic()
        self._run_cpu, self._run_wall = self._cpu, self._wall

    def share_of_core(self) -> float:
        """CPU time over time since the run began."""
        passed = time.monotonic() - self._run_wall
        return round((time.process_time() - self._run_cpu) / passed, 4) if passed > 0 else 0.0


def open_files() -> int:
    """File descriptors that this process holds; 0 where the system does not say."""
    try:
        # Since Linux 6.2 the folder's size is their number (Documentation/filesystems/proc.rst, 3.14); a list of ten
        # thousand names takes milliseconds, in which nothing is read.
        return _FD_DIR.stat().st_size or len(os.listdir(_FD_DIR)) - 1  # noqa: PTH208 - no objects for so many names
    except OSError:
        return 0


def resident_bytes() -> int:
    """Resident memory of this process; its peak where the system tells no more."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
