"""What the figures of a run cannot say, or say of something else than the target. Pure: a document in, sentences out.

Each rule looks for one cause that makes figures mislead, and is silent where it is not sure enough to name it.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping
from ipaddress import ip_address
from itertools import accumulate
from typing import Any, Final
from urllib.parse import urlsplit

from ssegauge.gate import metrics
from ssegauge.gate.metrics import shown
from ssegauge.report.html import cut
from ssegauge.report.lenient import mapping, mappings, whole

Document = Mapping[str, Any]

TOGETHER_MS: Final = 1.0
"""Events closer than this arrived in one piece: no server means to send at such a rate, and no network keeps it."""
TOGETHER_SHARE: Final = 0.3
FEWEST: Final = 100
"""Values from which a shape is looked for; and the fewest that the built-in gates ask for under a threshold."""
KNOWN_AGES_S: Final = {
    30: "HAProxy's and many load balancers' default idle timeout",
    50: "HAProxy's example configuration",
    55: "Heroku's router",
    60: "nginx's proxy_read_timeout, an AWS load balancer's idle timeout",
    100: "Cloudflare's proxy",
    120: "a common idle timeout",
    180: "a common idle timeout",
    230: "Azure's front end",
    240: "Azure's load balancer",
    300: "a common idle timeout",
    350: "an AWS network load balancer",
    600: "Google's load balancer, a common idle timeout",
    900: "a common limit of serverless platforms",
    3600: "a common limit",
}
"""Seconds after which something between is known to close a connection."""
_BUSY: Final = 0.8  # share of a core; validity.py calls a run invalid from 0.9 when reads are late as well
_LATE_SHARE: Final = 0.1  # of a figure that the generator's own lag may reach before it is said


def warnings(document: Document) -> list[str]:
    """What a reader of this result should know before drawing conclusions; empty where nothing was found.

    Why a run is invalid is not repeated here: its `invalid_reasons` say so.
    """
    rules = _CONFORMANCE if document["kind"] == "conformance" else _LOAD
    return [sentence for rule in rules for sentence in rule(document)]


# -- conformance ------------------------------------------------------------------------------------------------------


def _nothing_declared(document: Document) -> Iterator[str]:
    silent = [entry for entry in document["rules"] if entry["outcome"] == "not_declared"]
    if len(silent) > len(document["rules"]) / 2:
        yield (
            f"{len(silent)} of {len(document['rules'])} rules were not judged because the profile does not declare what they "
            "need: what the stream promises (order, terminal event, resume) was not put to the test"
        )


def _not_judged(document: Document) -> Iterator[str]:
    for outcome, words in (("error", "could not be judged"), ("untestable", "could not be tested in this run")):
        rules = sorted(
            {
                cut(entry["rule"], 40)
                for entry in document["rules"]
                if entry["outcome"] == outcome and entry["level"] == "MUST"
            }
        )
        if rules:
            more = f" and {len(rules) - 6} more" if len(rules) > 6 else ""
            yield f"{_counted(len(rules), 'MUST requirement')} {words} ({', '.join(rules[:6])}{more}): nothing is known of {'it' if len(rules) == 1 else 'them'}"


# -- the generator ----------------------------------------------------------------------------------------------------


def _saturated(document: Document) -> Iterator[str]:
    harness = document.get("harness") or {}
    cpus = [harness.get("cpu"), *(worker.get("cpu") for worker in mappings(harness.get("workers")))]
    busiest = max((cpu for cpu in cpus if isinstance(cpu, int | float)), default=0.0)
    if busiest >= _BUSY:
        yield (
            f"the generator was near its limit ({busiest:.0%} of a core): what looks like a slow target may be a slow "
            "generator; add a worker and see whether the figures stay"
        )


def _late_reads(document: Document) -> Iterator[str]:
    lag = _value(document, "harness.read_lag.p99")
    if lag is None or document.get("clock") != "user":
        return
    for name in ("gap", "first_event"):
        figure = _value(document, f"{name}.p50")
        if figure and lag > _LATE_SHARE * figure:
            yield (
                f"times were taken by the program's own clock and are up to {shown(lag, 'time')} late (p99), where {name} is "
                f"{shown(figure, 'time')} at its median: the kernel's stamps (Linux) do not have that error"
            )
            return


def _known_to(document: Document) -> Iterator[str]:
    bound, share = _value(document, "harness.stamp_bound.p99"), _value(document, "harness.coalesced_ratio") or 0.0
    gap = _value(document, "gap.p50")
    if bound is not None and gap and share >= 0.01 and bound > _LATE_SHARE * gap:
        yield (
            f"{shown(share, 'share')} of the events were read together with later ones: a percentile that falls among them is "
            f"known to within {shown(bound, 'time')} only (the median gap is {shown(gap, 'time')})"
        )


def _clock_stepped(document: Document) -> Iterator[str]:
    workers = mappings(mapping(document.get("harness")).get("workers"))
    steps = sum(whole(worker.get("clock_steps")) for worker in workers)
    if steps:
        yield f"the wall clock was set {_counted(steps, 'time')} during the run: times across that moment are wrong"


def _same_machine(document: Document) -> Iterator[str]:
    target = document.get("target")
    host = (urlsplit(target).hostname or "") if isinstance(target, str) and "://" in target else ""
    if host == "localhost" or _loopback(host):
        yield (
            "target and generator ran on one machine and shared its processor, with no network between: compare such "
            "figures with their like only"
        )


# -- what was measured ------------------------------------------------------------------------------------------------


def _few_samples(document: Document) -> Iterator[str]:
    few = {}
    for name in ("ttfb", "first_event", "gap"):
        entry = (document.get("latency") or {}).get(name)
        count = whole(entry.get("count")) if isinstance(entry, Mapping) else 0
        if 0 < count < FEWEST:
            few[name] = count
    if few:
        told = ", ".join(f"{count} of {name}" for name, count in few.items())
        yield f"few values ({told}): with fewer than {FEWEST}, p99 is the maximum by another name, and chance decides it"
    steady = [row for row in document.get("series") or [] if row.get("phase") == "steady"]
    if document.get("series") and len(steady) < 10:
        yield f"only {_counted(len(steady), 'second')} of the run had its full load: the rest is ramp and drain"


def _bounds(document: Document) -> Iterator[str]:
    names = []
    for name, entry in (document.get("latency") or {}).items():
        censored = whole(entry.get("censored")) if isinstance(entry, Mapping) else 0
        if censored and censored > 0.01 * (censored + whole(entry.get("count"))):
            names.append(f"{cut(name, 40)} ({censored:,})")
    if names:
        yield (
            f"some values were still growing when they were last seen: {', '.join(names[:6])}; percentiles that fall among "
            "them are lower bounds, marked ≥"
        )


def _survivors(document: Document) -> Iterator[str]:
    share = _value(document, "streams.failed_ratio")
    if share is not None and share > 0.05:
        yield (
            f"times per stream are those of streams that did not fail; {shown(share, 'share')} failed and are not in them, so "
            "a target that drops its slow streams looks fast"
        )


def _dropped(document: Document) -> Iterator[str]:
    dropped = whole((document.get("streams") or {}).get("dropped_arrivals"))
    if dropped:
        yield f"{_counted(dropped, 'arrival')} could not be made: the load was lower than asked for; add users (-u) or a worker"


# -- what stands between ----------------------------------------------------------------------------------------------


def _buffered(document: Document) -> Iterator[str]:
    gaps = _histogram(document, "gap")
    total = sum(gaps.values())
    together = sum(count for ms, count in gaps.items() if ms < TOGETHER_MS)
    if total < FEWEST or together < TOGETHER_SHARE * total:
        return
    ours = (_value(document, "harness.coalesced_ratio") or 0.0) * (_value(document, "harness.stamp_bound.p50") or 0.0)
    if ours > TOGETHER_MS:
        return  # we read late: they may have come one by one
    first, whole = _value(document, "first_event.p50"), _value(document, "duration.p50")
    if first and whole and first > 0.9 * whole and together > 0.9 * total:
        yield (
            "events arrive all at once, when the stream ends: a proxy (or a middleware that compresses or collects) buffers "
            "the response; turn buffering off (X-Accel-Buffering: no) and compare with the target's own address"
        )
        return
    apart = [(ms, count) for ms, count in gaps.items() if ms >= TOGETHER_MS]
    rest = metrics.quantile(dict(apart), 0.5)
    if rest is not None and rest >= 20 * TOGETHER_MS:
        yield (
            f"{shown(together / total, 'share')} of the events arrive together with others, and then nothing comes for "
            f"{shown(rest, 'time')}: a buffering proxy is suspected, if the target does not send in bursts itself"
        )


def _cluster(document: Document) -> Iterator[str]:
    verdicts = (document.get("streams") or {}).get("by_verdict") or {}
    cut_off = sum(whole(verdicts.get(name)) for name in ("truncated", "reset", "no_terminal"))
    failed = whole((document.get("streams") or {}).get("failed"))
    for name, words in (("longest_silence", "after a silence of"), ("duration", "at an age of")):
        found = _peak(_histogram(document, name, "failed_latency"))
        if found is not None and cut_off >= max(10, failed / 2):
            seconds, share = found
            yield (
                f"{shown(share, 'share')} of the failed streams ended {words} {seconds:.3g} s: something between, or the "
                f"server, closes them then{_known_age(seconds)}"
            )
            return
    found = _peak(_histogram(document, "longest_silence"))
    if found is not None and _known_age(found[0]) and not _is_run_time(document, found[0]):
        yield (
            f"{shown(found[1], 'share')} of the streams were silent for {found[0]:.3g} s at most: an idle timeout in between "
            f"may have ended them{_known_age(found[0])}"
        )


def _limited(document: Document) -> Iterator[str]:
    asked = mapping(document.get("asked")).get("num_users")
    streams = document.get("streams") or {}
    peak = whole(streams.get("peak_open"))
    if not isinstance(asked, int | float) or peak < 2 or peak > 0.95 * asked:
        return
    steady = [row["open"] for row in document.get("series") or [] if row.get("phase") == "steady" and "open" in row]
    level = sum(open_ >= 0.97 * peak for open_ in steady)
    verdicts = streams.get("by_verdict") or {}
    refused = sum(whole(verdicts.get(name)) for name in ("connect_error", "http_error", "timeout"))
    if len(steady) >= 5 and level >= 0.6 * len(steady) and refused:
        yield (
            f"never more than {peak:,} streams were open although {asked:,.0f} were asked for, and {_counted(refused, 'other')} "
            f"failed to open: connections are limited at about {peak:,} (the server's workers, a proxy's pool, open files)"
        )


# -- reading the document ---------------------------------------------------------------------------------------------


def _value(document: Document, path: str) -> float | None:
    return metrics.read(document, metrics.metric(path)).value


def _histogram(document: Document, name: str, group: str = "latency") -> dict[float, int]:
    entry = (document.get(group) or {}).get(name)
    histogram = entry.get("histogram") if isinstance(entry, Mapping) else None
    return metrics.buckets(histogram) if isinstance(histogram, Mapping) else {}


def _peak(counts: Mapping[float, int]) -> tuple[float, float] | None:
    """Seconds at which half of the values or more lie within 2 % of each other, and their share; from 5 s on."""
    total = sum(counts.values())
    if total < 10:
        return None
    values = sorted(counts)
    below = [0, *accumulate(counts[value] for value in values)]

    def near(ms: float) -> int:
        return below[bisect_right(values, ms * 1.02)] - below[bisect_left(values, ms * 0.98)]

    best = max(values, key=near)
    share = near(best) / total
    return (best / 1000, share) if share >= 0.5 and best >= 5000 else None


def _known_age(seconds: float) -> str:
    for age, whose in KNOWN_AGES_S.items():
        if math.isclose(seconds, age, rel_tol=0.03):
            return f" ({age} s: {whose})"
    return ""


def _is_run_time(document: Document, seconds: float) -> bool:
    asked = mapping(document.get("asked")).get("run_time") or document.get("duration_s") or 0
    return isinstance(asked, int | float) and math.isclose(seconds, asked, rel_tol=0.05)


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


_CONFORMANCE: Final[tuple[Callable[[Document], Iterator[str]], ...]] = (_not_judged, _nothing_declared)
_LOAD: Final[tuple[Callable[[Document], Iterator[str]], ...]] = (
    *(_saturated, _late_reads, _known_to, _clock_stepped, _dropped),
    *(_buffered, _cluster, _limited),
    *(_few_samples, _bounds, _survivors, _same_machine),
)
