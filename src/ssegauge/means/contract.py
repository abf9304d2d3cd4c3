"""What an event means under the contract of its endpoint, where several rules must agree on it."""

from __future__ import annotations

import json

from ssegauge.judging import Untestable
from ssegauge.observation import Arrival, Observation
from ssegauge.profile.pointer import MISSING, payload


def part_of(observation: Observation, arrival: Arrival) -> str | None:
    """The key of the part that an event belongs to, as JSON, so that 0 and "0" stay apart; None where it has none."""
    group = observation.endpoint.group
    key = MISSING if group is None else group.in_data(arrival.data)
    return None if key is MISSING or key is None else json.dumps(key, sort_keys=True)


def unreadable(observation: Observation, arrival: Arrival) -> bool:
    """Data that is declared to be JSON and is no object or list: another rule says what is wrong with it."""
    sentinel = arrival.data in observation.endpoint.terminal_data
    return observation.endpoint.data == "json" and not sentinel and not isinstance(payload(arrival.data), dict | list)


def first_terminal(observation: Observation) -> Arrival:
    """The event that ended the stream. Raises Untestable where there is none."""
    if not observation.terminals:
        raise Untestable("the stream brought no terminal, which ORD-02 judges")
    return observation.terminals[0]
