"""The same stream by the target's own address and through its proxy, side by side (rule BUF-03)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from statistics import median
from typing import NamedTuple

from ssegauge.bench import Bench
from ssegauge.client.request import with_header
from ssegauge.exchange import Sent
from ssegauge.judging import Untestable, broken
from ssegauge.observation import Observation
from ssegauge.profile import Situation, pointer

BOUND = 0.1
"""Seconds that an event may come later through the proxy (BUF-03)."""
PAIRS = 4
"""Runs by both addresses at once before lateness is believed; one is enough where nothing is late. Twice as many where
the server's own times differ by as much: that four come after five others is chance once in 126, and of eight and nine
once in 24,000."""
COMPARED = 200
"""Events that are compared: two runs of a fast endless stream drift apart by themselves."""


class Pair(NamedTuple):
    """The same request by the target's own address and through its proxy, at the same time."""

    direct: Observation
    proxied: Observation

    @property
    def way(self) -> str:
        """How the proxied run is told from others."""
        return "proxied and compressed" if _is_packed(self.proxied) else "proxied"


def by_proxy(bench: Bench, situation: Situation | None = None) -> Sent:
    """The endpoint's request through the proxy."""
    return bench.sent(situation, base_url=bench.profile.target.proxied)


def pairs(bench: Bench, *, packed: bool = True) -> list[Pair]:
    """One run by both addresses, started together, and beside it one in which the proxy may compress, as for browsers.

    The second is left out where the proxy does not, or where the server itself does: that is BUF-02's business.
    """
    sents = [bench.final_sent, by_proxy(bench)]
    sents += [_asking_for_gzip(by_proxy(bench))] if packed else []
    direct, *proxied = bench.together([lambda sent=sent: bench.observe(sent) for sent in sents])  # type: ignore[misc]
    if packed and (not _is_packed(proxied[1]) or _packs_itself(bench)):
        proxied.pop()
    return [Pair(direct, other) for other in proxied]


def _asking_for_gzip(sent: Sent) -> Sent:
    return with_header(sent, "Accept-Encoding", "gzip")


def _is_packed(seen: Observation) -> bool:
    return (seen.exchange.value("content-encoding") or "identity").strip().lower() != "identity"


def _packs_itself(bench: Bench) -> bool:
    with bench.open(_asking_for_gzip(bench.final_sent)) as stream:
        stream.until_head()
        return _is_packed(bench.view(stream))


def expect_same_events(before: Observation, pair: Pair) -> bool:
    """Whether the server's own runs agree with each other; where they do, the proxied one must agree as well."""
    direct, proxied = pair.direct.contract_arrivals, pair.proxied.contract_arrivals
    if not pair.direct.is_stream or not direct:
        raise Untestable("the stream had no events to be compared")
    if not pair.proxied.is_stream:
        broken("the stream through the proxy", f"status {pair.proxied.exchange.status}", pair.proxied.show_head())
    own = before.contract_arrivals
    whole = before.ended and pair.direct.ended
    count = len(direct) if whole else _certain(pair.direct, min(len(own), COMPARED))
    types = [arrival.type for arrival in direct[:count]]
    if types != [arrival.type for arrival in own[:count]] or (whole and len(own) != len(direct)):
        return False
    for index, arrival in enumerate(direct[:count]):
        other = proxied[index] if index < len(proxied) else None
        settled = own[index].event == arrival.event
        if other is None or other.type != arrival.type or (settled and other.event != arrival.event):
            shown = [pair.direct.show_event(arrival, "direct")]
            shown += [pair.proxied.show_event(other, pair.way)] if other else []
            came = "another event" if other else f"none: {pair.proxied.verdict} after {len(proxied)} events, {pair.way}"
            broken(f"event {index} as without the proxy", came, shown)
    if whole and len(proxied) > len(direct):
        broken(f"{len(direct)} events", f"{len(proxied)}", pair.proxied.show_event(proxied[len(direct)], "proxied"))
    return True


def _certain(seen: Observation, most: int) -> int:
    """How many events of a stream that we cut came early enough to be expected of another run, too."""
    until = seen.exchange.end_at * 0.9 - BOUND
    return min(sum(arrival.at < until for arrival in seen.contract_arrivals), most)


def worst(pairs: Sequence[Pair], before: Observation) -> tuple[float, int]:
    """The largest lateness through the proxy that stands out from the server's own variation, and its event."""
    shortest = min(len(seen.contract_arrivals) for pair in pairs for seen in pair)
    found = (0.0, 0)
    for index in range(min(shortest, COMPARED)):
        direct = [_moment(pair.direct, index) for pair in pairs]
        proxied = [_moment(pair.proxied, index) - _farther(pair) for pair in pairs]
        usual = [*direct, _moment(before, index)] if index < len(before.contract_arrivals) else direct
        if min(proxied) > max(usual):
            found = max(found, (median(proxied) - median(direct), index))
    return found


def varies(pairs: Sequence[Pair], index: int, late: float) -> bool:
    """Whether the server itself was as irregular with this event as it was late through the proxy."""
    direct = [_moment(pair.direct, index) for pair in pairs]
    return max(direct) - min(direct) > late / 3


def _moment(seen: Observation, index: int) -> float:
    """When the event came: since it was sent where it says so, otherwise since the request."""
    arrival = seen.contract_arrivals[index]
    place = seen.endpoint.sent_at
    if place is not None:
        sent = place.seconds(pointer.payload(arrival.data))
        if sent is not None:
            return (
                datetime.fromisoformat(seen.exchange.started).timestamp()
                + (seen.exchange.connect_s or 0)
                + arrival.at
                - sent
            )
    return arrival.at


def _farther(pair: Pair) -> float:
    """How much longer the way to the proxy is: that is no buffering."""
    return max((pair.proxied.exchange.connect_s or 0) - (pair.direct.exchange.connect_s or 0), 0.0)
