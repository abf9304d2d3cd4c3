"""The load half: streams read on gevent's hub, timed by the kernel, judged one by one.

Importing a name from here that needs Locust imports Locust, which patches the process; histograms, ledgers and
arrivals do without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ssegauge.load.contract import Delivery
    from ssegauge.load.dispatch import Dispatcher, open_arrivals
    from ssegauge.load.options import arguments
    from ssegauge.load.outcome import Outcome
    from ssegauge.load.steps import find_capacity, staircase
    from ssegauge.load.stream import Timeouts
    from ssegauge.load.user import SseUser

__all__ = ["Delivery", "Dispatcher", "Outcome", "SseUser", "Timeouts", "arguments", "find_capacity", "open_arrivals", "staircase"]

_HOME = {
    "Delivery": "ssegauge.load.contract",
    "Dispatcher": "ssegauge.load.dispatch",
    "Outcome": "ssegauge.load.outcome",
    "SseUser": "ssegauge.load.user",
    "arguments": "ssegauge.load.options",
    "find_capacity": "ssegauge.load.steps",
    "open_arrivals": "ssegauge.load.dispatch",
    "staircase": "ssegauge.load.steps",
    "Timeouts": "ssegauge.load.stream",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - only where a name is asked for

    return getattr(import_module(_HOME[name]), name)
