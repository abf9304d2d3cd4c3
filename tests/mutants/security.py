"""Mutants of what a client must not be able to do; those of reflected text are in reflection."""

from __future__ import annotations

import base64
import json
import time

from .contract import AUTH, PROFILE
from .isolation import FewWorkers
from .message import Call
from .server import Clean


class OpenWithoutAuth(Clean):
    """Asks for credentials and looks at none."""

    rule = "SEC-05"

    def refusal(self, call: Call) -> tuple[int, dict[str, str]] | None:
        refused = super().refusal(call)
        return None if refused is not None and refused[0] == 401 else refused


class AnyBearer(Clean):
    """Asks for a token and takes every one."""

    rule = "SEC-05"

    def refusal(self, call: Call) -> tuple[int, dict[str, str]] | None:
        if call.headers.get("authorization", "").startswith("Bearer "):
            call.headers["authorization"] = next(iter(AUTH))
        return super().refusal(call)


def jwt(seconds: float) -> str:
    """A token, unsigned in all but form, that expires so many seconds from now."""
    parts = ({"alg": "HS256", "typ": "JWT"}, {"sub": "a", "exp": time.time() + seconds})
    return ".".join(
        [*(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts), "c2ln"]
    )


class OutlivesCredentials(Clean):
    """Looks at its short-lived token once."""

    rule = "SEC-07"
    lives = 4.0

    def __init__(self) -> None:
        super().__init__()
        self.token = jwt(self.lives)

    @property
    def profile(self) -> str:  # type: ignore[override]  # its token expires soon, so each server has its own
        return PROFILE.replace("Bearer a", f"Bearer {self.token}")

    def refusal(self, call: Call) -> tuple[int, dict[str, str]] | None:
        if call.headers.get("authorization") == f"Bearer {self.token}":
            call.headers["authorization"] = next(iter(AUTH))
        return super().refusal(call)


class NoCap(FewWorkers):
    """Takes every stream, and has thirty workers for them: who comes later is connected and hears nothing."""

    rule = "SEC-06"
    places = 30


MUTANTS: dict[str, type[Clean]] = {
    "open-without-auth": OpenWithoutAuth,
    "any-bearer": AnyBearer,
    "outlives-credentials": OutlivesCredentials,
    "no-cap": NoCap,
}
