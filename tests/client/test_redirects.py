"""Redirects: what goes along to the same origin, and what does not to another."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from ssegauge.client import record_following
from ssegauge.exchange import Sent
from tests.mutants.host import Host


class Leading:
    """Sends on to `to`, and answers everything else with a stream; keeps the heads of what it was asked."""

    def __init__(self) -> None:
        self.to = ""
        self.asked: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        self.asked.append(head.lower())
        if self.to and head.startswith("GET /first"):
            writer.write(f"HTTP/1.1 307 Go\r\nLocation: {self.to}\r\nContent-Length: 0\r\n\r\n".encode())
        else:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\ndata: x\n\n")
        await writer.drain()


@pytest.fixture
def two() -> Iterator[tuple[Leading, str, Leading, str]]:
    """Two servers and their addresses: two origins, as their ports are not the same."""
    host, one, other = Host(), Leading(), Leading()
    with host.serving(one) as here, host.serving(other) as there:
        yield one, here, other, there
    host.stop()


FIELDS = (
    ("Authorization", "Bearer geheim"),
    ("Cookie", "sid=geheim"),
    ("X-Api-Key", "geheim"),
    ("X-Tenant", "geheim"),  # as the profile declares
    ("X-Trace", "for all"),
)


def test_credentials_stay_with_their_origin(two: tuple[Leading, str, Leading, str]) -> None:
    one, here, other, there = two
    one.to = f"{there}/second"
    sent = Sent("GET", f"{here}/first", headers=FIELDS)
    assert record_following(sent, secret_names=frozenset({"x-tenant"})).status == 200
    assert one.asked[0].count("geheim") == 4
    assert "geheim" not in other.asked[0]
    assert "x-trace: for all" in other.asked[0]


def test_the_same_origin_is_told_all(two: tuple[Leading, str, Leading, str]) -> None:
    one, here, _, _ = two
    one.to = "/second"
    record_following(Sent("GET", f"{here}/first", headers=FIELDS), secret_names=frozenset({"x-tenant"}))
    assert one.asked[1].count("geheim") == 4
