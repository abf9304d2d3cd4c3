"""The OpenAPI document describes every stream and its events."""

import pytest

CALLS = [
    ("get", "/stream", "/stream"),
    ("get", "/stream/hello", "/stream/hello"),
    ("get", "/stream/progress", "/stream/progress"),
    ("get", "/process/stream", "/process/stream"),
    ("get", "/countdown/{seconds}", "/countdown/2"),
    ("post", "/tasks/{task_id}/execute/stream", "/tasks/7/execute/stream"),
    ("get", "/tasks/{task_id}/progress/stream", "/tasks/7/progress/stream"),
    ("post", "/tasks/execute/stream", "/tasks/execute/stream"),
    ("post", "/agent/process/stream", "/agent/process/stream?query=q"),
    ("get", "/agent/think/stream", "/agent/think/stream?query=q"),
    ("get", "/agent/stream", "/agent/stream?query=q"),
    ("get", "/stream/safe", "/stream/safe?fail=never"),
    ("get", "/stream/detect-disconnect", "/stream/detect-disconnect?count=2"),
    ("get", "/stream/timeout", "/stream/timeout?count=2"),
    ("get", "/resumable", "/resumable"),
    ("get", "/slow-start", "/slow-start?first_after=0"),
    ("get", "/ticks", "/ticks?count=2"),
]

JSON_TYPES = {"boolean": bool, "integer": int, "number": (int, float), "string": str, "array": list}


@pytest.fixture(scope="module")
def document(app):
    return app.client.get("/openapi.json").json()


def described(document, method, path):
    return document["paths"][path][method]["responses"]["200"]["content"]["text/event-stream"]


@pytest.mark.parametrize(("method", "path", "address"), CALLS, ids=[path for _, path, _ in CALLS])
def test_a_stream_is_what_its_description_says(app, document, method, path, address):
    body = {"json": {"task_id": 7, "operation": "x"}} if path == "/tasks/execute/stream" else {}
    events = app.events(address, method=method.upper(), **body)
    schemas = described(document, method, path)["x-sse-events"]
    assert {event.type for event in events} | {"error"} == set(schemas)
    for event in events:
        schema = schemas[event.type]
        assert set(schema["required"]) <= set(event.payload) <= set(schema["properties"])
        for name, value in event.payload.items():
            assert isinstance(value, JSON_TYPES[schema["properties"][name]["type"]]), (event, name)


def test_every_stream_is_described(document):
    undescribed = [
        f"{method} {path}"
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if "text/event-stream" not in operation["responses"].get("200", {}).get("content", {})
    ]
    plain = ["get /", "get /_probe", "get /demo", "get /mistakes", "post /publish"]
    wrong = ["get /mistakes/return/wrong", "get /mistakes/swagger/wrong"]  # that is their mistake
    assert sorted(undescribed) == sorted(plain + wrong)


def test_an_event_stream_is_described_as_nothing_else(document):
    for path, methods in document["paths"].items():
        for operation in methods.values():
            content = operation["responses"].get("200", {}).get("content", {})
            if "text/event-stream" in content:
                also = {"application/json"} if path.startswith("/v1/") else set()  # where `stream` is false
                assert set(content) == {"text/event-stream"} | also
