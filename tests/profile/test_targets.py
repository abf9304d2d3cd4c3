"""What a user names becomes a profile: here the address of a proxy. The rest is tested with the profile."""

from __future__ import annotations

from pathlib import Path

import pytest

from ssegauge.errors import UserError
from ssegauge.profile.targets import behind, find_profile
from tests.test_cli import run

DIRECT = "http://127.0.0.1:8000/api/stream?n=3"
TWO = """base_url = "http://127.0.0.1:8000"
[[endpoint]]
name = "a"
request = { path = "/a" }
[[endpoint]]
name = "b"
request = { path = "/b" }
[target]
health = "/"
"""


@pytest.mark.parametrize(
    "proxied",
    ["http://127.0.0.1:8080", "http://127.0.0.1:8080/", "http://127.0.0.1:8080/api/stream?n=3"],
)
def test_a_proxy_is_named_by_its_base_or_by_the_whole_address_of_the_stream(proxied: str) -> None:
    assert behind(find_profile(DIRECT), proxied).target.proxied == "http://127.0.0.1:8080"


def test_a_proxy_may_put_the_target_below_a_path(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text(TWO)
    contract = behind(find_profile(str(tmp_path / "p.toml")), "https://front.example/app/a")
    assert contract.target.proxied == "https://front.example/app/a"
    assert contract.target.health == "/"


@pytest.mark.parametrize("proxied", ["127.0.0.1:8080", "ftp://127.0.0.1", "http://127.0.0.1:8080/other?n=3"])
def test_what_is_no_address_of_a_proxy_is_one_line(proxied: str) -> None:
    with pytest.raises(UserError, match=r"^--proxied .*") as told:
        behind(find_profile(DIRECT), proxied)
    assert "\n" not in str(told.value)


def test_a_port_is_for_an_app() -> None:
    done = run("check", "http://127.0.0.1:1/", "--port", "8000")
    assert done.returncode == 2
    assert done.stderr.startswith("ssegauge: --port is the port of")
