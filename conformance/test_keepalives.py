"""Keepalives: enough of them, not too many, and nothing else (rules LIF-03 to LIF-05, LIF-09, LIF-10, LIF-12).

The idle stream is watched once for LIF-03, LIF-05 and LIF-12: a few seconds, and with --long as long as LIF-03 asks.
"""

from __future__ import annotations

import re
from itertools import pairwise
from urllib.parse import urlsplit

from ssegauge.bench import Bench
from ssegauge.client import Limits
from ssegauge.judging import Untestable, broken, expect_clean_bytes, rule
from ssegauge.means.resumption import leaves
from ssegauge.observation import Arrival, Evidence, Observation
from ssegauge.profile.endpoint import Situation
from ssegauge.visible import visible

SILENCE = 30.0
"""Seconds that a stream may be silent: half of the 60 s that are a common limit of proxies (LIF-03, LIF-09)."""
IDLE_WINDOW = 65.0
"""Seconds that an idle stream is watched with --long (LIF-03)."""
SHORT_IDLE_WINDOW = 5.0
"""Seconds that an idle stream is watched otherwise."""
OPENING = 0.5
"""Seconds in which a stream may open with as many comments as it likes (LIF-12)."""
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_DATE = re.compile(r"\"?\d{4}-\d\d-\d\d[T ]\d\d:\d\d")
MOST_A_SECOND = 1.0
"""Keepalives a second (LIF-12)."""


@rule("LIF-03")
def test_idle_stream_sends_keepalives(bench: Bench) -> None:
    """An idle stream is never silent for more than 30 s."""
    seen = _idle(bench)
    limit = SILENCE * bench.options.scale
    began, silence = _longest_silence(seen, seen.exchange.end_at)
    if silence > limit:
        broken(f"a keepalive at least every {limit:g} s", f"{silence:.1f} s of silence", _silence(began, silence))
    if _watched(seen) < limit and not _keepalives(seen)[1:]:
        how = "ended after" if seen.ended else "was watched for"
        raise Untestable(f"the idle stream {how} {_watched(seen):.1f} s, and {limit:g} s may be silent")


@rule("LIF-09")
def test_keepalives_flow_before_the_first_event(bench: Bench) -> None:
    """Silence before the first event is bounded like any other."""
    limit = SILENCE * bench.options.scale
    seen = _situation(bench, "slow_start", IDLE_WINDOW * bench.options.scale, until_events=1)
    first = seen.arrivals[0].at if seen.arrivals else seen.exchange.end_at
    began, silence = _longest_silence(seen, first)
    if silence > limit:
        wanted = f"a keepalive at least every {limit:g} s before the first event"
        broken(wanted, f"{silence:.1f} s of silence", _silence(began, silence))
    waited = first - (seen.exchange.head_at or 0.0)
    opened = (seen.exchange.head_at or 0.0) + OPENING
    keepalives = [at for at in _comment_times(seen) if opened < at < first]
    if waited <= limit and not keepalives:
        raise Untestable(f"the slow start took {waited:.1f} s without a keepalive, which is within the {limit:g} s that may be silent")  # fmt: skip


@rule("LIF-04")
def test_keepalive_does_not_cut_an_event_in_two(observation: Observation) -> None:
    """A keepalive does not bring its blank line into an open block: half an event would be dispatched."""
    expect_clean_bytes("LIF-04", observation, "keepalives between events")


@rule("LIF-05")
def test_keepalive_is_a_comment_or_an_ignored_event(bench: Bench) -> None:
    """Keepalives are comments, or events whose type the profile lists under ignore, and they set no id."""
    seen = _idle(bench)
    for block in seen.anatomy.blocks:
        ignored = block.event is not None and bench.endpoint.is_ignored(block.event.type)
        if (ignored or (block.event is None and block.of("comment"))) and block.of("id"):
            broken("keepalives without an id", "one that sets an id", seen.show(block.start, block.end))
    spoken = seen.contract_arrivals
    for kind in dict.fromkeys(arrival.type for arrival in spoken):
        alike = [arrival for arrival in spoken if arrival.type == kind]
        same = [arrival for arrival in alike if arrival.data == alike[0].data]
        if (
            len(same) >= 2
            or _at_a_fixed_pace([arrival.at for arrival in alike])
            or (_tell_the_time(alike) and _go_on(seen, alike))
        ):
            repeated = same if len(same) >= 2 else alike
            actual = f"{len(repeated)} events of type {visible(kind)}, which is not listed under ignore"
            broken("comments, or events that are listed under ignore", actual, map(seen.show_event, repeated))
    if not _keepalives(seen):
        more = "" if bench.options.long else ": --long watches longer"
        raise Untestable(f"no keepalive came in {_watched(seen):.1f} s{more}")


@rule("LIF-10")
def test_keepalive_comment_leaves_no_empty_event_in_common_clients(observation: Observation) -> None:
    """Once a stream has set an id, no comment is followed by a blank line."""
    expect_clean_bytes("LIF-10", observation, "no comment and blank line after an id")


@rule("LIF-12")
def test_keepalives_are_not_a_flood(bench: Bench) -> None:
    """An idle stream carries at most one keepalive a second."""
    seen = _idle(bench)
    opened = (seen.exchange.head_at or 0.0) + OPENING
    times = [at for at in _keepalives(seen) if at > opened]
    span = times[-1] - times[0] if times else 0.0
    # four and a tenth more than allowed: a keepalive a second that comes early once is no flood
    if len(times) >= 4 and len(times) - 1 > 1.1 * MOST_A_SECOND * span:
        rate = (len(times) - 1) / max(span, 0.001)
        shown = [Evidence(note="keepalive", at=at) for at in times[:6]]
        broken(f"at most {MOST_A_SECOND:g} keepalive a second", f"{len(times)} in {span:.2f} s ({rate:.1f} a second)", shown)  # fmt: skip


def _idle(bench: Bench) -> Observation:
    window = IDLE_WINDOW * bench.options.scale if bench.options.long else min(bench.options.window, SHORT_IDLE_WINDOW)
    return _situation(bench, "idle", window)


def _situation(bench: Bench, name: Situation, window: float, until_events: int | None = None) -> Observation:
    """The stream of a declared situation, watched once; of a recording, where it is one of that situation."""
    sent = bench.sent(name)
    if not bench.live:
        if urlsplit(bench.observation.exchange.request.url).path != urlsplit(sent.url).path:
            raise Untestable(f"the recording is not one of the {name} request")
        return bench.observation
    seen = bench.once(name, lambda: _watch(bench, name, Limits(window=window, first_byte=window), until_events))
    if not seen.is_stream:
        got = seen.exchange.status or seen.exchange.detail or seen.exchange.end
        raise Untestable(f"the {name} request was answered with {got}")
    return seen


def _watch(bench: Bench, name: Situation, limits: Limits, until_events: int | None) -> Observation:
    with bench.open(bench.sent(name), limits=limits) as stream:
        if until_events is None:
            stream.pump()
        else:
            stream.until_events(until_events)
        stream.close()
        seen = bench.view(stream)
    bench.keep(seen, name)
    return seen


def _watched(seen: Observation) -> float:
    return seen.exchange.end_at - (seen.exchange.head_at or 0.0)


def _longest_silence(seen: Observation, until: float) -> tuple[float, float]:
    """When the longest time without a byte began, from the head up to a moment, and how long it was."""
    times = [seen.exchange.head_at or 0.0, *(read.at for read in seen.exchange.reads if read.at < until), until]
    return max(((before, after - before) for before, after in pairwise(times)), key=lambda pair: pair[1])


def _silence(began: float, lasted: float) -> list[Evidence]:
    return [Evidence("the last byte before it", at=began), Evidence("the end of the silence", at=began + lasted)]


def _comment_times(seen: Observation) -> list[float]:
    return [seen.at(field.end + len(field.eol)) for field in seen.anatomy.comments]


def _keepalives(seen: Observation) -> list[float]:
    """When each keepalive came: blocks that hold a comment and no event, comments in an open block, ignored events."""
    times = [
        seen.at(block.end)
        for block in seen.anatomy.blocks
        if (seen.endpoint.is_ignored(block.event.type) if block.event else block.of("comment"))
    ]
    pending = seen.anatomy.pending
    if pending is not None:
        times += [seen.at(field.end + len(field.eol)) for field in pending.of("comment") if field.eol]
    return times


def _tell_the_time(alike: list[Arrival]) -> bool:
    """Nothing in their payloads changes but numbers or dates, and these only grow: a clock, or a count of keepalives."""
    told = [leaves(arrival.data) for arrival in alike]
    if len(told) < 3 or any(one.keys() != told[0].keys() for one in told):
        return False
    columns = [[one[place] for one in told] for place in told[0]]
    return all(len(set(column)) == 1 or _grows(column) for column in columns)


def _go_on(seen: Observation, alike: list[Arrival]) -> bool:
    """To the end of the watch: what a stream says before it falls silent may be numbered, too."""
    gaps = [after.at - before.at for before, after in pairwise(alike)]
    return seen.exchange.end_at - alike[-1].at <= 2 * max(gaps)


def _grows(column: list[str]) -> bool:
    """Scalars as they stand in JSON, or text."""
    if all(_DATE.match(value) for value in column):
        return column == sorted(column)
    if not all(_NUMBER.fullmatch(value) for value in column):
        return False
    return all(float(before) < float(after) for before, after in pairwise(column))


def _at_a_fixed_pace(times: list[float]) -> bool:
    gaps = [after - before for before, after in pairwise(times)]
    return len(gaps) >= 3 and min(gaps) > 0.2 and max(gaps) < 1.2 * min(gaps)
