"""An hour's account: nothing counted twice, nothing negative, unknown never zero."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as some

from endpoints.capacity.hours import Hour, Measured, Mirrored, account, add

HOUR = 3600


def mirrored(instances: int | None = 2, alive: int = 60) -> Mirrored:
    return Mirrored(alive, None if instances is None else Fraction(instances))


def measured(idle: int, told: int = 60, instances: float = 2.0) -> Measured:
    """An hour in which requests and instances are known of the same minutes."""
    return Measured(told, idle, told, told * instances, idle * instances)


@pytest.mark.parametrize(
    ("there", "known", "needed", "expected"),
    [
        (mirrored(), measured(60), None, Hour(2 * HOUR, unserved=2 * HOUR)),
        (mirrored(), measured(0), None, Hour(2 * HOUR, useful=2 * HOUR)),
        (mirrored(), measured(0), 1, Hour(2 * HOUR, useful=HOUR, over=HOUR)),
        (mirrored(), measured(0), 5, Hour(2 * HOUR, useful=2 * HOUR)),
        (mirrored(), measured(30), 1, Hour(2 * HOUR, useful=HOUR // 2, unserved=HOUR, over=HOUR // 2)),
        (mirrored(), None, None, Hour(2 * HOUR, unknown=2 * HOUR)),  # a deployment that failed has no metrics
        (mirrored(), Measured(0, 0, 60, 120.0, None), 1, Hour(2 * HOUR, unknown=2 * HOUR)),
        (mirrored(), measured(30, told=30), None, Hour(2 * HOUR, unserved=HOUR, unknown=HOUR)),
        (mirrored(None), None, None, Hour(None)),
        (mirrored(None), measured(0), None, Hour(2 * HOUR, useful=2 * HOUR)),
        (mirrored(alive=0), measured(60), None, Hour(0)),
        # Azure told nothing of instances: the mirror's number counts.
        (mirrored(), Measured(60, 60, 0, None, None), None, Hour(2 * HOUR, unserved=2 * HOUR)),
        # Made in the middle of the hour.
        (mirrored(alive=15), measured(15, told=15), None, Hour(HOUR // 2, unserved=HOUR // 2)),
    ],
)
def test_account__of_an_hour__says_where_the_money_went(
    there: Mirrored, known: Measured | None, needed: int | None, expected: Hour
) -> None:
    assert account(there, known, needed) == expected


def test_account__partly_measured_instances__takes_the_mirror_for_the_rest() -> None:
    found = account(mirrored(4), Measured(60, 0, 30, 60.0, 0.0))
    assert found == Hour(30 * 2 * 60 + 30 * 4 * 60, useful=30 * 2 * 60 + 30 * 4 * 60)


def test_account__minutes_an_hour_does_not_have__is_refused() -> None:
    with pytest.raises(ValueError, match="61 minutes"):
        account(mirrored(alive=61), None)


minutes = some.integers(0, 60)
known = some.builds(
    Measured,
    request_minutes=minutes,
    idle_minutes=minutes,
    capacity_minutes=minutes,
    instance_minutes=some.none() | some.floats(0, 60 * 50),
    idle_instance_minutes=some.none() | some.floats(0, 60 * 50),
)


@given(
    there=some.builds(
        Mirrored,
        alive_minutes=minutes,
        instances=some.none() | some.fractions(0, 50, max_denominator=60),
    ),
    told=some.none() | known,
    needed=some.none() | some.integers(1, 50),
)
def test_account__whatever_was_told__adds_up_and_is_never_negative(
    there: Mirrored, told: Measured | None, needed: int | None
) -> None:
    found = account(there, told, needed)
    parts = (found.useful, found.unserved, found.over, found.unknown)
    if found.paid is None:
        assert parts == (0, 0, 0, 0)
        return
    assert found.paid == sum(parts)
    assert all(part >= 0 for part in parts)
    if told is None or told.request_minutes == 0:
        assert found.unserved == found.over == 0


def test_add__of_hours__leaves_out_what_is_not_known() -> None:
    assert add(Hour(10, useful=10), Hour(None), Hour(5, unknown=5)) == Hour(15, useful=10, unknown=5)
