"""A bound holds, fails, or nothing can be said."""

import pytest

from ssegauge import gate
from ssegauge.gate import thresholds
from tests.gate.made_up import conformance, histogram, judged, load, one, times


@pytest.mark.parametrize(
    ("gates", "document", "code"),
    [
        ('"first_event.p95" = "< 200ms"', load(), 0),
        ('"latency.first_event.p95" = "<= 0.1s"', load(), 0),
        ('"first_event.p99" = "< 200ms"', load(), 0),
        ('"first_event.max" = "< 200ms"', load(), 1),
        ('first_event.p95 = "< 50ms"', load(), 1),
        ('"streams.failed_ratio" = "<= 0.1%"', load(), 0),
        ('"streams.failed_ratio" = "< 0.001"', load(), 1),
        ('"streams.truncated_ratio" = "== 0%"', load(), 1),
        ('"streams.by_verdict.stalled" = "== 0"', load(), 0),
        ('"events.per_second" = ">= 1000/s"', load(), 0),
        ('"events.per_second" = "> 1000"', load(), 1),
        ('"harness.read_lag.p99" = "< 1ms"', load(), 0),
        ('"harness.coalesced_ratio" = "< 1%"', load(), 1),
        ('"first_event.count" = ">= 1000"', load(), 0),
        ('"events.lost" = "== 0"', load(events={"received": 10, "lost": 2}), 1),
        ('"events.lost" = "== 0"', load(events={"received": 10, "lost": None}), 3),
        ('"events.lost" = "== 0"', load(events={"received": 10}), 3),
        ('"first_match.p95" = "< 1s"', load(), 3),
        ('"first_event.p95" = "< 200ms"', load(latency={"first_event": None}), 3),
        ('"first_event.p95" = "< 200ms"', load(valid=False, invalid_reasons=["read 180 ms late"]), 3),
        ('"first_event.p95" = "< 1ms"', load(valid=False), 3),
        ('"streams.failed_ratio" = "<= 1%"', load(streams={"attempted": 0, "failed": 0}), 3),
        ('"first_event.p95" = "< 1s"', load(latency={"first_event": times([1.0] * 19)}), 3),
        ('"first_event.p95" = "< 1s"', load(latency={"first_event": times([1.0] * 20)}), 0),
        ('"first_event.p99" = "< 1s"', load(latency={"first_event": times([1.0] * 99)}), 3),
        ('"first_event.p95" = { is = "< 1s", minimum = 50 }', load(latency={"first_event": times([1.0] * 49)}), 3),
        ('[load.other]\n"first_event.p95" = "< 1ms"', load(), 3),
        ('[load.concurrent_streams.endpoints.gone]\n"gap.p99" = "< 1s"', load(), 3),
        ('[load.endpoints.agent-think]\n"gap.p99" = "< 20ms"', load(), 1),
        ('[load.concurrent_streams]\ngap.p99 = "< 20ms"', load(), 1),
    ],
)  # fmt: skip
def test_a_threshold_holds_fails_or_is_inconclusive(gates, document, code):
    assert judged("[load]\n" + gates, document).exit_code == code


def test_a_failure_outweighs_what_is_inconclusive():
    judgement = judged('[load]\n"first_match.p95" = "< 1s"\n"first_event.p95" = "< 1ms"', load())
    assert [ruling.outcome for ruling in judgement.rulings] == ["inconclusive", "failed"]
    assert judgement.exit_code == 1


def test_too_few_values_are_inconclusive_and_said_so():
    ruling = one('[load]\n"gap.p50" = "< 1ms"\n[samples]\nminimum = 5001', load())
    assert (ruling.outcome, ruling.reason) == ("inconclusive", "5000 values, and 5001 are needed")


def test_a_count_past_its_ceiling_needs_no_more_values():
    gates = '[samples]\nminimum = 200\n[load]\n"events.lost" = "== 0"\n'
    assert one(gates, load(events={"received": 10, "lost": 1})).outcome == "failed"
    assert one(gates, load(events={"received": 10, "lost": 0})).outcome == "inconclusive"
    assert one(gates, load(events={"received": 200, "lost": 0})).outcome == "held"


@pytest.mark.parametrize(
    ("latency", "bound", "outcome"),
    [
        (times([100.0] * 900, censored=100, p95=5000.0, at_least=["p95"]), "< 200ms", "failed"),
        (times([100.0] * 900, censored=100, p95=150.0, at_least=["p95"]), "< 200ms", "inconclusive"),
        (times([100.0] * 900, censored=100), "< 200ms", "inconclusive"),  # rank 950 of 1000 falls among them
        (times([100.0] * 960, censored=40), "< 200ms", "held"),
        (times([100.0] * 900, censored=100, p95=5000.0, at_least=["p95"]), "> 1s", "held"),
        ({"count": 0, "censored": 300}, "< 200ms", "inconclusive"),
        ({"count": 900, "censored": 100, "histogram": histogram([100.0] * 900, [3000.0] * 100)}, "< 1s", "failed"),
    ],
)
def test_a_percentile_among_values_that_were_still_growing_never_passes(latency, bound, outcome):
    ruling = one(f'[load]\n"first_event.p95" = "{bound}"', load(latency={"first_event": latency}))
    assert ruling.outcome == outcome


@pytest.mark.parametrize(
    ("outcomes", "must", "code"),
    [
        ([("MUST", "pass"), ("MUST", "not_declared"), ("SHOULD", "fail")], "all", 0),
        ([("MUST", "pass"), ("MUST", "fail")], "all", 1),
        ([("MUST", "pass"), ("MUST", "fail", "known")], "all", 0),
        ([("MUST", "pass"), ("MUST", "error")], "all", 3),
        ([("MUST", "fail"), ("MUST", "error")], "all", 1),
        ([("MUST", "untestable")], "all", 3),
        ([], "all", 3),
        ([("MUST", "fail"), ("MUST", "fail")], "<= 2", 0),
        ([("MUST", "fail"), ("MUST", "fail")], "< 2", 1),
    ],
)
def test_conformance_is_gated_by_level(outcomes, must, code):
    assert judged(f'[conformance]\nmust = "{must}"', conformance(*outcomes)).exit_code == code


def test_gates_that_speak_of_nothing_here_do_not_pass_in_silence():
    judgement = judged('[conformance]\nmust = "all"', load())
    assert judgement.exit_code == 3
    assert "no gate of gates.toml speaks of these results" in judgement.rulings[0].reason
    assert judgement.warnings == ("no conformance results: [conformance] was not applied",)


def test_a_gate_on_what_is_not_counted_is_inconclusive_or_not_applied_and_said():
    uncounted = load(events={"received": 10_000, "lost": None})
    ruling = one('[load]\n"events.lost" = "== 0"', uncounted)
    assert (ruling.outcome, "no `sequence`" in ruling.reason) == ("inconclusive", True)
    gates = thresholds.parse(
        '[load]\n"events.lost" = { is = "== 0", if_counted = true }\n"streams.failed" = "== 0"', "g"
    )
    judged = gate.judge(gates, [gate.Run("r", uncounted)])
    assert [ruling.limit for ruling in judged.rulings] == ["== 0"]
    assert [warning for warning in judged.warnings if "events.lost was not applied" in warning]
    counted = gate.judge(gates, [gate.Run("r", load(events={"received": 10_000, "lost": 1}))])
    assert counted.rulings[0].outcome == "failed"
    never = gate.judge(gates, [gate.Run("r", load(events={"received": 10_000}))])
    assert never.rulings[0].outcome == "inconclusive", (
        "the producer left the figure out: that is no undeclared sequence"
    )


@pytest.mark.parametrize(
    ("gates", "document", "limit", "found"),
    [
        ('"streams.failed_ratio" = "<= 33.3%"', load(streams={"attempted": 3, "failed": 1}), "<= 33.3 %", "33.33 %"),
        ('"first_event.p95" = "< 38.04ms"', load(latency={"first_event": times([38.0424] * 100)}), "< 38.04 ms", "38.042 ms"),
        ('"first_event.p95" = "< 20s"', load(latency={"first_event": times([20_000.5] * 100)}), "< 20000 ms", "20000.5 ms"),
        ('"first_event.p95" = "< 38ms"', load(latency={"first_event": times([38.0] * 100)}), "< 38 ms", "38 ms"),
        ('"first_event.p95" = "< 20s"', load(latency={"first_event": times([21_000.5] * 100)}), "< 20.00 s", "21.00 s"),
    ],
)  # fmt: skip
def test_what_breaks_its_bound_by_little_does_not_look_like_it(gates, document, limit, found):
    ruling = one("[load]\n" + gates, document)
    assert (ruling.outcome, ruling.limit, ruling.found) == ("failed", limit, found)
