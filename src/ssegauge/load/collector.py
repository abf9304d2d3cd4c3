"""All figures of a run in one place: the master's sum of its workers, or the only process's own. No sockets, no Locust."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ssegauge import results
from ssegauge.load import figures
from ssegauge.load.histogram import Histogram
from ssegauge.load.ledger import Book, Ledger, Slice
from ssegauge.load.validity import Evidence, Limits, reasons

_KEPT_SECONDS = 15  # workers report every 3 s, so a second this old is complete
_REPORT_SECONDS = 4  # until all workers have told of a second
_MOST_LIVE = 3600  # rows that the live page is given at once
_MOST_NAMES = 100  # endpoints with rows of their own: a scenario may name its streams by paths that never come again
_MOST_ROW_HISTOGRAMS = 1200  # rows beyond twenty minutes carry percentiles only


@dataclass
class Worker:
    """A process that generates load, as the collector knows it."""

    name: str
    next: int = 0
    answered: bool = False
    left: bool = False
    gaps: int = 0
    waits: Histogram = field(default_factory=Histogram)
    state: dict[str, Any] = field(default_factory=dict)


@dataclass
class Delta:
    """What a worker says each time: its run and running number, its ledger since, its state so far. `resets`: how many
    of the run it had heard of. `waits`, where a limit is searched: how long streams wait for an event that are past it.
    """

    run: str
    number: int
    ledger: Ledger
    state: dict[str, Any]
    final: bool = False
    resets: int = 0
    waits: Histogram = field(default_factory=Histogram)

    def to_json(self) -> dict[str, Any]:
        """As it travels."""
        return {**vars(self), "ledger": self.ledger.to_json(), "waits": self.waits.to_json()}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Delta:
        """As it was sent."""
        ledger, waits = Ledger.from_json(document["ledger"]), Histogram.from_json(document["waits"])
        return cls(**{**document, "ledger": ledger, "waits": waits})


class Collector:
    """One run. `steady_from` and `drain_from` are wall-clock seconds, 0 where that has not begun."""

    def __init__(self, run: str) -> None:
        self.run = run
        self.resets = 0
        self.started = time.time()
        self.ended = 0.0
        self.steady_from = 0.0
        self.drain_from = 0.0
        self.ledger = Ledger()
        self.workers: dict[str, Worker] = {}
        self.rows: list[dict[str, Any]] = []
        self.endpoint_rows: dict[str, list[dict[str, Any]]] = {}
        self._peaks: dict[str | None, int] = {}  # of folded seconds; None: of all together
        self.notes: list[str] = []
        self.extra: dict[str, Any] = {}
        self.kept_seconds = float(_KEPT_SECONDS)

    # -- what comes in

    def expect(self, name: str) -> Worker:
        """A worker takes part in the run."""
        return self.workers.setdefault(name, Worker(name))

    def add(self, name: str, delta: Delta) -> None:
        """Add what a worker has said. What belongs to another run is dropped."""
        if delta.run != self.run:
            return
        worker = self.expect(name)
        if delta.number < worker.next:
            return  # said twice: a message that was sent again after a lost connection
        worker.gaps += delta.number - worker.next
        worker.next = delta.number + 1
        worker.state, worker.waits = delta.state, delta.waits
        worker.answered = worker.answered or delta.final
        if delta.resets >= self.resets:  # else it was on its way when the figures began anew
            self.ledger.merge(delta.ledger)

    def left(self, name: str) -> None:
        """A worker went away while the run went on."""
        if name in self.workers:
            self.workers[name].left = True

    def reset(self) -> None:
        """Begin the figures anew; the run and its workers stay. What was before is no part of the figures."""
        self.ledger = Ledger()
        self.resets += 1
        self.rows.clear()
        self.endpoint_rows.clear()
        self._peaks.clear()
        self.started = time.time()

    def waits_for(self) -> list[str]:
        """Workers whose last word is still out."""
        return [worker.name for worker in self.workers.values() if not worker.answered]

    def missing(self) -> tuple[str, ...]:
        """Workers whose figures are not whole, and why."""
        found = []
        for worker in self.workers.values():
            if not worker.answered:
                found.append(f"{worker.name} did not answer")
            elif worker.gaps:
                found.append(f"{worker.name} lost {worker.gaps} reports on the way")
            elif worker.left:
                found.append(f"{worker.name} left before the end")
        return tuple(found)

    # -- what goes out

    def fold(self, before: float) -> None:
        """Turn all seconds before that time into rows; their histograms become sums."""
        for second in list(self.ledger.seconds()):
            if second >= before:
                break
            self._fold(second)

    def between(self, begin: float, end: float) -> Iterator[Slice]:
        """The seconds from `begin` to before `end`, as far as they are not folded: each of all endpoints together."""
        for second in self.ledger.seconds():
            if begin <= second < end:
                here = Slice()
                for book in self.ledger.books.values():
                    if second in book.slices:
                        here.merge(book.slices[second])
                yield here

    def waits(self) -> Histogram:
        """How long streams have waited, of all workers, as each last said it."""
        waits = Histogram()
        for worker in self.workers.values():
            waits.merge(worker.waits)
        return waits

    def live(self, endpoint: str | None, since: int) -> list[dict[str, Any]]:
        """The rows after second `since` of the run, of all endpoints or of one; only seconds that no worker adds to."""
        now = time.time()
        settled = int(now) - (_REPORT_SECONDS if len(self.workers) > 1 else 0)
        self.fold(now - self.kept_seconds)
        begin = int(self.started)
        rows = self.rows if endpoint is None else self.endpoint_rows.get(endpoint, [])
        found = [row for row in rows[-_MOST_LIVE:] if row["t"] > since]
        after = max(since, rows[-1]["t"] if rows else -1)
        if endpoint is None or endpoint in self.ledger.books:
            recent = [second for second in self.ledger.seconds() if begin + after < second < settled]
            found += [self._row(second, endpoint, histograms=False) for second in recent]
        return found

    def document(self, about: Mapping[str, Any], limits: Limits) -> dict[str, Any]:
        """The results document. `about`: scenario, target, command and the like."""
        self.fold(float("inf"))
        total, lost = figures.ledger_totals(self.ledger)
        whole = figures.book_figures(total, lost)
        whole["streams"]["peak_open"] = self.peak_open()
        harness = figures.harness_figures(self.ledger.harness, whole["events"]["received"])
        clock = "user" if harness.pop("user_stamps") else "kernel"
        harness["workers"] = [{"name": worker.name, **worker.state} for worker in self.workers.values()]
        why = [*self.notes, *reasons(self._evidence(total, whole, harness, clock), limits)]
        endpoints = {}
        for name, book in self.ledger.books.items():
            endpoints[name] = figures.book_figures(book, figures.lost_heads(book))
            endpoints[name]["streams"]["peak_open"] = self._peak_of(name)
            endpoints[name]["series"] = self.endpoint_rows.get(name, [])
        return {
            "schema": results.SCHEMA,
            "kind": "load",
            **about,
            "tool": results.tool(),
            "started": time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(self.started)),
            "duration_s": round((self.ended or time.time()) - self.started, 3),
            "clock": clock,
            "valid": not why,
            "invalid_reasons": why,
            **whole,
            "harness": harness,
            **self.extra,
            "series": self.rows,
            "endpoints": endpoints,
            "machine": results.machine(),
        }

    def peak_open(self) -> int:
        """The most streams open at once, as far as seconds are folded. Exact for one process; for several the most at
        any of a second's moments, at which each of them counts its own.
        """
        alone = max((worker.state.get("peak_open", 0) for worker in self.workers.values()), default=0)
        return max(alone, self._peaks.get(None, 0))

    def _peak_of(self, endpoint: str) -> int:
        peaks = [worker.state.get("peaks", {}).get(endpoint, 0) for worker in self.workers.values()]
        return max(*peaks, self._peaks.get(endpoint, 0)) if peaks else 0

    def _evidence(self, total: Book, whole: Mapping[str, Any], harness: Mapping[str, Any], clock: str) -> Evidence:
        states = [worker.state for worker in self.workers.values()]
        return Evidence(
            total=whole,
            harness=harness,
            clock=clock,
            clock_steps=sum(state.get("clock_steps", 0) for state in states),
            own_faults=total.counters["own_faults"],
            unjudged=total.counters["unjudged"],
            held_up=total.counters["held_up"],
            stamp_bound=self.ledger.harness.past.histograms.get("stamp_bound", Histogram()),
            busiest=max((state.get("cpu") or 0.0 for state in states), default=0.0),
            missing=self.missing(),
        )

    def _fold(self, second: int) -> None:
        if second >= int(self.started):
            self._note_peaks(second)
        if self._counts(second):
            self.rows.append(self._row(second, None))
            for name in list(self.ledger.books)[:_MOST_NAMES]:
                self.endpoint_rows.setdefault(name, []).append(self._row(second, name))
        for book in (*self.ledger.books.values(), self.ledger.harness):
            book.fold(second)

    def _note_peaks(self, second: int) -> None:
        here = {name: book.slices[second] for name, book in self.ledger.books.items() if second in book.slices}
        for name, slices in ((None, here.values()), *((name, (slice_,)) for name, slice_ in here.items())):
            self._peaks[name] = max(self._peaks.get(name, 0), figures.peak_open(slices))

    def _counts(self, second: int) -> bool:
        """A second of this run: what a worker says late of one that has its row already is in the sums only."""
        return second >= int(self.started) and (not self.rows or second - int(self.started) > self.rows[-1]["t"])

    def _row(self, second: int, endpoint: str | None, *, histograms: bool = True) -> dict[str, Any]:
        books = self.ledger.books.values() if endpoint is None else (self.ledger.books[endpoint],)
        slices = [book.slices[second] for book in books if second in book.slices]
        histograms = histograms and len(self.rows) < _MOST_ROW_HISTOGRAMS
        found = figures.row(second, self.started, self._phase(second), slices, histograms=histograms)
        if endpoint is None:
            found["harness"] = figures.harness_row(self.ledger.harness.slices.get(second))
        return found

    def _phase(self, second: int) -> str:
        if self.drain_from and second >= int(self.drain_from):
            return "drain"
        return "steady" if self.steady_from and second > self.steady_from else "ramp"
