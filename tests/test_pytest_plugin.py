"""The suite as a stranger's pytest runs it: items, outcomes, exit codes, results, workers."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ssegauge import locate, suite
from ssegauge.rules import CATALOGUE

from .mutants.catalogue import MUTANTS
from .mutants.contract import PROFILE
from .mutants.host import Host
from .mutants.server import Clean

SUITE = locate.path("conformance")
FEW = ("HTTP-01", "HDR-01", "HDR-04", "FRM-01", "JSON-01", "ORD-02", "DIS-02")


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    started = Host()
    yield started
    started.stop()


def run(folder: Path, *arguments: str, rules: tuple[str, ...] = FEW) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "pytest",
        str(SUITE),
        "--import-mode=importlib",
        "-p",
        "no:cacheprovider",
        "-q",
        "--rootdir",
        str(folder),
    ]
    command += [f"--sse-rule={identifier}" for identifier in rules]
    return subprocess.run([*command, *arguments], cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def profile_for(url: str, folder: Path) -> str:
    file = folder / "sse-target.toml"
    file.write_text(PROFILE.replace("http://127.0.0.1:1", url), encoding="utf-8")
    return str(file)


def outcomes(file: Path) -> dict[tuple[str, str], str]:
    document: dict[str, Any] = json.loads(file.read_text())
    return {(finding["rule"], finding["endpoint"]): finding["outcome"] for finding in document["rules"]}


def test_catalogue_and_suite_match_one_to_one() -> None:
    assert set(suite.checks()) == set(CATALOGUE)


def test_every_check_stands_under_its_sentence() -> None:
    for identifier, check in suite.checks().items():
        assert (check.__doc__ or "").strip(), f"{identifier} has no docstring"


def test_clean_target_passes_with_and_without_workers_alike(host: Host, tmp_path: Path) -> None:
    finite = ("--sse-endpoint=main", "--sse-endpoint=echo", "--sse-endpoint=chat")  # the feed is watched for 10 s
    with host.serving(Clean()) as url:
        target = (f"--sse-target={profile_for(url, tmp_path)}", *finite)
        alone = run(tmp_path, *target, "--sse-results=alone.json")
        spread = run(tmp_path, *target, "--sse-results=spread.json", "-n", "2", "--junitxml=junit.xml")
    assert alone.returncode == spread.returncode == 0, alone.stdout + spread.stdout
    assert outcomes(tmp_path / "alone.json") == outcomes(tmp_path / "spread.json")
    assert outcomes(tmp_path / "alone.json")["FRM-01", "main"] == "pass"
    assert outcomes(tmp_path / "alone.json")["DIS-02", "main"] == "untestable"
    cases = ET.parse(tmp_path / "junit.xml").getroot().iter("testcase")
    properties = [{item.attrib["name"]: item.attrib["value"] for item in case.iter("property")} for case in cases]
    assert {"sse_rule": "HDR-01", "sse_level": "MUST", "sse_endpoint": "main", "sse_outcome": "pass"} in properties


def test_broken_must_fails_the_run_and_says_all_there_is_to_say(host: Host, tmp_path: Path) -> None:
    with host.serving(MUTANTS["ct-text-plain"]()) as url:
        done = run(tmp_path, f"--sse-target={profile_for(url, tmp_path)}", "--sse-endpoint=main")
    assert done.returncode == 1
    for part in (
        "HDR-01 (MUST) on main",
        "requires",
        "https://html.spec",
        "expected  Content-Type: text/event-stream",
        "got",
        "reproduce",
        "mend",
    ):
        assert part in done.stdout


@pytest.mark.parametrize(("options", "code"), [((), 0), (("--sse-strict",), 1)])
def test_broken_should_fails_only_under_strict(host: Host, tmp_path: Path, options: tuple[str, ...], code: int) -> None:
    with host.serving(MUTANTS["no-cache-control"]()) as url:
        done = run(tmp_path, f"--sse-target={profile_for(url, tmp_path)}", "--sse-endpoint=main", *options)
    assert done.returncode == code, done.stdout


def test_require_lets_untestable_fail(host: Host, tmp_path: Path) -> None:
    with host.serving(Clean()) as url:
        done = run(tmp_path, f"--sse-target={profile_for(url, tmp_path)}", "--sse-endpoint=main", "--sse-require")
    assert done.returncode == 1
    assert "DIS-02: untestable: needs the process id: pass --pid or --app" in done.stdout


def test_accepted_failure_passes_and_a_stale_entry_fails(host: Host, tmp_path: Path) -> None:
    accepted = tmp_path / "accepted.toml"
    accepted.write_text('[[accepted]]\nrule = "HDR-01"\nendpoint = "main"\nreason = "the gateway sets it"\n')
    with host.serving(MUTANTS["ct-text-plain"]()) as url:
        profile = profile_for(url, tmp_path)
        known = run(tmp_path, f"--sse-target={profile}", "--sse-endpoint=main", f"--sse-accepted={accepted}")
    with host.serving(Clean()) as url:
        profile = profile_for(url, tmp_path)
        stale = run(tmp_path, f"--sse-target={profile}", "--sse-endpoint=main", f"--sse-accepted={accepted}")
    assert known.returncode == 0, known.stdout
    assert stale.returncode == 1
    assert "HDR-01 holds on main: take it out of the accepted deviations" in stale.stdout


def test_a_server_is_started_by_its_own_command(tmp_path: Path) -> None:
    command = f"{sys.executable} -m http.server --bind 127.0.0.1 {{port}}"
    done = run(tmp_path, "--sse-server", command, "--sse-target", "/", rules=("HDR-01",))
    assert (done.returncode, "text/html" in done.stdout) == (1, True), done.stdout + done.stderr
    both = run(tmp_path, "--sse-server", command, "--sse-app", "a:b")
    assert (both.returncode, both.stderr.strip()) == (
        4,
        "ERROR: --sse-app and --sse-server both start the target; take one of them",
    )


def test_a_run_in_which_nothing_could_be_judged_is_not_green(host: Host, tmp_path: Path) -> None:
    with host.serving(Clean()) as url:
        done = run(tmp_path, f"--sse-target={url}/stream", rules=("DIS-02", "HTTP-14"))
    assert done.returncode == 3, done.stdout
    assert "ssegauge: no rule could be judged; -ra says why" in done.stdout


def test_no_target_is_one_usage_error(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert (
        done.stderr.strip() == "ERROR: no target: give --sse-target URL, --sse-target PROFILE or --sse-app module:app"
    )


def test_a_checkout_finds_the_suite_by_the_name_that_it_has_in_the_wheel(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pytest", "--pyargs", "ssegauge.conformance", "--collect-only", "-q"]
    options = ["-p", "no:cacheprovider", "--sse-target=http://127.0.0.1:9/stream", "--sse-rule=FRM-01"]
    done = subprocess.run([*command, *options], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "test_framing.py::test_every_event_is_closed_by_a_blank_line[/stream]" in done.stdout


def test_bad_profile_is_one_usage_error(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text('base_url = "http://127.0.0.1:1"\n[[endpoint]]\nname = "a"\nterminals = ["x"]\n')
    done = run(tmp_path, "--sse-target=bad.toml")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert 'bad.toml:4: endpoint "a": unknown key "terminals" (did you mean "terminal"?)' in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_unreachable_target_is_inconclusive_in_one_line(tmp_path: Path) -> None:
    done = run(tmp_path, "--sse-target=http://127.0.0.1:9/stream")
    assert done.returncode == 3
    assert "the target cannot be reached" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
