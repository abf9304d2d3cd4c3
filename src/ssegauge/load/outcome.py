"""What became of one stream."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ssegauge.verdict import MEANINGS, Facts, Verdict

Counting = Literal["undeclared", "empty", "counted", "uncounted", "unnumbered"]
"""What can be said of lost events: nothing is declared to count by; no event came; the events were counted; they bear ids
that do not count; they bear no number, though a sequence is declared.
"""


@dataclass(slots=True)
class Outcome:
    """One stream, from its request to its end. Times in microseconds, by the names of DESIGN ("Times").

    `faults` are breaches of the endpoint's contract by kind (order, terminal, json, schema, progress); `lost`, `duplicated`
    and `reordered` count events of this connection, by the declared sequence or by ids that count. `counting`: whether these
    did.
    `counts_again`: ids show at least what comes twice. `expected`: the times that a stream of
    this endpoint is to have; those that are missing count as "at least `lasted_us`". `late_us`: from the intended start to the request.
    `page`: the beginning of an answer that was no stream. `tokens`: as the server counted them, or the events that the
    profile calls tokens. `own_fault`: it was not opened for want of our own; `unjudged`: we stumbled over it. `missed`: the stated limits that this stream did not keep, None where it cannot be said.
    """

    endpoint: str
    verdict: Verdict
    facts: Facts
    status: int | None = None
    headers: list[tuple[str, str]] = field(default_factory=list)
    error: str = ""
    page: str = ""
    times: dict[str, float] = field(default_factory=dict)
    expected: tuple[str, ...] = ()
    lasted_us: float = 0.0
    late_us: float = 0.0
    opened: bool = False
    events: int = 0
    bytes: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    lost: int = 0
    duplicated: int = 0
    reordered: int = 0
    reconnects: int = 0
    counting: Counting = "undeclared"
    counts_again: bool = False
    first_number: int | None = None
    last_event_id: str = ""
    retry_ms: int | None = None
    own_fault: bool = False
    unjudged: bool = False
    tokens: int = 0
    missed: tuple[str, ...] | None = None

    @property
    def failed(self) -> bool:
        """Not as the contract says. A stream that we closed ourselves did not fail."""
        broken = self.faults or self.lost or self.duplicated or self.reordered
        return bool(broken) or self.verdict not in ("complete", "client_closed")

    @property
    def message(self) -> str:
        """One line: the verdict and what is to say about it. Stable across streams, so that failures can be counted."""
        parts = [self.error] if self.error else []
        parts += [f"{kind} broken" for kind in sorted(self.faults)]
        parts += [f"events {kind}" for kind in ("lost", "duplicated", "reordered") if getattr(self, kind)]
        return f"{self.verdict}: {'; '.join(parts) or MEANINGS[self.verdict]}"

    def ms(self, name: str) -> float | None:
        """A time in milliseconds; None where the stream did not come so far."""
        us = self.times.get(name)
        return None if us is None else us / 1000


class StreamFailed(Exception):
    """Raised nowhere: given to Locust's request event, which counts failures by their text."""

    def __init__(self, outcome: Outcome, text: str) -> None:
        super().__init__(text)
        self.outcome = outcome
