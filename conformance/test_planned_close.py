"""What a server's planned end means for its clients (rules FRM-11 and HTTP-03)."""

from __future__ import annotations

import signal
from dataclasses import replace

from ssegauge.bench import Bench
from ssegauge.client import LONG
from ssegauge.client.request import with_header
from ssegauge.exchange import Sent
from ssegauge.judging import Untestable, broken, rule
from ssegauge.means.shutdown import shutdown
from ssegauge.observation import Observation

AFTER_LIFETIME = 1.0
"""Seconds after the declared lifetime within which a planned close is looked for."""
FINAL = frozenset({429, 500, 502, 503, 504})
"""Statuses by which a server says that it is busy or not there yet, and after which EventSource never asks again."""


@rule("FRM-11")
def test_planned_close_falls_between_events(bench: Bench) -> None:
    """A close that the server plans (lifetime limit, deploy, recycling) falls on an event boundary."""
    closed = [seen for seen in _planned_closes(bench) if seen.is_stream and seen.ended and not seen.terminals]
    if not closed:
        raise Untestable("the server closed no stream")
    for seen in closed:
        pending = seen.anatomy.pending
        if pending is not None and any(field.kind != "comment" for field in pending.fields):
            how = f"an event that is cut ({seen.exchange.end} after {seen.exchange.end_at:.1f} s)"
            broken("an end between events", how, seen.show(pending.start, pending.end))


def _planned_closes(bench: Bench) -> list[Observation]:
    lifetime = bench.endpoint.lifetime
    if lifetime is None:
        return list(shutdown(bench).streams)
    span = lifetime + AFTER_LIFETIME
    if span > bench.options.window + AFTER_LIFETIME and not bench.options.long:
        raise Untestable(f"the declared lifetime of {lifetime:g} s is longer than a short run: pass --long")
    with bench.open(_busy(bench), limits=replace(LONG, window=span)) as stream:
        stream.pump(within=span)
        return [bench.view(stream)]


def _busy(bench: Bench) -> Sent:
    if "endless" in bench.endpoint.declares:
        return bench.sent("endless")
    if bench.observation.ended:
        raise Untestable("the stream ends by itself: declare `endless`")
    return bench.final_sent


@rule("HTTP-03")
def test_reconnect_during_a_restart_is_not_refused(bench: Bench) -> None:
    """A browser that comes back after a cut is not answered 429, 500, 502 or 503: it would never ask again."""
    app = bench.app
    assert app is not None
    before = bench.observation
    marked = [arrival for arrival in before.arrivals if arrival.event.last_event_id]
    sent = with_header(bench.final_sent, "Last-Event-ID", marked[0].event.last_event_id) if marked else bench.final_sent
    if bench.endpoint.request.method != "GET":
        raise Untestable("EventSource only makes GET requests, and the profile declares another method")
    try:
        with bench.open() as stream:
            stream.until_events(1)
            app.signal(signal.SIGKILL)
            stream.pump(within=2.0)
    finally:
        app.restart()
    with bench.open(sent) as stream:
        stream.until_head()
        again = bench.view(stream)
    if again.exchange.status in FINAL:
        broken(
            "200, or 204 where there is no more to come",
            f"status {again.exchange.status} to the first request after the restart",
            again.show_head("retry-after", "content-type"),
        )
