"""The echo contract (rule FLD-18)."""

from __future__ import annotations

from ssegauge.bench import Bench
from ssegauge.judging import broken, rule
from ssegauge.means.echo import Echo
from ssegauge.observation import Evidence
from ssegauge.visible import visible


@rule("FLD-18", any_status=True)
def test_echoed_events_come_back_as_they_were_sent(bench: Bench) -> None:
    """Events that are sent to an endpoint with the echo contract come back as a conforming client must read them."""
    failure = Echo(bench).run()
    if failure is not None:
        body = (failure.sent.body or b"").decode()
        seen = failure.seen
        shown = [Evidence(f"sent {visible(body)}"), seen.show(0, len(seen.body), "came")]
        expected = ", ".join(visible(repr(tuple(event)), 120) for event in failure.expected[:3]) or "no event"
        broken(expected, visible(failure.fault or ""), shown, reproduce=failure.reproduce)
