"""What can be set from outside: as an argument of `create_app`, or by the environment."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

PREFIX = "SSEGAUGE_"

# 10: the longest pause of a stream is one second, so a paced silence stays under the 15 s keepalive.
MAX_PACE = 10.0

LIBRARIES = ("sse-starlette", "fastapi")


class SettingsError(ValueError):
    """Raised when a setting has a value that the application cannot work with; the text names it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of one application; each has an environment variable, SSEGAUGE_ and its name in capitals."""

    pace: float = 1.0
    """Factor on every delay: 1 is the guide's pace, 0.01 a hundredth of the delays, 0 none."""

    origins: tuple[str, ...] = ("http://localhost:3000", "http://127.0.0.1:3000")
    """Origins whose pages may read the streams, credentials included. Comma-separated in the environment."""

    keepalive_s: float = 15.0
    """Seconds between keepalive comments (WHATWG HTML 9.2.7: about every 15 s)."""

    retry_ms: int = 3000
    """Milliseconds after which a browser comes back; sent with the first event of a stream."""

    failure_rate: float = 0.3
    """Share of the runs of /stream/safe that fail when neither `fail` nor `seed` says otherwise."""

    seed: int | None = None
    """Seed of that chance; None for another sequence at every start."""

    send_timeout_s: float = 60.0
    """Seconds that a client may leave its data unread before its stream is given up."""

    shutdown_grace_s: float = 2.0
    """Seconds that open streams have to end in order when the server is told to stop."""

    library: str = "sse-starlette"
    """What sends the streams: "sse-starlette", or "fastapi" for its own event streams (fastapi.sse)."""

    def __post_init__(self) -> None:
        _demand("library", self.library in LIBRARIES, " or ".join(LIBRARIES), self.library)
        _demand("pace", 0 <= self.pace <= MAX_PACE, f"a number from 0 to {MAX_PACE:g}", self.pace)
        _demand("keepalive_s", 0 < self.keepalive_s <= 30, "seconds, above 0 and at most 30", self.keepalive_s)
        _demand("retry_ms", 500 <= self.retry_ms <= 300_000, "milliseconds from 500 to 300000", self.retry_ms)
        _demand("failure_rate", 0 <= self.failure_rate <= 1, "a share from 0 to 1", self.failure_rate)
        _demand("send_timeout_s", 0 < self.send_timeout_s < math.inf, "seconds above 0", self.send_timeout_s)
        _demand("shutdown_grace_s", 0 <= self.shutdown_grace_s <= 60, "seconds from 0 to 60", self.shutdown_grace_s)
        for origin in self.origins:
            # `*` together with credentials would open the streams to every page.
            exact = origin.startswith(("http://", "https://")) and not origin.endswith("/") and "*" not in origin
            _demand("origins", exact, "exact origins such as https://app.example", origin)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """The settings that the environment asks for; raises SettingsError where a value is none."""
        chosen: dict[str, Any] = {}
        for field in fields(cls):
            variable = PREFIX + field.name.upper()
            if variable in environment:
                chosen[field.name] = _read(variable, environment[variable], _READERS[field.name])
        return cls(**chosen)


def _origins(text: str) -> tuple[str, ...]:
    return tuple(origin.strip() for origin in text.split(",") if origin.strip())


_READERS: dict[str, Callable[[str], Any]] = {
    "pace": float,
    "origins": _origins,
    "keepalive_s": float,
    "retry_ms": int,
    "failure_rate": float,
    "seed": int,
    "send_timeout_s": float,
    "shutdown_grace_s": float,
    "library": str,
}


def _read(variable: str, text: str, reader: Callable[[str], Any]) -> Any:
    try:
        return reader(text)
    except ValueError as error:
        raise SettingsError(f"{variable}: {text!r} cannot be read as {reader.__name__}") from error


def _demand(name: str, holds: bool, wanted: str, value: object) -> None:
    # A comparison with NaN is false, so that it is refused as well.
    if not holds:
        raise SettingsError(f"{name} (or {PREFIX}{name.upper()}): expected {wanted}, got {value!r}")
