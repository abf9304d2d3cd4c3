"""Against a baseline: a worsening is found in the noise, and noise is not taken for one."""

import json
import random

import pytest

from ssegauge.gate import metrics, noise
from tests.gate.made_up import WORSE, judged, noisy_run, one


def test_a_tenth_slower_is_found_by_the_seconds_of_two_runs():
    dice = random.Random(1)
    quiet = {"run_noise": 0.005, "second_noise": 0.02, "seconds": 90}
    found = [
        one(WORSE, noisy_run(dice, slower=1.10, **quiet), baseline=[noisy_run(dice, **quiet)]).outcome
        for _ in range(12)
    ]
    assert found.count("failed") >= 11


def test_a_tenth_slower_is_found_by_repeated_runs():
    dice = random.Random(2)
    found = []
    for _ in range(15):
        was = [noisy_run(dice, series=False) for _ in range(5)]
        now = [noisy_run(dice, slower=1.10, series=False) for _ in range(5)]
        found.append({ruling.outcome for ruling in judged(WORSE, *now, baseline=was).rulings})
    assert found.count({"failed"}) >= 13


@pytest.mark.parametrize("repeats", [1, 3])
def test_the_same_target_against_itself_is_not_accused(repeats):
    """On a quiet machine and on a busy one. In 200 comparisons by the seconds of single runs there were 3 and 7 false
    alarms; 2.5 in 100 are allowed for (95 %, one side). Here are 30 of each, to keep it so."""
    for run_noise, second_noise in ((0.02, 0.08), (0.03, 0.25)):
        dice = random.Random(3)
        noise_of = {"run_noise": run_noise, "second_noise": second_noise, "seconds": 50, "per_second": 15}
        outcomes = []
        for _ in range(30):
            was, now = ([noisy_run(dice, **noise_of) for _ in range(repeats)] for _ in range(2))
            outcomes.append(one('[baseline]\n"first_event.p95" = "10%"', *now, baseline=was).outcome)
        assert outcomes.count("failed") <= 2


def test_exactly_a_tenth_worse_by_a_tenth_fails():
    dice = random.Random(4)
    was = noisy_run(dice, second_noise=0.01, per_second=100)
    slower = json.loads(json.dumps(was))
    slower["latency"]["first_event"]["p95"] *= 1.1
    assert one('[baseline]\n"first_event.p95" = "10%"', slower, baseline=[was]).outcome == "failed"


def test_throughput_is_worse_when_there_is_less():
    dice = random.Random(5)
    gates = '[baseline]\n"events.per_second" = { worse_by = "10%" }'
    slow, fast = noisy_run(dice, slower=1.3), noisy_run(dice)
    assert one(gates, slow, baseline=[fast]).outcome == "failed"
    assert one(gates, fast, baseline=[slow]).outcome == "held"


def test_a_single_run_is_weighed_by_the_spread_of_the_baseline_s_runs():
    dice = random.Random(6)
    was = [noisy_run(dice, series=False) for _ in range(5)]
    assert one(WORSE, noisy_run(dice, slower=1.3, series=False), baseline=was).outcome == "failed"
    assert one(WORSE, noisy_run(dice, series=False), baseline=was).outcome == "held"


def test_without_anything_that_shows_the_noise_a_worsening_is_inconclusive():
    dice = random.Random(7)
    was = noisy_run(dice, series=False)
    ruling = one(WORSE, noisy_run(dice, slower=1.3, series=False), baseline=[was])
    assert ruling.outcome == "inconclusive"
    assert "how much of this is noise" in ruling.reason
    assert one(WORSE, was, baseline=[was]).outcome == "held"


def test_a_ratio_s_interval_covers_the_truth_about_as_often_as_it_says():
    dice = random.Random(8)
    wanted = metrics.metric("first_event.p95")
    covered = 0
    for _ in range(60):
        was, now = ([noisy_run(dice, series=False) for _ in range(4)] for _ in range(2))
        found = noise.ratio(was, now, wanted)
        assert found.basis == "runs"
        covered += found.low <= 1 <= found.high
    assert covered >= 53  # 95 % of 60 is 57; below 53 has a chance of 2 %
