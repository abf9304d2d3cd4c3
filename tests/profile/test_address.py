"""A bare URL becomes a profile, with what the command line says of it."""

import pytest

from ssegauge.profile import ProfileError, Request, from_url, open_target

E = '[[endpoint]]\nname = "a"\n'


def test_a_bare_url_is_a_profile_with_one_endpoint():
    profile = from_url("http://h:8000/stream?q=1#part", headers=["X-A: b: c"])
    endpoint = profile.endpoint[0]
    assert (profile.base_url, endpoint.name) == ("http://h:8000", "/stream")
    assert endpoint.request == Request(path="/stream?q=1", headers={"X-A": "b: c"})
    assert from_url("https://h").endpoint[0].name == "/"
    assert from_url("http://[::1]:80/x").base_url == "http://[::1]:80"


def test_a_body_makes_the_request_a_post():
    assert from_url("http://h/x", json='{"a": 1}').endpoint[0].request == Request(
        method="POST", path="/x", json={"a": 1}
    )
    assert from_url("http://h/x", data="a=1").endpoint[0].request == Request(method="POST", path="/x", data="a=1")
    assert from_url("http://h/x", method="put", data="").endpoint[0].request.method == "PUT"


def test_a_password_in_the_url_becomes_a_header_and_is_not_shown():
    profile = from_url("http://u:p%40ss@h/x")
    assert profile.target.credentials == {"headers": {"Authorization": "Basic dTpwQHNz"}}
    assert "ss@" not in repr(profile) + profile.source + profile.base_url


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"url": "localhost:8000/x"}, "write http://localhost:8000/x"),
        ({"url": "http://a b"}, "space"),
        ({"url": "http://h", "json": "{"}, "--json: not valid JSON"),
        ({"url": "http://h", "headers": ["a"]}, 'expected "Name: value"'),
        ({"url": "http://h", "headers": ["a b: c"]}, "--header: "),
        ({"url": "http://h", "method": "a b"}, "--method: "),
        ({"url": "http://h", "preset": "openai-chatt"}, 'did you mean "openai-chat"?'),
        ({"url": "http://h", "json": "1", "data": "x"}, "one body"),
    ],
)
def test_a_mistake_on_the_command_line_names_the_option(arguments, words):
    with pytest.raises(ProfileError, match=r"^[^\n]+$") as caught:
        from_url(**arguments)
    assert words in str(caught.value)


def test_a_target_is_a_url_or_a_file(written):
    file = written('base_url = "http://h"\n' + E)
    assert open_target(str(file)).endpoint[0].name == "a"
    assert open_target("http://h/x", preset="openai-chat").endpoint[0].terminal_data == ("[DONE]",)
    with pytest.raises(ProfileError, match="--header goes with a URL"):
        open_target(str(file), headers=["A: b"], method=None)
    with pytest.raises(ProfileError, match="neither a URL"):
        open_target("nothing")
    with pytest.raises(ProfileError, match="there is no such file"):
        open_target("gone.toml")
