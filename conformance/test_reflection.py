"""Text that comes back as it was sent (rules ENC-07, FRM-02, FLD-09, FLD-10, FLD-15)."""

from __future__ import annotations

from collections.abc import Sequence

from ssegauge.bench import Bench
from ssegauge.judging import broken, rule
from ssegauge.means import reflection
from ssegauge.visible import visible


@rule("ENC-07")
def test_non_ascii_text_comes_back_unchanged(bench: Bench) -> None:
    """Non-ASCII text comes back code point for code point, also over transport chunks, and is not normalised."""
    _expect_back(bench, reflection.NON_ASCII)


@rule("FRM-02")
def test_newline_inside_a_payload_becomes_a_new_data_line(bench: Bench) -> None:
    """A newline between two lines of text comes back as one LF between them."""
    _expect_back(bench, reflection.ONE_NEWLINE)


@rule("FLD-09")
def test_leading_trailing_and_doubled_newlines_survive(bench: Bench) -> None:
    """Newlines at the start, at the end and in a row survive."""
    _expect_back(bench, reflection.NEWLINES)


@rule("FLD-10")
def test_blanks_and_colons_at_the_edges_survive(bench: Bench) -> None:
    """Leading and trailing spaces, tabs and leading colons of a payload survive."""
    _expect_back(bench, reflection.EDGES)


@rule("FLD-15")
def test_unicode_separators_in_a_payload_are_not_line_ends(bench: Bench) -> None:
    """U+2028, U+2029, U+0085, VT, FF and FS to RS in a payload come back in place."""
    _expect_back(bench, reflection.SEPARATORS)


def _expect_back(bench: Bench, texts: Sequence[str]) -> None:
    mirror = reflection.reflection(bench, "data")
    for sending, whole in mirror.came_back(texts):
        if not whole:
            expected = f"'{visible(reflection.with_lf(sending.text))}'"
            broken(
                f"{expected} in the {mirror.places[0]}",
                mirror.got(sending),
                sending.evidence(),
                reproduce=sending.reproduce,
            )
