"""From a ledger to the figures of a results file: pure functions, in milliseconds, percentiles by nearest rank."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from ssegauge.load.histogram import GROWTH, Histogram
from ssegauge.load.ledger import EVENT_TIMES, HARNESS_TIMES, LATENCIES, MOMENTS, RATES, ROW_TIMES, Book, Ledger, Slice
from ssegauge.verdict import VERDICTS

_PERCENTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}
_LOW_PERCENTILES = {"p01": 0.01, "p05": 0.05, "p10": 0.1, "p50": 0.5, "p90": 0.9}
_COARSE = 5  # buckets of a second's histogram are so many of ours: some 1 % wide, enough to compare runs


def time_figures(
    histogram: Histogram, *, document: dict[str, Any] | None = None, percentiles: Mapping[str, float] = _PERCENTILES
) -> dict[str, Any]:
    """count, mean, percentiles and max of a distribution; `at_least` names those that are lower bounds."""
    figures: dict[str, Any] = {"count": histogram.count}
    if histogram.censored:
        figures["censored"] = histogram.censored_count
    figures["mean"] = _ms(histogram.mean) if histogram.counts else None
    bounds = []
    for name, q in percentiles.items():
        quantile = histogram.quantile(q)
        figures[name] = None if quantile is None else _ms(quantile.us)
        if quantile is not None and quantile.at_least:
            bounds.append(name)
    figures["max"] = _ms(histogram.high) if histogram.counts else None
    if bounds:
        figures["at_least"] = bounds
    figures["histogram"] = document or histogram.to_json()
    return figures


def rate_figures(histogram: Histogram) -> dict[str, Any]:
    """The same of rates a second; what is recorded are rates per 1000 s."""
    document = {**histogram.to_json(), "unit": "per_1000_s"}
    return time_figures(histogram, document=document, percentiles=_LOW_PERCENTILES)  # the slow ones are the low ones


def book_figures(book: Book, lost_heads: int = 0) -> dict[str, Any]:
    """`streams`, `events`, `latency` and `failed_latency` of an endpoint or of all of them."""
    sums = Slice()
    for slice_ in (book.past, *book.slices.values()):
        sums.merge(slice_)
    counters = book.counters
    latency = {name: book.latency[name] for name in book.latency}
    latency.update({name: sums.histograms[name] for name in EVENT_TIMES if name in sums.histograms})
    figures: dict[str, Any] = {
        "streams": {
            "attempted": counters["attempted"],
            "opened": counters["opened"],
            "peak_open": 0,
            "failed": counters["failed"],
            "dropped_arrivals": counters["dropped_arrivals"],
            "by_verdict": dict(sorted(book.verdicts.items())),
        },
        "events": {
            "received": sums.events,
            "comments": sums.comments,
            "bytes": sums.bytes,
            **damage(book, lost_heads),
        },
        "latency": {name: time_figures(latency[name]) for name in LATENCIES if latency.get(name)},
    }
    rates = {name: rate_figures(latency[name]) for name in RATES if latency.get(name)}
    if rates:
        figures["rates"] = rates
    if counters["tokens"]:
        figures["events"]["tokens"] = counters["tokens"]
    if counters["judged"]:
        missed = {name.removeprefix("missed "): n for name, n in sorted(counters.items()) if name.startswith("missed ")}
        figures["goodput"] = {"good": counters["good"], "judged": counters["judged"], "missed": missed}
    if counters["reconnects"]:
        figures["streams"]["reconnects"] = counters["reconnects"]
    if book.faults:
        figures["faults"] = dict(sorted(book.faults.items()))
    if book.messages:
        figures["failures"] = dict(book.messages.most_common())
    if book.failed:
        figures["failed_latency"] = {name: time_figures(book.failed[name]) for name in LATENCIES if name in book.failed}
    return figures


def damage(book: Book, lost_heads: int = 0) -> dict[str, int | None]:
    """Events lost, duplicated and reordered; None where nothing counts them: nothing is not none.

    Where some streams bore ids that do not count, what they lost cannot be known, and so neither can the sum. Streams
    without an event have lost none, unless those that had some show that the declared sequence is not there.
    """
    counters = book.counters
    followed = counters["counted"] or (counters["empty"] and not counters["unnumbered"])
    followed = followed and not counters["uncounted"]
    return {
        "lost": counters["lost"] + lost_heads if followed else None,
        "duplicated": counters["duplicated"] if followed or counters["named"] else None,
        "reordered": counters["reordered"] if followed else None,
    }


def lost_heads(book: Book) -> int:
    """Events that streams lack at their beginning, where it is plain that streams of this endpoint begin at 0 or 1.

    Nine streams in ten begin with the same number 0 or 1: then a stream that begins with a later one has lost its
    head. A shared feed, which streams join anywhere, does not look like that.
    """
    firsts = book.first_numbers
    if not firsts:
        return 0
    base = min(firsts)
    if base not in (0, 1) or firsts[base] < 0.9 * sum(firsts.values()):
        return 0
    return sum((first - base) * count for first, count in firsts.items())


def harness_figures(harness: Book, events: int) -> dict[str, Any]:
    """What the generators measured of themselves."""
    sums = Slice()
    for slice_ in (harness.past, *harness.slices.values()):
        sums.merge(slice_)
    figures: dict[str, Any] = {
        name: time_figures(sums.histograms[name]) for name in HARNESS_TIMES if sums.histograms.get(name)
    }
    bounded = sums.histograms["stamp_bound"].count if "stamp_bound" in sums.histograms else 0
    wall = sums.counters["wall_us"]
    figures["coalesced_ratio"] = bounded / events if events else 0.0
    figures["cpu"] = sums.counters["cpu_us"] / wall if wall else None
    figures["user_stamps"] = sums.counters["user_stamps"]
    if sums.counters["http2_connections"]:
        figures["http2_connections"] = sums.counters["http2_connections"]
    return figures


def row(second: int, started: float, phase: str, slices: Iterable[Slice], *, histograms: bool) -> dict[str, Any]:
    """One second of the series, from the slices of all endpoints, or of one."""
    sums = Slice()
    for slice_ in slices:
        sums.merge(slice_)
    by_verdict = {name: count for name, count in sums.counters.items() if name in VERDICTS}
    latency = {}
    for name in ("first_event", *EVENT_TIMES, *ROW_TIMES):
        found = sums.histograms.get(name)
        if found:
            latency[name] = time_figures(found, document=_coarse(found) if histograms else {"none": True})
            if not histograms:
                del latency[name]["histogram"]
    return {
        "t": second - int(started),
        "phase": phase,
        "open": sums.open.get(MOMENTS - 1, 0),
        "started": sums.counters["started"],
        "opened": sums.counters["opened"],
        "ended": sum(by_verdict.values()),
        "failed": sums.counters["failed"],
        "dropped_arrivals": sums.counters["dropped_arrivals"],
        "events": sums.events,
        "comments": sums.comments,
        "bytes": sums.bytes,
        "longest_gap": _ms(sums.longest_gap),
        "by_verdict": by_verdict,
        "latency": latency,
    }


def harness_row(slice_: Slice | None) -> dict[str, Any]:
    """The generators' own second: how late they read, how busy they were, what they held."""
    if slice_ is None:
        return {}
    figures: dict[str, Any] = {}
    for name in HARNESS_TIMES:
        histogram = slice_.histograms.get(name)
        if histogram:
            p99 = histogram.quantile(0.99)
            figures[name] = {"p99": _ms(p99.us) if p99 else None, "max": _ms(histogram.high)}
    wall = slice_.counters["wall_us"]
    if wall:
        figures["cpu"] = round(slice_.counters["cpu_us"] / wall, 3)
    figures.update({name: slice_.levels[name] for name in ("fds", "rss_bytes") if name in slice_.levels})
    return figures


def peak_open(slices: Iterable[Slice]) -> int:
    """The most streams open at a moment of a second, from the slices of all endpoints, or of one."""
    sums: Counter[int] = Counter()
    for slice_ in slices:
        sums.update(slice_.open)
    return max(sums.values(), default=0)


def _coarse(histogram: Histogram) -> dict[str, Any]:
    counts: Counter[int] = Counter()
    for index, count in histogram.counts.items():
        counts[index // _COARSE] += count
    indices = sorted(counts)
    return {
        "unit": "us",
        "growth": GROWTH**_COARSE,
        "index": indices,
        "count": [counts[index] for index in indices],
        "min": round(histogram.low, 1),
        "max": round(histogram.high, 1),
    }


def coarse_quantile(counts: Mapping[int, int], q: float) -> float:
    """The nearest-rank percentile of seconds' histograms (see `row`), in microseconds; 1 % wide, as these are."""
    rank, seen = max(1, math.ceil(q * sum(counts.values()) - 1e-9)), 0
    for index in sorted(counts):
        seen += counts[index]
        if seen >= rank:
            return float(GROWTH ** (_COARSE * (index + 0.5))) if index >= 0 else 0.0
    raise ValueError("no values")


def ledger_totals(ledger: Ledger) -> tuple[Book, int]:
    """All endpoints as one book, and the events that lack at the beginning of streams."""
    return ledger.total(), sum(lost_heads(book) for book in ledger.books.values())


def _ms(us: float) -> float:
    return round(us / 1000, 4)
