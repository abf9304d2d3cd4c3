"""The echo contract: what must come back, what may be refused, and how a failure is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ssegauge.means import echo, reflection
from ssegauge.means.echo import expected_events
from ssegauge.wire import Event
from tests.mutants.echo import Contract
from tests.mutants.host import Host
from tests.mutants.message import Call, Peer

from .near import held, outcomes


@pytest.mark.parametrize(
    ("blocks", "events"),
    [
        ([{"data": ""}], [Event("message", "", "")]),
        ([{"type": "a", "id": "1"}, {"data": "x\r\ny\rz"}], [Event("message", "x\ny\nz", "1")]),
        (
            [{"data": "a", "id": "1", "type": ""}, {"data": "b", "id": ""}],
            [Event("message", "a", "1"), Event("message", "b", "")],
        ),
        ([{"comment": "c", "retry": 3}], []),
    ],
)
def test_what_a_client_reads_of_what_was_sent(blocks: list[dict[str, Any]], events: list[Event]) -> None:
    assert expected_events(blocks) == events


def test_every_text_of_the_vectors_is_sent() -> None:
    document = json.loads(Path("tests/vectors/roundtrip.json").read_text(encoding="utf-8"))
    texts = [
        vector.get("text") or vector["text_repeat"][0] * vector["text_repeat"][1] for vector in document["vectors"]
    ]
    sent = {*echo.TEXTS, *reflection.CR_INJECTIONS, *reflection.NUL, *reflection.HOSTILE}
    assert [text for text in texts if text not in sent] == []


def test_nul_may_be_refused(host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Refuses(Contract):
        async def answer(self, call: Call, peer: Peer) -> bool:
            if call.method == "POST" and b"\\u0000" in call.body:
                return await self.reply(call, peer, 422, {"error": "NUL"})
            return await super().answer(call, peer)

    monkeypatch.chdir(tmp_path)
    held(host, Refuses(), "FLD-18")
    assert list(tmp_path.iterdir()) == []


def test_the_smallest_failure_is_told_as_a_command(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(echo, "BUDGET", 60.0)  # on a busy machine a run is content with less than the smallest

    class CutsLongTypes(Contract):
        def lines(self, item: dict[str, Any]) -> list[str]:
            return super().lines({**item, "type": item["type"][:4]} if len(item.get("type", "")) > 9 else item)

    told = outcomes(host, CutsLongTypes(), "FLD-18")["FLD-18"]
    assert "curl -N" in told
    command = next(line for line in told.splitlines() if "curl" in line)
    blocks = json.loads(command.partition("--data-binary '")[2].rpartition("' ")[0])
    assert len(blocks) == 1
    assert len(blocks[0]["type"]) == 10


def test_a_refusal_of_anything_else_is_a_failure(host: Host) -> None:
    class RefusesNewlines(Contract):
        async def answer(self, call: Call, peer: Peer) -> bool:
            if call.method == "POST" and b"\\n" in call.body:
                return await self.reply(call, peer, 400, {"error": "newline"})
            return await super().answer(call, peer)

    assert "status 400" in outcomes(host, RefusesNewlines(), "FLD-18")["FLD-18"]
