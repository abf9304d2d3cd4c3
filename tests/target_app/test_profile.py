"""The profile that comes with the app is true."""

from pathlib import Path

import pytest

from ssegauge.order import Order
from ssegauge.profile import load
from tests.target_app.reading import strict

PROFILE = load(Path(__file__).resolve().parents[2] / "target_app" / "sse-target.toml")
# The language models' streams keep to the presets: tests/target_app/test_llm.py.
FINITE = [endpoint for endpoint in PROFILE.endpoint if endpoint.terminal and endpoint.preset is None]


def sent(app, request):
    body = {"json": request.json_body} if request.json_body is not None else {}
    return app.client.request(request.method, request.path, params=request.params, **body)


@pytest.mark.parametrize("endpoint", FINITE, ids=lambda endpoint: endpoint.name)
def test_a_stream_keeps_its_contract(app, endpoint):
    events = strict(sent(app, endpoint.request).content)
    assert events[-1].type in endpoint.terminal
    if endpoint.order is not None:
        state = Order.compile(endpoint.order).start()
        for event in events:
            state = state.advance(event.type)
            assert state is not None, event
        assert state.accepting


@pytest.mark.parametrize("endpoint", [e for e in FINITE if e.fault], ids=lambda endpoint: endpoint.name)
def test_a_fault_ends_in_an_error(app, endpoint):
    events = strict(sent(app, endpoint.situation("fault")).content)
    assert events[-1].type in endpoint.errors
    assert not any(event.type in endpoint.terminal for event in events)
    assert len(events) > 1


@pytest.mark.parametrize("endpoint", [e for e in FINITE if e.invalid], ids=lambda endpoint: endpoint.name)
def test_an_invalid_request_is_refused(app, endpoint):
    assert sent(app, endpoint.situation("invalid")).status_code == 422


@pytest.mark.parametrize("name", ["idle", "slow_start", "endless"])
def test_a_situation_begins_at_once(app, name):
    request = PROFILE.endpoint[0].situation(name)
    with app.client.stream(request.method, request.path, params=request.params) as response:
        assert response.status_code == 200
        assert next(response.iter_raw())
