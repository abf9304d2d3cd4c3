"""A source on one core, a reader on another, and what came of it."""

import contextlib
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from array import array
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from threading import Event, Thread

import psutil

PARTS = Path(__file__).resolve().parent
ROOT = PARTS.parent.parent
CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def nearest_rank(values, q):
    values = sorted(values)
    return values[max(0, math.ceil(q * len(values)) - 1)] if values else math.nan


class Source:
    """The schedule that is known. `times()` gives the truth after it has ended, in milliseconds."""

    def __init__(self, folder):
        self.log = Path(folder) / "source.bin"
        command = [sys.executable, str(PARTS / "source.py"), "--log", str(self.log), "--cpu", str(CORES[-1])]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.address = f"http://127.0.0.1:{int(self.process.stdout.readline())}/"

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait()
            self.process.stdout.close()
        self.records = array("q")
        self.records.frombytes(self.log.read_bytes())

    def writes(self, begin, end):
        """Events written between two wall-clock times."""
        log = self.records
        return sum(log[i + 1] >= 0 and begin <= log[i + 2] / 1e9 < end for i in range(0, len(log), 3))

    def requests(self):
        """Wall-clock times of the requests."""
        return [self.records[i + 2] / 1e9 for i in range(0, len(self.records), 3) if self.records[i + 1] < 0]

    def times(self):
        streams = defaultdict(list)
        log = self.records
        for i in range(0, len(log), 3):
            streams[log[i]].append(log[i + 2])
        first = [(stamps[1] - stamps[0]) / 1e6 for stamps in streams.values() if len(stamps) > 1]
        gaps = [(b - a) / 1e6 for stamps in streams.values() for a, b in pairwise(stamps[1:])]
        return {"first_event": first, "gap": gaps}


def cpu_seconds(process):
    """CPU time of all threads, to the nanosecond where the system tells it: its usual clock ticks once in ten milliseconds."""
    try:
        tasks = Path(f"/proc/{process.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9
    except FileNotFoundError:
        times = process.cpu_times()
        return times.user + times.system


class Watch:
    """CPU and memory of a process, twenty times a second."""

    def __init__(self, process):
        self.rows = []
        self._over = Event()
        self._thread = Thread(target=self._look, args=(psutil.Process(process.pid),), daemon=True)
        self._thread.start()

    def _look(self, process):
        while not self._over.wait(0.05):
            with contextlib.suppress(psutil.Error):
                cpu, rss = cpu_seconds(process), process.memory_info().rss
                self.rows.append((time.time(), cpu, rss))

    def stop(self):
        self._over.set()
        self._thread.join()

    def at(self, moment):
        return min(self.rows, key=lambda row: abs(row[0] - moment))


def read(command, folder, env=None, seconds=300):
    """Run a reader on the first core, to its end; its Watch."""
    process = subprocess.Popen(
        command,
        env={**os.environ, **(env or {})},
        cwd=folder,
        preexec_fn=(lambda: os.sched_setaffinity(0, {CORES[0]})) if len(CORES) > 1 else None,  # noqa: PLW1509
        **QUIET,
    )
    watch = Watch(process)
    try:
        process.wait(timeout=seconds)
    finally:
        process.kill()
        watch.stop()
    return watch


def locust(scenario, source, query, users, rate, seconds, stop, folder, *more):
    """Locust on a scenario; its Watch, and the results where the scenario is ours."""
    results = Path(folder) / f"{Path(scenario).stem}.json"
    ours = scenario.parent.name == "loadtests"
    command = [sys.executable, "-m", "locust", "-f", str(scenario), "--host", f"{source.address}?{query}", "--headless"]
    command += ["-u", str(users), "-r", str(rate), "-t", f"{seconds}s", "-s", f"{stop}s", "--only-summary", *more]
    command += ["--sse-results", str(results), "--sse-idle-timeout", "0"] if ours else []
    watch = read(command, folder, {"PEER_TIMES": str(results)}, seconds + stop + 120)
    if not results.exists():
        sys.exit(f"{scenario.name} left no results; run it by hand to see why: {' '.join(command)}")
    return watch, json.loads(results.read_text())


def cost(watch, source, seconds):
    """CPU microseconds an event while all streams are open, and kilobytes a stream."""
    requests = source.requests()
    begin = max(requests) + 1
    end = begin + seconds
    (_, cpu_before, _), (_, cpu_after, rss) = watch.at(begin), watch.at(end)
    events = source.writes(begin, end)
    before = watch.at(min(requests) - 0.05)[2]
    return (cpu_after - cpu_before) * 1e6 / max(events, 1), (rss - before) / 1024 / len(requests), events / seconds


@contextlib.contextmanager
def bench():
    """A folder and a source."""
    with tempfile.TemporaryDirectory() as folder:
        source = Source(folder)
        try:
            yield folder, source
        finally:
            source.stop()


def table(head, rows):
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(f"{value:.2f}" if isinstance(value, float) else str(value) for value in row) + " |")
    sys.stdout.flush()
