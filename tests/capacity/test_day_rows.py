"""Rows of the ledger by pages and filters, and the formula of one of them, which comes to the row to the billionth."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from endpoints.access.models import Workspace
from endpoints.capacity.models import Made
from endpoints.capacity.selectors.daily import Wanted, sums_of
from endpoints.capacity.selectors.day_rows import DayRow, day_rows, price_lines
from endpoints.capacity.services import roll_up_day
from endpoints.core.errors import Invalid, NotFound
from endpoints.inventory.models import Deployment, DeploymentRevision
from endpoints.prices.catalogue import SOURCE
from endpoints.prices.models import SkuPrice
from tests.capacity.test_roll_up import DAY, HOUR, SKU, deployed, hours, place, yesterday
from tests.inventory.support import make_workspace

__all__ = ["place"]
pytestmark = pytest.mark.django_db


def rolled(place: Workspace, *, back: int = 0) -> None:
    roll_up_day(workspace_id=place.pk, day=(yesterday() - back * DAY).date())


def rows(place: Workspace, **asked: Any) -> list[DayRow]:
    """Of the last three days, page by page."""
    since, until = (yesterday() - 2 * DAY).date(), (yesterday() + DAY).date()
    found, cursor = [], ""
    while True:
        page = day_rows([place.pk], since, until, cursor=cursor, limit=2, **asked)
        found += page.rows
        if not (cursor := page.next_cursor):
            return found


def scaled(row: Deployment, at: int, instances: int | None, sku: str = SKU) -> None:
    """From this hour of yesterday on."""
    moment = yesterday() + at * HOUR
    state = {"instance_type": sku} | ({} if instances is None else {"instance_count": instances})
    DeploymentRevision.objects.create(
        deployment=row, earliest=moment, latest=moment, known_at=moment, state_hash=f"s{at}", state=state
    )


def priced(place: Workspace, amount: str, at: int, currency: str = "USD", sku: str = SKU) -> None:
    SkuPrice.objects.create(
        subscription=place.subscription_id, region="westeurope", sku=sku.lower(), source=SOURCE,
        amount=Decimal(amount), currency=currency, seen_at=yesterday() + at * HOUR,
    )  # fmt: skip


def test_rows__of_three_days__come_each_once_newest_first(place: Workspace) -> None:
    for name in ("blue", "green", "red"):
        deployed(place, name)
    for back in range(3):
        rolled(place, back=back)
    found = rows(place)
    assert len({(row.day, row.deployment) for row in found}) == len(found) == 9
    assert [row.day for row in found] == sorted((row.day for row in found), reverse=True)
    assert [row.deployment for row in found[:3]] == ["blue", "green", "red"]
    assert (found[0].workspace, found[0].endpoint, found[0].sku) == ("mlw-prod-weu", "e-blue", SKU.lower())
    assert (found[0].owner, found[0].team, found[0].currency) == ("risk@example.org", "risk", "USD")


def test_rows__filtered__are_those_alone(place: Workspace) -> None:
    idle, busy = deployed(place, "blue"), deployed(place, "green")
    hours(idle, 0, 24, requests=0)
    hours(busy, 0, 24, requests=600)
    rolled(place)
    named: Callable[..., list[str]] = lambda **asked: [row.deployment for row in rows(place, **asked)]  # noqa: E731
    assert named(cause="no-requests") == named(part="unserved") == ["blue"]
    assert named(part="useful") == ["green"]
    assert named(part="unpriced") == named(owner="") == named(team="other") == []
    assert named(owner="risk@example.org", team="risk") == ["blue", "green"]
    assert named(deployment_id=busy.pk) == named(endpoint_id=busy.endpoint_id) == ["green"]
    (row,) = rows(place, cause="no-requests")
    assert row.causes == (("no-requests", "", 172_800, row.amounts["unserved"]),)
    assert row.amounts["unserved"] == Decimal("14.064")


def test_rows__without_a_price__have_no_amount_rather_than_nothing_to_pay(place: Workspace) -> None:
    row = deployed(place)
    scaled(row, -1, 2, sku="Standard_NC6s_v3")
    hours(row, 0, 24, requests=0)
    rolled(place)
    (told,) = rows(place)
    assert (told.currency, told.unpriced_seconds, set(told.amounts.values())) == ("", 172_800, {None})
    assert told.causes[0][3] is None


def test_rows__of_another_workspace__are_not_among_them(place: Workspace) -> None:
    deployed(place)
    rolled(place)
    other = make_workspace("mlw-test-neu")
    assert rows(other) == []
    assert rows(place) != []


@pytest.mark.parametrize(
    "cursor", ["x", "2026-01-01", "2026-01-01.", "9999-12-31.1", "2026-01-01.-1", ".", "2026-13-01.1"]
)
def test_rows__of_a_page_that_there_is_not__are_invalid(place: Workspace, cursor: str) -> None:
    with pytest.raises(Invalid):
        day_rows([place.pk], yesterday().date(), (yesterday() + DAY).date(), cursor=cursor)


def test_rows__of_too_many_days_or_of_no_part__are_invalid(place: Workspace) -> None:
    today = yesterday().date()
    with pytest.raises(Invalid):
        day_rows([place.pk], today - timedelta(days=401), today)
    with pytest.raises(Invalid):
        day_rows([place.pk], today, today, part="idle")


def test_rows__however_many__take_one_query(place: Workspace) -> None:
    for name in ("blue", "green", "red"):
        hours(deployed(place, name), 0, 24, requests=0)
    rolled(place)
    since = yesterday().date()
    with CaptureQueriesContext(connection) as told:
        assert len(day_rows([place.pk], since, since + DAY).rows) == 3
    assert len(told) == 1


def test_formula__of_a_quiet_day__is_instances_times_hours_times_price(place: Workspace) -> None:
    row = deployed(place)
    hours(row, 0, 8, requests=0)
    hours(row, 8, 24, requests=600)
    rolled(place)
    found = price_lines(row.pk, yesterday().date(), workspace_ids=[place.pk])
    (line,) = found.lines
    assert found.agrees
    assert found.words == ""
    assert (line.since, line.until) == (yesterday(), yesterday() + DAY)
    assert (line.instances, line.alive, line.sku) == (2, 86_400, SKU)
    assert line.price is not None
    assert (str(line.price.paid), line.price.source, line.price.share) == ("0.293 USD", "vm_sizes", 0)
    assert line.price.read_at == yesterday() - 10 * DAY
    assert line.amounts is not None
    assert line.amounts["paid"] == 2 * 24 * Decimal("0.293") == found.row.amounts["paid"]
    assert [(found.cause, seconds) for found, seconds, _ in line.causes] == [("no-requests", 57_600)]


def test_formula__of_a_day_with_all_that_can_change__has_a_line_for_each_and_is_the_row(
    place: Workspace,
) -> None:
    row = deployed(place)
    scaled(row, 6, 4)
    scaled(row, 9, None)
    scaled(row, 11, 3)
    priced(place, "0.3333333333", 14)
    hours(row, 15, 17, requests=0, instances=2.5)
    Deployment.objects.filter(pk=row.pk).update(deleted_at=yesterday() + 20 * HOUR + timedelta(minutes=40))
    rolled(place)
    found = price_lines(row.pk, yesterday().date(), workspace_ids=[place.pk])
    assert found.agrees
    told = [(line.since.hour, line.instances, line.alive) for line in found.lines]
    assert told == [
        (0, 2, 6 * 3600),
        (6, 4, 3 * 3600),
        (9, None, 2 * 3600),
        (11, 3, 3 * 3600),
        (14, 3, 3600),
        (15, Fraction(5, 2), 2 * 3600),
        (17, 3, 3 * 3600),
        (20, 3, 40 * 60),
    ]
    paid = sum(line.amounts["paid"] for line in found.lines if line.amounts and line.instances is not None)
    assert paid == found.row.amounts["paid"]
    assert found.row.hours_without_count == 2


def test_formula__of_hours_in_another_currency__counts_them_as_unpriced_like_the_row(
    place: Workspace,
) -> None:
    row = deployed(place)
    priced(place, "0.3", 12, currency="EUR")
    rolled(place)
    found = price_lines(row.pk, yesterday().date(), workspace_ids=[place.pk])
    assert found.agrees
    assert [line.price is None for line in found.lines] == [False, True]
    assert found.row.unpriced_seconds == 12 * 3600 * 2


def test_formula__of_a_row_from_other_knowledge__says_so_and_when_it_was_made(place: Workspace) -> None:
    row = deployed(place)
    rolled(place)
    hours(row, 0, 24, requests=0)
    found = price_lines(row.pk, yesterday().date(), workspace_ids=[place.pk])
    assert not found.agrees
    assert found.made_at == Made.objects.get().made_at
    assert found.words.startswith(
        f"The row was made at {found.made_at:%Y-%m-%d %H:%M} UTC from what was known then"
    )
    rolled(place)
    assert price_lines(row.pk, yesterday().date(), workspace_ids=[place.pk]).agrees


def test_formula__of_a_row_that_had_no_price_then__is_not_the_row_any_more(place: Workspace) -> None:
    row = deployed(place)
    scaled(row, -1, 2, sku="Standard_NC6s_v3")
    rolled(place)
    unpriced = price_lines(row.pk, yesterday().date(), workspace_ids=[place.pk])
    assert unpriced.agrees
    assert [line.amounts for line in unpriced.lines] == [None]
    priced(place, "0.3", 0, sku="standard_nc6s_v3")
    assert not price_lines(row.pk, yesterday().date(), workspace_ids=[place.pk]).agrees


def test_formula__of_today__is_of_the_hours_that_were_over_when_it_was_made(place: Workspace) -> None:
    row = deployed(place)
    today = yesterday() + DAY
    roll_up_day(workspace_id=place.pk, day=today.date())
    if not Made.objects.get().deployments:
        pytest.skip("The first hour of a day in UTC: none of it is over.")
    Made.objects.update(made_at=Made.objects.get().made_at)
    found = price_lines(row.pk, today.date(), workspace_ids=[place.pk])
    assert found.agrees
    assert found.lines[-1].until == Made.objects.get().made_at.replace(minute=0, second=0, microsecond=0)


def test_formula__of_a_day_that_is_not_there_or_somebody_elses__is_not_found(place: Workspace) -> None:
    row = deployed(place)
    rolled(place)
    other = make_workspace("mlw-test-neu")
    for workspace_id, day in ((other.pk, yesterday()), (place.pk, yesterday() - DAY)):
        with pytest.raises(NotFound):
            price_lines(row.pk, day.date(), workspace_ids=[workspace_id])


def test_sums__of_all_rows_that_match__are_what_the_rows_add_up_to(place: Workspace) -> None:
    for name in ("blue", "green"):
        hours(deployed(place, name), 0, 8, requests=0)
    rolled(place)
    since, until = (yesterday() - 2 * DAY).date(), (yesterday() + DAY).date()
    for filters in ({}, {"cause": "night-or-weekend"}, {"owner": "risk@example.org"}, {"part": "unserved"}):
        wanted = Wanted([place.pk], since, until, **filters)  # type: ignore[arg-type]
        told, all_rows = sums_of(wanted), rows(place, **filters)
        assert sum(one.rows for one in told) == len(all_rows)
        for one in told:
            mine = [row for row in all_rows if row.currency == one.currency]
            assert one.amounts["unserved"] == sum(row.amounts["unserved"] or Decimal(0) for row in mine)
            assert one.seconds["paid"] == sum(row.seconds["paid"] for row in mine)
    (no_requests,) = sums_of(Wanted([place.pk], since, until, cause="no-requests"))
    assert no_requests.cause_amount == no_requests.amounts["unserved"]
