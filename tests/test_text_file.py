"""Whatever file a command is given, what is wrong with it is told in one line that names it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ssegauge import results
from ssegauge.cli import main
from tests.report.made_up import load

READERS = {
    "profile": ["check"],
    "profile under load": ["load"],
    "accepted": ["check", "http://127.0.0.1:1/", "--accepted"],
    "gates": ["gate", "good.json", "--gates"],
}
"""What reads a text."""
WRONG = {
    "binary": (b"\x7fELF\xd0", "not a text file in UTF-8 (byte 4)"),
    "no TOML": (b"\nx = {", "2: not valid TOML: "),
    "deep": (b"x = " + b"[" * 100_000, "1: nested too deeply"),
}
RESULTS = {
    "gate": ["gate"],
    "baseline": ["gate", "good.json", "--baseline"],
    "report": ["report"],
    "report against": ["report", "good.json", "--baseline"],
    "compare": ["compare", "good.json"],
}
"""What reads results."""
NO_RESULTS = {
    "empty": b"",
    "list": b"[1]",
    "number": b"5",
    "text": b'"x"',
    "null": b"null",
    "cut": b'{"schema": "ssegauge/results/1", "kind"',
    "binary": b"\x7fELF\xd0",
    "deep": b"[" * 100_000,
    "other": b'{"schema": "ssegauge/recording/1"}',
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    results.write("good.json", load())


def told(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main(words) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.rstrip("\n").isprintable()
    return said


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("reader", READERS)
def test_what_is_no_toml_is_one_line(reader: str, wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    content, words = WRONG[wrong]
    Path("x.toml").write_bytes(content)
    said = told([*READERS[reader], "x.toml"], capsys)
    assert said.startswith("ssegauge: x.toml:")
    assert words in said


@pytest.mark.parametrize("reader", READERS)
def test_a_folder_is_no_text(reader: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("x.toml").mkdir()
    assert told([*READERS[reader], "x.toml"], capsys) == "ssegauge: x.toml: cannot be read: is a directory\n"


@pytest.mark.parametrize("wrong", NO_RESULTS)
@pytest.mark.parametrize("reader", RESULTS)
def test_what_are_no_results_is_one_line(reader: str, wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("x.json").write_bytes(NO_RESULTS[wrong])
    assert told([*RESULTS[reader], "x.json"], capsys).startswith("ssegauge: x.json: ")
