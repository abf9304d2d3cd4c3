"""The same streams by sse-starlette and by FastAPI's own event streams: what is the same, and what is not."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ssegauge import profile, suite
from ssegauge.bench import Bench, Options
from ssegauge.judging import judge
from ssegauge.serving import ServedApp
from target_app.settings import LIBRARIES
from tests.target_app.conftest import App
from tests.target_app.reading import Event, strict
from tests.timing import MS, eventually

PROFILE = Path(__file__).resolve().parents[2] / "target_app" / "sse-target.toml"
CONTRACT = profile.load(PROFILE)


@pytest.fixture(scope="module")
def native() -> Iterator[App]:
    served = App(SSEGAUGE_LIBRARY="fastapi")
    yield served
    served.stop()


def answer(app: App, request: profile.Request) -> httpx.Response:
    body = {"json": request.json_body} if request.json_body is not None else {}
    return app.client.request(request.method, request.path, params={**request.params, "pace": 0}, **body)


def without_times(event: Event) -> tuple[str, Any, str | None]:
    payload = json.loads(event.data) if event.data.startswith("{") else event.data
    if isinstance(payload, dict):
        payload = {
            key: value for key, value in payload.items() if key not in {"timestamp", "sent_us", "duration_seconds"}
        }
    return event.type, payload, event.id


def test_a_stream_has_the_same_events_by_either_library(app, native):
    for endpoint in CONTRACT.endpoint:
        situations = ["fault"] if "fault" in endpoint.declares else []
        requests = [endpoint.request] if endpoint.terminal and endpoint.name != "task-progress" else []
        for request in [*requests, *(endpoint.situation(name) for name in situations)]:
            ours, theirs = answer(app, request), answer(native, request)
            assert [without_times(event) for event in strict(theirs.content)] == [
                without_times(event) for event in strict(ours.content)
            ], request.path


def test_a_finished_stream_is_answered_204_by_either_library(app, native):
    for served in (app, native):
        response = served.client.get("/stream", headers={"Last-Event-ID": "finished"})
        assert (response.status_code, response.content) == (204, b"")


def test_the_head_is_that_of_the_library(app, native):
    heads = [served.client.get("/stream").headers for served in (app, native)]
    assert [head["cache-control"] for head in heads] == ["no-store, no-transform", "no-cache"]
    assert [head["x-accel-buffering"] for head in heads] == ["no", "no"]
    assert [head["content-type"] for head in heads] == ["text/event-stream; charset=utf-8"] * 2


@pytest.mark.parametrize("path", ["/ticks?interval=0.02", "/ticks?size=60000", "/idle", "/feed"])
def test_a_native_stream_is_stopped_when_its_client_leaves(native, path):
    with native.client.stream("GET", path) as response:
        reads = response.iter_raw()
        assert next(reads)
        assert native.probe()["active_streams"] == 1
    eventually(lambda: native.probe()["active_streams"] == 0, within=10_000 * MS)
    assert native.probe()["orphaned"] == 0


DIFFERENT = {"stream", "agent-process", "resumable", "feed", "echo"}
"""Endpoints of every kind: of the others there is nothing new to say."""
# HDR-11: its Cache-Control lacks no-transform. LIF-08: nobody tells its streams that the server stops.
BREAKS = {"sse-starlette": {}, "fastapi": {"HDR-11": len(DIFFERENT), "LIF-08": 2}}


@pytest.mark.slow
@pytest.mark.parametrize("library", LIBRARIES)
def test_the_suite_finds_what_differs_and_nothing_else(library, monkeypatch):
    monkeypatch.setenv("SSEGAUGE_PACE", "0.05")
    monkeypatch.setenv("SSEGAUGE_LIBRARY", library)
    with ServedApp("ssegauge.target_app.app:app") as served:
        contract = CONTRACT.model_copy(update={"base_url": served.url})
        benches = [
            Bench(contract, endpoint, Options(window=5.0), served)
            for endpoint in contract.endpoint
            if endpoint.name in DIFFERENT
        ]
        found = [judge(check, bench) for bench in benches for check in suite.checks().values()]
    wrong = [finding for finding in found if finding.outcome in {"fail", "error"}]
    assert Counter(finding.rule for finding in wrong) == BREAKS[library], [
        (finding.rule, finding.endpoint, finding.actual, finding.reason) for finding in wrong
    ]
