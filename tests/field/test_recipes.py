"""Failures that were seen in the wild, rebuilt: what goes wrong on the wire, and what the suite must say of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ssegauge import profile
from ssegauge.bench import Bench, Options
from ssegauge.finding import Finding
from ssegauge.serving import ServedApp

from .contract import findings
from .running import SERVERS, Foreign, Running, running

pytestmark = [pytest.mark.field, pytest.mark.slow]

UVICORN = "{python} -m uvicorn --host 127.0.0.1 --port {port} --log-level critical --http h11 recipes:app"
PROFILE = """
base_url = "{url}"
[[endpoint]]
name = "stream"
request = {{ path = "{path}" }}
{more}
[target]
health = "/health"
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running(Foreign(UVICORN)) as started:
        yield started


def _judged(
    url: str, path: str, folder: Path, rules: set[str], more: str = "", app: ServedApp | None = None
) -> dict[str, Finding]:
    place = folder / "sse-target.toml"
    place.write_text(PROFILE.format(url=url, path=path, more=more), encoding="utf-8")
    contract = profile.load(place)
    bench = Bench(contract, contract.endpoint[0], Options(window=3.0), app)
    return {finding.rule: finding for finding in findings(bench, rules)}


@pytest.mark.parametrize(
    ("path", "outcomes"),
    [
        ("/hand", {"SEC-02": "fail", "SEC-08": "pass"}),  # f"event: {name}" lets a line end through: a forged field
        ("/native", {"SEC-02": "pass", "SEC-08": "fail"}),  # FastAPI refuses inside the generator: the stream ends
        ("/stripping", {"SEC-02": "pass", "SEC-08": "pass"}),  # sse-starlette removes CR and LF
    ],
)
def test_line_ends_in_an_event_name(server: Running, tmp_path: Path, path: str, outcomes: dict[str, str]) -> None:
    found = _judged(server.url, path, tmp_path, set(outcomes), 'reflect = { event = { params = "name" } }')
    assert {rule: finding.outcome for rule, finding in found.items()} == outcomes


@pytest.mark.parametrize("path", ["/pool", "/blocking"])
def test_streams_that_take_all_threads_or_the_loop(server: Running, tmp_path: Path, path: str) -> None:
    """Synchronous generators fill a pool of 40 threads, and time.sleep in an asynchronous one stops the loop."""
    found = _judged(server.url, path, tmp_path, {"ISO-03"})
    assert found["ISO-03"].outcome == "fail"


@pytest.mark.parametrize(
    ("app", "outcomes"),
    [
        # uvicorn waits for FastAPI's streams for ever, if it is not told otherwise
        ("fastapi_native:app", {"LIF-08": "fail", "LIF-11": "untestable"}),
        # sse-starlette ends its streams within half a second, inside the message
        ("sse_starlette_app:app", {"LIF-08": "pass", "LIF-11": "fail"}),
    ],
)
def test_sigterm_with_an_open_stream(tmp_path: Path, app: str, outcomes: dict[str, str]) -> None:
    with ServedApp(app, root=SERVERS) as served:
        found = _judged(served.url, "/stream", tmp_path, set(outcomes), 'endless = { path = "/endless" }', served)
    assert {rule: finding.outcome for rule, finding in found.items()} == outcomes
