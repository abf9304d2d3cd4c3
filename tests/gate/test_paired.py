"""Two targets in one run: what is judged, from made-up runs whose noise is known."""

import random

import pytest

from ssegauge import results
from ssegauge.errors import UserError
from ssegauge.gate.metrics import UnknownMetric, metric
from ssegauge.gate.paired import Ask, chance, judge, ratio
from ssegauge.load.figures import time_figures
from ssegauge.load.histogram import Histogram

A, B = "A /s", "B /s"


def figures(values):
    histogram = Histogram()
    histogram.record_all([value * 1000 for value in values])
    return time_figures(histogram)


def run(dice, *, slower=1.0, seconds=24, shared=0.4, own=0.02, per_second=40, failed=(0, 0), **changes):
    """A run in which every second is slow or fast for both alike (`shared`), and a little for each alone (`own`)."""
    endpoints = {}
    weather = [dice.lognormvariate(0, shared) for _ in range(seconds)]
    for name, factor, failures in ((A, 1.0, failed[0]), (B, slower, failed[1])):
        rows, whole = [], {"first_event": [], "gap": []}
        for second, disturbed in enumerate(weather):
            here = {}
            for distribution, usual in (("first_event", 50.0), ("gap", 20.0)):
                alone = dice.lognormvariate(0, own)
                values = [usual * factor * disturbed * alone * dice.lognormvariate(0, 0.1) for _ in range(per_second)]
                whole[distribution] += values
                here[distribution] = figures(values)
            rows.append({"t": second, "phase": "steady", "latency": here})
        attempted = seconds * per_second
        endpoints[name] = {
            "streams": {"attempted": attempted, "failed": failures},
            "events": {"received": attempted * 10},
            "latency": {distribution: figures(values) for distribution, values in whole.items()},
            "series": rows,
        }
    return {
        "schema": results.SCHEMA,
        "kind": "load",
        "scenario": "paired",
        "valid": True,
        "clock": "kernel",
        "harness": {"coalesced_ratio": 0.0},
        "pairs": [{"a": A, "b": B}],
        "endpoints": endpoints,
        **changes,
    }


DEFAULT = Ask()


def outcomes(document, ask=DEFAULT):
    return {ruling.name.partition(" / ")[2]: ruling.outcome for ruling in judge(document, ask).rulings}


def test_a_tenth_slower_is_found_however_the_machine_is_disturbed():
    found = [judge(run(random.Random(seed), slower=1.1), Ask()).word for seed in range(10)]
    assert found.count("failed") >= 9


def test_the_same_target_is_not_accused_of_being_slower_than_itself():
    found = [judge(run(random.Random(seed)), Ask()).word for seed in range(10)]
    assert "failed" not in found
    assert found.count("held") >= 9


@pytest.mark.parametrize(
    ("noise", "slower", "failed"),
    [(0.02, 1.0, (0, 0)), (0.1, 1.0, (0, 1)), (0.2, 1.0, (0, 1)), (0.02, 1.05, (0, 1)), (0.02, 1.1, (19, 20)), (0.05, 1.15, (19, 20))],
)  # fmt: skip
def test_of_twenty_pairs_at_most_one_is_judged_wrongly(noise, slower, failed):
    """`noise`: what each target does on its own in a second, beside what the machine does to both."""
    asked = Ask(metrics=("gap.mean",), tails=())
    words = [judge(run(random.Random(seed), slower=slower, own=noise, per_second=20), asked).word for seed in range(20)]
    least, most = failed
    assert least <= words.count("failed") <= most, words


def test_a_slow_down_well_below_the_limit_holds():
    assert judge(run(random.Random(1), slower=1.03), Ask()).word == "held"


def test_a_faster_target_holds():
    assert judge(run(random.Random(1), slower=0.5), Ask()).word == "held"


def test_what_disturbs_both_alike_does_not_widen_the_interval():
    calm, rough = (ratio(run(random.Random(3), shared=shared), A, B, metric("gap.p50")) for shared in (0.0, 0.5))
    assert rough.high - rough.low < 3 * (calm.high - calm.low)
    assert rough.low < 1 < rough.high


def test_what_disturbs_each_alone_makes_it_inconclusive():
    judged = judge(run(random.Random(5), own=0.9, seconds=12), Ask())
    assert judged.word == "inconclusive"
    assert any("run it longer" in ruling.reason for ruling in judged.rulings)


def test_the_limit_is_the_askers():
    document = run(random.Random(1), slower=1.1)
    assert judge(document, Ask(worse_by=0.3)).word == "held"
    assert judge(document, Ask(worse_by=0.05)).word == "failed"


def test_an_invalid_run_says_nothing():
    document = run(random.Random(1), slower=1.5, valid=False, invalid_reasons=["a worker is missing"])
    judged = judge(document, Ask())
    assert judged.exit_code == 3
    assert "a worker is missing" in judged.rulings[0].reason


def test_too_few_values_are_inconclusive_where_asked_for_and_a_note_where_not():
    document = run(random.Random(1), per_second=5, shared=0.05)
    assert outcomes(document, Ask(metrics=("gap.p99",), tails=()))["gap.p99"] == "inconclusive"
    judged = judge(document, Ask())
    assert judged.word == "held"
    assert any("first_event.p95 was not judged" in warning for warning in judged.warnings)


def test_too_few_seconds_are_inconclusive():
    assert outcomes(run(random.Random(1), seconds=3))["gap.mean"] == "inconclusive"


def test_events_read_together_spoil_a_tail_before_they_spoil_the_median():
    document = run(random.Random(1), harness={"coalesced_ratio": 0.06})
    asked = Ask(metrics=("gap.p50", "gap.p95"), tails=())
    assert outcomes(document, asked) == {"failed streams": "held", "gap.p50": "held", "gap.p95": "inconclusive"}


@pytest.mark.parametrize(
    ("failed", "outcome"),
    [((0, 0), "held"), ((5, 5), "held"), ((0, 1), "held"), ((0, 12), "failed"), ((30, 2), "held")],
)
def test_failures_count_before_times(failed, outcome):
    assert outcomes(run(random.Random(1), failed=failed))["failed streams"] == outcome


def test_chance_is_fishers():
    # the lady tasting tea: 3 of 4 right or better happens in 17 of 70
    assert chance(1, 4, 3, 4) == pytest.approx(17 / 70)
    assert chance(0, 10, 0, 10) == 1


def test_unequal_work_is_noted():
    document = run(random.Random(1))
    document["endpoints"][B]["events"]["received"] //= 2
    assert any("unequal work on /s" in warning for warning in judge(document, Ask()).warnings)


def test_a_side_without_figures_is_inconclusive():
    document = run(random.Random(1))
    document["endpoints"][B]["latency"] = {}
    assert outcomes(document, Ask(tails=()))["gap.mean"] == "inconclusive"


def test_results_of_one_target_are_refused():
    document = run(random.Random(1))
    del document["pairs"]
    with pytest.raises(UserError, match="not a run of two targets"):
        judge(document, Ask())
    with pytest.raises(UnknownMetric):
        judge(run(random.Random(1)), Ask(metrics=("gap.p5O",)))


def test_a_hostile_name_stays_text():
    document = run(random.Random(1))
    for side, name in (("a", A), ("b", B)):
        hostile = name + "\x1b[31m\u202e" + "x" * 5000
        document["endpoints"][hostile] = document["endpoints"].pop(name)
        document["pairs"][0][side] = hostile
    (first, *_) = judge(document, Ask()).rulings
    assert "\x1b" not in first.name
    assert len(first.name) < 300
