"""The streams of language models: the shapes of the APIs, token by token or at once, refused and failed as they do."""

import json

import pytest

from tests.timing import MS, eventually

MESSAGES = [{"role": "user", "content": "What is SSE?"}]
CHAT = {"model": "simulated", "messages": MESSAGES, "stream": True}
RESPONSES = {"model": "simulated", "input": "What is SSE?", "stream": True}
CLAUDE = {"model": "simulated", "messages": MESSAGES, "max_tokens": 100, "stream": True}
REQUESTS = {"/v1/chat/completions": CHAT, "/v1/responses": RESPONSES, "/v1/messages": CLAUDE}
TOOL = {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"enum": ["Oslo"]}}}}

each_api = pytest.mark.parametrize("path", REQUESTS)


def streamed(app, path, asked=None, **params):
    return app.events(path, method="POST", json=asked or REQUESTS[path], params=params)


def chunks(events):
    return [event.payload for event in events if event.data != "[DONE]"]


def test_a_chat_has_a_role_its_tokens_a_reason_and_a_sentinel(app):
    events = streamed(app, "/v1/chat/completions", tokens=3)
    assert events[-1].data == "[DONE]"
    first, *tokens, last = [chunk["choices"][0] for chunk in chunks(events)]
    assert first["delta"] == {"role": "assistant", "content": ""}
    assert [len(token["delta"]["content"].split()) for token in tokens] == [1, 1, 1]
    assert (last["delta"], last["finish_reason"]) == ({}, "stop")
    assert len({chunk["id"] for chunk in chunks(events)}) == 1


def test_usage_comes_before_the_sentinel_where_it_is_asked_for(app):
    asked = {**CHAT, "stream_options": {"include_usage": True}}
    *others, last = chunks(streamed(app, "/v1/chat/completions", asked, tokens=3))
    assert [chunk["usage"] for chunk in others] == [None] * 5
    assert last["choices"] == []
    assert last["usage"]["completion_tokens"] == 3


def test_a_response_counts_its_events_and_names_them_inside(app):
    events = streamed(app, "/v1/responses", tokens=2)
    assert [event.payload["type"] for event in events] == [event.type for event in events]
    assert [event.payload["sequence_number"] for event in events] == list(range(len(events)))
    assert [event.type.removeprefix("response.") for event in events] == [
        *(
            "created",
            "in_progress",
            "output_item.added",
            "content_part.added",
            "output_text.delta",
            "output_text.delta",
        ),
        *("output_text.done", "content_part.done", "output_item.done", "completed"),
    ]
    assert events[-1].payload["response"]["usage"]["output_tokens"] == 2


def test_a_message_has_blocks_and_pings(app):
    events = streamed(app, "/v1/messages", tokens=20)
    types = [event.type for event in events]
    assert types[:3] == ["message_start", "content_block_start", "ping"]
    assert types.count("ping") == 3
    assert types[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    assert events[-2].payload["usage"]["output_tokens"] == types.count("content_block_delta") == 20


LIMITED = [
    ("/v1/chat/completions", {"max_completion_tokens": 2}, lambda e: e[-2].payload["choices"][0]["finish_reason"], "length"),
    ("/v1/responses", {"max_output_tokens": 2}, lambda e: e[-1].payload["response"]["status"], "incomplete"),
    ("/v1/messages", {"max_tokens": 2}, lambda e: e[-2].payload["delta"]["stop_reason"], "max_tokens"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "limit", "reason", "said"), LIMITED, ids=[path for path, *_ in LIMITED])
def test_a_limit_of_tokens_is_a_proper_end(app, path, limit, reason, said):
    assert reason(streamed(app, path, {**REQUESTS[path], **limit})) == said


@each_api
def test_the_same_conversation_and_seed_is_answered_alike(app, path):
    def said(**more):
        return app.client.post(path, json={**REQUESTS[path], **more}, params={"pace": 0}).content

    assert said() == said()
    assert said(seed=1) == said(seed=1) != said(seed=2)


@each_api
def test_without_stream_the_answer_comes_at_once_as_json(app, path):
    response = app.client.post(path, json={**REQUESTS[path], "stream": False})
    assert response.headers["content-type"] == "application/json"
    answer = response.json()
    texts = {
        "/v1/chat/completions": lambda: answer["choices"][0]["message"]["content"],
        "/v1/responses": lambda: answer["output"][0]["content"][0]["text"],
        "/v1/messages": lambda: answer["content"][0]["text"],
    }
    assert len(texts[path]().split()) == 24


TOOLS = {
    "/v1/chat/completions": [{"type": "function", "function": TOOL}],
    "/v1/responses": [{"type": "function", **TOOL}],
    "/v1/messages": [{"name": TOOL["name"], "input_schema": TOOL["parameters"]}],
}


@each_api
def test_a_tool_is_called_with_arguments_of_its_schema(app, path):
    events = chunks(streamed(app, path, {**REQUESTS[path], "tools": TOOLS[path]}))
    if path == "/v1/chat/completions":
        calls = [call for chunk in events for call in chunk["choices"][0]["delta"].get("tool_calls", [])]
        arguments = "".join(call["function"]["arguments"] for call in calls)
        assert calls[0]["function"]["name"] == "weather"
    else:
        arguments = "".join(
            event["delta"] if path == "/v1/responses" else event["delta"]["partial_json"]
            for event in events
            if event["type"] in {"response.function_call_arguments.delta", "content_block_delta"}
        )
    assert json.loads(arguments) == {"city": "Oslo"}
    plain = chunks(streamed(app, path, {**REQUESTS[path], "tools": TOOLS[path], "tool_choice": "none"}))
    assert "Oslo" not in json.dumps(plain)


def test_after_the_tool_s_answer_the_model_speaks(app):
    conversation = [*MESSAGES, {"role": "tool", "tool_call_id": "call_1", "content": "rain"}]
    asked = {**CHAT, "messages": conversation, "tools": TOOLS["/v1/chat/completions"]}
    assert chunks(streamed(app, "/v1/chat/completions", asked))[-1]["choices"][0]["finish_reason"] == "stop"


@each_api
@pytest.mark.parametrize("after", [0, 4])
def test_a_fault_is_told_as_the_api_does(app, path, after):
    *before, error = streamed(app, path, fail_after=after)
    assert len(before) == after
    said = error.payload if path == "/v1/responses" else error.payload["error"]
    assert said["message"] == f"Injected fault after {after} events"
    assert error.type == ("message" if path == "/v1/chat/completions" else "error")


WRONG = [
    ("/v1/chat/completions", {"json": {**CHAT, "messages": []}}, "messages"),
    ("/v1/chat/completions", {"json": {**CHAT, "n": 2}}, "n"),
    ("/v1/chat/completions", {"json": {**CHAT, "stream": False, "stream_options": {}}}, "stream_options"),
    ("/v1/chat/completions", {"json": CHAT, "params": {"pace": -1}}, "pace"),
    ("/v1/responses", {"json": {**RESPONSES, "input": ""}}, "input"),
    ("/v1/messages", {"json": {**CLAUDE, "max_tokens": 0}}, "max_tokens"),
    ("/v1/messages", {"content": b"{", "headers": {"Content-Type": "application/json"}}, ""),
]


@pytest.mark.parametrize(("path", "request_", "where"), WRONG, ids=[f"{path} {where}" for path, _, where in WRONG])
def test_a_wrong_request_is_refused_in_the_shape_of_the_api(app, path, request_, where):
    response = app.client.post(path, **request_)
    assert (response.status_code, response.headers["cache-control"]) == (400, "no-store")
    error = response.json()["error"]
    assert error["type"] == "invalid_request_error"
    assert where in error["message"]


def test_a_refusal_can_be_asked_for(app):
    refused = app.client.post("/v1/messages", json=CLAUDE, params={"refuse": 529})
    assert (refused.status_code, refused.json()["error"]["type"]) == (529, "overloaded_error")
    refused = app.client.post("/v1/chat/completions", json=CHAT, params={"refuse": 429})
    assert (refused.status_code, refused.json()["error"]["type"]) == (429, "rate_limit_error")
    assert app.client.post("/v1/responses", json=RESPONSES, params={"refuse": 204}).status_code == 400


@each_api
def test_a_client_that_leaves_ends_the_work(app, path):
    with app.client.stream("POST", path, json=REQUESTS[path], params={"pace": 10}) as response:
        reads = response.iter_raw()  # closes the connection when it is dropped
        assert next(reads)
        assert app.probe()["active_streams"] == 1
    eventually(lambda: app.probe()["active_streams"] == 0, 10_000 * MS)
