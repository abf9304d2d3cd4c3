"""UTF-8 (rules ENC-*, but for the reflected ENC-07)."""

from __future__ import annotations

from ssegauge.judging import expect_clean_bytes, rule
from ssegauge.observation import Observation


@rule("ENC-01")
def test_stream_is_well_formed_utf_8(observation: Observation) -> None:
    """Every byte of the stream belongs to well-formed UTF-8: no Latin-1, no surrogates, no overlong or cut sequences."""
    expect_clean_bytes("ENC-01", observation, "well-formed UTF-8")


@rule("ENC-02")
def test_payload_has_no_replacement_character(observation: Observation) -> None:
    """Decoded data contains no U+FFFD: it shows that something upstream decoded wrongly, most often a multi-byte character cut at a chunk boundary."""
    expect_clean_bytes("ENC-02", observation, "no U+FFFD in the data")


@rule("ENC-03")
def test_stream_does_not_start_with_a_byte_order_mark(observation: Observation) -> None:
    """The stream does not start with EF BB BF."""
    expect_clean_bytes("ENC-03", observation, "no byte order mark at the start")


@rule("ENC-04")
def test_stream_has_no_nul_and_no_raw_control_characters(observation: Observation) -> None:
    """Data, event types and comments carry no NUL and no C0 control but tab."""
    expect_clean_bytes("ENC-04", observation, "no NUL and no control character but tab")


@rule("ENC-05")
def test_raw_unicode_line_separators_are_reported(observation: Observation) -> None:
    """Raw U+2028, U+2029, U+0085, VT, FF and FS to RS in a value are data and end no line, but clients that split with a language's own line splitter (Python's str.splitlines) break there."""
    expect_clean_bytes("ENC-05", observation, "no raw line separators of Unicode in a value")


@rule("ENC-06")
def test_doubly_encoded_text_is_reported(observation: Observation) -> None:
    """Decoded data shows UTF-8 that was decoded as Latin-1 and encoded again (for example an A with tilde followed by a sign where an accented letter belongs)."""
    expect_clean_bytes("ENC-06", observation, "text that was encoded once")


@rule("ENC-08")
def test_no_later_line_starts_with_a_byte_order_mark(observation: Observation) -> None:
    """Beyond one mark at the very start of the stream no line starts with U+FEFF: there it becomes part of the field name, and the field is lost."""
    expect_clean_bytes("ENC-08", observation, "no byte order mark at the start of a later line")
