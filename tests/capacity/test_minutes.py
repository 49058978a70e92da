"""An hour's account is what its minutes come to, counted one by one, however many of them are missing."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from hypothesis import example, given
from hypothesis import strategies as some

from endpoints.capacity.hours import Hour, Measured, Mirrored, account
from tests.capacity import minutes as oracle
from tests.capacity.minutes import Minute


def rolled(minutes: Sequence[Minute]) -> Measured | None:
    """The hour as the room of metrics rolls it up."""
    seen = [one for one in minutes if one.seen is not None or one.requests is not None]
    if not seen:
        return None
    both = [one for one in seen if one.seen is not None and one.requests is not None]
    counted = [one.seen for one in seen if one.seen is not None]
    return Measured(
        request_minutes=sum(one.requests is not None for one in seen),
        idle_minutes=sum(one.requests == 0 for one in seen),
        capacity_minutes=len(counted),
        instance_minutes=float(sum(counted)) if counted else None,
        idle_instance_minutes=float(sum(one.seen or 0 for one in both if one.requests == 0))
        if both
        else None,
    )


def accounted(minutes: Sequence[Minute], needed: int | None = None) -> Hour:
    told = [one.mirror for one in minutes if one.mirror is not None]
    known = bool(told) and len(told) == len(minutes)
    mirrored = Mirrored(len(minutes), Fraction(sum(told), len(told)) if known else None)
    return account(mirrored, rolled(minutes), needed)


def same(found: Hour, expected: oracle.Counted) -> bool:
    """Equal to the second that rounding may move."""
    parts = ("useful", "unserved", "over", "unknown")
    return found.paid == expected.paid and all(
        abs(getattr(found, name) - getattr(expected, name)) <= 2 for name in parts
    )


counts, requests = some.integers(1, 30), some.integers(0, 3)
whole = some.builds(Minute, counts, counts, requests)  # autoscale moves it from minute to minute
missing = some.builds(Minute, counts)
any_minute = some.builds(Minute, some.none() | counts, some.none() | counts, some.none() | requests)
need = some.none() | some.integers(1, 10)


@given(some.lists(whole | missing, max_size=60), need)
@example([Minute(4, 1, 5)] * 40 + [Minute(4)] * 20, 1)  # autoscale went down and the mirror did not see it
@example([Minute(1, 4, 5)] * 40 + [Minute(1)] * 20, None)
@example([Minute(2, 2, 0)] * 15 + [Minute(2, 2, 1)] * 25 + [Minute(2)] * 20, 1)
def test_account__of_minutes_of_which_some_are_missing__is_what_they_come_to_one_by_one(
    minutes: list[Minute], needed: int | None
) -> None:
    assert same(accounted(minutes, needed), oracle.hour(minutes, needed))


@given(some.lists(any_minute, max_size=60))
@example([Minute(2, 2, 0)] * 20 + [Minute(2, None, 0)] * 20 + [Minute(2, 2, None)] * 20)
def test_account__of_requests_and_instances_with_gaps_of_their_own__claims_no_more_than_was_seen(
    minutes: list[Minute],
) -> None:
    found, expected = accounted(minutes), oracle.hour(minutes)
    assert found.paid is None if expected.paid is None else found.paid is not None
    if found.paid is None:
        return
    assert found.paid == found.useful + found.unserved + found.over + found.unknown
    if not any(one.requests == 0 for one in minutes):
        assert found.unserved == 0
    if not any(one.requests for one in minutes):
        assert found.useful == 0
    if all(one.mirror == minutes[0].mirror and one.seen in (None, one.mirror) for one in minutes):
        assert found.unserved <= expected.unserved + 1
        assert found.useful <= expected.useful + 1


@given(some.lists(whole | missing, min_size=1, max_size=60), some.integers(1, 60))
def test_account__measured_for_longer_than_it_was_there__is_bounded_by_what_was_there(
    minutes: list[Minute], alive: int
) -> None:
    there = min(alive, len(minutes))
    found = account(Mirrored(there, Fraction(2)), rolled(minutes))
    idle = sum(one.requests == 0 for one in minutes)
    busy = sum(bool(one.requests) for one in minutes)
    assert found.paid is not None
    if busy >= there:  # it may have been busy all the time
        assert found.unserved == 0
    if idle == len(minutes):
        assert found.useful == 0
