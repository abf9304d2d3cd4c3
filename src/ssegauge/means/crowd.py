"""Several clients at once: the same stream for each, and a feed that all share."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ssegauge import suite
from ssegauge.bench import Bench
from ssegauge.client import Limits, Stream
from ssegauge.exchange import Exchange, Sent
from ssegauge.judging import Untestable, judge
from ssegauge.observation import Observation
from ssegauge.profile.request import Overlay
from ssegauge.rules import CATALOGUE

FIVE = 5
CAP = 3.0
"""Seconds that a stream without end is watched beside others."""
JUDGED = frozenset(
    law.id
    for law in CATALOGUE.values()
    if law.recording and law.level in {"MUST", "SHOULD"} and "timing" not in law.needs
)
"""The rules that a recording decides, without those about times: five streams at once make each other a little late."""


def five(bench: Bench) -> list[Observation]:
    """Five whole streams at the same time, after the recorded one; made once. A stream without end is cut after 3 s."""
    return bench.once("five", lambda: run_together(bench, FIVE))


def run_together(bench: Bench, count: int) -> list[Observation]:
    """So many whole streams at the same time, made anew."""
    return bench.together([partial(run_alone, bench)] * count)


def run_alone(bench: Bench) -> Observation:
    """A whole stream of its own, made anew."""
    seen, limits = bench.observation, bench.limits
    if not seen.ended:
        first = seen.arrivals[0].at if seen.arrivals else 0.0
        limits = Limits(window=max(CAP, first + 1.0))
    elif not limits.deadline:
        limits = Limits(window=max(limits.window, 3 * seen.exchange.end_at + 2.0))  # five at once may take longer
    return bench.observe(bench.final_sent, limits=limits, follow=False)


def fault(bench: Bench, seen: Observation) -> str | None:
    """What is worse about a stream than about the recorded one: its end, its events, or a rule that it breaks."""
    usual = bench.observation
    if seen.exchange.status != usual.exchange.status:
        return f"status {seen.exchange.status or seen.exchange.detail}"
    if usual.arrivals and not seen.arrivals:
        return f"a stream without events, {seen.verdict}"
    if not usual.ended and seen.ended:
        return f"a stream that was ended by the server: {seen.verdict}"
    if usual.ended and seen.verdict != usual.verdict:
        return f"a stream that is {seen.verdict}; alone it is {usual.verdict}"
    alone = bench.once("broken alone", lambda: broken_rules(bench, usual.exchange))
    more = [f"{name}: {got}" for name, got in broken_rules(bench, seen.exchange).items() if name not in alone]
    return f"a stream that breaks {'; '.join(sorted(more)[:3])}" if more else None


def fewer(bench: Bench, seen: Observation) -> str | None:
    """That a finished stream brought fewer events than the recorded one, where five others brought exactly as many."""
    usual = bench.observation
    if not (usual.ended and seen.ended) or len(seen.contract_arrivals) >= len(usual.contract_arrivals):
        return None
    if any(_kinds(other) != _kinds(usual) for other in five(bench)):
        return None
    return f"a stream of {len(seen.contract_arrivals)} events; alone it has {len(usual.contract_arrivals)}"


def _kinds(seen: Observation) -> list[str]:
    return [arrival.type for arrival in seen.contract_arrivals]


def varies_alone(bench: Bench) -> bool:
    """A stream without others beside it differs from the recorded one, too."""
    alone, usual = run_alone(bench), bench.observation
    return fault(bench, alone) is not None or (usual.ended and _kinds(alone) != _kinds(usual))


def broken_rules(bench: Bench, exchange: Exchange) -> dict[str, str]:
    """The rules that a recording of this exchange breaks, each with what it got."""
    place = Bench(bench.profile, bench.endpoint, replace(bench.options, save=None), recording=exchange)
    checks = (check for identifier, check in suite.checks().items() if identifier in JUDGED)
    found = (judge(check, place) for check in checks)
    return {finding.rule: finding.actual for finding in found if finding.outcome == "fail"}


@dataclass(frozen=True)
class Company:
    """What five streams at once and, where these differ, streams alone show. Texts say what is wrong, None that nothing is."""

    together: str | None
    alone: str | None
    steady: bool = True


def company(bench: Bench) -> Company:
    """Whether streams at once, and one after the other, are like the recorded one; made once."""
    return bench.once("company", lambda: _company(bench))


def _company(bench: Bench) -> Company:
    first = _first_fault(bench, five(bench))
    if first is None:
        return Company(None, None)
    alone = [fault(bench, run_alone(bench)) for _ in range(FIVE)]
    if all(alone[:3]):
        return Company(first, alone[0])
    if any(alone):
        return Company(first, None, steady=False)  # it differs from run to run, whoever else is there
    return Company(_first_fault(bench, run_together(bench, FIVE)), None)


def _first_fault(bench: Bench, runs: Sequence[Observation]) -> str | None:
    found = [text for text in (fault(bench, seen) for seen in runs) if text]
    return f"{len(found)} of {len(runs)}: {found[0]}" if found else None


def require_company(bench: Bench) -> None:
    """Leave it to ISO-01 and ISO-04 where clients at once, or one after the other, are not served alike."""
    seen = company(bench)
    if seen.alone or (seen.together and seen.steady):
        raise Untestable("several clients are not served alike, which ISO-01 and ISO-04 judge")


# -- a feed that all share ------------------------------------------------------------------------------------------

SETTLE = 0.3
"""Seconds between the heads of subscribers and the first message: a server may subscribe just after it sent the head."""
DELIVERY = 5.0
"""Seconds within which what was published has come."""


@dataclass(frozen=True)
class Matrix:
    """Which of the published messages each subscriber got."""

    published: int
    rows: tuple[frozenset[int], ...]

    @property
    def full(self) -> bool:
        """Everybody got everything."""
        return all(len(row) == self.published for row in self.rows)

    @property
    def shared_out(self) -> bool:
        """Each message came to one subscriber: they take messages from each other."""
        receivers = [sum(number in row for row in self.rows) for number in range(self.published)]
        return len(self.rows) > 1 and max(receivers) == 1

    def __str__(self) -> str:
        groups = sorted(set(self.rows), key=len)
        counts = [f"{self.rows.count(row)} subscribers got {len(row)} of {self.published}" for row in groups[:6]]
        return "; ".join(counts)


def matrix(bench: Bench) -> Matrix:
    """Forty subscribers and ten messages; once more where the first matrix has holes. Raises Untestable."""
    return bench.once("matrix", lambda: _twice(bench))


def _twice(bench: Bench) -> Matrix:
    first = published_to(bench, 40, 10)
    return first if first.full else published_to(bench, 40, 10)


def published_to(bench: Bench, subscribers: int, messages: int) -> Matrix:
    """So many subscribers on connections of their own, so many messages, each published on a connection of its own."""
    limits = replace(bench.limits, window=bench.limits.window + 2 * DELIVERY, deadline=False)

    def subscribe() -> Stream:
        stream = bench.open(limits=limits)
        stream.until_head(DELIVERY)
        return stream

    _publish(bench, "before any of them")  # who comes after the first message is a subscriber, too
    streams = bench.together([subscribe] * subscribers)
    try:
        if any(stream.over for stream in streams):
            lost = sum(stream.over for stream in streams)
            raise Untestable(f"{lost} of {subscribers} subscribers were not served")
        time.sleep(SETTLE)
        for stream in streams:
            stream.pump(within=0.005)  # what came so far
        before = [stream.events for stream in streams]
        marks = [f"ssegauge{secrets.token_hex(5)}" for _ in range(messages)]
        for mark in marks:
            _publish(bench, mark)
        deadline = time.monotonic() + DELIVERY * bench.options.scale
        for stream, count in zip(streams, before, strict=True):
            _await(stream, count + messages, marks, deadline)
        return _matrix([bench.view(stream) for stream in streams], before, marks)
    finally:
        for stream in streams:
            stream.close()


def _await(stream: Stream, events: int, marks: Sequence[str], deadline: float) -> None:
    """Until so many events have come, and every mark, where the feed repeats them at all."""

    def has_all(each: Stream) -> bool:
        if each.events < events:
            return False
        body = each.exchange.raw_body
        return len({mark.encode() in body for mark in marks}) == 1

    stream.pump(has_all, max(deadline - time.monotonic(), 0.005))


def _matrix(seen: Sequence[Observation], before: Sequence[int], marks: Sequence[str]) -> Matrix:
    rows = [frozenset(n for n, mark in enumerate(marks) if mark.encode() in each.body) for each in seen]
    if not any(rows):  # the feed does not repeat what is published: only counts can be compared
        counts = [min(len(each.arrivals) - count, len(marks)) for each, count in zip(seen, before, strict=True)]
        rows = [frozenset(range(max(count, 0))) for count in counts]
    return Matrix(len(marks), tuple(rows))


def _publish(bench: Bench, mark: str) -> None:
    broadcast = bench.endpoint.broadcast
    if broadcast is None:
        raise Untestable("the profile does not declare broadcast")
    request = broadcast.publish
    marked = request.overlaid(_mark(request.json_body, request.data, mark))
    status = None
    for attempt in (bench.sent_for(marked), bench.sent_for(request)):
        status = _status(bench, attempt)
        if status is not None and status < 400:
            return
    raise Untestable(f"publishing is answered {status or 'by silence'}")


def _mark(json_body: Any, data: str | None, mark: str) -> Overlay:
    if isinstance(json_body, dict):
        place = next((name for name, value in json_body.items() if isinstance(value, str)), None)
        return Overlay() if place is None else Overlay(json={place: f"{json_body[place]} {mark}"})
    if json_body is not None:
        return Overlay(json=f"{json_body} {mark}") if isinstance(json_body, str) else Overlay()
    return Overlay(data=f"{data} {mark}" if data else mark)


def _status(bench: Bench, sent: Sent) -> int | None:
    with bench.open(sent, limits=Limits(first_byte=DELIVERY, window=DELIVERY)) as stream:
        stream.until_head(DELIVERY)
        return stream.exchange.status
