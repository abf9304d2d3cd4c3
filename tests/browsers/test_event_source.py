"""The decoder against real browsers: they read the same bytes through EventSource."""

from __future__ import annotations

import itertools
import os
import re
from pathlib import Path
from typing import Any

import pytest

from ssegauge.anatomy import dissect
from ssegauge.wire import decode
from tests.sse_bytes import IDS, VECTORS, body_of, expected, split

from .generated import TYPES, pieces, stream
from .oracle import Answer, Dispatched, Job, read

pytestmark = pytest.mark.browser

MEASURED = {"chromium": "chromium-156", "firefox": "firefox-153"}
GENERATED = {"chromium": int(os.environ.get("SSEGAUGE_STREAMS", "3000")), "firefox": 800}
SLOW_RETRY = 5000
"""Milliseconds of `retry:` above which the reconnect is not waited for."""

browsers = pytest.mark.parametrize("browser", list(MEASURED))


def _job(vector: dict[str, Any], *, stays: bool) -> Job:
    body = body_of(vector)
    types = {event["type"] for event in vector["events"]} | set(vector.get("also_listen", [])) | {"message"}
    cuts = vector.get("chunk_offsets") or []
    cuts = [] if stays or cuts == "every-byte" else cuts
    return Job(split(body, cuts), sorted(types), stays=stays)


def _deviation(vector: dict[str, Any], browser: str, mode: str) -> dict[str, Any]:
    measured: dict[str, Any] = vector.get("browser_deviation", {}).get(MEASURED[browser], {})
    return measured.get(mode) or measured.get("whole") or {}


def _difference(vector: dict[str, Any], browser: str, mode: str, answer: Answer) -> str:
    """What the browser did that neither the standard nor the list of known deviations says; empty where nothing."""
    said = _deviation(vector, browser, mode)
    events: Dispatched = expected(vector)
    if "events" in said:
        events = [(event["type"], event["data"], event["last_event_id"]) for event in said["events"]]
    if answer.how != "ended":
        return f"{vector['id']}: {answer.how}"
    if answer.events != events:
        return f"{vector['id']}: {browser} dispatched {answer.events}, not {events}"
    if answer.last_event_id is not None:
        last = said.get("last_event_id_header_hex", vector["final_last_event_id"].encode().hex())
        if answer.last_event_id.hex() != last:
            return f"{vector['id']}: {browser} came back with {answer.last_event_id!r}, not {bytes.fromhex(last)!r}"
    return ""


@browsers
def test_vectors_are_what_the_browser_dispatches(browser: str, tmp_path: Path) -> None:
    """Each vector whole, with the browser's own reconnect; and those with nasty places once more in pieces."""
    known = [vector for vector in VECTORS if "initial_last_event_id" not in vector]
    split_ones = [vector for vector in known if vector.get("chunk_offsets") not in (None, "every-byte")]
    jobs = [_job(vector, stays=max(vector["retry_updates"], default=0) <= SLOW_RETRY) for vector in known]
    jobs += [_job(vector, stays=False) for vector in split_ones]
    answers = read(browser, jobs, tmp_path / browser, within=90)
    modes = itertools.chain(itertools.repeat("whole", len(known)), itertools.repeat("chunks"))
    found = [
        _difference(vector, browser, mode, answer)
        for vector, mode, answer in zip([*known, *split_ones], modes, answers, strict=False)
    ]
    assert len(answers) == len(jobs)
    assert [each for each in found if each] == []
    assert len(IDS) == len(known) + 1


@browsers
def test_generated_streams_are_what_the_browser_dispatches(browser: str, tmp_path: Path) -> None:
    """Streams made by dice: every difference is one of the browser's that is known, or ours."""
    bodies = [stream(seed) for seed in range(GENERATED[browser])]
    theirs = [
        Job(pieces(body, seed), sorted({*TYPES, *(event.type for event in decode(body))}))
        for seed, body in enumerate(bodies)
    ]
    answers = read(browser, theirs, tmp_path / browser, within=120)
    different = {
        seed: (body, answer.how, answer.events, ours)
        for seed, (body, answer) in enumerate(zip(bodies, answers, strict=True))
        if answer.how != "ended" or answer.events != (ours := _as_read_by(browser, body))
    }
    unknown = {seed: facts for seed, facts in different.items() if not KNOWN[browser].search(facts[0])}
    assert unknown == {}, f"{len(unknown)} of {len(bodies)}"


KNOWN = {
    "chromium": re.compile(rb"\A\xef\xbb\xbf(?:\n|\r(?!\n))"),
    "firefox": re.compile(rb"(?:id|event)[^\r\n]*\0"),
}
"""What a browser does otherwise: Chromium loses the first line after a byte order mark and a blank line that ends in LF
or CR; Firefox loses the event, or keeps the id, around NUL in `id` and `event` (tests/vectors/README.md)."""


@browsers
def test_a_mark_and_a_blank_line_cost_a_line_in_chromium_alone(browser: str, tmp_path: Path) -> None:
    rest = b"data: a\ndata: b\n\n"
    heads = [b"\xef\xbb\xbf" + end for end in (b"", b"\n", b"\r", b"\r\n", b"\n\n", b": c\n")]
    jobs = [Job([head + rest], ["message"]) for head in heads]
    lost = [head for head, answer in zip(heads, read(browser, jobs, tmp_path / browser, within=90), strict=True)
            if answer.events != [("message", "a\nb", "")]]  # fmt: skip
    assert [decode(head + rest)[0].data for head in heads] == ["a\nb"] * len(heads)
    assert lost == ([heads[1], heads[2]] if browser == "chromium" else [])


def _as_read_by(browser: str, body: bytes) -> Dispatched:
    """The events of the standard; for Firefox without the ids of blocks that have no data, which it ignores."""
    if browser == "chromium":
        return [tuple(event) for event in decode(body)]
    events: Dispatched = []
    last_id = ""
    for block in dissect(body).blocks:
        if block.event is not None:
            last_id = next((line.text for line in reversed(block.of("id")) if b"\0" not in line.value), last_id)
            events.append((block.event.type, block.event.data, last_id))
    return events
