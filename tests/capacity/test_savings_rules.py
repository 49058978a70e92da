"""What was saved by the same hours before: windows of the local clock, sums of what is known, and the verdict."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from endpoints.capacity.savings import Judged, Pair, State, judged, rebounded, verdict, windows
from endpoints.core.money import Money

BERLIN = ZoneInfo("Europe/Berlin")
WEEK, HOUR = timedelta(days=7), timedelta(hours=1)
MEASURES = timedelta(days=7)


def usd(amount: str) -> Money:
    return Money(Decimal(amount), "USD")


def pair(before: int | None, after: int | None, price: str = "0.001") -> Pair:
    """An hour with so many instance-seconds on both sides, at a price for each."""
    each = Decimal(price)
    return Pair(
        3600,
        before,
        after,
        None if before is None else Money(before * each, "USD"),
        None if after is None else Money(after * each, "USD"),
    )


@given(
    acted=some.integers(0, 330 * 86_400),
    length=some.timedeltas(timedelta(seconds=1), timedelta(days=16)),
)
def test_windows__of_any_stretch__follow_each_other_and_compare_with_time_before_the_act(
    acted: int, length: timedelta
) -> None:
    act = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=acted)
    found = windows(act, act + length, BERLIN)
    assert found[-1].until == act + length
    assert all(one.until == other.since for one, other in pairwise(found))
    assert all(timedelta(0) < one.until - one.since <= HOUR for one in found)
    for one in found:
        if one.before is not None:
            assert one.before + (one.until - one.since) <= act
            assert one.before.astimezone(BERLIN).weekday() == one.since.astimezone(BERLIN).weekday()
            assert one.before.astimezone(BERLIN).time() == one.since.astimezone(BERLIN).time()


def test_windows__after_the_clock_went_back__compare_the_same_local_hour() -> None:
    # On 25 October 2026 Berlin goes from UTC+2 to UTC+1: Monday 08:00 there is 07:00 UTC after it, 06:00 UTC before.
    act = datetime(2026, 10, 24, 12, tzinfo=UTC)
    found = windows(act, act + 4 * 24 * HOUR, BERLIN)
    (monday,) = [one for one in found if one.since == datetime(2026, 10, 26, 7, tzinfo=UTC)]
    assert monday.before == datetime(2026, 10, 19, 6, tzinfo=UTC)


def test_windows__of_a_day_months_after_the_act__compare_with_the_week_before_it() -> None:
    act = datetime(2026, 1, 5, 12, tzinfo=UTC)
    found = windows(act + timedelta(days=85), act + timedelta(days=86), BERLIN, acted_at=act)
    assert all(one.before is not None and act - WEEK - HOUR <= one.before < act for one in found)


def test_windows__whose_hour_before_was_shown_twice__have_none() -> None:
    act = datetime(2026, 10, 26, 12, tzinfo=UTC)  # the doubled hour is 02:00 to 03:00 on the 25th
    found = windows(act, act + 7 * 24 * HOUR, BERLIN)
    torn = [one for one in found if one.since.astimezone(BERLIN) == datetime(2026, 11, 1, 2, tzinfo=BERLIN)]
    assert [one.before for one in torn] == [None]


def test_windows__later_than_a_week_after_the_act__reach_further_back() -> None:
    act = datetime(2026, 6, 1, 12, tzinfo=UTC)
    found = windows(act, act + 10 * 24 * HOUR, ZoneInfo("UTC"))
    assert found[0].before == act - WEEK
    last = found[-1]
    assert last.before == last.since - 2 * WEEK


def test_judged__sums__only_windows_whose_both_sides_are_known() -> None:
    found = judged([pair(7200, 3600), pair(7200, 3600), pair(None, 3600), pair(7200, None)])
    assert (found.hours, found.unknown_hours) == (2, 2)
    assert (found.before_seconds, found.after_seconds) == (14_400, 7200)
    assert found.saved == usd("7.200")
    assert found.monthly == usd("2628.000")  # 3.60 an hour x 730


def test_judged__without_a_price__says_seconds_and_no_money() -> None:
    found = judged([Pair(3600, 7200, 3600, None, None)])
    assert (found.saved, found.monthly, found.unpriced) == (None, None, 1)
    assert verdict(found, MEASURES, MEASURES).state is State.CANNOT_SAY


def test_judged__of_two_currencies__adds_up_only_one() -> None:
    other = Pair(3600, 7200, 0, Money(Decimal(9), "EUR"), Money(Decimal(0), "EUR"))
    found = judged([pair(7200, 3600), other])
    assert found.saved == usd("3.600")
    assert found.unpriced == 1


@pytest.mark.parametrize(
    ("pairs", "elapsed", "state"),
    [
        ([pair(7200, 3600)], MEASURES - HOUR, State.MEASURING),
        ([pair(7200, 3600)], MEASURES, State.VERIFIED),
        ([pair(3600, 3600)], MEASURES, State.NOTHING_SAVED),
        ([pair(3600, 7200)], MEASURES, State.NOTHING_SAVED),
        ([], MEASURES, State.CANNOT_SAY),
        ([pair(7200, 3600), pair(None, 1), pair(1, None)], MEASURES, State.CANNOT_SAY),
    ],
)
def test_verdict__by_what_is_known__is(pairs: list[Pair], elapsed: timedelta, state: State) -> None:
    assert verdict(judged(pairs), elapsed, MEASURES).state is state


@given(
    some.lists(
        some.tuples(some.none() | some.integers(0, 36_000), some.none() | some.integers(0, 36_000)),
        max_size=30,
    )
)
def test_judged__of_any_windows__saves_what_the_seconds_say(
    told: list[tuple[int | None, int | None]],
) -> None:
    found = judged([pair(before, after) for before, after in told])
    assert found.hours + found.unknown_hours == len(told)
    if found.saved is not None:
        assert found.saved.amount == (found.before_seconds - found.after_seconds) * Decimal("0.001")


def lately(monthly: str | None, hours: int = 10, unknown: int = 0) -> Judged:
    return Judged(hours, unknown, 0, 0, 0, None, usd(monthly) if monthly else None, 0)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (lately("100"), False),
        (lately("50"), False),
        (lately("49.99"), True),
        (lately("-10"), True),
        (lately(None), False),
        (lately("0", hours=1, unknown=2), False),
    ],
)
def test_rebounded__by_the_newest_hours__is_told_under_half_and_never_of_what_is_unknown(
    now: Judged, expected: bool
) -> None:
    assert rebounded(usd("100"), now) is expected
    assert rebounded(None, now) is False
