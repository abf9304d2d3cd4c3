"""Which pages may read the streams."""

import pytest

KNOWN = "http://localhost:3000"


@pytest.mark.parametrize("path", ["/stream?pace=0", "/stream?pace=-1", "/_probe"])
@pytest.mark.parametrize("origin", [KNOWN, "http://127.0.0.1:3000"])
def test_a_known_origin_may_read_with_credentials(app, path, origin):
    headers = app.client.get(path, headers={"Origin": origin, "Cookie": "a=b"}).headers
    assert headers["access-control-allow-origin"] == origin
    assert headers["access-control-allow-credentials"] == "true"
    assert headers["vary"] == "Origin"


def test_a_known_origin_may_read_that_the_stream_is_finished(app):
    response = app.client.get("/stream", headers={"Origin": KNOWN, "Last-Event-ID": "finished"})
    assert response.status_code == 204
    assert response.headers["access-control-allow-origin"] == KNOWN


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:3000.evil.example", "*", ""])
def test_an_unknown_origin_gets_nothing(app, origin):
    response = app.client.get("/stream?pace=0", headers={"Origin": origin})
    assert response.status_code == 200
    assert not [name for name in response.headers if name.startswith("access-control")]
    assert response.headers["vary"] == "Origin"


@pytest.mark.parametrize("header", ["Last-Event-ID", "Authorization", "Cache-Control", "Content-Type"])
def test_a_preflight_allows_what_clients_built_on_fetch_send(app, header):
    response = preflight(app, KNOWN, header)
    assert response.status_code == 200
    assert header.lower() in response.headers["access-control-allow-headers"].lower()
    assert response.headers["access-control-allow-origin"] == KNOWN
    assert response.headers["access-control-allow-credentials"] == "true"
    assert "POST" in response.headers["access-control-allow-methods"]


def test_a_preflight_from_elsewhere_is_refused(app):
    response = preflight(app, "https://evil.example", "Last-Event-ID")
    assert response.status_code == 400
    assert "access-control-allow-origin" not in response.headers
    assert "access-control-allow-credentials" not in response.headers


def preflight(app, origin, header):
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": header.lower(),
    }
    return app.client.options("/tasks/execute/stream", headers=headers)
