"""What stands between server and client (rules BUF-03 to BUF-07 and BUF-09)."""

from __future__ import annotations

import contextlib
import math
import re
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial

from ssegauge.bench import Bench
from ssegauge.client import LONG, Limits
from ssegauge.client.request import with_header
from ssegauge.exchange import Exchange, Sent
from ssegauge.judging import CannotJudge, Untestable, broken, rule
from ssegauge.means.proxied import BOUND, PAIRS, Pair, by_proxy, expect_same_events, pairs, varies, worst
from ssegauge.means.resumption import first_answer
from ssegauge.observation import Arrival, Evidence, Observation
from ssegauge.probe import Gauge
from ssegauge.profile import Situation, pointer
from ssegauge.visible import visible

EXPECTED_PORT = "start it at the port that the proxy leads to: --port"
SOON = 5.0
"""Seconds within which a proxy passes an end on, in either direction (BUF-06, BUF-07)."""
FIRST = 2.0
"""Seconds that an idle stream may take to its first byte before it is left without one (BUF-06)."""
HOLD = 65.0
"""Seconds that an idle stream is held where no lifetime is declared: above the usual idle limit of 60 s."""
LONGEST_HOLD = 300.0


@rule("BUF-03")
def test_proxy_passes_events_on_as_they_come(bench: Bench) -> None:
    """Through the proxy come the same events in the same order, each at most 100 ms later."""
    since = time.monotonic()
    for way, first in enumerate(pairs(bench)):
        steady = expect_same_events(bench.observation, first)
        if not steady and bench.endpoint.sent_at is None:
            raise Untestable("the stream is another one each time: declare sent_at, so that its events can be timed")
        if worst([first], bench.observation)[0] > BOUND:
            seen = [first, *_more_pairs(bench, way, PAIRS - 1)]
            late, index = worst(seen, bench.observation)
            if late > BOUND and varies(seen, index, late):
                seen += _more_pairs(bench, way, PAIRS)
            _expect_prompt(bench, seen, since)


def _more_pairs(bench: Bench, way: int, count: int) -> list[Pair]:
    more = [pairs(bench, packed=way == 1) for _ in range(count)]
    return [each[way] for each in more if len(each) > way]


def _expect_prompt(bench: Bench, seen: list[Pair], since: float) -> None:
    """No event stands out as late in these runs."""
    late, index = worst(seen, bench.observation)
    if late <= BOUND:
        return
    overslept = bench.pulse.worst(since)
    if overslept > max(BOUND, late / 3):
        raise CannotJudge(f"this machine was too busy to judge times: it woke up {overslept * 1000:.0f} ms late")
    shown = [
        piece
        for pair in seen[:2]
        for name, run in (("direct", pair.direct), (pair.way, pair.proxied))
        for piece in [run.show_event(run.contract_arrivals[index], name)]
    ]
    broken(f"each event at most {BOUND * 1000:.0f} ms later", f"event {index} {late * 1000:.0f} ms later in the median of {len(seen)} runs, {seen[0].way}", shown)  # fmt: skip


@rule("BUF-04")
def test_proxy_passes_last_event_id_on(bench: Bench) -> None:
    """The proxy passes Last-Event-ID on."""
    resume = bench.endpoint.resume
    assert resume is not None
    marked = [arrival for arrival in bench.observation.contract_arrivals if arrival.event.last_event_id]
    if len(marked) < 3:
        raise Untestable("the stream has too few events with an id to be cut between them")
    start, last_id = marked[0].event.last_event_id, marked[len(marked) // 2].event.last_event_id
    direct, proxied = (
        first_answer(bench, with_header(sent, resume.header, last_id)) for sent in (bench.final_sent, by_proxy(bench))
    )
    here, there = direct.contract_arrivals, proxied.contract_arrivals
    if not here or here[0].event.last_event_id == start:
        raise Untestable("the server itself does not continue after that id, which REC-02 judges")
    expected = here[0].event.last_event_id
    if not there or there[0].event.last_event_id != expected:
        came = f"id {visible(there[0].event.last_event_id)}" if there else f"status {proxied.exchange.status}"
        shown = [direct.show_event(here[0], "direct")]
        shown += [proxied.show_event(arrival, "proxied") for arrival in there[:1]]
        expected = f"the stream to go on with id {expected} after {resume.header}: {last_id}, as without the proxy"
        broken(expected, f"{came}, through the proxy", shown)


@rule("BUF-05")
def test_no_cache_replays_a_stored_stream(bench: Bench) -> None:
    """Each client gets its own stream: no cache between server and client stores one and replays it."""
    runs = [[bench.observation, _first_event(bench, bench.final_sent)]]
    if bench.profile.target.proxied:
        # many caches keep only what they have seen the end of
        runs.append([bench.observe(by_proxy(bench)), _first_event(bench, by_proxy(bench))])
    for first, again in runs:
        for seen in (first, again):
            mark = _cache_mark(seen.exchange)
            if mark is not None:
                broken("a response from the server itself", f"one from a cache: {mark}", seen.show_head())
        if again.exchange.values("content-length") and not first.exchange.values("content-length"):
            broken(
                "no Content-Length, as at first", "a Content-Length the second time", again.show_head("content-length")
            )
        if _stored_date(first.exchange, again.exchange):
            shown = [*first.show_head("date"), *again.show_head("date")]
            broken("a Date of its own", "the same Date seconds later", shown)
        same = _same_moment(first, again)
        if same is not None:
            shown = [first.show_event(same, "first run"), again.show_event(again.arrivals[same.index], "second run")]
            broken("events of its own", "an event with the same time of sending", shown)


@rule("BUF-06")
def test_proxy_passes_on_that_the_client_left(bench: Bench) -> None:
    """When a client of the proxy leaves, the work behind it stops within 5 s."""
    gauge = bench.gauge
    assert gauge is not None
    situation = _lasting(bench)
    _expect_passed_on(bench, gauge, situation)
    if situation != "idle" and "idle" in bench.endpoint.declares:
        # A write that fails tells a proxy by itself; one that must look finds out here.
        with contextlib.suppress(Untestable):
            _expect_passed_on(bench, gauge, "idle")


def _expect_passed_on(bench: Bench, gauge: Gauge, situation: Situation | None) -> None:
    """The work of a stream in this situation stops soon after its client has left the proxy."""
    within = FIRST if situation == "idle" else SOON
    if _seconds_to_stop(bench, gauge, by_proxy(bench, situation), within) is not None:
        return
    sent = bench.final_sent if situation is None else bench.sent(situation)
    if _seconds_to_stop(bench, gauge, sent, within) is None:
        raise Untestable("the server does not notice by its own address either, which LIF-* and LEAK-* judge")
    stream = "idle stream" if situation == "idle" else "stream"
    broken(f"the {stream} behind the proxy ended within {SOON:g} s", f"it was still active after {SOON:g} s")


@rule("BUF-07")
def test_proxy_passes_on_that_the_server_died(bench: Bench) -> None:
    """When the server behind the proxy dies, the client sees the end within 5 s, and not as a clean end."""
    app = bench.app
    assert app is not None
    gauge = bench.gauge or bench.process
    before = gauge.active() if gauge is not None else 0.0
    sent = by_proxy(bench, _lasting(bench))
    try:
        with bench.open(sent, limits=replace(LONG, window=SOON * 3)) as stream:
            stream.pump(lambda some: bool(some.exchange.reads), within=SOON)
            if not bench.view(stream).is_stream:
                said = f"status {stream.exchange.status}" if stream.exchange.status else stream.exchange.detail
                raise Untestable(f"no stream through the proxy: {said}; {EXPECTED_PORT}")
            if gauge is not None and _wait(partial(_more_active, gauge, before), within=2.0) is None:
                raise Untestable(
                    f"a stream through the proxy does not come from the server that was started; {EXPECTED_PORT}"
                )
            app.signal(signal.SIGKILL)
            stream.pump(within=SOON)
            over, seen = stream.over, bench.view(stream)
    finally:
        app.restart()
    if not over:
        broken(f"an end within {SOON:g} s", "the stream is still open")
    if seen.exchange.end == "message_end" and not seen.terminals and not seen.errors:
        broken("a cut or a reset", "a clean end of the message", [Evidence(seen.exchange.detail), *seen.show_head()])


@rule("BUF-09")
def test_proxy_keeps_the_stream_open(bench: Bench) -> None:
    """Through the proxy an idle stream lives as long as declared, and keepalive comments arrive."""
    situation: Situation | None = "idle" if "idle" in bench.endpoint.declares else None
    if situation is None and bench.observation.ended:
        raise Untestable("the stream ends by itself: declare `idle`")
    hold = min(bench.endpoint.lifetime or HOLD, LONGEST_HOLD) * bench.options.scale
    sent = bench.final_sent if situation is None else bench.sent(situation)
    direct, proxied = bench.together([lambda: _held(bench, sent, hold), lambda: _held(bench, by_proxy(bench, situation), hold)])  # fmt: skip
    if direct.ended:
        raise Untestable(f"the stream ends by its own address too, after {direct.exchange.end_at:.0f} s (LIF-07)")
    if proxied.exchange.status != direct.exchange.status or proxied.ended:
        how = f"{proxied.exchange.end} after {proxied.exchange.end_at:.1f} s, status {proxied.exchange.status}"
        broken(f"a stream that is open after {hold:g} s, as without the proxy", how)
    sent_comments, came = len(direct.anatomy.comments), len(proxied.anatomy.comments)
    if came < sent_comments - 1 or (sent_comments and not came):
        broken(f"{sent_comments} comments, as without the proxy", f"{came}")


# -- both ways ------------------------------------------------------------------------------------------------------


def _first_event(bench: Bench, sent: Sent) -> Observation:
    with bench.open(sent) as stream:
        stream.until_events(1)
        return bench.view(stream)


def _held(bench: Bench, sent: Sent, seconds: float) -> Observation:
    with bench.open(sent, limits=Limits(window=seconds)) as stream:
        stream.pump(within=seconds)
        return bench.view(stream)


def _lasting(bench: Bench) -> Situation | None:
    """The situation in which a stream stays open for long enough; None for the stream itself."""
    if "endless" in bench.endpoint.declares:
        return "endless"
    if "idle" in bench.endpoint.declares:
        return "idle"
    if bench.observation.ended:
        raise Untestable("the stream ends by itself: declare `endless` or `idle`")
    return None


# -- stored streams (BUF-05) ----------------------------------------------------------------------------------------

_HIT = re.compile(r"\b(\w*hit|stale|updating|revalidated)\b", re.IGNORECASE)
_MARKS = ("x-cache", "cf-cache-status", "x-cache-status", "x-proxy-cache", "x-nginx-cache", "cache-status")
"""Varnish, Fastly, CloudFront, Squid; Cloudflare; nginx by convention; RFC 9211."""
_APART = 3.0
"""Seconds between two requests after which an equal Date is no accident: servers renew theirs every second."""


def _cache_mark(exchange: Exchange) -> str | None:
    """The field that tells of a cache's hit. Age: 0 is none: some caches add it to what they only pass on."""
    age = exchange.value("age")
    if age is not None and age.strip().isdigit() and int(age) > 0:
        return f"Age: {age}"
    for name in _MARKS:
        value = exchange.value(name)
        if value is not None and _HIT.search(value):
            return f"{name}: {value}"
    return None


def _stored_date(first: Exchange, again: Exchange) -> bool:
    apart = datetime.fromisoformat(again.started) - datetime.fromisoformat(first.started)
    date = again.value("date")
    return apart.total_seconds() > _APART and date is not None and date == first.value("date")


def _same_moment(first: Observation, again: Observation) -> Arrival | None:
    """An event of the first run that came again with the same time of sending."""
    place = first.endpoint.sent_at
    if place is None:
        return None
    for one, other in zip(first.arrivals, again.arrivals, strict=False):
        moments = [place.seconds(pointer.payload(arrival.data)) for arrival in (one, other)]
        if moments[0] is not None and moments[0] == moments[1]:
            return one
    return None


# -- the end, passed on (BUF-06) ------------------------------------------------------------------------------------


def _seconds_to_stop(bench: Bench, gauge: Gauge, sent: Sent, within: float) -> float | None:
    """Seconds from our leaving to the count as it was before; None where that takes too long."""
    _wait(lambda: math.isclose(gauge.active(), _later(gauge)), SOON)
    before = gauge.active()
    with bench.open(sent, limits=replace(LONG, window=SOON * 3)) as stream:
        stream.pump(lambda some: bool(some.exchange.reads), within=within)
        if not bench.view(stream).is_stream:
            raise Untestable(f"no stream to leave: status {stream.exchange.status or stream.exchange.detail}")
        if _wait(lambda: gauge.active() > before, 2.0) is None:
            raise Untestable("the count of active streams does not rise with a stream through the proxy")
    return _wait(lambda: gauge.active() <= before, SOON)


def _more_active(gauge: Gauge, before: float) -> bool:
    return gauge.active() > before


def _later(gauge: Gauge) -> float:
    time.sleep(0.1)
    return gauge.active()


def _wait(holds: Callable[[], bool], within: float) -> float | None:
    """Seconds until the condition held, or None."""
    began = time.monotonic()
    while not holds():
        if time.monotonic() - began > within:
            return None
        time.sleep(0.02)
    return time.monotonic() - began
