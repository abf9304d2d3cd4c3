"""Figures by their names."""

import pytest

from ssegauge.gate import metrics
from ssegauge.gate.metrics import UnknownMetric
from tests.gate.made_up import histogram, load, one, times


def test_a_percentile_that_was_not_written_is_read_from_the_histogram():
    entry = {"count": 1000, "histogram": histogram([100.0] * 900 + [200.0] * 100)}
    found = metrics.read(load(latency={"gap": entry}), metrics.metric("gap.p90"))
    assert found.value == pytest.approx(100, rel=0.002)
    assert metrics.read(load(latency={"gap": entry}), metrics.metric("gap.p99.5")).value == pytest.approx(
        200, rel=0.002
    )


def test_a_figure_that_only_these_results_have_can_be_gated():
    document = load(latency={"thinking": times([1.0] * 100)}, streams={"attempted": 1, "mine": 7})
    assert one('[load]\n"thinking.p95" = "< 2ms"', document).outcome == "held"
    assert one('[load]\n"streams.mine" = "== 7"', document).outcome == "held"
    with pytest.raises(UnknownMetric):
        metrics.metric("thinking.p95")


@pytest.mark.parametrize("name", ["p100", "p500", "p955", "p1000", "p-5", "p"])
def test_what_reads_like_a_percentile_and_is_none_is_no_metric(name):
    """p100 as p10.0 would keep every limit that the maximum breaks."""
    with pytest.raises(UnknownMetric, match="first_event"):
        metrics.metric(f"first_event.{name}")


@pytest.mark.parametrize(
    ("name", "share"), [("p5", 0.05), ("p99", 0.99), ("p999", 0.999), ("p99.9", 0.999), ("p95.5", 0.955)]
)
def test_percentiles_may_have_a_fraction(name, share):
    assert metrics.percentile(name) == pytest.approx(share)


def test_a_key_that_says_yes_or_no_is_no_figure():
    with pytest.raises(UnknownMetric):
        metrics.metric("valid", [load()])


@pytest.mark.parametrize(
    ("value", "text"), [(999.6, "1000 ms"), (1234.5, "1234 ms"), (99.96, "100 ms"), (12_345.6, "12.35 s"), (1e300, "1e+300 ms")]
)  # fmt: skip
def test_a_time_is_shown_as_people_read_it(value, text):
    assert metrics.shown(value, "time") == text
