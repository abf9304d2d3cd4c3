"""Chats under load: the real app, the real Locust, the figures that come out."""

import json
import os
import subprocess
import sys

import pytest

from tests.target_app.conftest import App
from tests.timing import MS

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def app():
    served = App(SSEGAUGE_PACE="0.2")  # 80 ms to the first token, 10 ms between tokens
    yield served
    served.stop()


@pytest.fixture
def run(app, tmp_path):
    """`ssegauge load` on the app, with what follows; the results, or the output of a run that had none."""

    def load(path, preset, *options, asked='{"model": "simulated"}', locust=(), headers=()):
        results = tmp_path / "results.json"
        command = [sys.executable, "-m", "ssegauge", "load", app.url + path, "--preset", preset, "--json", asked]
        command += ["--scenario", "llm_chat", "--results", str(results), *options, *headers]
        command += ["--", "--only-summary", "--sse-max-read-lag", "10000", *locust]
        environment = {**os.environ, "SECRET_KEY": "Bearer s3cr3t"}
        ended = subprocess.run(command, capture_output=True, text=True, timeout=90_000 * MS, env=environment)
        return json.loads(results.read_text(encoding="utf-8")) if results.exists() else ended.stderr + ended.stdout

    return load


APIS = {
    "/v1/chat/completions": "openai-chat",
    "/v1/responses": "openai-responses",
    "/v1/messages": "anthropic-messages",
}


@pytest.mark.parametrize(("path", "preset"), APIS.items(), ids=APIS.values())
def test_every_stream_has_its_tokens_its_pace_and_its_goodness(run, tmp_path, path, preset):
    prompts = tmp_path / "prompts.jsonl"
    prompts.write_text('{"prompt": "What is SSE?"}\n{"turns": ["And why?", "Really?"], "system": "Be brief."}\n')
    document = run(
        f"{path}?tokens=11",
        preset,
        "--prompts",
        str(prompts),
        "--goodput",
        "first_match=30s,time_per_token=30s",
        locust=("-u", "3", "-r", "3", "-t", "3s"),
    )
    streams, latency = document["streams"], document["latency"]
    assert streams["by_verdict"] == {"complete": streams["attempted"]}, document
    assert document["events"]["tokens"] == 11 * streams["attempted"]
    assert latency["match_gap"]["count"] == 10 * streams["attempted"]
    assert latency["time_per_token"]["count"] == streams["attempted"]
    assert latency["first_match"]["p50"] > latency["time_per_token"]["p50"] > 5
    assert document["rates"]["tokens_per_second"]["p50"] == pytest.approx(
        1000 / latency["time_per_token"]["p50"], rel=0.1
    )
    assert document["goodput"] == {"good": streams["attempted"], "judged": streams["attempted"], "missed": {}}
    assert document["limits"] == {path: {"first_match": 30_000.0, "time_per_token": 30_000.0}}


def test_what_was_said_is_sent_again_with_the_next_turn(app, run, tmp_path):
    prompts = tmp_path / "prompts.jsonl"
    prompts.write_text('{"turns": ["one", "two", "three"]}\n')
    before = app.probe()["jobs_started"]
    document = run(
        "/v1/chat/completions?tokens=2",
        "openai-chat",
        *("--prompts", str(prompts)),
        locust=("-u", "1", "-t", "3s", "--sse-think", "0.05"),
    )
    assert app.probe()["jobs_started"] - before == document["streams"]["attempted"]
    # Longer conversations are longer requests: the app's usage tells of them, and no stream failed for a wrong one.
    assert document["streams"]["failed"] == 0


def test_a_limit_that_nobody_keeps_makes_no_stream_good(run):
    document = run(
        "/v1/chat/completions?tokens=5",
        "openai-chat",
        *("--goodput", "first_match=1ms"),
        locust=("-u", "2", "-t", "2s"),
    )
    assert document["goodput"]["good"] == 0
    assert document["goodput"]["missed"] == {"first_match": document["goodput"]["judged"]}


def test_conversations_arrive_on_their_own_schedule(run):
    document = run(
        "/v1/messages?tokens=5", "anthropic-messages", locust=("-u", "20", "-r", "20", "-t", "4s", "--sse-rate", "8")
    )
    streams = document["streams"]
    assert 8 <= streams["attempted"] + streams["dropped_arrivals"] <= 60
    assert document["latency"]["first_event_from_intended"]["count"] == streams["attempted"]
    assert document["harness"]["schedule_lag"]["count"] == streams["attempted"]


def test_a_failing_model_is_no_good_stream(run):
    document = run(
        "/v1/chat/completions?fail_after=4",
        "openai-chat",
        *("--goodput", "duration=30s"),
        locust=("-u", "2", "-t", "2s"),
    )
    attempted = document["streams"]["attempted"]
    assert document["streams"]["by_verdict"] == {"error_event": attempted}
    assert document["goodput"] == {"good": 0, "judged": attempted, "missed": {"failed": attempted}}


def test_a_header_is_sent_and_stands_nowhere(run):
    document = run(
        "/v1/chat/completions?tokens=2",
        "openai-chat",
        headers=("--header", "Authorization: env:SECRET_KEY"),
        locust=("-u", "1", "-t", "2s"),
    )
    assert document["streams"]["failed"] == 0
    assert "s3cr3t" not in json.dumps(document)
    assert "Authorization" not in document["command"]


def test_a_chat_needs_a_preset_and_says_so(app):
    command = [sys.executable, "-m", "ssegauge", "load", app.url + "/v1/messages", "--scenario", "llm_chat"]
    ended = subprocess.run([*command, "--", "-t", "2s"], capture_output=True, text=True, timeout=60_000 * MS)
    assert ended.returncode == 2
    assert "--preset (or preset in the profile) is one of openai-chat, openai-responses, anthropic" in ended.stderr
    assert "Traceback" not in ended.stderr
