"""Two targets out of one run: the ratio of their figures, what of it is noise, and whether B is worse than allowed.

A stream of A and a stream of B begin together and are read together, so what disturbs the machine disturbs both: the
ratio of a second's figures varies far less than the figures do. The interval comes from resampling stretches of
seconds, each with what both targets did in it. Pure functions of a results document of the scenario `paired`.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import stdev
from typing import Any, Final

from ssegauge.errors import UserError
from ssegauge.gate import metrics, noise
from ssegauge.gate.metrics import Metric
from ssegauge.gate.noise import NoRatio, Ratio
from ssegauge.gate.rulings import RESOLUTION, Judgement, Outcome, Ruling, reasons_of, worse
from ssegauge.visible import visible

METRICS: Final = ("first_event.p50", "gap.mean")
TAILS: Final = ("first_event.p95", "gap.p95")
"""What is compared where nobody says otherwise: the usual case, at the start and on the way, and its tail where there
are enough values to see one. Of gaps the mean: streams pause and hurry in turn, and a median that lies between the two
says now one and now the other; what stalls a machine is in both means."""

BETWEEN_TARGETS: Final = 0.01
"""What two processes of one program differ by for good (memory layout, the core they run on): assumed, one standard
deviation. No run of the two shows it, however long."""

FEWEST_IN_TAIL: Final = 10
"""Values beyond a percentile, fewer of which say nothing about it."""

_DOUBT: Final = 0.025  # one-sided, as the upper end of a 95 % interval is


@dataclass(frozen=True)
class Ask:
    """What must hold: B worse by less than `worse_by` (0.1 is a tenth) in each of `metrics`.

    The same of `tails`, but where nothing can be said of one (too few values, too much noise: a tail has more of both)
    a note says so, and nothing else follows.
    """

    worse_by: float = 0.1
    metrics: tuple[str, ...] = METRICS
    tails: tuple[str, ...] = TAILS
    confidence: float = 0.95


def judge(document: Mapping[str, Any], ask: Ask, source: str = "") -> Judgement:
    """A ruling for each figure of each pair of endpoints, and one for failures. Raises UserError, UnknownMetric."""
    pairs = document.get("pairs")
    if not pairs:
        raise UserError(f"{source or 'the results'}: not a run of two targets; `ssegauge compare A B` makes one")
    rulings: list[Ruling] = []
    notes: list[str] = []
    for pair in pairs:
        a, b = pair["a"], pair["b"]
        label = _label(pair)
        rulings.append(_failures(document, a, b, label, source))
        for path in (*ask.metrics, *ask.tails):
            ruling = _ruling(document, a, b, f"{label} / {path}", metrics.metric(path, [document]), ask, source)
            if path in ask.tails and ruling.outcome == "inconclusive" and document["valid"] is True:
                notes.append(f"{ruling.name} was not judged: {ruling.found}; {ruling.reason}")
            else:
                rulings.append(ruling)
    return Judgement(tuple(rulings), (*notes, *_warnings(document)))


def _label(pair: Mapping[str, str]) -> str:
    names = [visible(pair[side].removeprefix(f"{side.upper()} "), 80) for side in ("a", "b")]
    return names[0] if names[0] == names[1] else " | ".join(names)


def ratio(document: Mapping[str, Any], a: str, b: str, wanted: Metric, confidence: float = 0.95) -> Ratio:
    """B's figure over A's, with the interval that the seconds of both together show. Raises NoRatio."""
    readings = [metrics.read(document, wanted, endpoint) for endpoint in (a, b)]
    for side, reading in zip("AB", readings, strict=True):
        if reading.value is None:
            raise NoRatio(f"{side}: {reading.lack}")
    was, now = (float(reading.value or 0) for reading in readings)
    if was <= 0 or now <= 0:
        raise NoRatio("a figure is zero, and nothing is a multiple of it")
    if readings[0].at_least:
        raise NoRatio("A's figure is known as a lower bound only")
    spread = _spread(_stretches(document, a, b, wanted), wanted)
    bound = readings[1].at_least
    if spread is None:
        return Ratio(was, now, now / was, confidence=confidence, at_least=bound)
    deviation, freedom = spread
    reach = noise.student(0.5 + confidence / 2, freedom) * deviation
    low, high = now / was * math.exp(-reach), now / was * math.exp(reach)
    return Ratio(was, now, now / was, low, high, confidence, "paired seconds", bound)


def _stretches(document: Mapping[str, Any], a: str, b: str, wanted: Metric) -> list[tuple[Any, Any]]:
    sides = [dict(noise.items(noise.steady(document, endpoint), wanted)) for endpoint in (a, b)]
    seconds = sorted(sides[0].keys() & sides[1].keys())
    # What seconds share with their neighbours hits both sides and cancels, so they need not be joined as far as the
    # seconds of a run that is compared with another: the cube root, by which noise of short memory is resampled.
    length = max(1, min(round(len(seconds) ** (1 / 3)), len(seconds) // (noise.FEWEST_STRETCHES + 1)))
    found = []
    for start in range(0, len(seconds) - length + 1, length):
        here = seconds[start : start + length]
        found.append((noise.sum_of([sides[0][t] for t in here]), noise.sum_of([sides[1][t] for t in here])))
    return found


def _spread(stretches: Sequence[tuple[Any, Any]], wanted: Metric) -> tuple[float, int] | None:
    if len(stretches) < noise.FEWEST_STRETCHES:
        return None
    estimate = noise.estimate_of(wanted, stretches[0][0])
    dice = random.Random(0)
    logs = []
    for _ in range(noise.RESAMPLES):
        drawn = dice.choices(stretches, k=len(stretches))
        was, now = (estimate([pair[side] for pair in drawn]) for side in (0, 1))
        if was and now and was > 0 and now > 0:
            logs.append(math.log(now / was))
    if len(logs) < noise.RESAMPLES * 0.9:
        return None
    freedom = len(stretches) - 1
    variance = stdev(logs) ** 2 * len(stretches) / freedom + BETWEEN_TARGETS**2
    return math.sqrt(variance), freedom


def _ruling(document: Mapping[str, Any], a: str, b: str, name: str, wanted: Metric, ask: Ask, source: str) -> Ruling:
    limit = f"worse by less than {ask.worse_by * 100:.3g} %"
    outcome, found, reason = _weigh(document, a, b, wanted, ask)
    return Ruling(name, outcome, limit, found, reason, source)


def _weigh(document: Mapping[str, Any], a: str, b: str, wanted: Metric, ask: Ask) -> tuple[Outcome, str, str]:
    try:
        found = ratio(document, a, b, wanted, ask.confidence).worsening(wanted)
    except NoRatio as lack:
        return "inconclusive", "nothing", str(lack)
    text = worse(found, wanted)
    if document["valid"] is not True:
        return "inconclusive", text, f"the run is invalid: {reasons_of(document)}"
    why = _too_few(document, a, b, wanted) or _blurred(document, wanted)
    if why:
        return "inconclusive", text, why
    if found.low is None or found.high is None:
        return "inconclusive", text, "too few seconds to see the noise: run it longer"
    # to rule out less than half of the limit is a question of one side
    one_sided = ratio(document, a, b, wanted, 2 * ask.confidence - 1) if ask.confidence > 0.5 else None
    least = one_sided.worsening(wanted).low if one_sided is not None else None
    return _decide(found, least or found.low, text, ask)


def _decide(found: Ratio, least: float, text: str, ask: Ask) -> tuple[Outcome, str, str]:
    """A slow-down as large as the limit is to be found, and would read as less in half of the runs.

    So B fails by its figure, where that is beyond the limit and better than A's is ruled out; and by its interval,
    where that holds the limit and half of the limit is ruled out: it is worse by `least` at the least.
    """
    assert found.low is not None  # noqa: S101 - for the type checker: the caller has looked
    assert found.high is not None  # noqa: S101 - the same
    limit = (1 + ask.worse_by) * (1 - RESOLUTION)
    sure = f"{ask.confidence:.0%} sure"
    if (found.value >= limit and found.low > 1) or (least >= 1 + ask.worse_by / 2 and found.high >= limit):
        return "failed", text, f"beyond the noise ({sure})"
    if found.value >= limit:
        return "inconclusive", text, f"the noise is as large ({sure}): run it longer"
    if found.at_least:
        return "inconclusive", text, "B's figure is known as a lower bound only"
    if found.high >= 1 + 2 * ask.worse_by:
        return "inconclusive", text, f"the noise could hide twice the limit ({sure}): run it longer"
    return "held", text, ""


def _too_few(document: Mapping[str, Any], a: str, b: str, wanted: Metric) -> str:
    share = metrics.percentile(wanted.stat or "")
    if share is None:
        return ""
    counts = [metrics.read(document, wanted, endpoint).samples or 0 for endpoint in (a, b)]
    fewest = math.ceil(FEWEST_IN_TAIL / min(share, 1 - share) - 1e-9)
    return (
        f"{min(counts)} values, and {fewest} are needed: run it longer, or with more users"
        if min(counts) < fewest
        else ""
    )


def _blurred(document: Mapping[str, Any], wanted: Metric) -> str:
    """A percentile stands where fewer events than half of its tail have times that are known as bounds only."""
    share = metrics.percentile(wanted.stat or "")
    harness = document.get("harness") or {}
    if share is None:
        return ""
    together = float(harness.get("coalesced_ratio") or 0)
    if wanted.distribution in {"gap", "longest_gap"} and together > min(share, 1 - share) / 2:
        return f"{together:.1%} of the events were read together with later ones: fewer users, or a quieter machine"
    late = metrics.read(document, metrics.metric("harness.loop_lag.p95")).value
    own = metrics.read(document, wanted, document["pairs"][0]["a"]).value
    if document.get("clock") == "user" and late is not None and own is not None and late > 0.1 * own:
        return f"without the kernel's stamps times are {late:.0f} ms late at p95"
    return ""


# -- failures ---------------------------------------------------------------------------------------------------------


def _failures(document: Mapping[str, Any], a: str, b: str, label: str, source: str) -> Ruling:
    """Failed streams are in no figure of times, so a target that fails fast would look fast: they count first."""
    counts = []
    for endpoint in (a, b):
        streams = ((document.get("endpoints") or {}).get(endpoint) or {}).get("streams") or {}
        counts.append((int(streams.get("failed") or 0), int(streams.get("attempted") or 0)))
    (failed_a, of_a), (failed_b, of_b) = counts
    found = f"{failed_a} of {of_a} → {failed_b} of {of_b}"
    limit = "no more than A's, beyond chance"
    outcome: Outcome = "held"
    reason = ""
    if document["valid"] is not True:
        outcome, reason = "inconclusive", f"the run is invalid: {reasons_of(document)}"
    elif not of_a or not of_b:
        outcome, reason = "inconclusive", "no stream was attempted on a side"
    elif failed_b / of_b > failed_a / of_a and chance(failed_a, of_a, failed_b, of_b) < _DOUBT:
        outcome, reason = "failed", "beyond chance"
    elif failed_a + failed_b:
        reason = "no more than chance does" if failed_b > failed_a else "A fails as often"
    return Ruling(f"{label} / failed streams", outcome, limit, found, reason, source)


def chance(failed_a: int, of_a: int, failed_b: int, of_b: int) -> float:
    """How likely B has so many of the failures, or more, where both fail alike (Fisher's exact test, one-sided)."""
    failed = failed_a + failed_b
    whole = math.comb(of_a + of_b, failed)
    return sum(math.comb(of_b, k) * math.comb(of_a, failed - k) for k in range(failed_b, min(failed, of_b) + 1)) / whole


def _warnings(document: Mapping[str, Any]) -> Iterator[str]:
    for pair in document["pairs"]:
        means = []
        for endpoint in (pair["a"], pair["b"]):
            part = (document.get("endpoints") or {}).get(endpoint) or {}
            streams, events = part.get("streams") or {}, part.get("events") or {}
            means.append((events.get("received") or 0) / max(1, streams.get("attempted") or 0))
        if min(means) and max(means) > 1.2 * min(means):
            yield f"unequal work on {_label(pair)}: {means[0]:.1f} events a stream from A, {means[1]:.1f} from B"
