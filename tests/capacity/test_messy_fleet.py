"""The money is right on a fleet as it really is: failed, unpriced, made twice, half measured, and moved about."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from endpoints.access.models import Workspace
from endpoints.capacity.models import Day, Idle, Made, RuleSet, Summary
from endpoints.capacity.selectors import Ledger, fleet_ledger, fleet_ledger_from_days
from endpoints.capacity.selectors.idle_causes import causes_of_deployments
from endpoints.capacity.services import roll_up_day, roll_up_due
from endpoints.changes.lifecycle import Kind, State
from endpoints.changes.models import Change, ChangeRevision
from endpoints.changes.plan import Base, put_split
from endpoints.dispatch import db_now
from endpoints.inventory.models import Deployment, Endpoint
from endpoints.prices import retail
from tests.capacity.fleet import (
    DAY,
    HOUR,
    MINUTE,
    OTHER_SKU,
    SKU,
    deployment,
    endpoint,
    keep,
    measured,
    midnight,
    minutes,
    priced,
    scaled,
    split,
    workspace,
)
from tests.support.people import make_person

pytestmark = pytest.mark.django_db
PRICE = Decimal("0.293")


def old() -> datetime:
    """A day that is over for so long that its metrics come by a backfill."""
    return midnight(db_now().date()) - 10 * DAY


@pytest.fixture
def place() -> Workspace:
    found = workspace()
    priced(found, str(PRICE), old() - 30 * DAY)
    return found


def made(place: Workspace, begin: datetime) -> dict[int, Day]:
    """The day's rows by deployment."""
    roll_up_day(workspace_id=place.pk, day=begin.date())
    return {row.deployment_id: row for row in Day.objects.filter(workspace_id=place.pk, day=begin.date())}


def ledgers(place: Workspace, begin: datetime, days: int = 1) -> tuple[Ledger, ...]:
    """The same from sums and from days."""
    since, until = begin.date(), begin.date() + days * DAY
    found = fleet_ledger([place.pk], since=since, until=until)
    assert found == fleet_ledger_from_days([place.pk], since=since, until=until)
    return found


def money(row: Day, part: str = "paid") -> Decimal:
    return Decimal(getattr(row, f"{part}_nanos")).scaleb(-9)


def test_a_failed_deployment__without_any_metric__is_billed_and_what_it_did_is_unknown(
    place: Workspace,
) -> None:
    row = deployment(endpoint(place, created=old() - DAY), created=old() - DAY, state="Failed", instances=3)
    found = made(place, old())[row.pk]
    assert (found.paid_seconds, found.unknown_seconds, found.unserved_seconds) == (3 * 86_400, 3 * 86_400, 0)
    assert money(found) == PRICE * 72


def test_a_count_that_azure_never_told__beside_one_that_is_known__is_no_zero_in_any_sum(
    place: Workspace,
) -> None:
    parent = endpoint(place, created=old() - DAY)
    silent = deployment(parent, "green", created=old() - DAY, instances=None)
    deployment(parent, created=old() - DAY)
    found = made(place, old())[silent.pk]
    assert (found.hours_without_count, found.paid_seconds, found.currency) == (24, 0, "")
    usd, nothing = ledgers(place, old())
    assert (usd.currency, usd.total.amounts["paid"], usd.total.hours_without_count) == ("USD", PRICE * 48, 0)
    assert (nothing.currency, nothing.total.hours_without_count) == ("", 24)


def test_a_count_that_azure_told_by_metrics_alone__is_billed_where_it_was_measured(place: Workspace) -> None:
    row = deployment(endpoint(place, created=old() - DAY), created=old() - DAY, instances=None)
    keep(measured(row, minutes(old(), old() + 90 * MINUTE), instances=4))
    found = made(place, old())[row.pk]
    # Of the half hour that is missing nobody knows how many there were: nothing is said of that hour.
    assert (found.hours_without_count, found.paid_seconds, found.unserved_seconds) == (23, 4 * 3600, 4 * 3600)


def test_a_size_without_a_price__beside_one_with__keeps_its_seconds_and_adds_no_money(
    place: Workspace,
) -> None:
    parent = endpoint(place, created=old() - DAY)
    deployment(parent, created=old() - DAY)
    deployment(parent, "gpu", created=old() - DAY, instances=1, sku=OTHER_SKU)
    made(place, old())
    usd, nothing = ledgers(place, old())
    assert (usd.total.seconds["paid"], usd.total.unpriced_seconds) == (2 * 86_400, 0)
    assert (nothing.total.seconds["paid"], nothing.total.unpriced_seconds) == (86_400, 86_400)
    assert nothing.total.amounts["paid"] == 0


def test_a_price__that_changes_in_mid_month_and_mid_day__counts_from_the_hour_after_it_was_read(
    place: Workspace,
) -> None:
    row = deployment(endpoint(place, created=old() - DAY), created=old() - DAY, instances=1)
    priced(place, "0.5", old() + timedelta(hours=11, minutes=20))
    assert money(made(place, old() - DAY)[row.pk]) == PRICE * 24
    assert money(made(place, old())[row.pk]) == PRICE * 12 + Decimal("0.5") * 12
    assert money(made(place, old() + DAY)[row.pk]) == Decimal(12)
    (ledger,) = ledgers(place, old() - DAY, 3)
    assert ledger.total.amounts["paid"] == PRICE * 36 + Decimal("0.5") * 36


def test_a_price__that_vanishes_and_comes_back__leaves_hours_unpriced_and_not_free(place: Workspace) -> None:
    row = deployment(endpoint(place, created=old() - DAY), created=old() - DAY, instances=1)
    priced(place, None, old() + 6 * HOUR)
    priced(place, "0.3", old() + 18 * HOUR)
    found = made(place, old())[row.pk]
    assert (found.unpriced_seconds, found.currency) == (12 * 3600, "USD")
    assert money(found) == PRICE * 6 + Decimal("0.3") * 6
    assert found.paid_seconds == 86_400


def test_a_price__that_vanishes_where_the_retail_list_has_one__is_that_one_meanwhile(
    place: Workspace,
) -> None:
    row = deployment(endpoint(place, created=old() - DAY), created=old() - DAY, instances=1)
    priced(place, "0.4", old() - 5 * DAY, source=retail.SOURCE)
    priced(place, None, old() + 12 * HOUR)
    found = made(place, old())[row.pk]
    assert (money(found), found.unpriced_seconds) == (PRICE * 12 + Decimal("0.4") * 12, 0)


def test_a_price__of_another_currency_meanwhile__is_never_added_to_the_first(place: Workspace) -> None:
    row = deployment(endpoint(place, created=old() - DAY), created=old() - DAY, instances=1)
    priced(place, "0.4", old() - 5 * DAY, source=retail.SOURCE, currency="EUR")
    priced(place, None, old() + 12 * HOUR)
    found = made(place, old())[row.pk]
    assert (found.currency, money(found), found.unpriced_seconds) == ("USD", PRICE * 12, 12 * 3600)
    assert [one.currency for one in ledgers(place, old())] == ["USD"]
    assert made(place, old() + DAY)[row.pk].currency == "EUR"
    assert [(one.currency, one.total.amounts["paid"]) for one in ledgers(place, old(), 2)] == [
        ("EUR", Decimal("0.4") * 24),
        ("USD", PRICE * 12),
    ]


def test_a_price__first_read_after_the_days_were_made__prices_them_once(place: Workspace) -> None:
    created = midnight(db_now().date()) - 20 * DAY
    row = deployment(endpoint(place, created=created), created=created, instances=1, sku=OTHER_SKU)
    roll_up_due()
    assert Day.objects.get(deployment_id=row.pk, day=old().date()).unpriced_seconds == 86_400
    priced(place, "3.06", db_now(), sku=OTHER_SKU)
    assert roll_up_due() == 21  # the days on which it was there, today's included
    assert money(Day.objects.get(deployment_id=row.pk, day=old().date())) == Decimal("3.06") * 24
    assert roll_up_due() == 3  # what still settles


def test_a_deployment__seen_first_long_after_it_was_made__joins_the_days_that_were_made_without_it(
    place: Workspace,
) -> None:
    roll_up_due()
    parent = endpoint(place, created=old() - DAY)
    row = deployment(parent, created=old() + 12 * HOUR, seen=db_now())
    assert roll_up_due() == 11
    assert roll_up_due() == 3
    # How many instances it had then nobody read, and no metrics tell.
    assert Day.objects.get(deployment_id=row.pk, day=old().date()).hours_without_count == 12


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25)])
def test_a_day__on_which_clocks_change_in_berlin__has_24_hours_and_no_hour_twice(day: date) -> None:
    place, begin = workspace(), midnight(day)
    priced(place, "1", begin - DAY)
    row = deployment(endpoint(place, created=begin - 3 * DAY), created=begin - 3 * DAY, instances=1)
    keep(
        measured(row, minutes(begin - DAY, begin), instances=1, requests=3),
        measured(row, minutes(begin, begin + DAY), instances=1),
        measured(row, minutes(begin + DAY, begin + 2 * DAY), instances=1, requests=3),
    )
    found = [made(place, begin + at * DAY)[row.pk] for at in (-1, 0, 1)]
    assert [(one.paid_seconds, money(one)) for one in found] == [(86_400, Decimal(24))] * 3
    assert [one.unserved_seconds for one in found] == [0, 86_400, 0]
    assert ledgers(place, begin - DAY, 3)[0].total.amounts["unserved"] == 24


@pytest.mark.parametrize(
    ("day", "first", "last"),
    [
        (date(2026, 3, 27), 6, 19),  # the Friday before clocks go forward: 7 to 20 in Berlin
        (date(2026, 3, 29), 24, 24),
        (date(2026, 3, 30), 5, 18),
        (date(2026, 10, 23), 5, 18),  # the Friday before clocks go back
        (date(2026, 10, 25), 24, 24),
        (date(2026, 10, 26), 6, 19),
    ],
)
def test_nights_and_weekends__around_the_days_on_which_clocks_change__go_by_the_clock_in_berlin(
    day: date, first: int, last: int
) -> None:
    place, begin = workspace(), midnight(day)
    RuleSet.objects.create(
        workspace=place, number=1, document={"zone": "Europe/Berlin"}, reason="We are there.",
        made_by="user:1", made_at=begin,
    )  # fmt: skip
    row = deployment(endpoint(place, created=begin - 9 * DAY), created=begin - 9 * DAY, instances=1)
    keep(
        measured(row, minutes(begin - DAY, begin - DAY + HOUR), instances=1, requests=3),
        measured(row, minutes(begin, begin + DAY), instances=1),
    )
    made(place, begin)
    found = dict(Idle.objects.filter(day=day).values_list("cause", "seconds"))
    assert found.get("no-requests", 0) == (last - first) * 3600
    assert found["night-or-weekend"] == (24 - last + first) * 3600


def test_a_deployment__made_anew_before_its_end_was_noticed__is_two_lives_and_no_minute_of_both(
    place: Workspace,
) -> None:
    parent, gone = endpoint(place, created=old() - DAY), old() + timedelta(hours=10, minutes=10)
    noticed = gone + 40 * MINUTE
    first = deployment(parent, created=old() - DAY, deleted=noticed, instances=1)
    second = deployment(parent, created=gone, seen=noticed, instances=1)
    keep(
        measured(first, minutes(old(), gone), instances=1),
        measured(second, minutes(gone, old() + DAY), instances=1, requests=7),
    )
    found = made(place, old())
    assert found[first.pk].paid_seconds == found[first.pk].unserved_seconds == 610 * 60
    assert found[second.pk].paid_seconds == found[second.pk].useful_seconds == 86_400 - 610 * 60
    (ledger,) = ledgers(place, old())
    assert ledger.total.amounts["paid"] == PRICE * 24


def test_an_endpoint__made_anew_before_its_end_was_noticed__ends_all_that_it_had(place: Workspace) -> None:
    gone, noticed = old() + 6 * HOUR, old() + 7 * HOUR
    before = endpoint(place, created=old() - DAY, deleted=noticed)
    rows = [deployment(before, name, created=old() - DAY, deleted=noticed) for name in ("blue", "green")]
    after = endpoint(place, created=gone)
    again = deployment(after, created=gone + 30 * MINUTE)
    found = made(place, old())
    assert [found[row.pk].paid_seconds for row in rows] == [6 * 3600 * 2] * 2
    assert found[again.pk].paid_seconds == (17.5 * 3600) * 2


@pytest.fixture
def failed_rollout(place: Workspace) -> int:
    """An endpoint whose green was to get traffic two days before, and did not keep it."""
    row = endpoint(place, created=old() - 9 * DAY)
    change = Change.objects.create(
        endpoint=row, workspace=place, kind=Kind.TRAFFIC, state=State.FAILED, author=make_person("requester"),
        created_at=old() - 2 * DAY, started_at=old() - 2 * DAY, ended_at=old() - DAY,
    )  # fmt: skip
    ChangeRevision.objects.create(
        change=change, number=1, content_hash="h", created_at=old() - 2 * DAY,
        plan=[put_split({"blue": 50, "green": 50}, {}).as_json()], base=Base({"blue": 100}, {}, "s").as_json(),
    )  # fmt: skip
    return row.pk


@pytest.mark.parametrize(
    ("created", "cause"), [(-5, "failed-rollout"), (0, "forgotten-canary")], ids=["the same", "a namesake"]
)
def test_a_namesake__of_one_that_a_change_left_behind__is_not_blamed_for_that_change(
    place: Workspace, failed_rollout: int, created: int, cause: str
) -> None:
    row = deployment(Endpoint.objects.get(pk=failed_rollout), "green", created=old() + created * DAY)
    keep(measured(row, minutes(old(), old() + DAY)))
    made(place, old())
    assert list(Idle.objects.values_list("cause", flat=True)) == [cause]


def test_a_deployment__read_for_the_first_time_days_later__had_its_size_and_price_before(
    place: Workspace,
) -> None:
    parent = endpoint(place, created=old() - DAY)
    told = deployment(parent, created=old() - DAY, seen=old() + 3 * DAY)
    silent = deployment(parent, "green", created=old() - DAY, seen=old() + 3 * DAY)
    keep(measured(told, minutes(old(), old() + DAY), instances=3))
    found = made(place, old())
    assert (found[told.pk].sku, found[told.pk].unpriced_seconds) == (SKU.lower(), 0)
    assert (found[told.pk].paid_seconds, money(found[told.pk])) == (3 * 86_400, PRICE * 72)
    assert (found[silent.pk].paid_seconds, found[silent.pk].hours_without_count) == (0, 24)


def test_metrics__with_a_gap__are_unknown_there_and_never_unserved(place: Workspace) -> None:
    row = deployment(endpoint(place, created=old() - DAY), created=old() - DAY)
    keep(measured(row, minutes(old(), old() + 9 * HOUR + 20 * MINUTE)))
    found = made(place, old())[row.pk]
    assert (found.unserved_seconds, found.unknown_seconds) == (560 * 60 * 2, (1440 - 560) * 60 * 2)
    assert (found.useful_seconds, found.over_seconds) == (0, 0)


def test_metrics__that_come_late__make_the_day_anew_and_count_nothing_twice(place: Workspace) -> None:
    row = deployment(endpoint(place, created=old() - DAY), created=old() - DAY)
    roll_up_due()
    before = Day.objects.get(deployment_id=row.pk, day=old().date())
    assert before.unknown_seconds == before.paid_seconds == 2 * 86_400
    keep(measured(row, minutes(old(), old() + DAY)))
    assert roll_up_due() == 4
    after = Day.objects.get(deployment_id=row.pk, day=old().date())
    assert (after.paid_seconds, after.unserved_seconds, after.unknown_seconds) == (2 * 86_400, 2 * 86_400, 0)
    assert Made.objects.filter(day=old().date()).count() == 1
    assert ledgers(place, old())[0].total.amounts["unserved"] == PRICE * 48


def test_autoscale__that_moves_within_the_hour__is_billed_minute_by_minute(place: Workspace) -> None:
    row = deployment(endpoint(place, created=old() - DAY), created=old() - DAY, instances=1)
    scaled(row, old() + 25 * MINUTE, 5)  # the mirror reads now and then, metrics saw each minute
    keep(
        measured(row, minutes(old(), old() + 20 * MINUTE), instances=1),
        measured(row, minutes(old() + 20 * MINUTE, old() + 50 * MINUTE), instances=5, requests=90),
        measured(row, minutes(old() + 50 * MINUTE, old() + HOUR), instances=2),
    )
    found = made(place, old())[row.pk]
    assert found.useful_seconds == 30 * 5 * 60
    assert found.unserved_seconds == (20 * 1 + 10 * 2) * 60
    assert found.unknown_seconds == 23 * 5 * 3600


def test_an_idle_deployment__with_mirrored_traffic_or_without_weight__has_a_cause_that_says_so(
    place: Workspace,
) -> None:
    parent = endpoint(place, created=old() - DAY, traffic={"blue": 100}, mirror={"shadow": 10})
    rows = {name: deployment(parent, name, created=old() - DAY) for name in ("blue", "shadow", "spare")}
    keep(
        *(measured(rows[name], minutes(old(), old() + DAY)) for name in ("shadow", "spare")),
        measured(rows["blue"], minutes(old(), old() + DAY), requests=9),
    )
    made(place, old())
    names = {row.pk: name for name, row in rows.items()}
    told = Idle.objects.values_list("deployment_id", "cause")
    assert {names[number]: cause for number, cause in told} == {
        "shadow": "no-requests",
        "spare": "forgotten-canary",
    }


def test_a_canary__of_whose_past_no_split_is_known__is_told_by_the_hours_since_it_is(
    place: Workspace,
) -> None:
    parent = endpoint(place, created=old() + 23 * HOUR)  # as of the first read
    row = deployment(parent, "green", created=old() - DAY)
    keep(measured(row, minutes(old(), old() + DAY)))
    made(place, old())
    told = dict(Idle.objects.values_list("cause", "seconds"))
    assert told["no-requests"] > told["forgotten-canary"] > 0
    found = causes_of_deployments(place.pk, old().date())
    assert found[row.pk].cause == "forgotten-canary"


def test_a_split__that_is_switched_off_at_noon__explains_the_hours_after_it(place: Workspace) -> None:
    parent = endpoint(place, created=old() - DAY)
    row = deployment(parent, created=old() - DAY)
    split(parent, old() + 12 * HOUR, {"blue": 0})
    keep(measured(row, minutes(old(), old() + DAY)))
    made(place, old())
    found = dict(Idle.objects.values_list("cause", "seconds"))
    assert found["endpoint-off"] in (12 * 3600 * 2, 13 * 3600 * 2)
    assert sum(found.values()) == 2 * 86_400


def test_an_endpoint__that_another_team_takes_over__takes_its_past_along(place: Workspace) -> None:
    created = midnight(db_now().date()) - 60 * DAY
    parent = endpoint(place, created=created)
    keep(measured(deployment(parent, created=created), minutes(old(), old() + DAY)))
    deployment(endpoint(place, "other", created=created), created=created)
    ancient = old() - 40 * DAY
    made(place, ancient)
    roll_up_due()
    Endpoint.objects.filter(pk=parent.pk).update(owner="new@example.org", tags={"owner": "new@example.org"})
    assert roll_up_due() == 3
    for begin in (ancient, old(), midnight(db_now().date()) - DAY):
        (ledger,) = ledgers(place, begin)
        assert {who: one.seconds["paid"] for who, one in ledger.owners.items()} == {
            ("new@example.org", ""): 2 * 86_400,
            ("risk@example.org", "risk"): 2 * 86_400,
        }
    assert Summary.objects.filter(day=old().date()).count() == 2


def test_the_fleet__of_two_subscriptions_in_two_currencies__has_two_ledgers_and_no_sum(
    place: Workspace,
) -> None:
    parent = endpoint(place, created=old() - DAY)
    deployment(parent, created=old() - DAY)
    deployment(parent, "gpu", created=old() - DAY, sku=OTHER_SKU)
    priced(place, "2.5", old() - 20 * DAY, sku=OTHER_SKU, currency="EUR")
    made(place, old())
    found = ledgers(place, old())
    assert [(one.currency, one.total.amounts["paid"]) for one in found] == [
        ("EUR", Decimal("2.5") * 48),
        ("USD", PRICE * 48),
    ]


def test_a_deployment__that_another_reading_brings_back__has_no_day_of_its_own_twice(
    place: Workspace,
) -> None:
    parent = endpoint(place, created=old() - DAY)
    row = deployment(parent, created=old() - DAY, deleted=old() + 6 * HOUR)
    Deployment.objects.filter(pk=row.pk).update(deleted_at=None)
    scaled(row, old() + 8 * HOUR, 2, sku=SKU)
    assert made(place, old())[row.pk].paid_seconds == 2 * 86_400
