"""The official clients on the app's streams, whole and damaged; docs/llm-clients.md is what they were seen to do."""

from __future__ import annotations

import asyncio
import importlib
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from ssegauge import profile
from ssegauge.bench import Bench, Options
from ssegauge.client.connection import Transport
from tests.target_app.wire import SITUATIONS, Replay, Sent
from tests.timing import MS, eventually

pytestmark = pytest.mark.slow  # the clients alone take seconds to import


@pytest.fixture(scope="module")
def clients():
    return importlib.import_module("tests.target_app.clients")


TABLE = Path(__file__).resolve().parents[2] / "docs" / "llm-clients.md"
TOKENS = 8
PRESETS = {
    "/v1/chat/completions": "openai-chat",
    "/v1/responses": "openai-responses",
    "/v1/messages": "anthropic-messages",
}
TOOL = {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}


def row(cells: str) -> list[str]:
    return [cell.strip() for cell in cells.strip().strip("|").split("|")]


def documented() -> dict[str, list[str]]:
    """The rows of the page's table by their first cell."""
    lines = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    return {row(line)[0]: row(line)[1:] for line in lines[2:] if row(line)[0] in SITUATIONS}


@pytest.fixture(scope="module")
def replay(app, clients) -> Iterator[Replay]:
    def body(path, **params):
        asked = {**clients.REQUESTS[path], "stream": True}
        return app.client.post(path, json=asked, params={"pace": 0, "tokens": TOKENS, **params}).content

    # Fails after its third token, and after what its API sends before the first.
    fails = {"/v1/chat/completions": 4, "/v1/responses": 7, "/v1/messages": 6}
    sent = {path: Sent(body(path), body(path, fail_after=after)) for path, after in fails.items()}
    server = Replay(sent)
    yield server
    server.stop()


def verdict(url: str, path: str, asked: dict[str, object]) -> str:
    target = profile.from_url(url + path, json={**asked, "stream": True}, preset=PRESETS[path])
    return Bench(target, target.endpoint[0], Options(window=5.0, transport=Transport())).observation.verdict


@pytest.mark.parametrize("situation", SITUATIONS)
def test_what_clients_accept_stands_beside_our_verdict(replay, clients, situation):
    url = replay.url(situation)
    seen = [clients.told(partial(read, url), TOKENS) for read, _ in clients.READERS.values()]
    verdicts = {verdict(url, path, clients.REQUESTS[path]) for path in PRESETS}
    assert len(verdicts) == 1
    assert documented()[situation] == [*seen, f"`{verdicts.pop()}`"]


@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_async_clients_do_the_same(replay, clients, situation):
    url = replay.url(situation)
    seen = [clients.told(lambda read=read: asyncio.run(read(url)), TOKENS) for _, read in clients.READERS.values()]
    assert documented()[situation][:-1] == seen


def test_the_page_names_the_versions_that_were_measured(clients):
    text = TABLE.read_text(encoding="utf-8")
    assert f"openai {clients.openai.__version__}" in text
    assert f"anthropic {clients.anthropic.__version__}" in text


def test_a_failed_response_is_an_event_and_no_exception(app, clients):
    with clients.openai_client(app.url) as client:
        stream = client.responses.create(**clients.RESPONSES, stream=True, extra_query={"fail_after": 7})
        *_, last = stream
    assert (last.type, last.message) == ("error", "Injected fault after 7 events")


def test_a_refusal_is_the_api_s_own(app, clients):
    with clients.openai_client(app.url) as client, pytest.raises(clients.openai.RateLimitError) as refused:
        client.chat.completions.create(**clients.CHAT, stream=True, extra_query={"refuse": 429})
    assert refused.value.type == "rate_limit_error"
    with clients.openai_client(app.url) as client, pytest.raises(clients.openai.BadRequestError, match="messages"):
        client.chat.completions.create(model="simulated", messages=[], stream=True)
    with clients.anthropic_client(app.url) as client, pytest.raises(clients.anthropic.APIStatusError) as overloaded:
        client.messages.create(**clients.CLAUDE, stream=True, extra_query={"refuse": 529})
    assert overloaded.value.status_code == 529
    with (
        clients.anthropic_client(app.url) as client,
        pytest.raises(clients.anthropic.BadRequestError, match="max_tokens"),
    ):
        client.messages.create(model="simulated", messages=clients.MESSAGES, max_tokens=0)


def test_a_stream_and_an_answer_at_once_say_the_same(app, clients):
    with clients.openai_client(app.url) as client:
        whole = client.chat.completions.create(**clients.CHAT)
        assert whole.choices[0].message.content == clients.chat(app.url)
        assert client.responses.create(**clients.RESPONSES).output_text == clients.responses(app.url)
    with clients.anthropic_client(app.url) as client:
        assert client.messages.create(**clients.CLAUDE).content[0].text == clients.messages(app.url)


def test_usage_comes_in_a_chunk_of_its_own(app, clients):
    with clients.openai_client(app.url) as client:
        *_, last = client.chat.completions.create(**clients.CHAT, stream=True, stream_options={"include_usage": True})
    assert (last.choices, last.usage.completion_tokens) == ([], 24)


def test_a_tool_is_called(app, clients):
    tool = {"type": "function", "function": TOOL}
    with clients.openai_client(app.url) as client:
        with client.chat.completions.stream(**clients.CHAT, tools=[tool]) as stream:
            choice = stream.get_final_completion().choices[0]
        assert choice.finish_reason == "tool_calls"
        assert re.fullmatch(r'{"city": "\w+"}', choice.message.tool_calls[0].function.arguments)
        with client.responses.stream(**clients.RESPONSES, tools=[{"type": "function", **TOOL}]) as stream:
            assert stream.get_final_response().output[0].name == "weather"
    with clients.anthropic_client(app.url) as client:
        claude_tool = {"name": "weather", "input_schema": TOOL["parameters"]}
        with client.messages.stream(**clients.CLAUDE, tools=[claude_tool]) as stream:
            message = stream.get_final_message()
    assert message.stop_reason == "tool_use"
    assert set(message.content[0].input) == {"city"}


SLOW = {"extra_query": {"pace": 1, "tokens": 1000}, "stream": True}


def test_a_cancelled_stream_is_let_go(app, clients):
    with clients.openai_client(app.url) as client:
        for create, asked in (
            (client.chat.completions.create, clients.CHAT),
            (client.responses.create, clients.RESPONSES),
        ):
            stream = create(**asked, **SLOW)
            next(stream)
            assert app.probe()["active_streams"] == 1
            stream.close()
            eventually(lambda: app.probe()["active_streams"] == 0, 10_000 * MS)
    with clients.anthropic_client(app.url) as client, client.messages.create(**clients.CLAUDE, **SLOW) as stream:
        next(stream)
    eventually(lambda: app.probe()["active_streams"] == 0, 10_000 * MS)


def test_a_cancelled_task_lets_its_stream_go(app, clients):
    async def leave():
        async with clients.async_openai_client(app.url) as client:
            began = asyncio.Event()

            async def read():
                async for _ in await client.chat.completions.create(**clients.CHAT, **SLOW):
                    began.set()

            task = asyncio.create_task(read())
            await asyncio.wait_for(began.wait(), 10_000 * MS)
            assert app.probe()["active_streams"] == 1
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(leave())
    eventually(lambda: app.probe()["active_streams"] == 0, 10_000 * MS)
