"""What workers say, gathered: each word once, none of another run or of before a reset, and whose is missing."""

import json

from ssegauge.load.clock import Clock
from ssegauge.load.collector import Collector, Delta
from ssegauge.load.ledger import Ledger
from ssegauge.load.recorder import Recorder
from ssegauge.load.validity import Limits


def said(collector, recorder, number, **more):
    """A worker says what has come since its last word."""
    ledger = Ledger.from_json(json.loads(json.dumps(recorder.take().to_json())))
    collector.add("w", Delta(collector.run, number, ledger, {}, **more))


def attempted(collector):
    return collector.document({}, Limits())["streams"]["attempted"]


def test_a_report_that_is_on_its_way_when_figures_begin_anew_is_no_part_of_them():
    collector, recorder = Collector("run"), Recorder(Clock())
    for _ in range(10):
        recorder.started("/")
    on_its_way = recorder.take()
    collector.reset()
    collector.add("w", Delta("run", 0, on_its_way, {}))
    recorder.restart()  # the streams that run are counted anew, as they will end
    recorder.started("/")
    said(collector, recorder, 1, final=True, resets=1)
    assert attempted(collector) == 11
    assert collector.missing() == ()


def test_a_report_counts_once_however_often_it_comes():
    collector, recorder = Collector("run"), Recorder(Clock())
    recorder.started("/")
    delta = Delta("run", 0, recorder.take(), {}, final=True)
    collector.add("w", delta)
    collector.add("w", delta)
    assert attempted(collector) == 1


def test_workers_whose_figures_are_not_whole_are_named():
    collector = Collector("run")
    recorders = {name: Recorder(Clock()) for name in ("whole", "gap", "gone", "silent")}
    for name in recorders:
        collector.expect(name)
    collector.add("whole", Delta("run", 0, Ledger(), {}, final=True))
    collector.add("gap", Delta("run", 0, Ledger(), {}))
    collector.add("gap", Delta("run", 3, Ledger(), {}, final=True))
    collector.left("gone")
    collector.add("gone", Delta("run", 0, Ledger(), {}, final=True))
    collector.add("silent", Delta("run", 0, Ledger(), {}))
    collector.add("whole", Delta("another run", 7, Ledger(), {}))
    assert collector.missing() == (
        "gap lost 2 reports on the way",
        "gone left before the end",
        "silent did not answer",
    )
    assert collector.waits_for() == ["silent"]


def test_only_so_many_endpoints_have_rows_of_their_own():
    collector, recorder = Collector("run"), Recorder(Clock())
    collector.started = 0.0
    for number in range(150):
        recorder.started(f"/{number}")
    said(collector, recorder, 0, final=True)
    document = collector.document({}, Limits())
    assert len(document["endpoints"]) == document["series"][0]["started"] == 150
    assert sum(bool(endpoint["series"]) for endpoint in document["endpoints"].values()) == 100
