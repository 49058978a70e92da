"""How a month will end, by its days."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as some

from endpoints.capacity.forecast import Forecast, forecast

NOVEMBER = date(2026, 11, 1)
DAY = timedelta(days=1)


def days(amounts: list[int], until: date) -> dict[date, Decimal]:
    """The last of them on the day before `until`."""
    return {until - (len(amounts) - at) * DAY: Decimal(amount) for at, amount in enumerate(amounts)}


def test_forecast__of_a_month_that_runs__takes_days_to_come_as_the_last_seven() -> None:
    today = date(2026, 11, 11)
    found = forecast(days([10] * 7 + [20, 20, 20], today), NOVEMBER, today)
    # 130 spent, 20 days to come at (4 x 10 + 3 x 20) / 7.
    assert found.middle is not None
    assert round(found.middle, 2) == Decimal("415.71")
    assert (found.low, found.high) == (Decimal(330), Decimal(530))
    assert "20 days to come" in found.words


def test_forecast__on_the_first_of_a_month__goes_by_the_month_before() -> None:
    found = forecast(days([4] * 7, NOVEMBER), NOVEMBER, NOVEMBER)
    assert (found.low, found.middle, found.high) == (Decimal(120), Decimal(120), Decimal(120))


def test_forecast__with_no_day_known__is_not_known() -> None:
    found = forecast({}, NOVEMBER, date(2026, 11, 11))
    assert (found.low, found.middle, found.high) == (None, None, None)
    assert "known" in found.words


def test_forecast__with_a_missing_day__says_so_and_takes_it_as_one_to_come() -> None:
    today = date(2026, 11, 11)
    told = days([10] * 10, today)
    del told[date(2026, 11, 3)]
    found = forecast(told, NOVEMBER, today)
    assert found.middle == Decimal(300)
    assert "1 day of which nothing is known" in found.words


def test_forecast__of_a_month_that_is_over__is_what_it_was() -> None:
    told = days([10] * 30, date(2026, 12, 1))
    assert forecast(told, NOVEMBER, date(2026, 12, 20)) == Forecast(
        Decimal(300), Decimal(300), Decimal(300), "The month is over, and each of its days is known."
    )


@given(
    amounts=some.lists(some.integers(0, 10_000), min_size=1, max_size=40),
    today=some.dates(NOVEMBER, date(2026, 11, 30)),
)
def test_forecast__of_any_days__is_in_its_range_and_no_less_than_was_spent(
    amounts: list[int], today: date
) -> None:
    told = days(amounts, today)
    found = forecast(told, NOVEMBER, today)
    assert found.low is not None and found.middle is not None and found.high is not None
    assert found.low <= found.middle + Decimal("1e-9") and found.middle <= found.high + Decimal("1e-9")
    assert found.low >= sum(amount for day, amount in told.items() if day >= NOVEMBER)
