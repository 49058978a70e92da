"""What a thousand predictions cost, and when that can't be said."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from endpoints.capacity.alerts import Kind, Spending, of_duplicate, of_plan
from endpoints.capacity.unitcost import unit
from endpoints.core.money import Money

ZERO = Decimal(0)


def eur(amount: str) -> Money:
    return Money(Decimal(amount), "EUR")


def test_unit__of_known_time__is_its_money_by_its_requests() -> None:
    found = unit(Decimal(50), ZERO, "EUR", 100_000.0, eur("0.002"))
    assert (found.per_thousand, found.margin, found.words) == (Decimal("0.5"), Decimal("1.5"), "")


def test_unit__with_unknown_time__leaves_its_money_out_and_says_so() -> None:
    found = unit(Decimal(50), Decimal(10), "EUR", 100_000.0, None)
    assert found.per_thousand == Decimal("0.4")
    assert "20.0%" in found.words


@pytest.mark.parametrize(
    ("paid", "unknown", "currency", "requests", "said"),
    [
        (None, ZERO, "EUR", 5.0, "No price"),
        (Decimal(5), ZERO, "", 5.0, "No price"),
        (Decimal(5), ZERO, "EUR", None, "no requests are known"),
        (Decimal(5), Decimal(3), "EUR", 5.0, "no requests are known"),
        (Decimal(5), ZERO, "EUR", 0.0, "No predictions"),
    ],
)
def test_unit__of_what_is_not_known__is_none_and_says_why(
    paid: Decimal | None, unknown: Decimal, currency: str, requests: float | None, said: str
) -> None:
    found = unit(paid, unknown, currency, requests, eur("1"))
    assert (found.per_thousand, found.margin) == (None, None)
    assert said in found.words


def test_unit__with_a_value_in_another_currency__has_no_margin() -> None:
    found = unit(Decimal(50), ZERO, "USD", 1000.0, eur("1"))
    assert (found.per_thousand, found.margin) == (Decimal(50), None)
    assert "EUR" in found.words


def spending(spent: str, expected: str | None, plan: str = "100") -> Spending:
    ahead = None if expected is None else Decimal(expected)
    return Spending("", date(2026, 11, 1), "EUR", Decimal(plan), Decimal(spent), ahead, 7200)


def test_plan__that_is_passed_or_will_be__is_told_with_what_has_no_price() -> None:
    over, ahead = of_plan(spending("100.01", "300")), of_plan(spending("50", "100.01"))
    assert over is not None and ahead is not None
    assert (over.kind, ahead.kind) == (Kind.OVER_PLAN, Kind.WILL_PASS_PLAN)
    assert "2.0 instance-hours without a price" in over.words
    assert over.key != ahead.key


def test_plan__that_holds_or_of_which_nothing_is_expected__is_not_told() -> None:
    assert of_plan(spending("100", "100")) is None
    assert of_plan(spending("100", None)) is None


def test_duplicate__on_fewer_than_seven_days__is_not_permanent() -> None:
    assert of_duplicate(1, "risk", "green", 6, Decimal(3), "EUR") is None
    found = of_duplicate(1, "risk", "green", 7, None, "")
    assert found is not None
    assert "so far" not in found.words
