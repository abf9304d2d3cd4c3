"""The ledger adds: whatever way the figures of several workers arrive, the sum is the same."""

import json
import random
from typing import NamedTuple

import msgpack
import pytest

from ssegauge.load.clock import Clock
from ssegauge.load.collector import Collector, Delta
from ssegauge.load.figures import book_figures, damage, row
from ssegauge.load.histogram import Histogram
from ssegauge.load.ledger import Ledger
from ssegauge.load.outcome import Outcome
from ssegauge.load.recorder import Recorder
from ssegauge.load.validity import Limits
from ssegauge.verdict import Facts


def scribble(ledger, dice):
    for _ in range(200):
        book = ledger.book(dice.choice(["tokens", "ticks"]))
        book.counters["attempted"] += 1
        book.verdicts[dice.choice(["complete", "truncated"])] += 1
        book.latency.setdefault("first_event", Histogram()).record(dice.uniform(1, 1e6))
        slice_ = book.at(1_000 + dice.randrange(5))
        slice_.events += 3
        slice_.bytes += 100
        slice_.histogram("gap").record(dice.uniform(1, 1e6))
        slice_.longest_gap = max(slice_.longest_gap, dice.uniform(1, 1e6))
        ledger.harness.at(1_000).histogram("read_lag").record(dice.uniform(1, 1e4))


def plain(ledger):
    document = ledger.to_json()
    for book in (*document["books"].values(), document["harness"]):
        book["slices"] = sorted(book["slices"])
    return json.loads(json.dumps(document, sort_keys=True), parse_float=lambda text: round(float(text), 3))


def test_deltas_over_the_wire_add_up_to_the_whole():
    whole, worker, master = Ledger(), Ledger(), Ledger()
    for round_ in range(5):
        scribble(whole, random.Random(round_))
        scribble(worker, random.Random(round_))
        delta = worker.take()
        master.merge(Ledger.from_json(json.loads(json.dumps(delta.to_json()))))
    assert plain(master)["books"].keys() == plain(whole)["books"].keys()
    for name in ("tokens", "ticks"):
        mine, theirs = master.book(name), whole.book(name)
        assert (mine.counters, mine.verdicts) == (theirs.counters, theirs.verdicts)
        assert mine.latency["first_event"].counts == theirs.latency["first_event"].counts
        assert {s: v.events for s, v in mine.slices.items()} == {s: v.events for s, v in theirs.slices.items()}
        assert {s: v.longest_gap for s, v in mine.slices.items()} == {
            s: v.longest_gap for s, v in theirs.slices.items()
        }


def test_a_take_leaves_nothing_behind():
    ledger = Ledger()
    scribble(ledger, random.Random(1))
    taken = ledger.take()
    assert taken.book("ticks").counters["attempted"] > 0
    assert not ledger.books
    assert not ledger.harness.slices


def test_the_total_is_the_sum_of_the_endpoints():
    ledger = Ledger()
    scribble(ledger, random.Random(1))
    total = ledger.total()
    assert total.counters["attempted"] == 200
    assert sum(total.verdicts.values()) == 200
    assert total.latency["first_event"].count == 200
    assert sum(slice_.events for slice_ in total.slices.values()) == 600


def test_failure_texts_are_bounded():
    ledger = Ledger()
    book = ledger.book("x")
    for number in range(1000):
        book.note(f"request {number} failed")
    assert len(book.messages) <= 101
    assert sum(book.messages.values()) == 1000
    assert book.messages["others"] == 900


def test_what_nobody_counts_is_not_called_none():
    ledger = Ledger()
    ledger.book("plain").verdicts["complete"] += 1
    ledger.book("numbered").counters.update(counted=1, lost=2)
    assert book_figures(ledger.book("plain"))["events"]["lost"] is None
    assert book_figures(ledger.book("numbered"))["events"]["reordered"] == 0
    assert book_figures(ledger.total())["events"]["lost"] == 2
    ledger.book("named").counters.update(uncounted=1, named=1, duplicated=3, lost=1)
    found = book_figures(ledger.book("named"))["events"]
    assert [found[kind] for kind in ("lost", "duplicated", "reordered")] == [None, 3, None]
    assert book_figures(ledger.total())["events"]["lost"] is None  # two, and who knows how many more


@pytest.mark.parametrize(
    ("counted", "lost"),
    [
        ({}, None),
        ({"empty": 2}, 0),  # refused, say
        ({"empty": 2, "unnumbered": 1}, None),  # the sequence is not where it was declared
        ({"unnumbered": 1}, None),
        ({"counted": 1, "unnumbered": 1}, 0),  # an error event alone, say
        ({"counted": 1, "empty": 1}, 0),
        ({"counted": 9, "uncounted": 1}, None),
    ],
)
def test_what_was_lost_is_known_where_it_was_counted(counted, lost):
    ledger = Ledger()
    ledger.book("/").counters.update(counted)
    assert damage(ledger.book("/"))["lost"] == lost


def test_a_row_has_the_times_of_the_streams_that_ended_in_its_second():
    recorder = Recorder(Clock())
    facts = Facts(
        "message_end", 200, True, 3, terminal_declared=False, terminal_seen=False, error_seen=False, pending=False
    )
    recorder.started("tokens")
    times = {"ttfb": 2000.0, "longest_gap": 9000.0, "duration": 50_000.0}
    recorder.ended(Outcome("tokens", "complete", facts, times=times))
    [second] = recorder.ledger.seconds()
    found = row(second, 0.0, "steady", [recorder.ledger.book("tokens").at(second)], histograms=False)
    assert {name: found["latency"][name]["max"] for name in times} == {
        "ttfb": 2.0,
        "longest_gap": 9.0,
        "duration": 50.0,
    }


def test_a_stream_that_never_came_so_far_counts_as_long_as_it_was_waited_for():
    facts = Facts("client", 200, True, 0, terminal_declared=False, terminal_seen=False, error_seen=False, pending=False)
    outcome = Outcome("tokens", "client_closed", facts, times={"ttfb": 2000.0}, lasted_us=3e6, late_us=0.5e6)
    outcome.expected = ("ttfb", "first_body_byte", "first_event", "first_event_from_intended")
    recorder = Recorder(Clock())
    recorder.started("tokens")
    recorder.ended(outcome)
    latency = recorder.ledger.book("tokens").latency
    assert {name: histogram.censored_count for name, histogram in latency.items()} == {
        "ttfb": 0,
        "first_body_byte": 1,
        "first_event": 1,
        "first_event_from_intended": 1,
        "duration": 1,
    }
    for name, us in (("first_event", 3e6), ("first_event_from_intended", 3.5e6), ("duration", 3e6)):
        assert latency[name].quantile(0.5).us == pytest.approx(us, rel=0.002), name


SECOND = 1_000_000_000


class StillClock(Clock):
    """The wall clock is the monotonic one, and stands where the test puts it."""

    def __init__(self):
        super().__init__()
        self.offset_ns = 0
        self.now = 100 * SECOND

    def look(self):
        pass


def worker(monkeypatch, said):
    """What a worker reports whose streams open and close (by so many) at these times in seconds."""
    clock = StillClock()
    monkeypatch.setattr("ssegauge.load.recorder.monotonic_ns", lambda: clock.now)
    recorder = Recorder(clock)
    for at, change in said:
        clock.now = int((100 + at) * SECOND)
        for _ in range(abs(change)):
            if change > 0:
                recorder.opened("/")
            else:
                recorder.closed("/", comments=0)
    return recorder, clock


def test_a_stream_that_begins_after_a_quiet_time_stands_in_the_second_in_which_it_began(monkeypatch):
    """Where nothing is open nobody looks at the clock: the first one's times fell into the last second that was noted."""
    recorder, clock = worker(monkeypatch, [(0.2, 1), (0.4, -1)])
    clock.now = int(107.1 * SECOND)
    recorder.started("/")
    recorder.slice("/").histogram("first_event").record(1000)
    slices = recorder.ledger.book("/").slices
    assert [second for second, slice_ in slices.items() if slice_.counters["started"]] == [107]
    assert [second for second, slice_ in slices.items() if slice_.histograms] == [107]
    assert recorder.tick(clock.now), "who notes the second's end must still hear of it"
    assert not recorder.tick(clock.now)


class Stream(NamedTuple):
    begun: int
    last_event: int = 0


def test_waits_are_those_of_streams_that_run_past_a_limit(monkeypatch):
    recorder, clock = worker(monkeypatch, [])
    clock.now = 110 * SECOND
    recorder.streams |= {Stream(109_950_000_000), Stream(107 * SECOND), Stream(100 * SECOND, 108 * SECOND)}
    assert recorder.waits(200_000, for_the_first=True).censored_count == 1
    assert recorder.waits(200_000, for_the_first=False).censored_count == 2
    assert recorder.waits(2_500_000, for_the_first=False).quantile(0.5).us == pytest.approx(3e6, rel=0.002)


def test_waits_are_the_latest_of_each_worker():
    collector = Collector("run")
    for name, number, ms in (("a", 0, (300, 300)), ("b", 0, (300,)), ("a", 1, (900,))):
        waits = Histogram()
        for value in ms:
            waits.censor(value * 1000)
        delta = Delta("run", number, Ledger(), {}, waits=waits)
        collector.add(name, Delta.from_json(json.loads(json.dumps(delta.to_json()))))
    assert collector.waits().censored_count == 2
    assert collector.waits().quantile(1.0).us == pytest.approx(900_000, rel=0.002)


def report(name, recorder, clock, at, number=0, *, final=True):
    clock.now = int((100 + at) * SECOND)
    state = {"peak_open": recorder.peak_open, "peaks": dict(recorder.peaks)}
    return name, Delta("run", number, Ledger.from_json(json.loads(json.dumps(recorder.take().to_json()))), state, final)


def collected(*reports):
    collector = Collector("run")
    collector.started = 100.0
    for name, delta in reports:
        collector.add(name, delta)
    found = collector.document({}, Limits())
    assert found["endpoints"]["/"]["streams"]["peak_open"] == found["streams"]["peak_open"]
    return found


@pytest.mark.parametrize(
    ("one", "other", "peak"),
    [
        ([(0.1, 20), (0.9, -20)], [(0.3, 20), (0.8, -20)], 40),  # never at the end of a second
        ([(0.1, 20), (0.9, -20)], [(1.1, 20), (1.8, -20)], 20),  # one after the other
        ([(0.1, 20), (0.4, -20)], [(0.4, 20), (0.8, -20)], 20),  # in the same second, and never at once
        ([(0.1, 20), (5.0, -20)], [(2.2, 20), (2.7, -20), (2.9, 5)], 40),
        ([(0.1, 3), (0.11, 3), (0.12, -6)], [(0.6, 1)], 6),  # too short for a moment, and of one worker alone
    ],
)
def test_the_most_streams_open_at_once_on_two_workers(monkeypatch, one, other, peak):
    first = report("a", *worker(monkeypatch, one), at=6)
    second = report("b", *worker(monkeypatch, other), at=6)
    assert collected(first, second)["streams"]["peak_open"] == peak
    assert collected(second, first)["streams"]["peak_open"] == peak


def test_open_streams_are_counted_by_the_moment_however_late_a_worker_is_and_when_it_reports(monkeypatch):
    late, late_clock = worker(monkeypatch, [(0.2, 20), (3.4, -20)])  # and nothing ran in between
    first = report("late", late, late_clock, at=3.5)
    prompt, clock = worker(monkeypatch, [(0.3, 20)])
    parts = [report("prompt", prompt, clock, at=0.9, final=False)]
    clock.now = int(102.1 * SECOND)
    assert prompt.tick(clock.now)
    parts.append(report("prompt", prompt, clock, at=2.6, number=1))
    found = collected(*parts, first)
    assert found["streams"]["peak_open"] == 40
    assert [row["open"] for row in found["series"]] == [40, 40, 20, 0][: len(found["series"])]
    assert len(found["series"]) >= 3


@pytest.mark.parametrize("number", [2**70, -(2**70), 10**400])
def test_numbers_without_end_reach_the_master(number):
    """What workers say travels as msgpack, which has no integers beyond 64 bits."""
    recorder = Recorder(Clock())
    recorder.ledger.book("/").began_with(number)
    recorder.ledger.book("/").began_with(1)
    recorder.lost("/", abs(number))
    there = Ledger.from_json(msgpack.unpackb(msgpack.packb(recorder.take().to_json()), strict_map_key=False))
    assert there.book("/").first_numbers == {1: 1}
    assert there.book("/").counters["lost"] == 2**63 - 1


def test_the_page_turns_with_the_second_also_where_a_stream_has_just_opened(monkeypatch):
    recorder, clock = worker(monkeypatch, [(0.5, 1), (1.001, 1)])
    clock.now = int(101.002 * SECOND)
    assert recorder.tick(clock.now)
    assert not recorder.tick(clock.now)
    recorder.started("/")
    assert recorder.ledger.book("/").at(101).counters["started"] == 1
