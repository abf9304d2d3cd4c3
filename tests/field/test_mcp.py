"""The preset mcp-streamable-http on the official package's server: what the suite must say, and nothing else.

With sessions and an event store (2025-11-25), without either, and in the revision of 2026-07-28, which has no sessions.
The bytes behind each of the deviations stand in docs/field-results.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ssegauge import profile
from ssegauge.bench import Bench, Options
from ssegauge.finding import Finding

from .contract import broken, findings
from .running import Foreign, Running, running

pytestmark = [pytest.mark.field, pytest.mark.slow]

UVICORN = (
    "{python} -m uvicorn --host 127.0.0.1 --port {port} --log-level critical --timeout-graceful-shutdown 1 --http h11 "
)
BOTH = "application/json, text/event-stream"
CLIENT = {"name": "ssegauge", "version": "1"}
PROFILE = """
base_url = "{url}"

[[endpoint]]
name     = "count"
preset   = "mcp-streamable-http"
deadline = "10s"
request  = {{ method = "POST", path = "/mcp", headers = {headers}, json = {call} }}
fault    = {{ json = {failing} }}
endless  = {{ json = {endless} }}
{more}

[target]
health = "/health"
"""


@pytest.fixture(scope="module", params=["app", "stateless"])
def server(request: pytest.FixtureRequest) -> Iterator[Running]:
    with running(Foreign(f"{UVICORN}mcp_app:{request.param}")) as started:
        yield started


def toml(value: Any) -> str:
    """A value as TOML on one line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {toml(item)}" for key, item in value.items()) + " }"
    return json.dumps(value)


def call(meta: dict[str, Any], **arguments: Any) -> dict[str, Any]:
    """A call of the tool, as JSON-RPC; ids and progress tokens may not be used twice in a session."""
    params = {"name": "count", "arguments": arguments, "_meta": {"progressToken": "{unique}", **meta}}
    return {"jsonrpc": "2.0", "id": "{unique}", "method": "tools/call", "params": params}


def judged(
    server: Running, folder: Path, headers: dict[str, str], meta: dict[str, Any] | None = None, more: str = ""
) -> dict[str, Finding]:
    calls = {
        "call": call(meta or {}, upto=5),
        "failing": call(meta or {}, upto=2, fail=True),
        "endless": call(meta or {}, upto=100_000, pause=0.02),
    }
    text = PROFILE.format(
        url=server.url, headers=toml(headers), more=more, **{name: toml(body) for name, body in calls.items()}
    )
    place = folder / "sse-target.toml"
    place.write_text(text, encoding="utf-8")
    contract = profile.load(place)
    return {each.rule: each for each in findings(Bench(contract, contract.endpoint[0], Options(pid=server.pid)))}


def expect(found: dict[str, Finding], breaks: set[str], passes: int) -> None:
    wrong = broken(list(found.values()))
    assert set(wrong) == breaks, "\n".join(text for rule, text in wrong.items() if rule not in breaks)
    assert sum(finding.outcome == "pass" for finding in found.values()) >= passes


def open_session(url: str) -> dict[str, str]:
    """The header fields of an initialised session."""
    headers = {"Accept": BOTH, "MCP-Protocol-Version": "2025-11-25"}
    params = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": CLIENT}
    begin = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
    with httpx.Client(headers=headers, trust_env=False, timeout=30) as client:
        begun = client.post(f"{url}/mcp", json=begin)
        own = {"MCP-Protocol-Version": "2025-11-25", "Mcp-Session-Id": begun.headers["mcp-session-id"]}
        told = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        assert client.post(f"{url}/mcp", json=told, headers=own).status_code == 202
    return own


@pytest.mark.parametrize("server", ["app"], indirect=True)
def test_sessions_and_resumption(server: Running, tmp_path: Path) -> None:
    """A stream that was cut goes on by GET. An id that the store never gave is answered 200 and nothing: REC-13."""
    found = judged(server, tmp_path, open_session(server.url), more='resume = { method = "GET" }')
    del found["DIS-03"]  # this store keeps every event for ever: true, and seen only where growth is steady
    expect(found, {"REC-13"}, 100)
    resumed = {rule: finding.outcome for rule, finding in found.items() if rule in {"REC-04", "REC-05", "REC-06"}}
    assert set(resumed.values()) == {"pass"}, resumed


@pytest.mark.parametrize("server", ["stateless"], indirect=True)
def test_without_sessions(server: Running, tmp_path: Path) -> None:
    expect(judged(server, tmp_path, {"MCP-Protocol-Version": "2025-11-25"}), set(), 100)


@pytest.mark.parametrize("server", ["stateless"], indirect=True)
def test_the_revision_without_a_handshake(server: Running, tmp_path: Path) -> None:
    headers = {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "count"}
    said = {"protocolVersion": "2026-07-28", "clientInfo": CLIENT, "clientCapabilities": {}}
    meta = {f"io.modelcontextprotocol/{name}": value for name, value in said.items()}
    expect(judged(server, tmp_path, headers, meta), set(), 100)


@pytest.mark.parametrize("server", ["stateless"], indirect=True)
@pytest.mark.parametrize("accept", ["text/event-stream", "application/json", ""])
def test_one_type_alone_is_refused_as_the_protocol_says(server: Running, accept: str) -> None:
    """Why the preset sends both, and why HTTP-08 leaves what the profile asks for beside the stream."""
    headers = {"Accept": accept, "MCP-Protocol-Version": "2025-11-25"}
    answer = httpx.post(f"{server.url}/mcp", json=call({}, upto=1), headers=headers, trust_env=False, timeout=30)
    assert answer.status_code == 406
