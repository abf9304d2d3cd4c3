"""The figures of language models in the reports."""

from __future__ import annotations

from ssegauge.report.html_report import html
from ssegauge.report.load_markdown import load_markdown

from .made_up import HOSTILE, load, times

RATE = {**times(42.0), "count": 200, "p01": 12.0, "p05": 15.0, "p10": 18.0, "p50": 42.0, "p90": 60.0}
TALKED = {
    "rates": {"tokens_per_second": RATE},
    "goodput": {"good": 190, "judged": 200, "missed": {"first_match": 8, "failed": 2}},
    "limits": {f"chat {HOSTILE}": {"first_match": 500.0, "time_per_token": 50.0}},
}


def test_goodput_its_limits_and_what_was_missed_are_on_the_page() -> None:
    page = html([load(**TALKED)])
    for said in ("95 %", "42/s", "12/s", "first_match ≤ 500 ms, time_per_token ≤ 50 ms", "missed: first_match"):
        assert said in page, said
    assert HOSTILE not in page


def test_a_run_without_tokens_says_nothing_of_them() -> None:
    page = html([load()])
    assert "goodput" not in page
    assert "okens a second" not in page


def test_limits_and_rates_are_no_findings_of_a_scenario() -> None:
    assert "What rates found" not in html([load(**TALKED)])
    assert "What goodput found" not in html([load(**TALKED)])


def test_the_summary_in_markdown_has_both() -> None:
    text = load_markdown(load(**TALKED))
    assert "| tokens a second, p50 | goodput |" in text
    assert "| 42/s | 95 % |" in text
