"""What a redirect takes along: all of it to the same origin, no secret to another."""

import json
from pathlib import Path

import pytest

from tests.load.conftest import start, stop
from tests.load.visiting import visited

HERE = Path(__file__).resolve().parent
PROFILE = """
base_url = "{}"
[target]
secrets = ["X-Own"]
credentials = {{ headers = {{ X-Login = "login" }}, params = {{ pin = "1" }} }}
[[endpoint]]
name = "it"
request = {{ path = "/ok", headers = {{ X-Own = "own", X-Api-Key = "key", X-Kind = "any" }} }}
"""
SECRET = {"x-login", "x-own", "x-api-key", "x-said-token", "authorization", "cookie"}


@pytest.fixture(scope="module")
def elsewhere():
    """Another origin: the same host by another port."""
    process, port = start(str(HERE / "source.py"))
    yield f"127.0.0.1:{port}"
    stop(process)


@pytest.fixture(scope="module")
def arrived(source, elsewhere, tmp_path_factory):
    """What came at the end of each redirect: its target and header fields."""
    profile = tmp_path_factory.mktemp("profile") / "target.toml"
    profile.write_text(PROFILE.format(source))
    here = source.removeprefix("http://")
    ways = {
        "same": "/echo?a=1",
        "other": f"http://{elsewhere}/echo?a=1",
        "there and back": f"http://{elsewhere}/redirect?to=http://{here}/echo",
    }
    cases = {
        name: {
            "endpoint": "it",
            "path": f"/redirect?status=307&to={to}",
            "headers": {"Host": "example.org", "X-Said-Token": "said"},
            "cookies": {"own": "1"},
            "auth": "Bearer x",
            "events": True,
        }
        for name, to in ways.items()
    }
    outcomes = visited({"profile": str(profile), "host": source, "cases": cases})["outcomes"]
    return {name: json.loads(found["kept"][0][1]) for name, found in outcomes.items()}


def test_to_the_same_origin_everything_goes_along(arrived):
    headers = arrived["same"]["headers"]
    assert set(headers) >= SECRET
    assert (headers["host"], headers["cookie"], headers["x-kind"]) == ("example.org", "own=1", "any")


@pytest.mark.parametrize("way", ["other", "there and back"])
def test_to_another_origin_no_secret_goes_along(arrived, way):
    headers = arrived[way]["headers"]
    assert SECRET.isdisjoint(headers)
    assert headers["x-kind"] == "any"


def test_another_origin_is_called_by_its_own_name(arrived, elsewhere):
    assert arrived["other"]["headers"]["host"] == elsewhere


def test_the_address_is_the_one_that_the_server_named(arrived):
    assert {name: said["target"] for name, said in arrived.items()} == {
        "same": "/echo?a=1",
        "other": "/echo?a=1",
        "there and back": "/echo",
    }
