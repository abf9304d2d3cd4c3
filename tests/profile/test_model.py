"""A profile as a whole: what it declares, and what it keeps secret."""

import pytest

from ssegauge.order import Order
from ssegauge.profile import ProfileError, from_url, load, resolved, secret
from ssegauge.rules import NEEDS

E = '[[endpoint]]\nname = "a"\n'


def test_the_profile_of_the_design_is_read_as_it_stands(design):
    endpoint = design.endpoint[0]
    assert design.base_url == "http://127.0.0.1:8000"
    assert endpoint.request.params == {"query": "What is SSE"}
    assert endpoint.grammar == Order.compile("thought+ status token+ complete")
    assert (endpoint.deadline, endpoint.lifetime) == (30.0, 120.0)
    assert endpoint.progress.range == (0, 100)
    assert endpoint.resume.header == "Last-Event-ID"
    assert endpoint.broadcast.publish.path == "/publish"
    assert (design.probe.url, design.probe.active_streams) == ("/_probe", "/active_streams")
    assert design.target.control
    assert design.target.credentials == {"headers": {"Authorization": "env:API_TOKEN"}}


def test_an_endpoint_declares_the_needs_of_the_catalogue(design):
    declared = design.endpoint[0].declares
    of_the_run = {"url", "raw", "timing", "long", "h2", "tls", "load", "probe", "pid", "control", "drop"}
    of_the_target = {"proxied", "origins", "credentials", "second_identity", "health"}
    elsewhere = {"terminal_data", "echo", "reflect.event", "reflect.id", "method=POST"}
    assert set(NEEDS) - of_the_run - of_the_target - elsewhere <= declared
    assert declared & elsewhere == set()
    assert declared - set(NEEDS) == {"method=GET", "first_match", "sent_at"}


def test_nothing_declared_is_nothing_but_the_method():
    assert from_url("http://h/x").endpoint[0].declares == {"method=GET"}


def test_secrets_come_late_from_the_environment_and_are_never_shown(written, monkeypatch):
    monkeypatch.setenv("API_TOKEN", "s3cret")
    profile = load(
        written(f'base_url = "http://h"\n{E}[target]\ncredentials = {{ headers = {{ X-Key = "env:API_TOKEN" }} }}')
    )
    assert secret("env:API_TOKEN") == "s3cret"
    assert secret("Bearer env:API_TOKEN") == "Bearer s3cret"
    assert secret("environment:x") == "environment:x"
    assert resolved({"a": ["env:API_TOKEN", 1, None]}) == {"a": ["s3cret", 1, None]}
    assert "s3cret" not in repr(profile)
    assert "x-key" in profile.secret_names


def test_a_variable_that_is_not_set_is_named(monkeypatch):
    monkeypatch.delenv("API_TOKEN", raising=False)
    with pytest.raises(ProfileError, match="the environment variable API_TOKEN is not set"):
        secret("env:API_TOKEN")
