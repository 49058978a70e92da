"""Days of the ledger out of real rows: billed by the mirror, measured by rollups, explained by changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection

from endpoints.access.models import Workspace
from endpoints.capacity.day import PARTS
from endpoints.capacity.models import AutoscaleSetting, Day, Idle, Made, RuleSet, Summary
from endpoints.capacity.selectors import fleet_ledger, fleet_ledger_from_days
from endpoints.capacity.services import begin_ledger, roll_up_day, roll_up_due
from endpoints.dispatch import db_now
from endpoints.inventory.models import Deployment, DeploymentRevision, Endpoint, EndpointRevision
from endpoints.prices.catalogue import SOURCE
from endpoints.prices.models import SkuPrice
from tests.inventory.support import make_workspace

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SKU = "Standard_DS3_v2"


def yesterday() -> datetime:
    return db_now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - DAY


@pytest.fixture
def place() -> Workspace:
    workspace = make_workspace("mlw-prod-weu")
    Workspace.objects.filter(pk=workspace.pk).update(region="westeurope")
    workspace.refresh_from_db()
    SkuPrice.objects.create(
        subscription=workspace.subscription_id,
        region="westeurope",
        sku=SKU.lower(),
        amount=Decimal("0.293"),
        currency="USD",
        source=SOURCE,
        seen_at=yesterday() - 10 * DAY,
    )
    return workspace


def deployed(
    place: Workspace,
    name: str = "blue",
    *,
    endpoint: Endpoint | None = None,
    instances: int | None = 2,
    since: datetime | None = None,
    weight: int = 100,
) -> Deployment:
    began = since or yesterday() - 5 * DAY
    common = {"arm_id": name, "arm_key": name, "first_seen_at": began, "azure_created_at": began}
    endpoint = endpoint or Endpoint.objects.create(
        workspace=place, name=f"e-{name}", name_key=f"e-{name}", owner="risk@example.org",
        tags={"team": "risk"}, **_read(began), **common,
    )  # fmt: skip
    row = Deployment.objects.create(endpoint=endpoint, name=name, name_key=name, **_read(began), **common)
    state = {"instance_type": SKU} | ({} if instances is None else {"instance_count": instances})
    DeploymentRevision.objects.create(
        deployment=row, latest=began, known_at=began, state=state, state_hash="a"
    )
    EndpointRevision.objects.create(
        endpoint=endpoint, latest=began, known_at=began, state={"traffic": {name: weight}}, state_hash="b"
    )
    return row


def _read(began: datetime) -> dict[str, datetime]:
    return {"last_read_began": began, "last_read_ended": began}


def hours(row: Deployment, first: int, last: int, *, requests: float, instances: float = 2.0) -> None:
    """Whole hours of yesterday, as rollups have them."""
    idle = 60 if requests == 0 else 0
    with connection.cursor() as cursor:
        for at in range(first, last):
            moment = yesterday() + at * HOUR
            cursor.execute("SELECT metrics_make_partition('hour', %s)", [moment.date()])
            cursor.execute(
                "INSERT INTO metrics_hour (deployment_id, hour, minutes, request_minutes, idle_minutes,"
                " capacity_minutes, requests, instance_minutes, idle_instance_minutes)"
                " VALUES (%s, %s, 60, 60, %s, 60, %s, %s, %s)",
                [row.pk, moment, idle, requests, 60 * instances, idle * instances],
            )


def test_day__idle_for_eight_hours__is_in_the_ledger_with_money_and_cause(place: Workspace) -> None:
    row = deployed(place)
    hours(row, 0, 8, requests=0)
    hours(row, 8, 24, requests=600)
    rolled = roll_up_day(workspace_id=place.pk, day=yesterday().date())
    assert (rolled.deployments, rolled.hours) == (1, 24)

    day = Day.objects.get(deployment_id=row.pk)
    assert (day.paid_seconds, day.unserved_seconds, day.useful_seconds) == (172_800, 57_600, 115_200)
    assert day.unserved_nanos == 4_688_000_000
    assert (day.sku, day.currency) == (SKU.lower(), "USD")
    assert sum(Idle.objects.values_list("nanos", flat=True)) == day.unserved_nanos
    total = Summary.objects.get(workspace_id=place.pk)
    assert (total.owner, total.team, total.deployments) == ("risk@example.org", "risk", 1)
    assert total.paid_nanos == day.paid_nanos
    assert sum(nanos for _, nanos in total.causes.values()) == day.unserved_nanos


def test_day__made_again__replaces_itself_and_counts_nothing_twice(place: Workspace) -> None:
    row = deployed(place)
    roll_up_day(workspace_id=place.pk, day=yesterday().date())
    assert Day.objects.get(deployment_id=row.pk).unknown_seconds == 172_800
    hours(row, 0, 24, requests=0)
    roll_up_day(workspace_id=place.pk, day=yesterday().date())
    day = Day.objects.get(deployment_id=row.pk)
    assert (day.unknown_seconds, day.unserved_seconds) == (0, 172_800)
    assert (Summary.objects.count(), Made.objects.count()) == (1, 1)


def test_day__of_a_size_without_a_price__is_unpriced_and_not_free(place: Workspace) -> None:
    row = deployed(place)
    DeploymentRevision.objects.create(
        deployment=row,
        latest=yesterday() - DAY,
        known_at=yesterday() - DAY,
        state={"instance_type": "Standard_NC6s_v3", "instance_count": 1},
        state_hash="c",
    )
    roll_up_day(workspace_id=place.pk, day=yesterday().date())
    day = Day.objects.get(deployment_id=row.pk)
    assert (day.paid_seconds, day.unpriced_seconds, day.paid_nanos, day.currency) == (86_400, 86_400, 0, "")


def test_day__of_instances_that_nobody_knows__says_for_how_many_hours(place: Workspace) -> None:
    row = deployed(place, instances=None)
    roll_up_day(workspace_id=place.pk, day=yesterday().date())
    day = Day.objects.get(deployment_id=row.pk)
    assert (day.hours_without_count, day.paid_seconds) == (24, 0)


def test_day__of_a_name_that_was_deleted_and_made_again__bills_each_for_its_own_hours(
    place: Workspace,
) -> None:
    old = deployed(place)
    noon = yesterday() + 12 * HOUR
    Deployment.objects.filter(pk=old.pk).update(deleted_at=noon)
    new = deployed(place, endpoint=old.endpoint, instances=5, since=noon)
    roll_up_day(workspace_id=place.pk, day=yesterday().date())
    assert Day.objects.get(deployment_id=old.pk).paid_seconds == 12 * 3600 * 2
    assert Day.objects.get(deployment_id=new.pk).paid_seconds == 12 * 3600 * 5


def test_day__scaled_in_the_morning__is_billed_by_the_hour(place: Workspace) -> None:
    row = deployed(place)
    at = yesterday() + 6 * HOUR
    DeploymentRevision.objects.create(
        deployment=row, earliest=at, latest=at, known_at=at, state_hash="d",
        state={"instance_type": SKU, "instance_count": 4},
    )  # fmt: skip
    roll_up_day(workspace_id=place.pk, day=yesterday().date())
    assert Day.objects.get(deployment_id=row.pk).paid_seconds == (6 * 2 + 18 * 4) * 3600


def test_day__before_it_was_made__has_no_row(place: Workspace) -> None:
    deployed(place, since=yesterday() + DAY)
    assert roll_up_day(workspace_id=place.pk, day=yesterday().date()).deployments == 0
    assert not Day.objects.exists()


def test_ledger__of_sums__is_the_ledger_of_days_and_its_parts_add_up(place: Workspace) -> None:
    hours(deployed(place, "blue"), 0, 24, requests=0)
    hours(deployed(place, "green"), 0, 12, requests=600)
    begin, end = yesterday().date(), yesterday().date() + DAY
    roll_up_day(workspace_id=place.pk, day=begin)
    (ledger,) = fleet_ledger([place.pk], since=begin, until=end)
    assert (ledger,) == fleet_ledger_from_days([place.pk], since=begin, until=end)
    total = ledger.total
    assert total.seconds["paid"] == sum(total.seconds[name] for name in PARTS) == 4 * 86_400
    assert total.amounts["paid"] == sum(total.amounts[name] for name in PARTS) == Decimal("0.293") * 96
    assert sum(seconds for seconds, _ in ledger.causes.values()) == total.seconds["unserved"]
    assert sum(amount for _, amount in ledger.causes.values()) == total.amounts["unserved"]
    for parts in (ledger.owners, ledger.days):
        assert sum(one.amounts["paid"] for one in parts.values()) == total.amounts["paid"]
    assert fleet_ledger([], since=begin, until=end) == ()


def test_due__when_more_is_known_of_an_old_day__makes_that_day_anew_and_no_other(place: Workspace) -> None:
    row = deployed(place, since=yesterday() - 20 * DAY)
    assert roll_up_due() == 31
    assert roll_up_due() == 3  # what still settles
    old = (yesterday() - 10 * DAY).date()
    with connection.cursor() as cursor:
        cursor.execute("SELECT metrics_make_partition('day', %s)", [old])
        cursor.execute(
            "INSERT INTO metrics_day (deployment_id, day, minutes, request_minutes, idle_minutes, capacity_minutes)"
            " VALUES (%s, %s, 60, 60, 60, 0)",
            [row.pk, old],
        )
    assert roll_up_due() == 4
    Made.objects.filter(day=(yesterday() - 12 * DAY).date()).update(version=0)
    assert roll_up_due() == 4  # made by other rules
    assert roll_up_due() == 3


def test_day__of_a_deployment_that_scales_wrongly__says_so_from_when_that_was_read(place: Workspace) -> None:
    row = deployed(place)
    hours(row, 0, 24, requests=0)
    noon = yesterday() + 12 * HOUR
    AutoscaleSetting.objects.create(
        deployment_id=row.pk,
        arm_id="a",
        document={},
        faults=["Under little load it scales out."],
        read_at=noon,
    )
    roll_up_day(workspace_id=place.pk, day=yesterday().date())
    found = dict(Idle.objects.values_list("cause", "seconds"))
    assert found == {"no-requests": 12 * 3600 * 2, "wrong-autoscale": 12 * 3600 * 2}


def test_due__after_other_rules_were_set__makes_every_day_by_them(place: Workspace) -> None:
    row = deployed(place, since=yesterday() - 20 * DAY)
    hours(row, 0, 6, requests=0)
    hours(row, 6, 24, requests=600)
    with connection.cursor() as cursor:
        cursor.execute("SELECT metrics_make_partition('day', %s)", [yesterday().date()])
        cursor.execute(
            "INSERT INTO metrics_day (deployment_id, day, minutes, request_minutes, idle_minutes, capacity_minutes,"
            " requests) VALUES (%s, %s, 1440, 1440, 360, 1440, 10800)",
            [row.pk, yesterday().date()],
        )
    assert roll_up_due() == 31
    why = Idle.objects.filter(day=yesterday().date(), cause="night-or-weekend")
    assert sum(why.values_list("seconds", flat=True)) == (6 if yesterday().weekday() < 5 else 0) * 3600 * 2
    RuleSet.objects.create(
        workspace=place, number=1, document={"day_begins": 4, "weekend": []}, reason="", made_by="user:1",
        made_at=db_now(),
    )  # fmt: skip
    assert roll_up_due() == 31
    assert sum(why.values_list("seconds", flat=True)) == 4 * 3600 * 2
    assert roll_up_due() == 3


def test_day__made_twice__has_the_same_over_and_says_it_of_known_capacity_alone(place: Workspace) -> None:
    row = deployed(place, instances=4)
    hours(row, 0, 24, requests=36_000, instances=4)
    roll_up_day(workspace_id=place.pk, day=yesterday().date())
    day = Day.objects.get(deployment_id=row.pk)
    assert (day.useful_seconds, day.over_seconds) == (4 * 86_400, 0)  # of its use nothing is known
    with connection.cursor() as cursor:
        cursor.execute("UPDATE metrics_hour SET cpu_max = 40 WHERE deployment_id = %s", [row.pk])
    for _ in range(2):
        roll_up_day(workspace_id=place.pk, day=yesterday().date())
        day = Day.objects.get(deployment_id=row.pk)
        # 150 each at 40 %, so 300 at 80 %; 600 and a fifth more take 3.
        assert (day.paid_seconds, day.useful_seconds, day.over_seconds) == (4 * 86_400, 3 * 86_400, 86_400)


def test_ledger__of_a_workspace_that_has_none__is_begun_once(place: Workspace) -> None:
    deployed(place, since=yesterday() - 20 * DAY)
    assert (begin_ledger(), begin_ledger()) == (1, 0)
    assert (Made.objects.count(), Day.objects.count()) == (31, 22)
