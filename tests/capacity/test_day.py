"""A day in the ledger: priced at its hours, explained, and adding up, whatever happened in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as some

from endpoints.capacity.causes import Cause, Found
from endpoints.capacity.day import HOUR, PARTS, Span, day_of
from endpoints.capacity.hours import Measured
from endpoints.core.money import Money

BEGIN = datetime(2026, 11, 18, tzinfo=UTC)
END = BEGIN + timedelta(days=1)
PRICE = Money(Decimal("0.293"), "USD")
NIGHT, NOTHING = Found(Cause.NIGHT_OR_WEEKEND), Found(Cause.NO_REQUESTS)


def flat(sku: str, at: datetime) -> Money | None:
    return PRICE


def by_clock(at: datetime) -> Found:
    return NIGHT if at.hour < 7 else NOTHING


def silent(instances: float = 2.0) -> Measured:
    return Measured(60, 60, 60, 60 * instances, 60 * instances)


def busy(instances: float = 2.0) -> Measured:
    return Measured(60, 0, 60, 60 * instances, 0.0)


def hours(first: int, last: int, told: Measured) -> dict[datetime, Measured]:
    return {BEGIN + at * HOUR: told for at in range(first, last)}


ALWAYS = [Span(BEGIN - HOUR, END + HOUR, 2, "Standard_DS3_v2")]


def test_day__idle_at_night_and_busy_by_day__splits_money_and_causes() -> None:
    told = hours(0, 8, silent()) | hours(8, 24, busy())
    found = day_of(BEGIN, ALWAYS, told, flat, by_clock)
    assert found.seconds == {
        "paid": 2 * 86_400, "useful": 2 * 16 * 3600, "unserved": 2 * 8 * 3600, "over": 0, "unknown": 0,
    }  # fmt: skip
    assert found.amounts["unserved"] == Decimal("0.293") * 16
    assert found.causes == {
        NIGHT: (2 * 7 * 3600, Decimal("0.293") * 14),
        NOTHING: (2 * 3600, Decimal("0.293") * 2),
    }
    assert (found.currency, found.unpriced, found.hours_without_count) == ("USD", 0, 0)


def test_day__made_at_noon_and_scaled_in_the_evening__is_billed_by_what_was_there() -> None:
    noon, evening = BEGIN + 12 * HOUR, BEGIN + timedelta(hours=18, minutes=30)
    spans = [Span(noon, evening, 2, "a"), Span(evening, END, 5, "a")]
    found = day_of(BEGIN, spans, {}, flat, by_clock)
    assert found.seconds["paid"] == found.seconds["unknown"] == int(6.5 * 3600 * 2 + 5.5 * 3600 * 5)


def test_day__price_that_changes_at_noon__prices_each_hour_by_its_own() -> None:
    def price(sku: str, at: datetime) -> Money | None:
        return Money(Decimal("0.2" if at.hour < 12 else "0.3"), "USD")

    found = day_of(BEGIN, ALWAYS, hours(0, 24, silent()), price, by_clock)
    assert found.amounts["unserved"] == Decimal("0.2") * 24 + Decimal("0.3") * 24


def test_day__without_a_price_for_some_hours__is_unpriced_there_and_never_free() -> None:
    found = day_of(BEGIN, ALWAYS, {}, lambda sku, at: PRICE if at.hour < 6 else None, by_clock)
    assert found.unpriced == 18 * 2 * 3600
    assert found.amounts["paid"] == PRICE.amount * 12


def test_day__of_another_currency_since_noon__is_not_added_to_the_first() -> None:
    euro = Money(Decimal("0.27"), "EUR")
    found = day_of(BEGIN, ALWAYS, {}, lambda sku, at: PRICE if at.hour < 12 else euro, by_clock)
    assert (found.currency, found.unpriced) == ("USD", 12 * 2 * 3600)


def test_day__with_instances_that_azure_did_not_say__says_so_of_these_hours() -> None:
    noon = BEGIN + 12 * HOUR
    spans = [Span(BEGIN, noon, None, "a"), Span(noon, END, 3, "a")]
    found = day_of(BEGIN, spans, {}, flat, by_clock)
    assert (found.hours_without_count, found.seconds["paid"]) == (12, 12 * 3 * 3600)


def test_day__on_which_it_was_not_there__is_nothing() -> None:
    found = day_of(BEGIN, [Span(END, END + HOUR, 2, "a")], {}, flat, by_clock)
    assert not any(found.seconds.values()) and not found.causes


def test_day__with_states_of_some_seconds__loses_and_doubles_no_minute() -> None:
    """Three lengths of 20.4, 20.4 and 19.2 minutes would be rounded to 59."""
    edges = [BEGIN + timedelta(minutes=at) for at in (0, 20.4, 40.8, 60)]
    spans = [Span(since, until, 1, "a") for since, until in pairwise(edges)]
    assert day_of(BEGIN, spans, {}, flat, by_clock).seconds["paid"] == 3600
    halves = (
        [Span(BEGIN, BEGIN + timedelta(seconds=1770), 1, "a")],
        [Span(BEGIN + timedelta(seconds=1770), END, 1, "a")],
    )
    assert sum(day_of(BEGIN, half, {}, flat, by_clock).seconds["paid"] for half in halves) == 86_400


def test_day__that_changes_its_size_within_an_hour__prices_each_size_by_itself() -> None:
    half = BEGIN + timedelta(minutes=30)
    found = day_of(
        BEGIN,
        [Span(BEGIN, half, 2, "small"), Span(half, BEGIN + HOUR, 2, "large")],
        hours(0, 1, silent()),
        lambda sku, at: Money(Decimal(1 if sku == "small" else 5), "USD"),
        by_clock,
    )
    assert found.amounts["paid"] == 1 + 5
    # Nobody says on which of them its requests were measured.
    assert found.seconds["unknown"] == found.seconds["paid"] == 7200


counts = some.integers(0, 60)
told_hours = some.dictionaries(
    some.integers(0, 23),
    some.builds(
        Measured,
        counts,
        counts,
        counts,
        some.none() | some.floats(0, 3000),
        some.none() | some.floats(0, 3000),
    ),
)
cuts = some.lists(some.integers(0, 1440), max_size=5).map(sorted)
instances = some.lists(some.none() | some.integers(0, 50), min_size=6, max_size=6)


@given(
    told=told_hours,
    minutes=cuts,
    counts=instances,
    needed=some.none() | some.integers(1, 20),
    cents=some.integers(1, 10**6),
)
def test_day__whatever_happened__adds_up_to_the_last_digit(
    told: dict[int, Measured], minutes: list[int], counts: list[int | None], needed: int | None, cents: int
) -> None:
    edges = [BEGIN, *(BEGIN + timedelta(minutes=at) for at in minutes), END]
    spans = [
        Span(since, until, count, "a") for since, until, count in zip(edges, edges[1:], counts, strict=False)
    ]
    price = Money(Decimal(cents) / 10**6, "USD")
    found = day_of(
        BEGIN,
        spans,
        {BEGIN + at * HOUR: one for at, one in told.items()},
        lambda sku, at: price,
        by_clock,
        needed,
    )
    assert found.seconds["paid"] == sum(found.seconds[name] for name in PARTS)
    assert found.amounts["paid"] == sum(found.amounts[name] for name in PARTS)
    assert min(found.seconds.values()) >= 0 and min(found.amounts.values()) >= 0
    assert sum(seconds for seconds, _ in found.causes.values()) == found.seconds["unserved"]
    assert sum((money for _, money in found.causes.values()), Decimal(0)) == found.amounts["unserved"]
