"""Traffic bars: places, patterns and their order."""

from __future__ import annotations

from endpoints.web.bars import order_of, segments


def test_segments__of_a_split__fill_the_bar_largest_first() -> None:
    parts = [(part.name, part.left, part.share, part.pattern) for part in segments({"Green": 10, "blue": 90})]
    assert parts == [("blue", 0, 90, 1), ("green", 90, 10, 2)]


def test_segments__of_a_later_split__keep_the_patterns_of_the_page() -> None:
    order = order_of({"blue": 100}, {"green": 100})
    assert [(part.name, part.left, part.pattern) for part in segments({"green": 100}, order)] == [
        ("green", 0, 2)
    ]


def test_segments__of_more_than_four__share_the_last_pattern() -> None:
    split = {"a": 40, "b": 20, "c": 20, "d": 10, "e": 10}
    assert [part.pattern for part in segments(split)] == [1, 2, 3, 4, 4]


def test_segments__of_no_traffic_or_an_unknown_split__are_none() -> None:
    assert segments({}) == segments(None) == segments({"blue": 0}) == []


def test_order__knows_deployments_without_traffic_last() -> None:
    assert order_of({"blue": 10, "green": 90}, names=["Red", "amber"]) == ["green", "blue", "amber", "red"]
