"""data, event, id and retry, as the bytes show them (rules FLD-*), and whether an input's NUL gets into an id."""

from __future__ import annotations

from ssegauge.bench import Bench
from ssegauge.judging import broken, expect_clean_bytes, rule
from ssegauge.means import reflection
from ssegauge.observation import Observation


@rule("FLD-01")
def test_known_field_names_are_written_exactly(observation: Observation) -> None:
    """data, event, id and retry are written in lower case, at the start of the line, with no blank before the colon."""
    expect_clean_bytes("FLD-01", observation, "data, event, id and retry, in lower case at the start of the line")


@rule("FLD-02")
def test_id_has_no_nul(bench: Bench) -> None:
    """An id contains no NUL: a conforming client ignores the field, and Firefox 153 loses the event."""
    expected = "an id without NUL"
    expect_clean_bytes("FLD-02", bench.observation, expected)
    if not bench.live or "reflect.id" not in bench.endpoint.declares:
        return
    mirror = reflection.reflection(bench, "id")
    if mirror.fits("\0") is None:
        return  # a header field, which cannot carry it
    for sending in mirror.send(reflection.NUL, whole=bench.observation.ended):  # as SEC-08 sends it
        for line in sending.seen.anatomy.fields if sending.answered else ():
            if line.kind == "id" and b"\0" in line.value:
                shown = sending.evidence(sending.seen.show(line.start, line.end, "an id that clients ignore"))
                broken(expected, "an input's NUL in an id", shown, reproduce=sending.reproduce)


@rule("FLD-03")
def test_retry_is_ascii_digits(observation: Observation) -> None:
    """A retry value is one or more ASCII digits: no sign, dot, unit, exponent, blank or digit of another script."""
    expect_clean_bytes("FLD-03", observation, "a retry of ASCII digits")


@rule("FLD-04")
def test_retry_is_plausible(observation: Observation) -> None:
    """A retry value lies between 500 and 300000."""
    expect_clean_bytes("FLD-04", observation, "a retry between 500 and 300000")


@rule("FLD-05")
def test_id_comes_with_data(observation: Observation) -> None:
    """An id shares its block with data."""
    expect_clean_bytes("FLD-05", observation, "data in the block of every id")


@rule("FLD-06")
def test_field_appears_once_in_a_block(observation: Observation) -> None:
    """A block has at most one event, one id and one retry; of several the last one wins."""
    expect_clean_bytes("FLD-06", observation, "at most one event, id and retry in a block")


@rule("FLD-07")
def test_event_field_comes_with_data(observation: Observation) -> None:
    """A block with event: has data."""
    expect_clean_bytes("FLD-07", observation, "data in the block of every event field")


@rule("FLD-08")
def test_no_event_has_empty_data(observation: Observation) -> None:
    """No event with empty data, unless the profile lists its type under ignore."""
    expect_clean_bytes("FLD-08", observation, "data that is not empty")


@rule("FLD-11")
def test_event_type_has_no_blanks_at_its_edges(observation: Observation) -> None:
    """An event type has no leading or trailing blank: it would be another type than the one that listeners name."""
    expect_clean_bytes("FLD-11", observation, "an event type without blanks at its edges")


@rule("FLD-12")
def test_id_identifies_one_event(observation: Observation) -> None:
    """Within a stream an id is not used again for different data; a client that resumes from it would skip or repeat."""
    expect_clean_bytes("FLD-12", observation, "an id for each event")


@rule("FLD-13")
def test_id_can_travel_in_a_header(observation: Observation) -> None:
    """An id is at most 128 visible ASCII characters without leading or trailing blank: blanks are lost on the way back, other characters arrive as UTF-8 bytes that many servers read as Latin-1, and longer or unsafe values can need a CORS preflight."""
    expect_clean_bytes("FLD-13", observation, "an id of at most 128 visible ASCII characters")


@rule("FLD-14")
def test_id_is_not_reset_by_accident(observation: Observation) -> None:
    """No empty id follows a non-empty one: it erases the point to resume from."""
    expect_clean_bytes("FLD-14", observation, "no empty id after an id")


@rule("FLD-16")
def test_stream_has_no_unknown_fields(observation: Observation) -> None:
    """Field names other than the four do not appear: clients ignore them, so what they carry is invisible (an error: {...} line, for example)."""
    expect_clean_bytes("FLD-16", observation, "no field but data, event, id and retry")


@rule("FLD-17")
def test_retry_comes_with_data(observation: Observation) -> None:
    """A retry shares its block with data."""
    expect_clean_bytes("FLD-17", observation, "data in the block of every retry")
