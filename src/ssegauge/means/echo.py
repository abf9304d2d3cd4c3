"""The echo contract (docs/echo-contract.md): lists of events that are sent, and what a client must read in return."""

from __future__ import annotations

import contextlib
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ssegauge.bench import Bench
from ssegauge.client import Limits
from ssegauge.exchange import Sent
from ssegauge.means import curl
from ssegauge.means.reflection import (
    EDGES,
    INJECTIONS,
    LONE_CR,
    LOOKS_LIKE_A_FIELD,
    NEWLINES,
    NON_ASCII,
    ONE_NEWLINE,
    with_lf,
)
from ssegauge.observation import Observation
from ssegauge.wire import Event

Blocks = list[dict[str, Any]]

# Single separators, escapes and a sentinel: an endpoint of an application may have a meaning for them, an echo has none.
PLAIN = ("x", "", "[DONE]", '{"a":"\\n"}', "'", "&#10;", "\u2028", "\u2029", "\u0085", "\x1c", "x" * 70_000)
TEXTS = (*PLAIN, *ONE_NEWLINE, *NEWLINES, *LONE_CR, *EDGES, *LOOKS_LIKE_A_FIELD, *INJECTIONS, *NON_ASCII)
NAMES = ("x", " x", "x ", "\tx", ":x", "x: y", "data", "message", "ä\u2028", "\ufeffx", "")
"""For types and ids, which stand on one line."""
ALPHABET = "ab:\n\r \t\0\ufeff\x0b\x0c\x1c\x1e\x7f\x85\u2028\u2029äß€漢\u0301\U0001f600\"'\\&%{}[]#,0"
"""The characters that writers and readers get wrong, and some that they do not."""
EXAMPLES = 100
BUDGET = 8.0
"""Seconds that drawing and shrinking may take together."""


@dataclass(frozen=True)
class Echoed:
    """What was sent, what should come back, and what came."""

    blocks: Blocks
    sent: Sent
    seen: Observation
    expected: list[Event]

    @property
    def fault(self) -> str | None:
        """What is wrong with the answer, or None."""
        exchange, anatomy = self.seen.exchange, self.seen.anatomy
        if exchange.status is not None and exchange.status // 100 == 4 and self._may_be_refused:
            return None
        if exchange.status != 200:
            return f"status {exchange.status}" if exchange.status else exchange.detail or "no response"
        if anatomy.events != self.expected:
            return f"{len(anatomy.events)} events: {_first_difference(self.expected, anatomy.events)}"
        if anatomy.unknown:
            return f"a field named {anatomy.unknown[0].name[:40]!r}"
        retries = [block["retry"] for block in self.blocks if block.get("retry") is not None]
        if anatomy.retries != retries:
            return f"retry {anatomy.retries}"
        if exchange.end != "message_end" or (anatomy.pending is not None and anatomy.pending.fields):
            return f"an unfinished answer: {exchange.end}"
        return None

    @property
    def _may_be_refused(self) -> bool:
        return any("\0" in (block.get(name) or "") for block in self.blocks for name in ("data", "comment"))

    @property
    def reproduce(self) -> str:
        """The request as a curl command."""
        return curl.command(self.sent)


def expected_events(blocks: Blocks) -> list[Event]:
    """What a conforming client dispatches (HTML 9.2.6): a block without data sets its id and nothing else."""
    events, last_id = [], ""
    for block in blocks:
        last_id = last_id if block.get("id") is None else block["id"]
        if block.get("data") is not None:
            events.append(Event(block.get("type") or "message", with_lf(block["data"]), last_id))
    return events


@dataclass
class Echo:
    """Sends lists of events to an endpoint with the echo contract and keeps the smallest that came back wrong."""

    bench: Bench
    worst: Echoed | None = None
    _deadline: float = field(default_factory=lambda: time.monotonic() + BUDGET)

    def send(self, blocks: Blocks) -> Echoed:
        """One exchange."""
        sent = self.bench.sent(json=blocks)
        seen = self.bench.observe(sent, limits=Limits(window=5.0))
        return Echoed(blocks, sent, seen, expected_events(blocks))

    def holds(self, blocks: Blocks) -> bool:
        """Whether the events come back; past the time that is allowed nothing more is asked."""
        if time.monotonic() > self._deadline:
            return True
        echoed = self.send(blocks)
        if echoed.fault is None:
            return True
        if self.worst is None or len(json.dumps(blocks)) < len(json.dumps(self.worst.blocks)):
            self.worst = echoed
        return False

    def run(self) -> Echoed | None:
        """The smallest failure that was found, or None: first the known texts, then drawn ones."""
        known: Blocks = [{"data": text} for text in TEXTS]
        known += [{part: name, "data": "y"} for part in ("type", "id") for name in NAMES]
        if not self.holds(known):
            for block in known:
                self.holds([block])
        if self.worst is None:
            _draw(self.holds)
        return self.worst


def _draw(holds: Callable[[Blocks], bool]) -> None:
    """Draw lists of events and shrink what fails."""
    from hypothesis import HealthCheck, Phase, given, settings  # noqa: PLC0415 - half a second that others need not pay
    from hypothesis import strategies as st  # noqa: PLC0415
    from hypothesis.errors import HypothesisException  # noqa: PLC0415

    text = _edged(st, ALPHABET)
    one_line = _edged(st, "".join(letter for letter in ALPHABET if letter not in "\r\n\0"))
    members = {
        "type": one_line, "data": text, "id": one_line, "retry": st.integers(0, 100_000), "comment": text,
    }  # fmt: skip
    blocks = st.lists(st.fixed_dictionaries({}, optional=members), min_size=1, max_size=4)

    @settings(
        max_examples=EXAMPLES, database=None, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )  # fmt: skip
    @given(blocks)
    def attempt(drawn: Blocks) -> None:
        assert holds(drawn)  # noqa: S101 - hypothesis shrinks what raises

    # suppressed, since what failed is kept by `holds`
    with _nothing_written(), contextlib.suppress(AssertionError, HypothesisException):
        attempt()


@contextlib.contextmanager
def _nothing_written() -> Iterator[None]:
    """Hypothesis keeps tables in the working directory, which is the user's."""
    from hypothesis import configuration  # noqa: PLC0415

    usual = getattr(configuration, "__hypothesis_home_directory", None)
    with tempfile.TemporaryDirectory() as folder:
        configuration.set_hypothesis_home_dir(folder)
        try:
            yield
        finally:
            configuration.set_hypothesis_home_dir(usual)


def _edged(st: Any, letters: str) -> Any:
    """Texts that often begin or end with what gets lost there."""
    edge = st.sampled_from(["", "", *(letter for letter in "\n\r \t:\ufeff" if letter in letters)])
    return st.builds("{}{}{}".format, edge, st.text(st.sampled_from(letters), max_size=8), edge)


def _first_difference(expected: list[Event], got: list[Event]) -> str:
    for index, event in enumerate(expected):
        if index >= len(got) or got[index] != event:
            return f"number {index} is {tuple(got[index]) if index < len(got) else 'missing'!r:.200}"
    return f"number {len(expected)} was not sent"
