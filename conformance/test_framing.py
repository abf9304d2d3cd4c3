"""Lines, blocks and blank lines, as the bytes and their times show them (rules FRM-*)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from statistics import median

from ssegauge.anatomy import Block
from ssegauge.bench import Bench
from ssegauge.judging import MOST_EVIDENCE, broken, expect_clean_bytes, rule
from ssegauge.means.timing import Delay, mostly
from ssegauge.observation import Evidence, Observation

BLANK_LINE = 0.05
"""Seconds from an event's last data byte to its blank line (FRM-04)."""
BY_FAR = 0.25
"""Seconds by which one blank line alone must be late to count: a lost packet takes 0.2 s to be sent again."""


@rule("FRM-01")
def test_every_event_is_closed_by_a_blank_line(observation: Observation) -> None:
    """Every event, the last before the end included, is closed by a blank line."""
    expect_clean_bytes("FRM-01", observation, "a blank line after every event")


@rule("FRM-03")
def test_lone_carriage_return_is_not_used_as_line_end(observation: Observation) -> None:
    """Lines do not end with a lone CR."""
    expect_clean_bytes("FRM-03", observation, "LF or CRLF as line end")


@rule("FRM-04")
def test_blank_line_travels_with_its_event(bench: Bench) -> None:
    """The blank line that closes an event is flushed with it: no client waits for the next event to see this one."""
    late = mostly(bench, bench.observation, _blank_lines_late, bench.observe, busy=BLANK_LINE)
    if late:
        broken(
            f"the blank line within {BLANK_LINE * 1000:.0f} ms of its event",
            late[0].delay.text,
            late[0].delay.evidence,
            [Evidence(f"sample {number}: {one.delay.text}") for number, one in enumerate(late, 1)],
        )


def _blank_lines_late(seen: Observation) -> Delay | None:
    held, events = list(_blank_lines_held(seen)), len(seen.anatomy.event_blocks)
    # a packet that is cut just there happens; a writer that flushes too early does it again and again
    if len(held) < 2 and 2 * len(held) < max(events, 1) and not _stands_alone(seen, held):
        return None
    seconds = median(wait for _, wait in held)
    shown = [
        seen.show(block.start, block.end, f"event {block.index}: its blank line came {wait * 1000:.0f} ms later")
        for block, wait in held[:MOST_EVIDENCE]
    ]
    return Delay(seconds, f"{seconds * 1000:.0f} ms later in {len(held)} of {events} events", tuple(shown))


def _stands_alone(seen: Observation, held: list[tuple[Block, float]]) -> bool:
    """One blank line is late by far, while every other packet ends with a block: nothing cuts at any place."""
    if not held or held[0][1] < BY_FAR:
        return False
    lines = [field for block, _ in held for field in block.of("data")[-1:]]
    ends = {block.end for block in seen.anatomy.all_blocks} | {line.end + len(line.eol) for line in lines}
    return ends.issuperset(accumulate(len(read.data) for read in seen.decoded.reads if read.data))


def _blank_lines_held(seen: Observation) -> Iterator[tuple[Block, float]]:
    for block in seen.anatomy.event_blocks:
        last = block.of("data")[-1]
        wait = seen.at(block.end) - seen.at(last.end + len(last.eol))
        if wait > BLANK_LINE:
            yield block, wait


@rule("FRM-05")
def test_body_is_an_event_stream(observation: Observation) -> None:
    """The body of a response that claims to be an event stream is one: not an HTML page, not a JSON error document, not JSON lines without field names."""
    expect_clean_bytes("FRM-05", observation, "lines of an event stream")


@rule("FRM-06")
def test_two_events_are_not_merged_into_one_block(observation: Observation) -> None:
    """A blank line stands between any two events: a block never holds two documents."""
    expect_clean_bytes("FRM-06", observation, "one JSON document in a block")


@rule("FRM-07")
def test_every_payload_line_has_its_own_field_name(observation: Observation) -> None:
    """Every line of a multi-line payload has its own data:; a line without it is dropped."""
    expect_clean_bytes("FRM-07", observation, "a field name on every line of a payload")


@rule("FRM-08")
def test_lines_and_events_stay_within_common_limits(observation: Observation) -> None:
    """A line stays under 64 KiB (Go's default line scanner) and an event under 1 MiB."""
    expect_clean_bytes("FRM-08", observation, "lines under 64 KiB and events under 1 MiB")


@rule("FRM-09")
def test_frame_is_not_framed_twice(observation: Observation) -> None:
    """Data does not itself begin with a field (data: data: {...})."""
    expect_clean_bytes("FRM-09", observation, "data that is framed once")


@rule("FRM-10")
def test_stream_is_not_empty(observation: Observation) -> None:
    """A 200 stream that ends has carried at least one event."""
    expect_clean_bytes("FRM-10", observation, "at least one event")


@rule("FRM-12")
def test_one_kind_of_line_end_is_used_throughout(observation: Observation) -> None:
    """One kind of line end is used throughout the stream, keepalives included."""
    expect_clean_bytes("FRM-12", observation, "one kind of line end")


@rule("FRM-13")
def test_crlf_line_ends_are_reported(observation: Observation) -> None:
    """CRLF is legal, but hand-written clients that split on LF LF see no event at all; several load tools count such a stream as an empty success."""
    expect_clean_bytes("FRM-13", observation, "LF line ends")


@rule("FRM-14")
def test_two_writers_do_not_interleave(observation: Observation) -> None:
    """Lines of two events are never woven into one block, which happens when two tasks write to one connection without a lock."""
    expect_clean_bytes("FRM-14", observation, "the lines of one event in a block")


@rule("FRM-15")
def test_line_ends_are_not_sent_as_escaped_text(observation: Observation) -> None:
    """Frames are separated by real line ends, not by a backslash and the letter n."""
    expect_clean_bytes("FRM-15", observation, "real line ends between frames")
