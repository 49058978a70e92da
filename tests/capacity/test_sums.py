"""Whatever happened to a fleet in a day, its ledger is what its minutes come to, counted one by one from real rows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from endpoints.access.models import Workspace
from endpoints.capacity.day import PARTS
from endpoints.capacity.models import Day, Idle, Summary
from endpoints.capacity.selectors import Ledger, fleet_ledger, fleet_ledger_from_days
from endpoints.capacity.services import roll_up_day
from endpoints.capacity.worth import in_cents
from endpoints.dispatch import db_now
from tests.capacity import fleet
from tests.capacity import minutes as oracle
from tests.capacity.fleet import DAY, MINUTE, OTHER_SKU, SKU, midnight
from tests.capacity.minutes import Minute

pytestmark = pytest.mark.django_db
LENGTH = 1440
NAMES = ("paid", *PARTS)


@dataclass(frozen=True)
class Told:
    """From minute `at` on metrics told this; None: nothing."""

    at: int
    seen: int | None
    requests: int | None


@dataclass(frozen=True)
class Life:
    """Minutes of the day; `made` may be before it. `noticed`: when a read missed it, later than it ended."""

    made: int
    ended: int
    noticed: int | None
    read_after: int
    counts: tuple[tuple[int, int | None], ...]  # from a minute on, so many instances by the mirror
    told: tuple[Told, ...]


@dataclass(frozen=True)
class Named:
    """All lives of one name: one after the other, and no minute belongs to two."""

    lives: tuple[Life, ...]
    sku: str


@dataclass(frozen=True)
class Fleet:
    named: tuple[Named, ...]
    prices: tuple[tuple[int, str | None, str], ...]  # from an hour on


@some.composite
def lives(draw: some.DrawFn) -> Named:
    cuts = draw(some.lists(some.integers(1, LENGTH - 1), max_size=2, unique=True).map(sorted))
    edges = [draw(some.sampled_from((-3000, 0, 7))), *(cut for cut in cuts if cut > 7), LENGTH]
    found = [draw(life(since, until)) for since, until in pairwise(edges)]
    return Named(tuple(found), draw(some.sampled_from((SKU, SKU, OTHER_SKU))))


@some.composite
def life(draw: some.DrawFn, made: int, ended: int) -> Life:
    late = draw(some.integers(0, 45))
    moments = some.integers(max(made, 0), ended - 1)
    scalings = some.tuples(moments, some.none() | some.integers(1, 6))
    whole = some.builds(Told, moments, some.integers(1, 6), some.integers(0, 2))
    nothing = some.builds(Told, moments, some.none(), some.none())
    return Life(
        made,
        ended,
        None if ended == LENGTH else ended + late,
        draw(some.integers(0, 3)),
        tuple(sorted(draw(some.lists(scalings, max_size=3)), key=lambda one: one[0])),
        tuple(sorted(draw(some.lists(whole | nothing, max_size=6)), key=lambda one: one.at)),
    )


amounts = some.none() | some.integers(1, 9_999_999).map(lambda cents: f"{cents / 10**6:.6f}")
prices = some.lists(
    some.tuples(some.integers(0, 23), amounts, some.sampled_from(("USD", "USD", "EUR"))), max_size=3
)
fleets = some.builds(
    Fleet,
    some.lists(lives(), min_size=1, max_size=3).map(tuple),
    prices.map(lambda told: tuple(sorted(told, key=lambda one: one[0]))),
)


def stored(place: Workspace, begin: datetime, told: Fleet) -> dict[int, tuple[Named, Life]]:
    """The fleet as rows; by deployment what it stands for. Two endpoints, the second without an owner."""
    at = lambda minute: begin + minute * MINUTE  # noqa: E731
    for hour, amount, currency in {one[0]: one for one in told.prices}.values():
        fleet.priced(place, amount, begin + timedelta(hours=hour), currency=currency)
    parents = [
        fleet.endpoint(place, "risk", created=begin - 9 * DAY, traffic={"d0": 50, "d1": 50}),
        fleet.endpoint(place, "loan", created=begin - 9 * DAY, owner="", team=""),
    ]
    found, metrics = {}, []
    for number, named in enumerate(told.named):
        for one in named.lives:
            row = fleet.deployment(
                parents[number % 2], f"d{number}", created=at(one.made), seen=at(one.made + one.read_after),
                deleted=None if one.noticed is None else at(one.noticed), sku=named.sku,
            )  # fmt: skip
            for minute, instances in one.counts:
                if minute > one.made + one.read_after:
                    fleet.scaled(row, at(minute), instances, sku=named.sku)
            found[row.pk] = named, one
            for minute in range(max(one.made, 0), one.ended):
                said = said_at(one, minute)
                if said is not None and said.seen is not None:
                    metrics.append(
                        fleet.measured(row, [at(minute)], requests=said.requests, instances=said.seen)
                    )
    if metrics:
        fleet.keep(*metrics)
    return found


def said_at(one: Life, minute: int) -> Told | None:
    return next((told for told in reversed(one.told) if told.at <= minute), None)


def minute_of(one: Life, minute: int) -> Minute:
    """What mirror and metrics know of a minute."""
    first = one.made + one.read_after
    mirror = None if minute < first else 2
    for since, instances in one.counts:
        if first < since <= minute:
            mirror = instances
    said = said_at(one, minute)
    return Minute(mirror) if said is None else Minute(mirror, said.seen, said.requests)


def price_at(told: Fleet, sku: str, hour: int) -> tuple[Fraction, str] | None:
    """Brute force: the last price read by the beginning of the hour; before the first one, that one."""
    if sku != SKU or not told.prices:
        return None
    by_hour = {one[0]: one for one in told.prices}
    begun = [one for at, one in sorted(by_hour.items()) if at <= hour] or [by_hour[min(by_hour)]]
    _, amount, currency = begun[-1]
    return None if amount is None else (Fraction(amount), currency)


def hours_of(one: Life) -> list[oracle.Counted]:
    return [
        oracle.hour(
            [minute_of(one, at) for at in range(60 * hour, 60 * hour + 60) if one.made <= at < one.ended]
        )
        for hour in range(24)
    ]


def check_life(row: Day | None, told: Fleet, named: Named, one: Life) -> None:
    """One deployment's row against its minutes."""
    counted = hours_of(one)
    expected = oracle.total(counted)
    unknown_hours = sum(hour.paid is None for hour in counted)
    if row is None:
        assert not expected.paid and not unknown_hours
        return
    assert (row.paid_seconds, row.hours_without_count) == (expected.paid, unknown_hours)
    assert abs(row.unserved_seconds - expected.unserved) <= 24
    assert abs(row.unknown_seconds - expected.unknown) <= 48
    assert abs(row.useful_seconds + row.over_seconds - expected.useful) <= 48
    priced = [(hour.paid or 0, price_at(told, named.sku, at)) for at, hour in enumerate(counted) if hour.paid]
    currency = next((price[1] for _, price in priced if price), "")
    own = [(paid, price[0]) for paid, price in priced if price and price[1] == currency]
    assert row.currency == currency
    assert row.unpriced_seconds == (expected.paid or 0) - sum(paid for paid, _ in own)
    exact = sum((paid * price / 3600 for paid, price in own), Fraction(0))
    assert abs(Fraction(row.paid_nanos, 10**9) - exact) <= Fraction(4 * 24, 10**9)


def check_sums(place: Workspace, begin: datetime) -> None:
    """Every sum is the sum of its parts, whichever way it is made."""
    days = list(Day.objects.filter(workspace_id=place.pk))
    for row in days:
        for unit in ("seconds", "nanos"):
            parts = [getattr(row, f"{part}_{unit}") for part in PARTS]
            assert min(parts) >= 0 and sum(parts) == getattr(row, f"paid_{unit}")
        causes = list(Idle.objects.filter(deployment_id=row.deployment_id).values_list("seconds", "nanos"))
        assert sum(seconds for seconds, _ in causes) == row.unserved_seconds
        assert sum(nanos for _, nanos in causes) == row.unserved_nanos
    summed = Summary.objects.filter(workspace_id=place.pk)
    for column in (f"{part}_{unit}" for part in NAMES for unit in ("seconds", "nanos")):
        assert sum(summed.values_list(column, flat=True)) == sum(getattr(row, column) for row in days)
    assert sum(summed.values_list("deployments", flat=True)) == len(days)
    since, until = begin.date(), begin.date() + DAY
    ledgers = fleet_ledger([place.pk], since=since, until=until)
    assert ledgers == fleet_ledger_from_days([place.pk], since=since, until=until)
    assert Counter(one.currency for one in ledgers) == Counter({row.currency for row in days})
    for ledger in ledgers:
        check_ledger(ledger)


def check_ledger(ledger: Ledger) -> None:
    total = ledger.total
    assert sum(seconds for seconds, _ in ledger.causes.values()) == total.seconds["unserved"]
    assert sum(amount for _, amount in ledger.causes.values()) == total.amounts["unserved"]
    for split in (ledger.owners, ledger.days):
        for name in NAMES:
            assert sum(one.seconds[name] for one in split.values()) == total.seconds[name]
            assert sum(one.amounts[name] for one in split.values()) == total.amounts[name]
    shown = in_cents({name: total.amounts[name] for name in PARTS})
    assert sum(shown.values()) == total.amounts["paid"].quantize(Decimal("0.01"))


@given(told=fleets)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_ledger__of_any_fleet__is_what_its_minutes_come_to_and_adds_up(told: Fleet) -> None:
    begin = midnight(db_now().date()) - 60 * DAY
    with transaction.atomic():
        place = fleet.workspace()
        known = stored(place, begin, told)
        roll_up_day(workspace_id=place.pk, day=begin.date())
        rows = {row.deployment_id: row for row in Day.objects.filter(workspace_id=place.pk)}
        for number, (named, one) in known.items():
            check_life(rows.get(number), told, named, one)
        check_sums(place, begin)
        before = list(Day.objects.order_by("pk").values())
        roll_up_day(workspace_id=place.pk, day=begin.date())
        assert list(Day.objects.order_by("pk").values()) == before
        transaction.set_rollback(True)
