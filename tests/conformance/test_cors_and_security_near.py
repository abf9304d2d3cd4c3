"""Answers to strangers that look loose and are right, and the other way round."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

from tests.mutants.contract import ORIGIN, PROFILE
from tests.mutants.host import Host
from tests.mutants.message import Call, Peer
from tests.mutants.security import OutlivesCredentials
from tests.mutants.server import Clean

from .near import held, outcome, outcomes

CORS_RULES = ("COR-01", "COR-02", "COR-03", "COR-04")


class OpenToAll(Clean):
    """A public stream: everybody may read it, nobody's credentials are wanted."""

    def cors(self, call: Call) -> dict[str, str]:
        return {"Access-Control-Allow-Origin": "*"}


def test_everybody_may_read_a_public_stream(host: Host) -> None:
    held(host, OpenToAll(), *CORS_RULES)


def test_an_origin_may_be_echoed_where_no_credentials_are_allowed(host: Host) -> None:
    class Echoes(Clean):
        def cors(self, call: Call) -> dict[str, str]:
            return {"Vary": "Origin", "Access-Control-Allow-Origin": call.headers.get("origin", ORIGIN)}

    held(host, Echoes(), *CORS_RULES)


def test_a_star_for_header_fields_leaves_out_authorization(host: Host) -> None:
    class Star(OpenToAll):
        def refusal(self, call: Call) -> tuple[int, dict[str, str]] | None:
            if call.method == "OPTIONS":
                return 204, {"Access-Control-Allow-Headers": "*"}
            return super().refusal(call)

    found = outcomes(host, Star(), "COR-04")["COR-04"]
    assert "refused: authorization (not in Access-Control-Allow-Headers)" in found


def test_true_is_written_in_lower_case(host: Host) -> None:
    class Capital(Clean):
        def cors(self, call: Call) -> dict[str, str]:
            fields = super().cors(call)
            return {name: value.replace("true", "True") for name, value in fields.items()}

    assert outcome(host, Capital(), "COR-02") == "fail"


def test_two_values_let_nobody_in(host: Host) -> None:
    class Twice(Clean):
        def cors(self, call: Call) -> dict[str, str]:
            return {**super().cors(call), "access-control-allow-origin": ORIGIN}

    assert outcome(host, Twice(), "COR-01") == "fail"


def test_a_cookie_needs_permission_for_credentials(host: Host) -> None:
    class ByCookie(Clean):
        profile = PROFILE.replace('Authorization = "Bearer a"', 'Cookie = "sid=0123456789ab"')

        def refusal(self, call: Call) -> tuple[int, dict[str, str]] | None:
            if call.headers.get("cookie") == "sid=0123456789ab":
                call.headers["authorization"] = "Bearer a"
            return super().refusal(call)

    held(host, ByCookie(), *CORS_RULES, "SEC-05")

    class Forgets(ByCookie):
        def cors(self, call: Call) -> dict[str, str]:
            fields = super().cors(call)
            fields.pop("Access-Control-Allow-Credentials", None)
            return fields

    assert outcome(host, Forgets(), "COR-02") == "fail"


def test_a_stream_may_be_hidden_by_404(host: Host) -> None:
    class Hides(Clean):
        def refusal(self, call: Call) -> tuple[int, dict[str, str]] | None:
            refused = super().refusal(call)
            return (404, {}) if refused is not None and refused[0] == 401 else refused

    held(host, Hides(), "SEC-05")


def test_a_login_page_is_no_refusal(host: Host) -> None:
    class ToLogin(Clean):
        async def answer(self, call: Call, peer: Peer) -> bool:
            if call.path == "/stream" and "authorization" not in call.headers:
                return await self.reply(call, peer, 302, {}, {"Location": "/health"})
            return await super().answer(call, peer)

    assert outcome(host, ToLogin(), "SEC-05") == "fail"


class EndsAtExpiry(OutlivesCredentials):
    """Bounds the stream by its token."""

    lives = 1.5

    def __init__(self) -> None:
        super().__init__()
        self.until = time.time() + self.lives

    def torn(self, frame: bytes) -> bytes:
        return b""

    async def ticks(self, call: Call) -> AsyncIterator[bytes]:
        async for frame in super().ticks(call):
            if time.time() > self.until:
                yield self.torn(frame)
                return
            yield frame
            await asyncio.sleep(0.01)


def test_a_stream_that_ends_with_its_token_is_right(host: Host) -> None:
    held(host, EndsAtExpiry(), "SEC-07")


def test_a_stream_that_breaks_off_with_its_token_is_not(host: Host) -> None:
    class BreaksOff(EndsAtExpiry):
        def torn(self, frame: bytes) -> bytes:
            return frame[:-1]

    assert outcome(host, BreaksOff(), "SEC-07") == "fail"
