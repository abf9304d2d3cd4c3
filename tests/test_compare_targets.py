"""`ssegauge compare` on two targets: the command on servers whose gaps are known."""

import json
import subprocess
import sys

import pytest

from ssegauge import cli
from ssegauge.cli.two_targets import is_target
from tests.load.conftest import HERE, start, stop


@pytest.mark.parametrize(
    ("text", "target"), [("http://h/x", True), ("a.toml", True), ("a.json", False), ("dir/results", False)]
)
def test_what_is_run_and_what_is_read(text, target):
    assert is_target(text) == target


@pytest.mark.parametrize(
    "words",
    [
        ["http://127.0.0.1:9/s", "results.json"],
        ["http://127.0.0.1:9/s", "http://127.0.0.1:9/s", "--worse-by", "lots"],
        ["http://127.0.0.1:9/s", "http://127.0.0.1:9/s", "--worse-by", "5"],
        ["http://127.0.0.1:9/s", "http://127.0.0.1:9/s", "--metric", "gap.p5O"],
        ["http://127.0.0.1:9/s", "gone.toml"],
        ["a.json", "b.json", "--users", "5"],
    ],
    ids=" ".join,
)
def test_a_wrong_command_is_one_line(words, capsys):
    assert cli.main(["compare", *words]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_target_that_is_not_there_is_inconclusive(capsys):
    assert cli.main(["compare", "http://127.0.0.1:9/s", "http://127.0.0.1:9/s"]) == 3
    assert "cannot be reached" in capsys.readouterr().err


@pytest.fixture(scope="module")
def source():
    process, port = start(str(HERE / "source.py"))
    yield f"http://127.0.0.1:{port}"
    stop(process)


def compared(*words, cwd):
    done = subprocess.run(
        [sys.executable, "-m", "ssegauge", "compare", *words], cwd=cwd, capture_output=True, text=True, timeout=120
    )
    assert "Traceback" not in done.stderr + done.stdout, done.stderr
    return done


@pytest.mark.slow
def test_the_command_finds_a_slower_target(source, tmp_path):
    slow, fast = (f"{source}/ok?events=20&gap_ms={gap}" for gap in (40, 20))
    options = ["--seconds", "8", "--users", "5", "--metric", "gap.mean", "--results", "pair.json", "--junit", "j.xml"]
    done = compared(fast, slow, *options, "--summary", "s.md", cwd=tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "failed       /ok / gap.mean" in done.stdout
    document = json.loads((tmp_path / "pair.json").read_text())
    assert document["pairs"] == [{"a": "A /ok", "b": "B /ok"}]
    sides = [part["streams"]["attempted"] for part in document["endpoints"].values()]
    assert sides[0] == sides[1] > 10
    assert "failed" in (tmp_path / "s.md").read_text()
    assert 'failures="1"' in (tmp_path / "j.xml").read_text()
    assert compared(slow, fast, *options, cwd=tmp_path).returncode in {0, 3}


@pytest.mark.slow
def test_a_profile_and_the_base_of_another_place_make_a_pair(source, tmp_path):
    text = f'base_url = "{source}"\n[[endpoint]]\nname = "one"\nrequest = {{ path = "/ok?events=10&gap_ms=20" }}\n'
    (tmp_path / "p.toml").write_text(text)
    for words in (("p.toml", source), (source, "p.toml")):
        done = compared(*words, "--seconds", "6", "--users", "3", "--results", "pair.json", cwd=tmp_path)
        assert done.returncode in {0, 3}, done.stdout + done.stderr
        assert json.loads((tmp_path / "pair.json").read_text())["pairs"] == [{"a": "A one", "b": "B one"}]


@pytest.mark.slow
def test_streams_without_end_are_left(source, tmp_path):
    stream = f"{source}/ok?events=100000&gap_ms=20"
    options = ["--seconds", "6", "--users", "3", "--leave-after", "0.5", "--results", "pair.json"]
    done = compared(stream, stream, *options, cwd=tmp_path)
    assert done.returncode in {0, 3}, done.stdout + done.stderr
    streams = json.loads((tmp_path / "pair.json").read_text())["streams"]
    assert streams["by_verdict"].keys() == {"client_closed"}
    assert streams["attempted"] > 20
