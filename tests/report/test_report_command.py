"""`ssegauge report`: the page, the summary, the plots as images, and mistakes in one line."""

from __future__ import annotations

import re
import shutil
import sys

import pytest

from ssegauge import results
from ssegauge.cli import main

from .made_up import BROKEN, GATES, MARKUP, load
from .tree import Tree


def test_the_command_writes_a_page_or_a_summary(tmp_path, capsys) -> None:
    results.write(tmp_path / "check.json", BROKEN)
    results.write(tmp_path / "load.json", load())
    files = [str(tmp_path / name) for name in ("check.json", "load.json")]
    assert main(["report", *files, "-o", str(tmp_path / "report.html"), "--baseline", files[1]]) == 0
    assert main(["report", *files, "-o", str(tmp_path / "summary.md"), "--baseline", files[1]]) == 0
    assert Tree((tmp_path / "report.html").read_text("utf-8")).root.one("section", id="baseline")
    summary = (tmp_path / "summary.md").read_text("utf-8")
    assert summary.startswith("## ❌ SSE conformance of http\\://127.0.0.1:8000\n")
    assert "## ✅ concurrent\\_streams on https\\://sse.example" in summary
    assert "figures differ beyond the noise" in summary


def test_the_command_shows_what_the_gates_say_and_leaves_the_exit_code_to_the_gate(tmp_path) -> None:
    results.write(tmp_path / "load.json", load())
    (tmp_path / "gates.toml").write_text(GATES)
    asked = [
        str(tmp_path / "load.json"),
        "--gates",
        str(tmp_path / "gates.toml"),
        "--baseline",
        str(tmp_path / "load.json"),
    ]
    assert main(["gate", *asked]) == 1
    assert main(["report", *asked, "-o", str(tmp_path / "report.html")]) == 0
    assert main(["report", *asked, "-o", str(tmp_path / "report.md")]) == 0
    page_ = Tree((tmp_path / "report.html").read_text("utf-8")).root
    assert page_.one("h1").text == "1 of 4 gates failed: concurrent_streams / first_event.p95."
    assert "concurrent_streams / first_event.p50 against the baseline" in page_.one("section", id="gates").text
    assert (tmp_path / "report.md").read_text("utf-8").startswith("## ❌ ssegauge gate failed: 1 failed")


PNG = b"\x89PNG\r\n\x1a\n"


@pytest.mark.slow
@pytest.mark.browser
def test_the_plots_are_written_as_images(tmp_path, capsys) -> None:
    if not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))):
        pytest.skip("needs chromium from the distribution's packages")
    run = load(scenario=MARKUP[:100])
    results.write(tmp_path / "load.json", run)
    arguments = [
        "report",
        str(tmp_path / "load.json"),
        "-o",
        str(tmp_path / "report.html"),
        "--png",
        str(tmp_path / "png"),
    ]
    assert main(arguments) == 0, capsys.readouterr().err
    files = sorted((tmp_path / "png").iterdir())
    assert len(files) == 6
    assert all(re.fullmatch(r"[A-Za-z0-9.-]+\.png", file.name) for file in files)
    for file in files:
        content = file.read_bytes()
        assert content.startswith(PNG)
        width, height = (int.from_bytes(content[at : at + 4], "big") for at in (16, 20))
        assert (width, height) == (2000, 920)
    assert "plots: 6 in" in capsys.readouterr().out


def test_images_need_an_extra_and_say_which(tmp_path, monkeypatch, capsys) -> None:
    results.write(tmp_path / "load.json", load())
    monkeypatch.setitem(sys.modules, "kaleido", None)
    arguments = ["report", str(tmp_path / "load.json"), "-o", str(tmp_path / "report.html"), "--png", str(tmp_path)]
    assert main(arguments) == 2
    assert (
        capsys.readouterr().err
        == "ssegauge: --png needs the extra 'png': pip install 'ssegauge[png]' (kaleido is missing)\n"
    )


def test_images_need_a_browser_and_say_so(tmp_path, monkeypatch, capsys) -> None:
    results.write(tmp_path / "load.json", load())
    monkeypatch.setenv("BROWSER_PATH", str(tmp_path / "none"))
    arguments = ["report", str(tmp_path / "load.json"), "-o", str(tmp_path / "report.html"), "--png", str(tmp_path)]
    assert main(arguments) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "--png draws with Chrome or Chromium, and finds none: install one" in told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["missing.json"], "missing.json: cannot be read"),
        (["good.json", "-o", "report.pdf"], "-o report.pdf: end the name in .html for a page or .md for a summary"),
        (["good.json", "--baseline", "missing.json"], "missing.json: cannot be read"),
        (["good.json", "-o", "good.json/report.html"], "cannot be written"),
    ],
)
def test_a_mistake_is_one_line(arguments, told, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    results.write("good.json", load())
    assert main(["report", *arguments]) == 2
    assert told in capsys.readouterr().err
