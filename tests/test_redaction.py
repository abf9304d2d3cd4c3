"""Secrets stay out of recordings, results, reports and logs: by name, in addresses, and where a server sends them back."""

import pytest

from ssegauge.hiding import hide, secret_values
from ssegauge.profile import open_target
from ssegauge.redaction import is_secret, redact_text, redact_url


@pytest.mark.parametrize(
    "name",
    ["token", "access_token", "accessToken", "accesstoken", "X-Amz-Signature", "X-Amz-Credential", "api_key", "apikey", "apiKey", "jwt",
     "sessionId", "session_id", "client_secret", "password", "sig", "key", "Authorization", "Set-Cookie", "X-Api-Key", "token[]", "Bearer"],
)  # fmt: skip
def test_a_name_that_tells_of_a_credential(name):
    assert is_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        "monkey",
        "keyboard",
        "author",
        "max_tokens",
        "tokens",
        "tokenizer",
        "query",
        "Accept",
        "signal",
        "designs",
        "Access-Control-Allow-Credentials",
    ],
)
def test_a_name_that_does_not(name):
    assert not is_secret(name)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://user:word@host:8000/a?token=x&page=2", "http://***@host:8000/a?token=***&page=2"),
        ("/feed?page=2&access_token=x#here", "/feed?page=2&access_token=***#here"),
        ("http://[broken/?token=x&a=1", "http://[broken/?token=***&a=1"),
        ("http://host/?PIN=x", "http://host/?PIN=***"),
    ],
)
def test_addresses(address, shown):
    assert redact_url(address, frozenset({"pin"})) == shown


def test_addresses_within_a_text():
    said = "--sse-target=http://u:p@host/?token=x moved to 'https://host/?sig=x', see http://host/?a=b"
    shown = "--sse-target=http://***@host/?token=*** moved to 'https://host/?sig=***', see http://host/?a=b"
    assert redact_text(said) == shown


PROFILE = """
base_url = "http://127.0.0.1:1"
[[endpoint]]
name = "main"
request = { path = "/?pin=PIN-IN-PATH&size=10", params = { code = "env:SECRET_CODE" }, headers = { Authorization = "Bearer VALUE-OF-BEARER", X-Own = "OWN-VALUE" } }
[target]
secrets = ["pin", "X-Own"]
"""


def test_what_a_server_sends_back_of_a_secret_is_masked(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_CODE", "CODE-OF-ENV")
    (tmp_path / "target.toml").write_text(PROFILE)
    values = secret_values(open_target(str(tmp_path / "target.toml")))
    finding = {
        "rule": "HDR-01",
        "actual": "got OWN-VALUE and CODE-OF-ENV",
        "evidence": [{"note": "head", "bytes": "x: VALUE-OF-BEARER\\r\\n", "offset": 0, "at": 0.1}],
        "reproduce": "curl -H 'X-Own: OWN-VALUE' 'http://host/?pin=PIN-IN-PATH'",
    }
    shown = hide(finding, values)
    assert shown["rule"] == "HDR-01"
    assert shown["actual"] == "got *** and ***"
    assert shown["evidence"] == [{"note": "head", "bytes": "x: ***\\r\\n", "offset": 0, "at": 0.1}]
    assert shown["reproduce"] == "curl -H 'X-Own: ***' 'http://host/?pin=***'"
