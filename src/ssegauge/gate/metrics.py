"""The figures of a load run by their path in the results file, with unit, direction and number of samples.

`latency.` may be left out: `first_event.p95` is `latency.first_event.p95`. Some are derived: `streams.failed_ratio`.
Times are milliseconds, shares fractions of one.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

from ssegauge.verdict import VERDICTS

Kind = Literal["time", "share", "count", "rate"]

LATENCIES: Final = (
    *("connect", "ttfb", "first_body_byte", "first_event", "first_match", "ttfb_from_intended"),
    *("first_event_from_intended", "gap", "match_gap", "time_per_token"),
    *("longest_gap", "longest_silence", "lag", "duration"),
)
RATES: Final = ("tokens_per_second",)
"""Distributions of rates, of which more is better."""
HARNESS_TIMES: Final = ("read_lag", "schedule_lag", "loop_lag", "stamp_bound")
STATS: Final = ("p50", "p90", "p95", "p99", "p999", "mean", "min", "max")
_PERCENTILE: Final = re.compile(r"p(?:(99)(\d+)|(\d\d?)(?:\.(\d+))?)")  # p95, p99.9, which is p999 too; p100 is max

# derived shares: name to (part, whole); the part's name in a series row and the whole's
_SHARES: Final[dict[str, tuple[str, str]]] = {
    "streams.failed_ratio": ("streams.failed", "streams.attempted"),
    "streams.dropped_ratio": ("streams.dropped_arrivals", "streams.attempted"),
    "goodput": ("goodput.good", "goodput.judged"),
    "events.lost_ratio": ("events.lost", "events.received"),
    "events.duplicated_ratio": ("events.duplicated", "events.received"),
    "events.reordered_ratio": ("events.reordered", "events.received"),
    **{f"streams.{word}_ratio": (f"streams.by_verdict.{word}", "streams.attempted") for word in VERDICTS},
}
_RATES: Final = {
    "events.per_second": "events.received",
    "events.bytes_per_second": "events.bytes",
    "events.tokens_per_second": "events.tokens",
    "streams.per_second": "streams.attempted",
    "goodput.per_second": "goodput.good",
}
_COUNTS: Final = (
    *(f"streams.{name}" for name in ("attempted", "opened", "peak_open", "failed", "dropped_arrivals")),
    *(f"streams.by_verdict.{word}" for word in VERDICTS),
    *(f"events.{name}" for name in ("received", "comments", "bytes", "tokens", "lost", "duplicated", "reordered")),
    *("goodput.good", "goodput.judged"),
)
# More is better of what the target achieved; of everything else less is.
_MORE_IS_BETTER: Final = frozenset(
    {
        *_RATES,
        *("streams.attempted", "streams.opened", "streams.peak_open", "streams.by_verdict.complete"),
        *("streams.complete_ratio", "events.received", "events.bytes", "events.tokens"),
        *("goodput", "goodput.good", "goodput.judged"),
    }
)
GROUPS: Final = frozenset({"streams", "events", "harness", "latency", "rates", "goodput", *LATENCIES, *RATES})
"""First parts of a path that are never the name of a scenario."""


@dataclass(frozen=True)
class Metric:
    """A figure: `path` without `latency.`; for a time its distribution and the statistic taken of it."""

    path: str
    kind: Kind
    more_is_better: bool = False
    distribution: str | None = None
    stat: str | None = None


class Reading(NamedTuple):
    """A figure of one run. `value` is None where the run does not have it, and `lack` says why.

    at_least: only a lower bound is known. samples: the number of values behind it, None where it is a plain count.
    """

    value: float | None
    samples: int | None = None
    at_least: bool = False
    lack: str = ""


UNCOUNTED: Final = "nothing numbers the events (no `sequence` in the profile, no ids that count), so nobody could count"
_DAMAGE: Final = ("events.lost", "events.duplicated", "events.reordered")


class UnknownMetric(LookupError):
    """Raised for a path that no run can have; the message names the nearest ones."""


def metric(path: str, documents: Iterable[Mapping[str, Any]] = ()) -> Metric:
    """The metric of this path. Raises UnknownMetric where neither we nor these results know it."""
    path = path.strip().removeprefix("latency.").removeprefix("rates.")
    documents = list(documents)
    if path in _SHARES or path in {"harness.coalesced_ratio", "harness.cpu"}:
        return Metric(path, "share", path in _MORE_IS_BETTER)
    if path in _RATES:
        return Metric(path, "rate", more_is_better=True)
    if path in _COUNTS:
        return Metric(path, "count", path in _MORE_IS_BETTER)
    head, _, stat = path.rpartition(".")
    if not re.fullmatch(r"\D.*", stat):  # the fraction of p99.9
        head, _, whole = head.rpartition(".")
        stat = f"{whole}.{stat}"
    if (head in RATES or head in _distributions(documents)) and stat == "count":
        return Metric(path, "count", more_is_better=True, distribution=head, stat=stat)
    if head in _distributions(documents) and (stat in STATS or _PERCENTILE.fullmatch(stat)):
        return Metric(path, "time", distribution=head, stat=stat)
    if head in RATES and (stat in STATS or _PERCENTILE.fullmatch(stat)):
        return Metric(path, "rate", more_is_better=True, distribution=head, stat=stat)
    if any(_number(_at(document, path)) is not None for document in documents):
        return Metric(path, "share" if path.endswith("_ratio") else "count", path in _MORE_IS_BETTER)
    raise UnknownMetric(f'there is no metric "{path}"; {_nearest(path, documents)}')


def _distributions(documents: Iterable[Mapping[str, Any]]) -> set[str]:
    found = {*LATENCIES, *(f"harness.{name}" for name in HARNESS_TIMES)}
    for document in documents:
        for part in (document, *(document.get("endpoints") or {}).values()):
            found.update(part.get("latency") or {})
    return found


def names(documents: Iterable[Mapping[str, Any]] = ()) -> list[str]:
    """Every path that a gate can name, for messages and completion."""
    times = [f"{name}.{stat}" for name in sorted(_distributions(documents)) for stat in (*STATS, "count")]
    rates = [f"{name}.{stat}" for name in RATES for stat in (*STATS, "count")]
    return [*_COUNTS, *_SHARES, *_RATES, *times, *rates, "harness.coalesced_ratio", "harness.cpu"]


def _nearest(path: str, documents: Iterable[Mapping[str, Any]]) -> str:
    known = names(documents)
    near = difflib.get_close_matches(path, known, n=3, cutoff=0.5)
    if not near:
        stat = path.rpartition(".")[2]
        near = [name for name in known if name.endswith(f".{stat}")][:3] or ["first_event.p95", "streams.failed_ratio"]
    return "the nearest are " + ", ".join(near)


def read(document: Mapping[str, Any], wanted: Metric, endpoint: str | None = None) -> Reading:
    """The figure in a results document, of the whole run or of one endpoint."""
    part: Any = document
    if endpoint is not None:
        part = (document.get("endpoints") or {}).get(endpoint)
        if part is None:
            return Reading(None, lack=f'the run has no endpoint "{endpoint}"')
    if wanted.distribution is not None:
        return _read_distribution(part, wanted)
    if wanted.path in _SHARES:
        return _read_share(part, wanted.path)
    if wanted.path in _RATES:
        return _read_rate(document, part, _RATES[wanted.path])
    value = _number(_at(part, wanted.path))
    if value is None and wanted.path.startswith("streams.by_verdict.") and _at(part, "streams.by_verdict") is not None:
        value = 0.0  # verdicts that did not occur may be left out
    if value is None:
        return Reading(None, lack=_lack(part, wanted.path))
    return Reading(value, _basis(part, wanted.path))


def is_uncounted(document: Mapping[str, Any], wanted: Metric, endpoint: str | None = None) -> bool:
    """Whether this figure is missing because the profile does not say how events are counted."""
    return wanted.path.removesuffix("_ratio") in _DAMAGE and read(document, wanted, endpoint).lack == UNCOUNTED


def _lack(part: Mapping[str, Any], path: str) -> str:
    events = part.get("events") or {}
    name = path.removeprefix("events.")
    return UNCOUNTED if path in _DAMAGE and events.get(name, 0) is None else "the run did not produce it"


def _basis(part: Mapping[str, Any], path: str) -> int | None:
    whole = {"streams": "streams.attempted", "events": "events.received"}.get(path.partition(".")[0])
    if whole is None or path in _MORE_IS_BETTER:
        return None
    found = _number(_at(part, whole))
    return None if found is None else int(found)


def _read_share(part: Mapping[str, Any], path: str) -> Reading:
    part_path, whole_path = _SHARES[path]
    whole = _number(_at(part, whole_path))
    given = _number(_at(part, path))
    counted = _number(_at(part, part_path))
    if counted is None and part_path.startswith("streams.by_verdict.") and _at(part, "streams.by_verdict") is not None:
        counted = 0.0
    if not whole:
        return Reading(None, 0, lack=f"{whole_path} is {'nothing' if whole is None else 'zero'}")
    if given is None and counted is None:
        return Reading(None, int(whole), lack=_lack(part, part_path))
    if given is None and counted is not None:
        # what was lost was not received, and belongs to the whole all the same
        given = counted / (whole + counted if path == "events.lost_ratio" else whole)
    return Reading(given, int(whole))


def _read_rate(document: Mapping[str, Any], part: Mapping[str, Any], path: str) -> Reading:
    amount, seconds = _number(_at(part, path)), _number(document.get("duration_s"))
    if amount is None or not seconds:
        return Reading(None, lack="the run did not produce it")
    return Reading(amount / seconds)


def _read_distribution(part: Mapping[str, Any], wanted: Metric) -> Reading:
    name, stat = str(wanted.distribution), str(wanted.stat)
    place = "rates" if name in RATES else "latency"
    entry = _at(part, name) if name.startswith("harness.") else (part.get(place) or {}).get(name)
    if entry is None:
        return Reading(None, lack="the run did not produce it")
    if not isinstance(entry, Mapping):
        value = _number(entry)
        return Reading(value if stat == "max" else None, lack="the run has one number there, and no distribution")
    known, censored = int(entry.get("count") or 0), int(entry.get("censored") or 0)
    if stat == "count":
        return Reading(float(known))
    value, bound = _stat_of(entry, stat)
    if value is None:
        lack = f"all {censored} values are bounds only" if censored and not known else "the run did not produce it"
        return Reading(None, known + censored, lack=lack)
    if censored and not bound:
        bound = stat in {"max", "mean"} or _falls_among_censored(stat, known, censored)
    return Reading(value, known + censored, at_least=bound)


def _stat_of(entry: Mapping[str, Any], stat: str) -> tuple[float | None, bool]:
    value = entry.get(stat)
    bound = stat in (entry.get("at_least") or ())
    histogram = entry.get("histogram")
    share = percentile(stat)
    if value is None and share is not None and isinstance(histogram, Mapping):
        return quantile(buckets(histogram), share), bound
    return _number(value), bound


def percentile(stat: str) -> float | None:
    """The share that p95, p999 or p99.9 stands for."""
    found = _PERCENTILE.fullmatch(stat)
    return None if found is None else float(f"{found[1] or found[3]}.{found[2] or found[4] or 0}") / 100


def _falls_among_censored(stat: str, known: int, censored: int) -> bool:
    share = percentile(stat)
    return share is not None and math.ceil(share * (known + censored) - 1e-9) > known


def buckets(histogram: Mapping[str, Any], width: float = 1.0) -> dict[float, int]:
    """Counts by value in milliseconds; values known as bounds only count as their bound. `width` merges buckets.

    Buckets may be given as `index` and `count` lists (see results.schema.json).
    """
    growth = float(histogram.get("growth") or 1.002)
    step = max(1, round(math.log(width) / math.log(growth))) if width > 1 else 1
    middle = 2 * growth**step / (growth**step + 1)
    found: dict[float, int] = {}
    for prefix in ("", "censored_"):
        pairs = zip(histogram.get(f"{prefix}index") or (), histogram.get(f"{prefix}count") or (), strict=False)
        for index, count in pairs:
            value = 0.0 if index < 0 else growth ** (index // step * step) * middle / 1000
            found[value] = found.get(value, 0) + count
    return found


def quantile(counts: Mapping[float, float], share: float) -> float | None:
    """The nearest-rank percentile of counted values; None where there are none."""
    total = sum(counts.values())
    if total <= 0:
        return None
    rank, seen = max(1.0, math.ceil(share * total - 1e-9)), 0.0
    for value in sorted(counts):
        seen += counts[value]
        if seen >= rank:
            return value
    return max(counts)


def _at(document: Any, path: str) -> Any:
    for part in path.split("."):
        if not isinstance(document, Mapping):
            return None
        document = document.get(part)
    return document


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def shown(value: float, kind: Kind, digits: int = 3) -> str:
    """The value as people read it, with its unit; `digits` of a value that is no whole number."""
    if kind == "time":
        return f"{value / 1000:.2f} s" if 10_000 <= value < 1e15 and digits == 3 else f"{_short(value, digits)} ms"
    if kind == "share":
        return f"{_short(value * 100, digits)} %"
    return f"{_short(value, digits)}{'/s' if kind == 'rate' else ''}"


def shown_beside(value: float, other: float, kind: Kind) -> str:
    """The same with as many digits as it takes to be told from the other one."""
    digits = range(3, 16)
    apart = (count for count in digits if shown(value, kind, count) != shown(other, kind, count))
    return shown(value, kind, 3 if value == other else next(apart, 15))


def _short(value: float, digits: int) -> str:
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    whole = 10**digits - 0.5 <= abs(value) < 1e15  # else 999.6 is 1e+03
    return f"{value:.0f}" if whole else f"{value:.{digits}g}"
