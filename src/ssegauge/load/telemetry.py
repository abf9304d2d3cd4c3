"""The live figures of a run as metrics: one table, from which Prometheus and OpenTelemetry are served.

All of them are read from the collector when somebody asks, so nothing is counted twice, and a run that nobody asks
pays nothing. Counters begin at zero with each run, and after a reset.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, NamedTuple

from ssegauge.load.collector import Collector
from ssegauge.load.figures import damage
from ssegauge.load.histogram import Histogram
from ssegauge.load.ledger import EVENT_TIMES, LATENCIES, MOMENTS, Book, Slice

if TYPE_CHECKING:
    from ssegauge.load.conductor import Conductor  # which imports Locust, and that patches the process

Labels = dict[str, str]
Sample = tuple[Labels, "float | Histogram"]

_REPORT_SECONDS = 4  # workers report every 3 s: a second this old is complete
_END = MOMENTS - 1  # the moment that ends a second


class Family(NamedTuple):
    """A metric. `name`: dotted words below "ssegauge."; `unit`: as UCUM writes it. Histograms are of microseconds."""

    name: str
    kind: Literal["gauge", "counter", "histogram"]
    unit: str
    help: str


FAMILIES = (
    Family("users", "gauge", "{user}", "Users that run"),
    Family("workers", "gauge", "{process}", "Processes that make load"),
    Family("streams.open", "gauge", "{stream}", "Streams open"),
    Family("streams.attempted", "counter", "{stream}", "Streams attempted"),
    Family("streams.opened", "counter", "{stream}", "Streams answered with an event stream"),
    Family("streams.ended", "counter", "{stream}", "Streams that ended, by verdict"),
    Family("streams.failed", "counter", "{stream}", "Streams that did not keep their contract"),
    Family("arrivals.dropped", "counter", "{stream}", "Arrivals that found no free user"),
    Family("events.received", "counter", "{event}", "Events received"),
    Family("events.damaged", "counter", "{event}", "Events lost, duplicated or reordered"),
    Family("received", "counter", "By", "Bytes of event streams received"),
    Family("generator.cpu", "counter", "s", "Processor time of the processes that make load"),
    Family("generator.read_lag", "histogram", "s", "From the kernel's stamp of a read to the read"),
    *(
        Family(name, "histogram", "s", f"{name.replace('_', ' ').capitalize()} of streams, by endpoint")
        for name in LATENCIES
    ),
)

_LIVE_TIMES = ("first_event", *EVENT_TIMES)  # known as they happen; all others when their stream has ended


def samples(conductor: Conductor) -> dict[str, list[Sample]]:
    """What each family says now, by its name. Before the first run, nothing."""
    conductor.gather()
    collector = conductor.collector
    found: dict[str, list[Sample]] = {family.name: [] for family in FAMILIES}
    if not collector.run:
        return found
    runner = conductor.environment.runner
    found["users"].append(({}, float(getattr(runner, "user_count", 0))))
    found["workers"].append(({}, float(len(collector.workers))))
    for endpoint, book in sorted(collector.ledger.books.items()):
        for name, labels, value in _of(book, collector):
            found[name].append(({"endpoint": endpoint, **labels}, value))
    harness = _sum(collector.ledger.harness)
    found["generator.cpu"].append(({}, harness.counters["cpu_us"] / 1e6))
    if harness.histograms.get("read_lag"):
        found["generator.read_lag"].append(({}, harness.histograms["read_lag"]))
    return found


def _of(book: Book, collector: Collector) -> Iterator[tuple[str, Labels, float | Histogram]]:
    whole, counters = _sum(book), book.counters
    yield "streams.open", {}, _open(book, collector)
    for name in ("attempted", "opened", "failed"):
        yield f"streams.{name}", {}, float(counters[name])
    yield "arrivals.dropped", {}, float(counters["dropped_arrivals"])
    yield "events.received", {}, float(whole.events)
    yield "received", {}, float(whole.bytes)
    for verdict, count in sorted(book.verdicts.items()):
        yield "streams.ended", {"verdict": verdict}, float(count)
    for kind, known in damage(book).items():
        if known is not None:  # nobody could count
            yield "events.damaged", {"kind": kind}, float(known)
    for name in LATENCIES:
        histogram = (whole.histograms if name in _LIVE_TIMES else book.latency).get(name)
        if histogram is not None and histogram.counts:
            yield name, {}, histogram


def _sum(book: Book) -> Slice:
    whole = Slice()
    for slice_ in (book.past, *book.slices.values()):
        whole.merge(slice_)
    return whole


def _open(book: Book, collector: Collector) -> float:
    settled = int(time.time()) - (_REPORT_SECONDS if len(collector.workers) > 1 else 0)
    known = [second for second, slice_ in book.slices.items() if second < settled and _END in slice_.open]
    return float(book.slices[max(known)].open[_END]) if known else 0.0
