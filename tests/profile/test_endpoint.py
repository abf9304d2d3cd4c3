"""What an endpoint says of an event: an error, the first match, the end."""

from ssegauge.profile import from_url


def test_an_error_may_hide_in_the_payload():
    endpoint = from_url("http://h/x", preset="openai-chat").endpoint[0]
    assert endpoint.is_error("message", '{"error": {"message": "overloaded"}}')
    assert endpoint.is_error("message", '{"\\u0065rror": "x"}')
    assert not endpoint.is_error("message", '{"choices": [], "error": null}')
    assert not endpoint.is_error("message", '{"choices": [{"delta": {"content": "no error here"}}]}')
    assert not endpoint.is_error("message", "[DONE]")
    assert endpoint.is_terminal("message", "[DONE]")
    assert not endpoint.is_terminal("message", '"[DONE]"')


def test_the_first_token_is_the_first_chunk_with_text():
    endpoint = from_url("http://h/x", preset="openai-chat").endpoint[0]
    assert not endpoint.is_first_match("message", '{"choices": [{"delta": {"role": "assistant", "content": ""}}]}')
    assert endpoint.is_first_match("message", '{"choices": [{"delta": {"content": "Hi"}}]}')


def test_a_response_ends_an_mcp_stream():
    endpoint = from_url("http://h/mcp", json={}, preset="mcp-streamable-http").endpoint[0]
    assert endpoint.is_terminal("message", '{"jsonrpc": "2.0", "id": 1, "result": {"tools": []}}')
    assert not endpoint.is_terminal("message", '{"jsonrpc": "2.0", "method": "notifications/progress"}')
    assert endpoint.is_error("message", '{"jsonrpc": "2.0", "id": 1, "error": {"code": -32601, "message": "no"}}')
