"""Mutants of what pages of other origins may do."""

from __future__ import annotations

from .contract import ORIGIN
from .message import Call
from .server import Clean


class AcaoOnlyFirst(Clean):
    """Lets a page read the stream, and not the answer to its reconnect."""

    rule = "COR-01"

    def cors(self, call: Call) -> dict[str, str]:
        return {"Vary": "Origin"} if "last-event-id" in call.headers else super().cors(call)


class CredStar(Clean):
    """Allows credentials to everybody, which browsers take for nobody."""

    rule = "COR-02"

    def cors(self, call: Call) -> dict[str, str]:
        return {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Credentials": "true"}


class ReflectOrigin(Clean):
    """Allows every origin by its name, with credentials."""

    rule = "COR-03"

    def cors(self, call: Call) -> dict[str, str]:
        fields = {"Vary": "Origin"}
        if "origin" in call.headers:
            fields |= {
                "Access-Control-Allow-Origin": call.headers["origin"],
                "Access-Control-Allow-Credentials": "true",
            }
        return fields


class PrefixOrigin(Clean):
    """Compares the beginning of the origin alone."""

    rule = "COR-03"

    def cors(self, call: Call) -> dict[str, str]:
        origin = call.headers.get("origin", "")
        if not origin.startswith(ORIGIN):
            return super().cors(call)
        return {"Vary": "Origin", "Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": "true"}


class NoPreflight(Clean):
    """Answers preflights without Last-Event-ID, as default middleware does."""

    rule = "COR-04"

    def refusal(self, call: Call) -> tuple[int, dict[str, str]] | None:
        if call.method == "OPTIONS" and "last-event-id" in call.headers.get("access-control-request-headers", ""):
            return 400, {}
        return super().refusal(call)


MUTANTS: dict[str, type[Clean]] = {
    "acao-only-first": AcaoOnlyFirst,
    "cred-star": CredStar,
    "reflect-origin": ReflectOrigin,
    "prefix-origin": PrefixOrigin,
    "no-preflight": NoPreflight,
}
