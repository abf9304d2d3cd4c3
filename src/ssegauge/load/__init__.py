"""The load half: streams read on gevent's hub, timed by the kernel, judged one by one.

Importing a name from here that needs Locust imports Locust, which patches the process; histograms, ledgers and
arrivals do without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ssegauge.load.conductor import conductor_of
    from ssegauge.load.contract import Delivery
    from ssegauge.load.deadlines import Timeouts
    from ssegauge.load.dialects import Chat, dialect_of
    from ssegauge.load.dispatch import Dispatcher, open_arrivals, share_of
    from ssegauge.load.gauges import back_at_base, watch_target
    from ssegauge.load.options import arguments
    from ssegauge.load.outcome import Outcome
    from ssegauge.load.prompts import Conversation, Prompts, read_prompts
    from ssegauge.load.reconnect import follow
    from ssegauge.load.session import option
    from ssegauge.load.steps import staircase
    from ssegauge.load.trends import before_and_after, slopes
    from ssegauge.load.user import SseUser

__all__ = [
    "Chat",
    "Conversation",
    "Delivery",
    "Dispatcher",
    "Outcome",
    "Prompts",
    "SseUser",
    "Timeouts",
    "arguments",
    "back_at_base",
    "before_and_after",
    "conductor_of",
    "dialect_of",
    "find_capacity",
    "follow",
    "open_arrivals",
    "option",
    "read_prompts",
    "share_of",
    "slopes",
    "staircase",
    "watch_target",
]

_HOME = {
    "Chat": "ssegauge.load.dialects",
    "Conversation": "ssegauge.load.prompts",
    "Delivery": "ssegauge.load.contract",
    "Dispatcher": "ssegauge.load.dispatch",
    "Outcome": "ssegauge.load.outcome",
    "SseUser": "ssegauge.load.user",
    "Timeouts": "ssegauge.load.deadlines",
    "arguments": "ssegauge.load.options",
    "back_at_base": "ssegauge.load.gauges",
    "before_and_after": "ssegauge.load.trends",
    "Prompts": "ssegauge.load.prompts",
    "conductor_of": "ssegauge.load.conductor",
    "dialect_of": "ssegauge.load.dialects",
    "find_capacity": "ssegauge.load.capacity",
    "follow": "ssegauge.load.reconnect",
    "open_arrivals": "ssegauge.load.dispatch",
    "option": "ssegauge.load.session",
    "read_prompts": "ssegauge.load.prompts",
    "share_of": "ssegauge.load.dispatch",
    "slopes": "ssegauge.load.trends",
    "staircase": "ssegauge.load.steps",
    "watch_target": "ssegauge.load.gauges",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - only where a name is asked for

    return getattr(import_module(_HOME[name]), name)
