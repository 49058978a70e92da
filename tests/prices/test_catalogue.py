"""Which price counts, what is new about a list, and how much quota instances take."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoints.azure_gateway.records import VmPrice
from endpoints.core.money import Money, plain
from endpoints.prices import catalogue
from endpoints.prices.catalogue import Known, Step
from endpoints.prices.quota import quota_needed
from tests.prices.support import price, size

DAY = datetime(2026, 1, 5, tzinfo=UTC)
BEFORE = DAY - timedelta(days=1)


def test_the_price__of_several__is_that_of_linux_in_the_tier_standard() -> None:
    record = size("A", price("0.1", tier="LowPriority"), price("0.4", os="Windows"), price("0.2", os="linux"))
    assert catalogue.hourly(record).money == Money(Decimal("0.2"), "USD")


def test_the_price__of_nothing__is_an_amount_of_zero_and_known() -> None:
    assert catalogue.hourly(size("A", price("0"))).money == Money(Decimal(0), "USD")


@pytest.mark.parametrize(
    ("prices", "note"),
    [
        ((), "Azure names no price for this size here."),
        ((price(tier="Spot"),), "Azure names prices for Linux Spot only, not for Linux, Standard."),
        ((price(), price("9")), "which one holds is not known"),
        ((price(unit="OneMonth"),), "per OneMonth, not per hour"),
        ((price(unit=""),), "per no unit, not per hour"),
        ((price(currency=""),), "without a currency"),
    ],
)
def test_the_price__not_told_as_it_must_be__is_unknown_with_the_reason(
    prices: tuple[VmPrice, ...], note: str
) -> None:
    found = catalogue.hourly(size("A", *prices))
    assert found.money is None
    assert note in found.note


def test_sizes__of_one_name_in_two_spellings__are_one_and_two_different_ones_none() -> None:
    found, torn = catalogue.by_name([size("A"), size("A"), size("B", vcpus=2), size("b", vcpus=4)])
    assert (list(found), torn) == (["a"], ("b",))


def test_steps__of_a_list__are_what_is_not_on_record_yet() -> None:
    known = {
        "same": Known(Money(Decimal("0.1"), "USD"), DAY),
        "dearer": Known(Money(Decimal("0.1"), "USD"), DAY),
        "other": Known(Money(Decimal("0.1"), "USD"), DAY),
        "silent": Known(Money(Decimal("0.1"), "USD"), DAY),
        "gone": Known(Money(Decimal("0.1"), "USD"), DAY),
        "never": Known(None, DAY),
    }
    seen = {
        "same": size("same", price("0.10")),
        "dearer": size("dearer", price("0.2")),
        "other": size("other", price("0.1", currency="EUR")),
        "silent": size("silent"),
        "never": size("never"),
        "new": size("new", price("0.3")),
    }
    assert catalogue.steps(known, seen, read_before=BEFORE, is_complete=True) == (
        Step("dearer", Money(Decimal("0.2"), "USD"), DAY),
        Step("gone", None, DAY),
        Step("new", Money(Decimal("0.3"), "USD"), BEFORE),
        Step("other", Money(Decimal("0.1"), "EUR"), DAY),
        Step("silent", None, DAY),
    )


def test_steps__of_a_list_that_is_not_whole__let_no_price_go_that_is_not_in_it() -> None:
    known = {"gone": Known(Money(Decimal("0.1"), "USD"), DAY)}
    assert catalogue.steps(known, {}, read_before=DAY, is_complete=False) == ()


@pytest.mark.parametrize(
    ("instances", "vcpus", "cores"),
    [(1, 4, 8), (2, 4, 12), (5, 4, 24), (10, 16, 192), (0, 4, 0), (3, 1, 4)],
)
def test_quota__of_instances__takes_a_fifth_more_in_whole_machines(
    instances: int, vcpus: int, cores: int
) -> None:
    assert quota_needed(instances, vcpus) == cores


def test_quota__of_a_size_whose_cores_nobody_knows__is_unknown() -> None:
    assert quota_needed(3, None) is None
    with pytest.raises(ValueError, match="-1 instances"):
        quota_needed(-1, 4)


@given(instances=st.integers(0, 10_000), vcpus=st.integers(1, 500))
def test_quota__of_any_number__is_never_less_than_what_runs_and_at_most_one_machine_too_many(
    instances: int, vcpus: int
) -> None:
    needed = quota_needed(instances, vcpus)
    assert needed is not None
    assert instances * vcpus == quota_needed(instances, vcpus, reserved=False) <= needed
    assert 0 <= needed * 10 - 12 * instances * vcpus < 10 * vcpus


def test_money__of_two_currencies__has_no_sum() -> None:
    one = Money(Decimal("0.1"), "EUR")
    assert str(one.times(3) + one) == "0.40 EUR"
    with pytest.raises(ValueError, match="EUR and USD"):
        _ = one + Money(Decimal(1), "USD")


@pytest.mark.parametrize(
    ("amount", "text"), [("0.2930000000", "0.293"), ("12", "12.00"), ("1E+2", "100.00"), ("0", "0.00")]
)
def test_money__as_text__has_every_digit_that_counts(amount: str, text: str) -> None:
    assert plain(Decimal(amount)) == text
