"""From a rule and a bench to a finding: what was required, what was expected, what came, and what to do.

A check is a function that returns where the rule holds and calls `broken` where it does not. Nothing else decides
an outcome; pytest, `ssegauge check` and the fixtures for a team's own tests all come here.
"""

from __future__ import annotations

import inspect
import itertools
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NoReturn

from ssegauge import fronts
from ssegauge.anomalies import JSON_JUDGES, JUDGES, Anomaly
from ssegauge.anomalies.fields import empty_data
from ssegauge.bench import Bench, is_refusal
from ssegauge.content_coding import looks_compressed
from ssegauge.exchange import Exchange
from ssegauge.finding import Finding, Outcome
from ssegauge.needs import missing
from ssegauge.observation import Evidence, Observation
from ssegauge.probe import ProbeError
from ssegauge.rules import CATALOGUE, Rule

Check = Callable[..., None]


class Broken(AssertionError):
    """Raised by a check where the target does not keep the rule."""

    def __init__(self, expected: str, actual: str, evidence: tuple[Evidence, ...] = (), reproduce: str = "") -> None:
        super().__init__(f"expected {expected}; got {actual}")
        self.expected = expected
        self.actual = actual
        self.evidence = evidence
        self.reproduce = reproduce


class Untestable(Exception):
    """Raised by a check that finds out on the way that it lacks something; says what."""


class NotDeclared(Exception):
    """Raised by a check that finds out on the way that the profile does not declare what it needs."""


class CannotJudge(Exception):
    """Raised by a check where the harness could not judge, the machine being too busy, say; says why."""


def broken(expected: str, actual: str, *evidence: Evidence | Iterable[Evidence], reproduce: str = "") -> NoReturn:
    """The rule does not hold."""
    pieces: list[Evidence] = []
    for piece in evidence:
        pieces.extend([piece] if isinstance(piece, Evidence) else piece)
    raise Broken(expected, actual, tuple(pieces[:MOST_EVIDENCE]), reproduce)


MOST_EVIDENCE = 12
"""Pieces of evidence that a finding keeps: enough to see a pattern, not a copy of the stream."""


def expect_clean_bytes(identifier: str, observation: Observation, expected: str) -> None:
    """The bytes of the stream show no anomaly of this rule; `expected` says what was asked of them."""
    endpoint = observation.endpoint
    anomalies: Iterator[Anomaly]
    if identifier == "FLD-08":
        anomalies = empty_data(observation.anatomy, endpoint.ignore, primer=endpoint.primer)
    elif identifier in JUDGES:
        anomalies = JUDGES[identifier](observation.anatomy)
    else:
        anomalies = JSON_JUDGES[identifier](observation.anatomy, endpoint.terminal_data, endpoint.ignore)
    # No more than are shown: a hostile stream holds one in every line.
    found = list(itertools.islice(anomalies, MOST_EVIDENCE + 1))
    if found:
        count = f"{len(found) - 1}" if len(found) <= MOST_EVIDENCE else f"{MOST_EVIDENCE} or"
        more = f" (and {count} more)" if len(found) > 1 else ""
        broken(
            expected, found[0].text + more, [observation.show(each.start, each.end) for each in found[:MOST_EVIDENCE]]
        )


def rule(identifier: str, *, any_status: bool = False) -> Callable[[Check], Check]:
    """Marks a test as the check of a rule. `any_status`: it can be judged where the answer is no stream."""

    def mark(check: Check) -> Check:
        check.rule = CATALOGUE[identifier]  # type: ignore[attr-defined]
        check.any_status = any_status  # type: ignore[attr-defined]
        return check

    return mark


def judge(check: Check, bench: Bench) -> Finding:
    """Run a check on a bench. Whatever it raises becomes an outcome; only interrupts pass through."""
    law: Rule = check.rule  # type: ignore[attr-defined]
    gap = missing(law, bench)
    if gap is not None:
        return _finding(law, bench, gap.outcome, reason=gap.reason)
    if bench.lost and not law.recording:
        return _finding(law, bench, "error", reason=f"the target no longer answers: see {bench.lost}")
    turned_away = bench.turned_away
    try:
        if not check.any_status:  # type: ignore[attr-defined]
            _require_stream(law, bench.observation)
        _call_patiently(check, bench)
    except Broken as fault:
        if bench.turned_away > turned_away and law.id != "HTTP-20" and bench.once("is spent", bench.is_spent):
            reason = "the address that the redirect leads to answers one request only, which HTTP-20 judges"
            return _finding(law, bench, "untestable", reason=reason)
        if bench.live and not law.recording and not bench.lost and not bench.listens():
            bench.lost = law.id  # what follows would only say again that nothing is there
        return _finding(
            law, bench, "fail", expected=fault.expected, actual=fault.actual, evidence=fault.evidence,
            reproduce=fault.reproduce or _reproduce(law, bench), mend=fronts.mend(law, bench),
        )  # fmt: skip
    except Untestable as lack:
        return _finding(law, bench, "untestable", reason=str(lack))
    except NotDeclared as lack:
        return _finding(law, bench, "not_declared", reason=str(lack))
    except (CannotJudge, ProbeError) as doubt:
        return _finding(law, bench, "error", reason=str(doubt))
    except Exception as fault:  # noqa: BLE001 - a check met what it did not foresee: an outcome, never a green rule
        return _finding(law, bench, "error", reason=f"the check failed: {type(fault).__name__}: {fault}{_place(fault)}")
    return _finding(law, bench, "pass")


LONGEST_PAUSE = 5.0
"""Seconds of Retry-After that a rule waits for before it asks a second time."""
ON_REFUSALS = frozenset({"HTTP-01", "HTTP-03", "SEC-06"})
"""Rules that refusals break, or keep."""


def _call_patiently(check: Check, bench: Bench) -> None:
    """Call the check; where it finds fault with a server that refuses so many requests, once more after a pause."""
    law: Rule = check.rule  # type: ignore[attr-defined]
    made, pause = bench.made, 0.0
    while True:
        refused = len(bench.refusals)
        try:
            return _call(check, bench)
        except Broken:
            fresh = bench.refusals[refused:]
            if not fresh or law.id in ON_REFUSALS or is_refusal(bench.observation.exchange):
                raise
            if pause or (pause := _retry_after(fresh[-1])) > LONGEST_PAUSE:
                raise CannotJudge(
                    f"the server refused {len(fresh)} of this rule's requests ({fresh[-1].status} {fresh[-1].reason}): "
                    "raise its limit while it is tested"
                ) from None
            time.sleep(pause)
        finally:
            if len(bench.refusals) > refused:
                bench.forget(bench.made - made)  # no other rule shall judge by what was refused


def _retry_after(exchange: Exchange) -> float:
    given = exchange.value("retry-after") or ""
    return max(float(given), 1.0) if given.isascii() and given.isdigit() else 1.0


def _call(check: Check, bench: Bench) -> None:
    """Hand the check what it asks for by name, as pytest's fixtures do: the bench, or its observation."""
    wanted = inspect.signature(check).parameters
    offers: dict[str, Callable[[], object]] = {"bench": lambda: bench, "observation": lambda: bench.observation}
    check(**{name: offers[name]() for name in wanted})


def _require_stream(law: Rule, observation: Observation) -> None:
    exchange = observation.exchange
    if exchange.status is None:
        raise Untestable(f"there was no response to judge: {exchange.detail or exchange.end} (HTTP-01)")
    if not observation.is_stream:
        raise Untestable(f"there was no stream to judge: status {exchange.status} (HTTP-01)")
    if law.category in {"http", "headers"}:
        return
    if observation.decoded.problem:
        raise Untestable(f"the body cannot be read: {observation.decoded.problem} (HDR-07)")
    if not exchange.values("content-encoding") and looks_compressed(exchange.raw_body):
        raise Untestable("the body cannot be read: it is compressed, and no Content-Encoding says so (HDR-07)")


def _finding(law: Rule, bench: Bench, outcome: Outcome, **more: Any) -> Finding:
    return Finding(
        law.id, bench.endpoint.name, law.level, outcome, law.statement, str(law.source), source_url=law.source.url, **more,
    )  # fmt: skip


def _reproduce(law: Rule, bench: Bench) -> str:
    return (
        f"{bench.options.reproduce} --rule {law.id}"
        if bench.options.reproduce
        else f"ssegauge check {bench.profile.source} --rule {law.id}"
    )


def _place(fault: Exception) -> str:
    trace = fault.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f" ({trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno})"
