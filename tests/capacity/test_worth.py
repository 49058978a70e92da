"""Money: exact, in force at its time, and in cents that add up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from endpoints.capacity.worth import CENT, Discount, PricePeriod, discounted, in_cents, price_at, worth
from endpoints.core.money import Money

NOV = datetime(2026, 11, 1, tzinfo=UTC)


def usd(amount: str) -> Money:
    return Money(Decimal(amount), "USD")


def test_worth__of_an_hour__is_the_price_and_of_an_unknown_price_unknown() -> None:
    assert worth(3600, usd("0.293")) == usd("0.293")
    assert worth(1800, usd("0.293")) == usd("0.1465")
    assert worth(3600, None) is None


@pytest.mark.parametrize(("day", "expected"), [(-1, None), (0, "0.2"), (14, "0.2"), (15, "0.3"), (25, None)])
def test_price__that_changes_in_mid_month__is_the_one_of_the_hour(day: int, expected: str | None) -> None:
    periods = [
        PricePeriod(NOV + timedelta(days=20), None),
        PricePeriod(NOV, usd("0.2")),
        PricePeriod(NOV + timedelta(days=15), usd("0.3")),
    ]
    found = price_at(periods, NOV + timedelta(days=day))
    assert found == (None if expected is None else usd(expected))


def test_discount__of_a_contract__is_the_best_that_covers_it_and_never_two() -> None:
    contract = [
        Discount("", "", Decimal("0.05"), NOV),
        Discount("standard_ds3_v2", "westeurope", Decimal("0.2"), NOV, NOV + timedelta(days=10)),
    ]
    price = usd("1")
    assert discounted(price, contract, "Standard_DS3_v2", "westeurope", NOV) == usd("0.8")
    assert discounted(price, contract, "Standard_DS3_v2", "northeurope", NOV) == usd("0.95")
    assert discounted(price, contract, "Standard_DS3_v2", "westeurope", NOV + timedelta(days=10)) == usd(
        "0.95"
    )
    assert discounted(price, contract, "Standard_DS3_v2", "westeurope", NOV - timedelta(days=1)) == usd("1")


amounts = some.decimals(-(10**6), 10**6, allow_nan=False, allow_infinity=False, places=10)


@given(some.dictionaries(some.text(max_size=3), amounts, max_size=12))
def test_cents__of_any_amounts__add_up_to_the_headline_and_move_by_less_than_a_cent(
    parts: dict[str, Decimal],
) -> None:
    shown = in_cents(parts)
    assert sum(shown.values(), Decimal(0)) == sum(parts.values(), Decimal(0)).quantize(CENT)
    assert all(abs(shown[name] - parts[name]) <= CENT for name in parts)
    assert all(value == value.quantize(CENT) for value in shown.values())
