"""What is wrong with figures that somebody defines or sends: all of it, by field."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from endpoints.metrics.figures import (
    MOST_AT_ONCE,
    Bounds,
    Definition,
    Kind,
    Value,
    batch_problems,
    definition_problems,
    ratio,
)

MINUTE = timedelta(minutes=1)
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
BOUNDS = Bounds(
    figures={"clicks": Kind.RATE, "basket": Kind.MEAN},
    deployments={"blue", "green"},
    oldest=NOON - timedelta(days=3),
    newest=NOON,
)
GOOD = Value("clicks", "Green", NOON - MINUTE, 120, 7)


def test_values__that_can_be__have_no_problem() -> None:
    good = [
        GOOD,
        replace(GOOD, deployment="blue"),
        replace(GOOD, minute=NOON),
        replace(GOOD, minute=BOUNDS.oldest, count=0, total=0),
        replace(GOOD, figure="basket", total=-812.5),
    ]
    assert batch_problems(good, BOUNDS) == {}


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"figure": "sales"}, "figure", "There are: basket, clicks."),
        ({"deployment": "grene"}, "deployment", "There were: blue, green."),
        ({"minute": NOON + MINUTE}, "minute", "This minute has not begun."),
        (
            {"minute": BOUNDS.oldest - MINUTE},
            "minute",
            "Minutes are kept since 2026-11-22 12:00\u00a0UTC; this one is older.",
        ),
        ({"minute": NOON - timedelta(seconds=30)}, "minute", "Name the moment at which the minute begins"),
        ({"minute": NOON.replace(tzinfo=None)}, "minute", "with its offset"),
        ({"count": -1, "total": 0}, "count", "A count is from 0"),
        ({"count": 0}, "total", "Without an observation the total is 0."),
        ({"total": 121}, "total", "a whole number from 0 to the count"),
        ({"total": -1}, "total", "a whole number from 0 to the count"),
        ({"total": 6.5}, "total", "a whole number from 0 to the count"),
        ({"total": float("nan")}, "total", "A total is a number"),
        ({"total": float("inf")}, "total", "A total is a number"),
        ({"figure": "basket", "total": 1e16}, "total", "A total is a number"),
    ],
)
def test_a_value__that_can_not_be__is_named_with_what_is_wrong(
    changes: dict[str, object], field: str, words: str
) -> None:
    other = {"deployment": "blue"} | changes
    found = batch_problems([GOOD, replace(GOOD, **other)], BOUNDS)  # type: ignore[arg-type]
    assert list(found) == [f"figures.1.{field}"]
    assert words in found[f"figures.1.{field}"][0]


def test_problems__of_several_values__are_all_named() -> None:
    bad = [replace(GOOD, figure="x", deployment="y", count=-2), GOOD, replace(GOOD, minute=NOON + MINUTE)]
    assert list(batch_problems(bad, BOUNDS)) == [
        "figures.0.figure", "figures.0.deployment", "figures.0.count", "figures.2.minute",
    ]  # fmt: skip


def test_the_same_minute__twice_in_a_batch__is_no_sum_and_is_refused() -> None:
    found = batch_problems([GOOD, replace(GOOD, deployment="green", total=3)], BOUNDS)
    assert list(found) == ["figures.1.minute"]
    assert "as number 0" in found["figures.1.minute"][0]


def test_a_batch__of_too_many_values__is_refused_as_a_whole() -> None:
    found = batch_problems([GOOD] * (MOST_AT_ONCE + 1), BOUNDS)
    assert found == {"figures": ["At most 2,000 values at once; these are 2,001."]}


@pytest.mark.parametrize(
    ("wanted", "fields"),
    [
        (Definition("basket", "Basket", Kind.MEAN, "EUR"), []),
        (Definition("b", "x" * 80, Kind.RATE), []),
        (Definition("Basket", "", Kind.MEAN, "x" * 21), ["name", "label", "unit"]),
        (Definition("9-lives", "x" * 81, Kind.RATE, "%"), ["name", "label", "unit"]),
        (Definition("a" * 64, "Label", Kind.RATE), ["name"]),
    ],
)
def test_a_definition__that_can_not_be__is_refused_by_field(wanted: Definition, fields: list[str]) -> None:
    assert list(definition_problems(wanted)) == fields


def test_a_ratio__without_an_observation__is_unknown_and_no_zero() -> None:
    assert [ratio(4, 1), ratio(4, 0), ratio(0, 0), ratio(None, None)] == [0.25, 0, None, None]
