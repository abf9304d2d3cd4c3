"""Payloads that look like another fault than they are (rules JSON-01, JSON-07, JSON-08)."""

from __future__ import annotations

import pytest

from tests.conformance.recorded import at_once, exchange, said

DONE = {"data": "json", "terminal_data": ["[DONE]"]}


@pytest.mark.parametrize("last", [b'"[DONE]"', b"'[DONE]'", b"[DONE] ", b"[done]"], ids=ascii)
def test_a_sentinel_in_quotes_blanks_or_another_case_is_not_bare(last: bytes) -> None:
    seen = exchange(at_once(b'data: {"a": 1}\n\n', b"data: " + last + b"\n\n"))
    assert said("JSON-08", seen, **DONE).startswith("fail")
    assert said("JSON-01", seen, **DONE) == "pass"
    assert said("JSON-07", seen, **DONE) == "pass"


def test_a_word_of_plain_text_is_no_sentinel_in_another_case() -> None:
    seen = exchange(at_once(b"data: Done\n\n", b"data: DONE\n\n"))
    assert said("JSON-08", seen, data="text", terminal_data=["DONE"]) == "pass"


def test_a_json_string_is_no_sentinel_in_another_case() -> None:
    seen = exchange(at_once(b'data: "Done"\n\n', b"data: DONE\n\n"))
    assert said("JSON-08", seen, data="json", terminal_data=["DONE"]) == "pass"
