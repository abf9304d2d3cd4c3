"""A request, what a situation lays over it, and where an input is put."""

import pytest

from ssegauge.profile import Overlay, Request, from_url
from ssegauge.profile.request import Input


def test_a_situation_is_the_request_with_its_overlay(design):
    endpoint = design.endpoint[0]
    fault = endpoint.situation("fault")
    assert (fault.path, fault.params) == ("/agent/think/stream", {"query": "What is SSE", "fail_after": 3})
    assert endpoint.situation("idle").path == "/idle"
    with pytest.raises(LookupError):
        from_url("http://h/x").endpoint[0].situation("fault")


def test_an_overlay_merges_what_has_names_and_replaces_the_rest():
    request = Request(headers={"Accept": "a", "X-One": "1"}, json={"a": 1, "b": 2})
    laid = request.overlaid(Overlay(method="post", headers={"accept": "b"}, json={"b": 3}))
    assert laid == Request(method="POST", headers={"X-One": "1", "accept": "b"}, json={"a": 1, "b": 3})
    assert laid.overlaid(Overlay(data="x")).json_body is None
    assert laid.overlaid(Request.overlay(json=[1])).json_body == [1]


def test_an_input_is_put_where_it_belongs():
    request = Request(params={"a": "1"}, json={"events": [{"data": "x", "id": "1"}]})
    assert Input(params="q").put(request, "é\n").params == {"a": "1", "q": "é\n"}
    assert Input(header="X-In").put(request, "v").headers == {"X-In": "v"}
    assert Input(json="/events/0/data").put(request, "y").json_body == {"events": [{"data": "y", "id": "1"}]}
    assert Input(json="/new/place").put(Request(), "y").json_body == {"new": {"place": "y"}}
    assert request.json_body["events"][0]["data"] == "x"
