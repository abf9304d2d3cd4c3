"""What a report warns of, by made-up runs that have one thing wrong each."""

from __future__ import annotations

import pytest

from ssegauge import results
from ssegauge.report.doubts import warnings

from .made_up import conformance, finding, load, row, times

SPREAD = [20.0 + value / 10 for value in range(200)]


def latency(**changed):
    return load()["latency"] | changed


def streams(**changed):
    return load()["streams"] | changed


CASES = {
    "saturated": (
        {"harness": {"read_lag": times(0.2), "cpu": 0.55, "workers": [{"cpu": 0.93}]}},
        "the generator was near its limit (93% of a core)",
    ),
    "own-clock": ({"clock": "user", "harness": {"read_lag": times(*[9.0] * 50)}}, "the program's own clock"),
    "read-together": (
        {"harness": {"coalesced_ratio": 0.08, "stamp_bound": times(*[30.0] * 100)}},
        "8 % of the events were read together with later ones",
    ),
    "clock-stepped": ({"harness": {"workers": [{"clock_steps": 1}, {"clock_steps": 1}]}}, "the wall clock was set 2 times"),
    "dropped": ({"streams": streams(dropped_arrivals=7)}, "7 arrivals could not be made"),
    "buffered-whole": (
        {"latency": latency(gap=times(*[0.0] * 990, *[30.0] * 10), first_event=times(*[995.0] * 200), duration=times(*[1000.0] * 200))},
        "events arrive all at once, when the stream ends",
    ),
    "buffered-in-lumps": ({"latency": latency(gap=times(*[0.0] * 600, *[400.0] * 400))}, "a buffering proxy is suspected"),
    "idle-timeout-cuts": (
        {
            "streams": streams(failed=300, by_verdict={"complete": 900, "truncated": 300}),
            "failed_latency": {"longest_silence": times(*[60_010.0] * 280, *SPREAD[:20])},
        },
        "ended after a silence of 60 s: something between, or the server, closes them then (60 s: nginx",
    ),
    "age-limit": (
        {
            "streams": streams(failed=300, by_verdict={"complete": 900, "reset": 300}),
            "failed_latency": {"duration": times(*[29_700.0 + value for value in range(300)]), "longest_silence": times(*SPREAD)},
        },
        "ended at an age of",
    ),
    "limited": (
        {
            "asked": {"num_users": 100, "run_time": 30},
            "streams": streams(failed=60, by_verdict={"complete": 1140, "connect_error": 60}),
        },
        "never more than 40 streams were open although 100 were asked for",
    ),
    "few-samples": ({"latency": {"first_event": times(1.0, 2.0, 3.0)}}, "few values (3 of first_event)"),
    "short": ({"series": [row(0, "ramp"), *(row(t) for t in range(1, 5))]}, "only 4 seconds of the run had its full load"),
    "bounds": (
        {"latency": latency(longest_gap=times(*SPREAD, cut=tuple([500.0] * 20)))},
        "still growing when they were last seen: longest_gap (20)",
    ),
    "survivors": (
        {"streams": streams(failed=240, by_verdict={"complete": 960, "error_event": 240})},
        "20 % failed and are not in them",
    ),
    "same-machine": ({"target": "http://127.0.0.1:8000"}, "ran on one machine"),
    "same-machine-by-name": ({"target": "http://localhost:8000/stream"}, "ran on one machine"),
}  # fmt: skip


def test_a_good_run_raises_no_doubt() -> None:
    assert results.check(load(), "made up")
    assert warnings(load()) == []


@pytest.mark.parametrize(("changes", "told"), CASES.values(), ids=CASES)
def test_one_thing_wrong_is_told_once(changes, told) -> None:
    document = results.check(load(**changes), "made up")
    said = [sentence for sentence in warnings(document) if told in sentence]
    assert len(said) == 1, warnings(document)


@pytest.mark.parametrize(
    "case", ["saturated", "clock-stepped", "buffered-in-lumps", "same-machine", "short", "dropped"]
)
def test_and_nothing_else_is_told(case) -> None:
    assert len(warnings(load(**CASES[case][0]))) == 1


def test_events_that_we_read_late_ourselves_are_not_laid_at_a_proxys_door() -> None:
    lumps = {"gap": times(*[0.0] * 600, *[400.0] * 400)}
    ours = {"coalesced_ratio": 0.6, "stamp_bound": times(*[50.0] * 100)}
    assert not [text for text in warnings(load(latency=latency(**lumps), harness=ours)) if "proxy" in text]


def test_streams_that_all_take_the_same_time_are_no_cluster_of_an_idle_timeout() -> None:
    assert warnings(load(latency=latency(duration=times(*[60_000.0] * 200)))) == []


def test_a_silence_as_long_as_the_run_is_the_runs_own_end() -> None:
    silent = {"latency": latency(longest_silence=times(*[60_000.0] * 200))}
    assert [text for text in warnings(load(**silent)) if "idle timeout" in text]
    assert warnings(load(**silent, asked={"num_users": 40, "run_time": 60})) == []


def test_a_document_with_nothing_but_what_the_schema_asks_for() -> None:
    bare = results.check({"schema": results.SCHEMA, "kind": "load", "scenario": "s", "valid": True}, "made up")
    assert warnings(bare) == []


def test_a_must_that_was_not_judged_is_named() -> None:
    document = conformance(
        finding("HTTP-01", "MUST", "pass"),
        finding("LIF-06", "MUST", "error"),
        finding("DIS-02", "MUST", "untestable"),
        finding("HDR-04", "SHOULD", "untestable"),
    )
    assert warnings(document) == [
        "1 MUST requirement could not be judged (LIF-06): nothing is known of it",
        "1 MUST requirement could not be tested in this run (DIS-02): nothing is known of it",
    ]


def test_a_profile_that_declares_nothing_leaves_the_contract_untested() -> None:
    document = conformance(
        finding("HTTP-01", "MUST", "pass"),
        finding("ORD-01", "MUST", "not_declared"),
        finding("ORD-02", "MUST", "not_declared"),
    )
    assert "2 of 3 rules were not judged because the profile does not declare" in warnings(document)[0]
