"""Histograms: a relative error of at most one per cent, exact under merging, bounds where values are censored."""

import json
import random

import pytest

from ssegauge.load.histogram import Histogram, Quantile


def filled(values):
    histogram = Histogram()
    for value in values:
        histogram.record(value)
    return histogram


@pytest.mark.parametrize("value", [1.0, 7.3, 999.0, 100_000.0, 1e6, 3.6e9, 3.6e10], ids=str)
def test_a_value_comes_back_within_a_tenth_of_a_percent(value):
    histogram = filled([value / 3, value, value * 3])
    assert histogram.quantile(0.5).us == pytest.approx(value, rel=0.001)


def test_percentiles_are_those_of_the_nearest_rank():
    values = list(range(1000, 101_000, 1000))
    random.Random(1).shuffle(values)
    histogram = filled(values)
    for q, rank in ((0.01, 1), (0.5, 50), (0.95, 95), (0.99, 99), (0.999, 100), (1.0, 100)):
        assert histogram.quantile(q).us == pytest.approx(rank * 1000, rel=0.001)


def test_minimum_and_maximum_are_exact():
    histogram = filled([123.4, 5678.9])
    assert (histogram.low, histogram.high) == (123.4, 5678.9)
    assert histogram.quantile(1.0).us == pytest.approx(5678.9, rel=0.001)


def test_what_is_under_a_microsecond_counts_as_nothing():
    histogram = filled([0.0, 0.4])
    histogram.record_zeros(8)
    assert (histogram.count, histogram.quantile(0.99).us) == (10, 0.0)


def test_merging_equals_recording_everything_in_one():
    dice = random.Random(2)
    values = [dice.lognormvariate(10, 2) for _ in range(5000)]
    whole, parts = filled(values), [filled(values[i::7]) for i in range(7)]
    merged = Histogram()
    for part in parts:
        merged.merge(part)
    assert merged.counts == whole.counts
    assert (merged.low, merged.high, merged.count) == (whole.low, whole.high, whole.count)
    assert merged.total == pytest.approx(whole.total)


def test_a_histogram_survives_json():
    histogram = filled([1.0, 20.0, 300.0, 0.1])
    histogram.censor(5000.0)
    copy = Histogram.from_json(json.loads(json.dumps(histogram.to_json())))
    assert (copy.counts, copy.censored, copy.low, copy.high) == (histogram.counts, histogram.censored, 0.1, 300.0)


def test_an_empty_histogram_has_no_percentile():
    assert Histogram().quantile(0.5) is None
    assert not Histogram()


def test_censored_values_rank_above_all_that_are_known():
    histogram = filled([10_000.0] * 98)
    histogram.censor(1_000.0)
    histogram.censor(1_000.0)
    assert histogram.quantile(0.95) == Quantile(10_000.0, at_least=False)
    # The two that never came may have taken any time: all that is known is a bound.
    assert histogram.quantile(0.99) == Quantile(pytest.approx(10_000.0, rel=0.001), at_least=True)


def test_a_percentile_among_the_censored_is_at_least_what_was_waited():
    histogram = filled([10.0] * 5)
    for _ in range(5):
        histogram.censor(30_000_000.0)
    found = histogram.quantile(0.9)
    assert found.at_least
    assert found.us == pytest.approx(30_000_000.0, rel=0.001)


def test_a_percentile_can_be_taken_over_more_values_than_were_recorded():
    histogram = filled([50_000.0] * 2)
    assert histogram.quantile(0.99, of=1000).us == 0.0
    assert histogram.quantile(0.99, of=100).us == pytest.approx(50_000.0, rel=0.001)


def test_buckets_of_another_width_are_refused():
    document = filled([1.0]).to_json() | {"growth": 1.1}
    with pytest.raises(ValueError, match=r"growth 1\.1"):
        Histogram.from_json(document)
