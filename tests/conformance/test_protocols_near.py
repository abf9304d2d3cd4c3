"""What a well-known protocol demands, and what would be a fault elsewhere (the Model Context Protocol's streams)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ssegauge import profile
from ssegauge.client.request import with_own_value
from ssegauge.exchange import Sent
from ssegauge.load.contract import Contract, Delivery, Watch
from ssegauge.profile.presets import PRESETS
from ssegauge.wire import LazyDecoder

from .recorded import exchange, paced, said

MCP = {key: value for key, value in PRESETS["mcp-streamable-http"].items() if key != "request"}
PRIMER = b"id: 1\r\ndata: \r\nretry: 500\r\n\r\n"
PROGRESS = b'id: 2\r\nevent: message\r\ndata: {"jsonrpc":"2.0","method":"notifications/progress","params":{}}\r\n\r\n'
RESULT = b'id: 3\r\nevent: message\r\ndata: {"jsonrpc":"2.0","id":7,"result":{"content":[],"isError":false}}\r\n\r\n'
FAILED = RESULT.replace(b'[],"isError":false', b'[{"type":"text","text":"no such row"}],"isError":true')
REFUSED = b'id: 3\r\ndata: {"jsonrpc":"2.0","id":7,"error":{"code":-32602,"message":"Unknown tool"}}\r\n\r\n'


@pytest.mark.parametrize("rule", ["FLD-08", "JSON-01", "JSON-07", "ORD-01", "ORD-02"])
def test_an_event_that_primes_an_id_is_no_message(rule: str) -> None:
    assert said(rule, exchange(paced(PRIMER, PROGRESS, RESULT)), **MCP) == "pass"


def test_empty_data_without_an_id_primes_nothing() -> None:
    assert said("FLD-08", exchange(paced(b"data: \n\n", RESULT)), **MCP).startswith("fail")
    assert said("FLD-08", exchange(paced(PRIMER, RESULT))).startswith("fail"), "where no profile says so"


@pytest.mark.parametrize("last", [FAILED, REFUSED], ids=["of the tool", "of the call"])
def test_both_of_its_errors_are_errors_that_a_machine_can_read(last: bytes) -> None:
    seen = exchange(paced(PRIMER, PROGRESS, last))
    assert said("ERR-03", seen, **MCP) == "pass"
    assert said("ERR-04", seen, **MCP) == "pass"


def test_a_load_run_reads_it_the_same_way() -> None:
    endpoint = profile.Endpoint.model_validate({"name": "call", **MCP})
    watch = Watch(Contract(endpoint), Delivery(), lambda _: None)
    counted = [watch.see(event, 0.0) for event in LazyDecoder().feed(PRIMER + PROGRESS + FAILED)]
    assert counted == [False, True, True]
    assert watch.error_seen
    assert not watch.faults


def test_the_preset_asks_for_both_types_and_a_profile_may_ask_otherwise(tmp_path: Path) -> None:
    place = tmp_path / "sse-target.toml"
    endpoint = (
        '[[endpoint]]\nname = "{}"\npreset = "mcp-streamable-http"\nrequest = {{ path = "/mcp", headers = {{ {} }} }}\n'
    )
    place.write_text(
        'base_url = "http://127.0.0.1:1"\n' + endpoint.format("a", 'X = "1"') + endpoint.format("b", 'accept = "*/*"')
    )
    said_by = [dict(each.request.headers) for each in profile.load(place).endpoint]
    assert said_by == [{"Accept": "application/json, text/event-stream", "X": "1"}, {"accept": "*/*"}]


def test_each_request_has_a_value_of_its_own_the_same_at_each_place() -> None:
    body = json.dumps({"id": "{unique}", "token": "{unique}"}).encode()
    sent = Sent("POST", "http://127.0.0.1:1/mcp?call=%7Bunique%7D", (("X-Call", "{unique}"),), body)
    one, other = with_own_value(sent), with_own_value(sent)
    said = json.loads(one.body or b"")
    assert said["id"] == said["token"] == dict(one.headers)["X-Call"] == one.url.partition("=")[2]
    assert said["id"] != json.loads(other.body or b"")["id"]
