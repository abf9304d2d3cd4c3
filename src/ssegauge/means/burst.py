"""Many clients at once: who of them is served, refused or left in silence, and whether they all fall silent together."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise
from statistics import median
from typing import Literal

from ssegauge.bench import Bench
from ssegauge.client import Limits, Stream
from ssegauge.exchange import Exchange
from ssegauge.means.leaving import notice
from ssegauge.means.timing import Delay
from ssegauge.observation import Arrival, Evidence, Observation
from ssegauge.probe import settle

SPREAD = 0.8
"""Seconds over which the clients come: streams of their own are then at different places, a shared feed is not."""
PATIENCE = 5.0
"""Seconds after the usual first byte within which a client is served or refused."""
MOST = 64 << 10
"""Bytes of one stream that are read: so many clients of a fast one would take this machine's time."""
STEADY = 1.5
"""Seconds of silence up to which a stream alone is steady enough for a short look to tell a freeze."""
EXTRA = 0.5
"""Seconds of silence more than alone after which a stream is late."""
FREEZE = 0.25
"""Seconds without a byte on any stream that are called a freeze."""
TURN = 0.02
"""Seconds from one byte to the next, whichever stream it is on, from which on they are served one at a time."""
MOSTLY = 0.8
"""Share of the streams that is called all: some have just been served, or end."""
AT_ONCE = 0.1
"""Seconds within which streams wake up together."""
RECOVERY = 30.0
"""Seconds that a server is given to answer as before."""

State = Literal["served", "refused", "silent"]


@dataclass(frozen=True)
class Client:
    """One of the clients. Times are monotonic: when its request was sent, and until when it was looked at.

    What a hostile stream is made of takes a hundred times its bytes, so no more than a word of it is kept.
    """

    exchange: Exchange
    usual: Observation
    began: float
    until: float

    @property
    def seen(self) -> Observation:
        """The stream, taken apart anew."""
        return Observation(self.exchange, self.usual.endpoint)

    @cached_property
    def reads(self) -> list[float]:
        """When content came."""
        return [self.began + read.at for read in self.exchange.reads]

    @property
    def late_by(self) -> float:
        """Its longest silence after its first byte, in seconds."""
        return max((after - before for before, after in pairwise([*self.reads, self.until])), default=0.0)

    @cached_property
    def state(self) -> State:
        """What became of it, beside a stream alone. An error event in place of the stream is a refusal, too."""
        exchange, seen = self.exchange, self.seen
        if exchange.status is None:
            return "refused" if exchange.end in {"connect_error", "reset", "eof", "malformed"} else "silent"
        if not seen.is_stream or (seen.errors and len(seen.arrivals) == len(seen.errors)):
            return "refused"
        return "silent" if self.usual.exchange.reads and not self.reads and not seen.ended else "served"

    @cached_property
    def harm(self) -> str:
        """How its stream ended, where it was served and ended otherwise than alone; empty where it did not."""
        if self.state != "served" or not self.exchange.ended_by_server:
            return ""
        verdict = self.seen.verdict
        return "" if self.usual.ended and verdict == self.usual.verdict else verdict


@dataclass(frozen=True)
class Burst:
    """So many clients of one stream, and the stream as it is alone."""

    usual: Observation
    clients: tuple[Client, ...]
    since: float

    @cached_property
    def states(self) -> Counter[State]:
        """How many were served, refused and left in silence."""
        return Counter(client.state for client in self.clients)

    @cached_property
    def harmed(self) -> list[Client]:
        """Those that were served, and whose stream ended otherwise than it does alone."""
        return [client for client in self.clients if client.harm]

    @property
    def evidence(self) -> list[Evidence]:
        """How many got which answer."""
        kinds = Counter(map(_answer, self.clients))
        return [Evidence(f"{count} of {len(self.clients)}: {kind}") for kind, count in kinds.most_common()]


def _answer(client: Client) -> str:
    exchange, state = client.exchange, client.state
    if state == "refused":
        return f"refused: {f'status {exchange.status}' if exchange.status else exchange.detail or exchange.end}"
    accepted = "after the head" if exchange.status else "without an answer" if exchange.connect_s is not None else ""
    return f"silent {accepted or 'without a connection'}" if state == "silent" else "served"


def burst(bench: Bench) -> Burst:
    """As many clients as the run allows, made once."""
    return bench.once("burst", lambda: run(bench))


def run(bench: Bench) -> Burst:
    """The same, made anew. Afterwards the server is given time to answer as before."""
    usual, count = bench.observation, bench.options.burst
    gauge = bench.gauge or bench.process
    before = gauge.active() if gauge is not None else 0.0
    since = time.monotonic()
    streams: list[Stream] = []
    try:
        runs = [partial(_client, bench, streams, SPREAD * number / count, since) for number in range(count)]
        return Burst(usual, tuple(bench.together(runs)), since)
    finally:
        for stream in streams:
            stream.close()
        _recover(bench)
        if gauge is not None:
            settle(gauge.active, before, notice(bench))


def _client(bench: Bench, streams: list[Stream], after: float, since: float) -> Client:
    time.sleep(after)
    limits = Limits(connect=PATIENCE, first_byte=2 * RECOVERY, window=2 * RECOVERY, max_body=MOST)
    stream = bench.open(limits=limits)
    streams.append(stream)  # nobody leaves before all are through: whoever is served makes no room for who waits
    began = time.monotonic() - stream.elapsed
    stream.pump(within=max(since + _span(bench.observation) - time.monotonic(), 0.0))
    until = began + stream.exchange.end_at if stream.over else time.monotonic()
    patience = _first(bench.observation) + PATIENCE * max(bench.options.scale, 0.5)
    if bench.observation.exchange.reads:
        stream.pump(lambda some: bool(some.exchange.reads), within=max(began + patience - time.monotonic(), 0.0))
    else:
        stream.until_head(max(began + patience - time.monotonic(), 0.0))
    return Client(stream.exchange, bench.observation, began, until)


def _recover(bench: Bench) -> None:
    """Wait until the endpoint answers about as soon as alone: what was asked of it may still keep it busy."""
    usual = bench.observation.exchange.head_at or 0.0
    deadline = time.monotonic() + RECOVERY
    while time.monotonic() < deadline:
        with bench.open() as stream:
            if stream.until_head(usual + 1.0):
                return


def _first(usual: Observation) -> float:
    reads = usual.exchange.reads
    return reads[0].at if reads else usual.exchange.head_at or 0.0


def _span(usual: Observation) -> float:
    """Seconds from the first client on in which the burst is looked at: long enough for two silences in a row."""
    alone = longest_alone(usual)
    return SPREAD + _first(usual) + (2 * (alone + EXTRA) + FREEZE if alone <= STEADY else EXTRA)


def longest_alone(usual: Observation) -> float:
    """The longest silence of the stream alone after its first byte, in seconds."""
    reads = [read.at for read in usual.exchange.reads]
    last = [] if usual.ended else [usual.exchange.end_at]
    return max((after - before for before, after in pairwise([*reads, *last])), default=0.0)


# -- silent together ------------------------------------------------------------------------------------------------


def frozen(found: Burst) -> Delay | None:
    """What shows that the streams wait for each other: a silence of all that none has alone, or one byte at a time for all."""
    alone = longest_alone(found.usual)
    clients = [client for client in found.clients if client.reads and client.until - client.reads[0] > alone + EXTRA]
    if len(clients) < 3:
        return None
    return _one_at_a_time(found, clients, alone) or next(_freezes(found, clients, alone), None)


def _freezes(found: Burst, clients: list[Client], alone: float) -> Iterator[Delay]:
    """Silences of all streams at once, unless they end with the same event for all: that is a feed without news."""
    times = sorted(at for client in found.clients for at in client.reads)
    for before, after in pairwise(times):
        open_then = [client for client in clients if client.reads[0] < before and client.until > after]
        late = [client for client in open_then if _last_read(client, before) < after - alone - EXTRA]
        if after - before < FREEZE or len(late) < max(3, MOSTLY * len(open_then)):
            continue
        if not _same_event(open_then, after):
            said = f"not a byte on {len(open_then)} streams for {after - before:.2f} s"
            yield Delay(after - before, said, (Evidence("then they went on", at=after - found.since),))


def _last_read(client: Client, moment: float) -> float:
    return max(at for at in client.reads if at <= moment)


def _same_event(clients: list[Client], moment: float) -> bool:
    """Most streams woke up at that moment, with the same data."""
    first = (_first_after(client, moment) for client in clients)
    woken = [
        arrival.data
        for client, arrival in zip(clients, first, strict=True)
        if arrival and client.began + arrival.at <= moment + AT_ONCE
    ]
    return len(woken) >= len(clients) / 2 and Counter(woken).most_common(1)[0][1] >= MOSTLY * len(woken)


def _first_after(client: Client, moment: float) -> Arrival | None:
    return next((arrival for arrival in client.seen.arrivals if client.began + arrival.at >= moment), None)


def _one_at_a_time(found: Burst, clients: list[Client], alone: float) -> Delay | None:
    """Something stops all streams for each event of one of them, so that each waits for its turn."""
    pace = [after.at - before.at for before, after in pairwise(found.usual.exchange.reads)]
    later = sorted(at for client in found.clients for at in client.reads[1:])
    if not pace or len(later) < 3:
        return None
    together = median(after - before for before, after in pairwise(later))
    waits = median(client.late_by for client in clients)
    if together < TURN or waits < alone + EXTRA:
        return None
    said = f"each of {len(clients)} streams waited {waits:.2f} s, and one at a time brought something, every {together * 1000:.0f} ms"
    return Delay(waits, said, (Evidence(f"alone it brings something every {median(pace) * 1000:.0f} ms"),))
