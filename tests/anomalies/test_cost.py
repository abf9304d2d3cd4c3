"""Hostile bodies are judged in linear work and memory."""

from __future__ import annotations

import random
import sys
import tracemalloc
from collections import deque

import pytest

from ssegauge.anatomy import dissect
from ssegauge.anomalies import JSON_JUDGES, JUDGES

UNITS = {
    "line-feeds": b"\n",
    "carriage-returns": b"\r",
    "comments": b": x\n",
    "data-lines": b"data:\n",
    "empty-events": b"data:\n\n",
    "ill-formed-events": b"data: \xff\xfe\xc3\n\n",
    "ill-formed-bytes": b"\xff",
    "one-long-line": b"a",
    "nul": b"\0",
    "ids": b"id: x\n",
    "unknown-fields": b"d\n",
    "cut-documents": b'data: {"a\n\n',
    "quotes": b"data: {'a': \\n\\ndata: 'x'}\n\n",
    "escaped-line-ends": b"\\n\\ndata:",
    "brackets": b"[",
    "random": random.Random(1).randbytes(997),
}


def judged(body: bytes) -> tuple[int, int]:
    """Calls made, and bytes of memory at the peak, while the body is dissected and every judge is heard out."""
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1

    tracemalloc.start()
    sys.setprofile(count)
    try:
        anatomy = dissect(body)
        for judge in [*JUDGES.values(), *JSON_JUDGES.values()]:
            deque(judge(anatomy), maxlen=0)
    finally:
        sys.setprofile(None)
        memory = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return calls, memory


@pytest.mark.parametrize("unit", UNITS.values(), ids=UNITS)
def test_hostile_bodies_are_judged_in_linear_work_and_memory(unit: bytes) -> None:
    count = max(200, 2000 // len(unit))
    small, large = judged(b"data: " + unit * count), judged(b"data: " + unit * (2 * count))
    assert large[0] < 2.3 * small[0] + 500
    assert large[1] < 2.3 * small[1] + 50_000


def test_blank_lines_are_one_block_however_many() -> None:
    anatomy = dissect(b"data: x\n" + b"\n\r\n" * 50_000)
    assert len(anatomy.blocks) == 2
    assert anatomy.line_ends == {b"\n": 50_001, b"\r\n": 50_000}
