"""A target behind a certificate that nobody vouches for: the command line says so, and takes --ca and --insecure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ssegauge.cli import main
from tests.mutants.host import Host
from tests.mutants.http2 import Secure, authority


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    host = Host()
    try:
        with host.serving(Secure()) as address:
            yield f"{address}/stream"
    finally:
        host.stop()


LET_IN = ("--header", "Authorization: Bearer a", "--rule", "HTTP-01", "--rule", "HDR-01")


def test_an_unknown_authority_is_named_with_what_to_do(url: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["check", url, *LET_IN]) == 3
    said = capfd.readouterr().err
    assert "its certificate is not trusted: " in said
    assert "--ca FILE" in said
    assert len(said.splitlines()) == 1


def test_an_untrusted_certificate_may_be_taken(url: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["check", url, *LET_IN, "--insecure"]) == 0
    assert "nothing broken; 2 held" in capfd.readouterr().out


def test_an_authority_may_be_named(url: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "ca.pem"
    authority().cert_pem.write_to_path(str(file))
    assert main(["check", url, *LET_IN, "--ca", str(file)]) == 0
    assert "nothing broken; 2 held" in capfd.readouterr().out


def test_a_profile_may_say_so(url: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    profile = tmp_path / "sse-target.toml"
    profile.write_text(
        f'base_url = "{url.removesuffix("/stream")}"\n'
        '[[endpoint]]\nname = "main"\nrequest = { path = "/stream", headers = { Authorization = "Bearer a" } }\n'
        "[target]\ninsecure = true\n"
    )
    assert main(["check", str(profile), "--rule", "HTTP-01"]) == 0
    assert "nothing broken" in capfd.readouterr().out
