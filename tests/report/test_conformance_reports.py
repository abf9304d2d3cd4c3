"""JUnit, Markdown and terminal reports of made-up conformance results."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET

from rich.console import Console

from ssegauge.cli.check import exit_code
from ssegauge.report.junit import junit
from ssegauge.report.markdown import markdown
from ssegauge.report.terminal import print_report

from .made_up import HOSTILE, conformance, finding

EVERY = conformance(
    finding("HTTP-01", "MUST", "pass"),
    finding("HDR-01", "MUST", "fail"),
    finding("HDR-04", "SHOULD", "fail"),
    finding("HDR-05", "RECOMMENDED", "fail"),
    finding("HDR-03", "MUST", "fail", accepted="the gateway mends it"),
    finding("DIS-02", "MUST", "untestable"),
    finding("ORD-01", "MUST", "not_declared"),
    finding("LIF-01", "SHOULD", "error"),
)


def counts(text: str) -> dict[str, str]:
    suite = ET.fromstring(text).find("testsuite")
    assert suite is not None
    return {name: suite.attrib[name] for name in ("tests", "failures", "errors", "skipped")}


def test_junit_counts_a_broken_must_as_a_failure_and_nothing_else_as_one() -> None:
    assert counts(junit(EVERY)) == {"tests": "8", "failures": "1", "errors": "0", "skipped": "6"}


def test_junit_under_strict_counts_a_broken_should_too() -> None:
    assert counts(junit(EVERY, strict=True)) == {"tests": "8", "failures": "2", "errors": "1", "skipped": "4"}


def test_junit_fails_by_what_else_fails_a_run() -> None:
    assert counts(junit(EVERY, require=True))["failures"] == "2"
    stale = conformance(finding("HDR-03", "MUST", "pass", accepted="known"), finding("LIF-06", "MUST", "error"))
    assert counts(junit(stale)) == {"tests": "2", "failures": "1", "errors": "1", "skipped": "0"}


def test_junit_failure_says_what_was_required_seen_and_how_to_mend_it() -> None:
    failure = ET.fromstring(junit(EVERY)).find(".//failure")
    assert failure is not None
    assert failure.attrib["message"] == "MUST: that"
    for part in ("It holds.", "expected  this", "event 0 data: x", "Mend it.", "ssegauge check URL --rule HDR-01"):
        assert part in (failure.text or "")


def test_junit_of_hostile_text_is_well_formed() -> None:
    document = conformance(finding("HDR-01", "MUST", "fail", actual=HOSTILE, endpoint=HOSTILE))
    root = ET.fromstring(junit(document))
    assert root.find(".//script") is None


def test_markdown_shows_the_verdict_first_and_every_broken_rule() -> None:
    text = markdown(EVERY)
    assert text.startswith("## ❌ SSE conformance of")
    assert "1 MUST broken, 1 SHOULD broken, 1 RECOMMENDED broken, 1 accepted deviations" in text
    assert text.count("| [H") == 4


def test_markdown_of_hostile_text_opens_no_tag_and_no_table_cell() -> None:
    text = markdown(conformance(finding("HDR-01", "MUST", "fail", actual=HOSTILE, endpoint=HOSTILE)))
    row = next(line for line in text.splitlines() if line.startswith("| [HDR-01]"))
    assert "<script>" not in text
    assert "\\<script\\>" in row
    assert row.replace("\\|", "").count("|") == 6


def test_terminal_report_fits_80_columns_and_obeys_no_escape_from_the_server() -> None:
    out = io.StringIO()
    print_report(Console(file=out, width=80, force_terminal=False), EVERY)
    text = out.getvalue()
    assert "✗ HDR-01" in text
    assert "needs the process id: pass --pid or --app: DIS-02" in text
    assert "\x1b" not in text


def test_exit_codes() -> None:
    held = conformance(finding("HTTP-01", "MUST", "pass"), finding("HDR-04", "SHOULD", "fail"))
    assert exit_code(EVERY, strict=False, require=False) == 1
    assert exit_code(held, strict=False, require=False) == 0
    assert exit_code(held, strict=True, require=False) == 1
    unsure = conformance(finding("HTTP-01", "MUST", "pass"), finding("LIF-06", "MUST", "error"))
    assert exit_code(unsure, strict=False, require=False) == 3
    lacking = conformance(finding("HTTP-01", "MUST", "pass"), finding("DIS-02", "MUST", "untestable"))
    assert exit_code(lacking, strict=False, require=True) == 1
    nothing = conformance(finding("DIS-02", "MUST", "untestable"))
    assert exit_code(nothing, strict=False, require=False) == 3
    accepted = conformance(finding("HDR-03", "MUST", "fail", accepted="known"))
    assert exit_code(accepted, strict=False, require=False) == 0
    stale = conformance(finding("HDR-03", "MUST", "pass", accepted="known"))
    assert exit_code(stale, strict=False, require=False) == 1
