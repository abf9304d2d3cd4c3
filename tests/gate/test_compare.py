import copy
import json
import random
from pathlib import Path

import pytest

from ssegauge import cli, results
from ssegauge.errors import UserError
from ssegauge.gate.compare import Change, compare
from tests.gate.made_up import HOSTILE, conformance, load, noisy_run, times

QUIET = {"run_noise": 0.005, "second_noise": 0.02, "per_second": 60}


def words(comparison):
    return {line.name: line.word for line in comparison.lines}


def test_a_slower_run_is_worse_and_the_same_run_is_not():
    dice = random.Random(1)
    first, second = noisy_run(dice, **QUIET), noisy_run(dice, slower=1.3, **QUIET)
    assert words(compare([first], [second]))["first_event.p95"] == "worse"
    assert words(compare([second], [first]))["first_event.p95"] == "better"
    assert words(compare([first], [first]))["first_event.p95"] == "no difference seen"
    assert words(compare([first], [second]))["events.per_second"] == "worse"


def test_the_ratio_is_the_second_over_the_first_within_its_interval():
    dice = random.Random(2)
    first, second = noisy_run(dice, **QUIET), noisy_run(dice, slower=1.2, **QUIET)
    (line,) = (line for line in compare([first], [second]).lines if line.name == "first_event.p50")
    assert line.ratio.value == pytest.approx(line.second / line.first)
    assert line.ratio.low < 1.2 < line.ratio.high


def test_without_anything_that_shows_the_noise_a_difference_is_unknown():
    slow = load(latency={"first_event": times([300.0] * 1000)})
    assert words(compare([load()], [slow]))["first_event.p95"] == "unknown"


def test_endpoints_are_compared_where_there_are_several():
    both = {"a": {"latency": {"gap": times([1.0] * 10)}}, "b": {"latency": {"gap": times([1.0] * 10)}}}
    comparison = compare([load(endpoints=both)], [load(endpoints=both)])
    assert {"a / gap.p50", "b / gap.p99"} <= set(words(comparison))


def test_outcomes_of_rules_that_changed_are_listed():
    first = conformance(("MUST", "pass"), ("MUST", "fail"), ("SHOULD", "pass"))
    second = copy.deepcopy(first)
    second["rules"][0]["outcome"] = "fail"
    del second["rules"][2]
    assert compare([first], [second]).changes == (
        Change("R-00", "/", "MUST", "pass", "fail"),
        Change("R-02", "/", "SHOULD", "pass", "not run"),
    )


@pytest.mark.parametrize("other", [conformance(("MUST", "pass")), load(scenario=HOSTILE)])
def test_what_does_not_compare_is_refused(other):
    with pytest.raises(UserError, match=r"do not compare"):
        compare([load()], [other])


def test_what_spoils_a_comparison_is_said():
    second = load(
        valid=False,
        invalid_reasons=["late"],
        machine={"cpu": "B"},
        streams={"attempted": 10, "failed": 0, "peak_open": 1},
    )
    warnings = compare([load()], [second]).warnings
    assert [warning.partition(":")[0].partition(" (")[0] for warning in warnings] == [
        "the second run is invalid", "the machines differ", "unequal work",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("second", "code"), [("same.json", 0), ("invalid.json", 3), ("gone.json", 2), ("http://h/x", 2)]
)
def test_the_command(tmp_path, monkeypatch, capsys, second, code):
    monkeypatch.chdir(tmp_path)
    results.write("first.json", load())
    results.write("same.json", load())
    results.write("invalid.json", load(valid=False))
    assert cli.main(["compare", "first.json", second]) == code
    captured = capsys.readouterr()
    if code == 2:
        assert len(captured.err.splitlines()) == 1
    else:
        assert "first_event.p95\t100 ms\t100 ms\t1.000\t" in captured.out


def test_the_command_lists_changed_outcomes(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("a.json").write_text(json.dumps(conformance(("MUST", "pass"))))
    Path("b.json").write_text(json.dumps(conformance(("MUST", "fail"))))
    assert cli.main(["compare", "a.json", "b.json"]) == 0
    assert capsys.readouterr().out.splitlines() == ["R-00 (MUST) on /: pass → fail", "1 outcomes differ"]
