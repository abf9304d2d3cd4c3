"""The limits that make a stream a good one: of the profile, or of the command line, which goes before it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

from ssegauge.errors import UserError
from ssegauge.mistakes import similar
from ssegauge.profile.endpoint import Endpoint, StreamTime
from ssegauge.profile.fields import duration

OPTION = "--sse-goodput"
_NEED_MATCHES = ("first_match", "time_per_token")


def stated(text: str) -> dict[str, float]:
    """Seconds by time, of "first_match=500ms,time_per_token=50ms". Raises UserError."""
    limits: dict[str, float] = {}
    names = get_args(StreamTime)
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = (word.strip() for word in part.partition("="))
        if not equals:
            raise UserError(f'{OPTION}: "{part}" is no limit; write first_match=500ms')
        if name not in names:
            raise UserError(f'{OPTION}: there is no time "{name}"{similar(name, names)}; there are {", ".join(names)}')
        try:
            limits[name] = duration(value)
        except ValueError as error:
            raise UserError(f"{OPTION}: {name}: {error}") from None
    return limits


def check(limits: dict[str, float], endpoints: Iterable[Endpoint]) -> None:
    """Raises UserError where a limit can be kept by no stream of an endpoint."""
    for endpoint in endpoints:
        for name in _NEED_MATCHES:
            if name in limits and not (endpoint.first_match or endpoint.first_match_when):
                raise UserError(
                    f"{OPTION}: {name} needs to know which events are tokens: give --preset, or first_match in the profile"
                    f" ({endpoint.name})"
                )


def in_ms(given: dict[str, float], endpoints: Iterable[Endpoint]) -> dict[str, dict[str, float]]:
    """The limits that hold for each endpoint, in milliseconds, as results name them."""
    found = {endpoint.name: given or dict(endpoint.goodput.items()) for endpoint in endpoints}
    return {
        name: {str(time): seconds * 1000 for time, seconds in limits.items()}
        for name, limits in found.items()
        if limits
    }
