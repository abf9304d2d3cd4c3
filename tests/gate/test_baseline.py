"""What may be a baseline, and what can be compared with one."""

import json
from pathlib import Path

import pytest

from ssegauge import cli
from ssegauge.gate import baseline as baselines
from tests.gate.made_up import WORSE, conformance, judged, load, one, times


@pytest.mark.parametrize(
    ("now", "was", "words"),
    [
        (load(valid=False, invalid_reasons=["late"]), [load()], "a run is invalid: late"),
        (load(), [load(valid=False)], "a run is invalid"),
        (load(), [], "the baseline has no run of this scenario"),
        (load(latency={}), [load()], "did not produce it"),
        (load(), [load(latency={})], "did not produce it"),
        (load(), [load(latency={"first_event": times([1.0] * 90, censored=10)})], "lower bound only"),
        (load(latency={"first_event": times([100.0] * 90, censored=10)}), [load()], "lower bound only"),
    ],
)
def test_what_cannot_be_compared_is_inconclusive(now, was, words):
    ruling = one('[baseline]\n"first_event.p95" = "10%"', now, baseline=was)
    assert ruling.outcome == "inconclusive"
    assert words in ruling.reason


def test_from_nothing_there_is_no_multiple():
    ruling = one(
        '[baseline]\n"streams.failed_ratio" = "10%"', load(), baseline=[load(streams={"attempted": 10, "failed": 0})]
    )
    assert (ruling.outcome, "set a threshold" in ruling.reason) == ("inconclusive", True)
    none = load(streams={"attempted": 10, "failed": 0})
    assert one('[baseline]\n"streams.failed_ratio" = "10%"', none, baseline=[none]).outcome == "held"


def test_another_kind_of_machine_is_warned_of():
    judgement = judged(WORSE, load(machine={"cpu": "B", "cores": 2, "memory_mb": 4000}), baseline=[load()])
    (warning,) = judgement.warnings
    assert warning == (
        "the baseline comes from another kind of machine "
        "(memory: 1000 MB then, 4000 MB now; processor: A then, B now): times do not compare"
    )


def test_a_baseline_without_a_section_for_it_is_not_silent():
    assert judged('[load]\n"gap.p50" = "< 1s"', load(), baseline=[load()]).exit_code == 3


def test_a_baseline_is_written_and_gated_against(folder, capsys):
    arguments = ["--gates", "gates.toml", "--baseline", "base.json"]
    assert cli.main(["gate", "good.json", *arguments, "--update-baseline"]) == 0
    written = json.loads(Path("base.json").read_text())
    assert written["machine"] == load()["machine"]
    assert [run["scenario"] for run in written["runs"]] == ["concurrent_streams"]
    assert cli.main(["gate", "good.json", *arguments]) == 0
    assert "against the baseline" in capsys.readouterr().out


def test_a_baseline_keeps_the_runs_of_other_scenarios(folder):
    baselines.write("base.json", [load(scenario="soak")])
    baselines.write("base.json", [load()])
    baselines.write("base.json", [load(), load()])
    assert [run["scenario"] for run in baselines.read("base.json")] == [
        "soak",
        "concurrent_streams",
        "concurrent_streams",
    ]


@pytest.mark.parametrize(("file", "code"), [("bad.json", 1), ("invalid.json", 2)])
def test_what_failed_becomes_no_baseline(folder, file, code):
    assert cli.main(["gate", file, "--gates", "gates.toml", "--baseline", "b.json", "--update-baseline"]) == code
    assert not Path("b.json").exists()


@pytest.mark.parametrize("content", ["{}", '{"schema": "ssegauge/baseline/1"}', "[", json.dumps(conformance())])
def test_what_is_no_baseline_is_one_line(folder, content, capsys):
    Path("b.json").write_text(content)
    assert cli.main(["gate", "good.json", "--gates", "gates.toml", "--baseline", "b.json"]) == 2
    assert capsys.readouterr().err.startswith("ssegauge: b.json: ")
