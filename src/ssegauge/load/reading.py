"""What a stream is read with: who reads it, where its figures go, what is expected of it, whom it tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ssegauge.load.contract import Contract, Delivery
from ssegauge.load.deadlines import Timeouts
from ssegauge.load.reader import Reader
from ssegauge.load.recorder import Recorder
from ssegauge.wire import RawEvent


@dataclass(frozen=True, slots=True)
class Reading:
    """`endpoint`: the name its figures stand under. `origin`: where its times count from, in monotonic nanoseconds;
    0: its own request. `on_end` is called once; `on_events`, where somebody reads along, with the events of one read.
    """

    reader: Reader
    recorder: Recorder
    endpoint: str
    contract: Contract
    delivery: Delivery
    timeouts: Timeouts
    on_end: Callable[[], None]
    on_events: Callable[[list[RawEvent]], None] | None = None
    origin: int = 0
    last_event_id: str = ""
