"""The histogram of minutes by latency: what goes in comes out, and what it says about a limit is true."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as some

from endpoints.metrics import histogram

LATENCIES = some.lists(some.floats(min_value=0, max_value=1e8, width=32), max_size=1440)
HISTOGRAMS = some.dictionaries(some.integers(0, histogram.BUCKETS - 1), some.integers(1, 100_000))


@given(HISTOGRAMS)
def test_a_histogram__packed_and_unpacked__is_the_same(of: dict[int, int]) -> None:
    assert histogram.unpack(histogram.pack(of)) == dict(sorted(of.items()))


def test_a_histogram__of_nothing__is_null() -> None:
    assert histogram.pack({}) is None
    assert histogram.unpack(None) == {}


@pytest.mark.parametrize("of", [{-1: 1}, {80: 1}, {3: 0}])
def test_a_histogram__that_can_not_be__is_not_packed(of: dict[int, int]) -> None:
    with pytest.raises(ValueError, match="no histogram has"):
        histogram.pack(of)


@given(LATENCIES)
def test_a_bucket__of_any_latency__holds_it(latencies: list[float]) -> None:
    for latency in latencies:
        bucket = histogram.bucket_of(latency)
        assert histogram.begins(bucket) <= latency < histogram.ends(bucket)


def test_buckets__one_after_the_other__leave_no_gap_and_double_every_four() -> None:
    for bucket in range(histogram.BUCKETS - 1):
        assert histogram.ends(bucket) == histogram.begins(bucket + 1)
    assert (histogram.begins(0), histogram.begins(4), histogram.begins(8)) == (0, 2, 4)
    assert histogram.ends(histogram.BUCKETS - 1) == math.inf


@given(LATENCIES, some.floats(min_value=0, max_value=1e8))
def test_minutes_over_a_limit__counted_by_bucket__lie_between_the_two_bounds(
    latencies: list[float], limit: float
) -> None:
    at_least, at_most = histogram.over(histogram.counted(latencies), limit)
    assert at_least <= sum(1 for latency in latencies if latency > limit) <= at_most


def test_minutes_over_a_limit__on_the_edge_of_a_bucket__are_not_surely_over_in_it() -> None:
    assert histogram.over({4: 10, 5: 1}, 2.0) == (1, 11)
    assert histogram.over({3: 10, 4: 1}, 2.0) == (0, 1)


@given(LATENCIES.filter(bool))
def test_the_median_bucket__of_minutes__holds_the_median_minute(latencies: list[float]) -> None:
    median = sorted(latencies)[(len(latencies) - 1) // 2]
    assert histogram.median_bucket(histogram.counted(latencies)) == histogram.bucket_of(median)
