"""A run writes no secret anywhere: the files that we write, and those that Locust writes of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ssegauge.cli import main

pytestmark = pytest.mark.slow

PROFILE = """
base_url = "{url}"
[[endpoint]]
name = "main"
request = {{ path = "{path}?pin=PIN-IN-PATH&size=10", params = {{ code = "env:SECRET_CODE" }}, headers = {{ Authorization = "Bearer VALUE-OF-BEARER", X-Own = "OWN-VALUE" }} }}
[target]
secrets = ["pin", "X-Own"]
credentials = {{ headers = {{ X-Login = "env:SECRET_LOGIN" }} }}
"""
SECRETS = ["PIN-IN-PATH", "CODE-OF-ENV", "VALUE-OF-BEARER", "OWN-VALUE", "LOGIN-OF-ENV"]


@pytest.fixture
def with_secrets(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_CODE", "CODE-OF-ENV")
    monkeypatch.setenv("SECRET_LOGIN", "LOGIN-OF-ENV")

    def write(url, path):
        file = tmp_path / "target.toml"
        file.write_text(PROFILE.format(url=url, path=path))
        return str(file)

    return write


def leaks(folder: Path, *also):
    """Secret and where it stands, in every file below this folder that a run has written."""
    found = []
    for file in folder.rglob("*"):
        if file.is_file() and file.name != "target.toml":
            text = file.read_text("utf-8", "replace")
            found += [(secret, file.name) for secret in (*SECRETS, *also) if secret in text]
    return found


def test_a_check_writes_no_secret_anywhere(with_secrets, source, tmp_path, capsys):
    out = tmp_path / "out"
    out.mkdir()
    profile = with_secrets(source, "/unavailable")
    files = [
        f"--{kind}={out}/check.{end}"
        for kind, end in (("results", "json"), ("junit", "xml"), ("html", "html"), ("markdown", "md"))
    ]
    assert main(["check", profile, *files, "--save", str(out / "recordings"), "-k", "http or headers or framing"]) == 1
    (out / "terminal.txt").write_text("".join(capsys.readouterr()))
    assert {file.suffix for file in out.iterdir()} >= {".json", ".xml", ".html", ".md", ".txt"}
    assert json.loads((out / "check.json").read_text())["rules"]
    assert leaks(out) == []


def test_a_load_run_writes_no_secret_anywhere(with_secrets, source, tmp_path):
    """Locust's own CSV files, page and log included: the name of a request stands in all of them."""
    out = tmp_path / "out"
    out.mkdir()
    ending = [
        "--",
        "-u",
        "2",
        "-r",
        "2",
        "-t",
        "1s",
        "-s",
        "5s",
        "--csv",
        "locust",
        "--html",
        "locust.html",
        "--logfile",
        "log.txt",
    ]
    address = source.replace("http://", "http://someone:PASS-WORD@")
    for number, target in enumerate((with_secrets(source, "/ok"), f"{address}/truncate?events=3&token=TOKEN-VALUE")):
        command = [sys.executable, "-m", "ssegauge", "load", target, "--results", f"{number}.json"]
        done = subprocess.run([*command, *ending], cwd=out, capture_output=True, text=True)
        assert (out / f"{number}.json").is_file(), done.stderr
        (out / f"{number}.txt").write_text(done.stdout + done.stderr)
        assert json.loads((out / f"{number}.json").read_text())["streams"]["opened"], done.stderr
        assert leaks(out, "PASS-WORD", "TOKEN-VALUE") == []


OWN = """
from locust import task
from ssegauge.load import SseUser

class Own(SseUser):
    @task
    def read(self):
        self.stream("GET", "/ok?events=3&api_key=KEY-VALUE&size=1")
"""


def test_a_path_that_names_a_request_is_redacted(source, locust, tmp_path):
    file = tmp_path / "own.py"
    file.write_text(OWN)
    ended = locust(str(file), "--host", source, "-u", "1", "-r", "1", "-t", "1s", "-s", "5s").finish()
    assert list(ended.results["endpoints"]) == ["/ok?events=3&api_key=***&size=1"]
    assert "KEY-VALUE" not in json.dumps(ended.results) + ended.output
