"""A logical stream over several connections: what an EventSource makes of them (HTML, 9.2.3)."""

from __future__ import annotations

from collections.abc import Callable

from ssegauge.load.contract import Delivery
from ssegauge.load.outcome import Outcome
from ssegauge.load.user import SseUser

DEFAULT_RETRY_MS = 3000
"""What browsers wait where the stream says nothing; the standard leaves it open ("probably in the region of a few seconds")."""

_FINAL = frozenset({"complete", "error_event", "http_error", "no_terminal", "malformed"})
_MOST_RETRY_MS = 600_000


def follow(user: SseUser, until_cut: Callable[[], float], *, most: int) -> int:
    """Read one logical stream: connect, be cut, wait as the stream asked, come back with the last event id.

    `until_cut`: seconds until the client cuts the connection itself. Ends where the stream does, or after `most`
    connections; how many there were.
    """
    endpoint = user.session.next_endpoint()
    delivery = Delivery()
    last_event_id = ""
    retry_ms = DEFAULT_RETRY_MS
    connections = 0
    try:
        while connections < most:
            outcome = user.stream(
                endpoint=endpoint,
                last_event_id=last_event_id,
                delivery=delivery,
                leave_after=until_cut(),
                reset=True,
                again=connections > 0,
            )
            connections += 1
            if is_over(outcome):
                break
            if outcome.opened:
                last_event_id = outcome.last_event_id  # an empty id on the way has taken it away
            retry_ms = outcome.retry_ms if outcome.retry_ms is not None else retry_ms
            user.pause(min(retry_ms, _MOST_RETRY_MS) / 1000)
    finally:
        user.settle(delivery, endpoint.name)
    return connections


def is_over(outcome: Outcome) -> bool:
    """Whether an EventSource would not come back, or has no reason to."""
    return outcome.verdict in _FINAL
