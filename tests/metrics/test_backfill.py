"""The past, newest first: what Azure still has becomes minutes and hours, a slice at a time."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from emulator.launch import Emulator
from endpoints.access.models import Workspace
from endpoints.audit.actors import SYSTEM_COMMAND
from endpoints.audit.models import Entry
from endpoints.core.errors import Invalid
from endpoints.dispatch import db_now
from endpoints.inventory.models import Deployment
from endpoints.metrics.models import Backfill, Collector, Hour, Minute, Telemetry
from endpoints.metrics.services import cancel_backfills, order_backfill
from endpoints.metrics.services.backfill import do_slice, due_backfills, window
from endpoints.metrics.services.collect import collect
from endpoints.metrics.services.collectors import add_missing
from endpoints.metrics.services.reading import Deployed, Target
from tests.inventory.test_sync_flow import connect, endpoint_id_of, sync

pytestmark = [pytest.mark.processes, pytest.mark.django_db]


@pytest.fixture
def production(azure: Emulator) -> Workspace:
    workspace = connect(azure, "mlw-prod-weu")
    sync(workspace)
    add_missing()
    return workspace


def finish(number: int) -> None:
    for _ in range(60):
        if not do_slice(backfill_id=number, seconds=30):
            return
    raise AssertionError("the order does not end")


def test_order__of_five_days__becomes_minutes_where_they_are_kept_and_hours_before(azure, production):
    (number,) = order_backfill(actor=SYSTEM_COMMAND, days=5)
    finish(number)

    order = Backfill.objects.get()
    assert order.cursor == order.since and order.ended_at is not None
    assert order.points > 0 and order.rows > 0
    blue = Deployment.objects.get(endpoint__name="checkout-risk", name="blue").pk
    oldest = Minute.objects.filter(deployment_id=blue).earliest("minute").minute
    assert timedelta(days=3) <= db_now() - oldest < timedelta(days=4, minutes=1)
    hours = Hour.objects.filter(deployment_id=blue, hour__lt=oldest - timedelta(hours=1)).order_by("hour")
    assert hours.count() >= 20
    for hour in hours:
        assert hour.minutes == hour.request_minutes == 60
        assert hour.requests > 0 and hour.p95_max >= hour.p95 > 0
        assert hour.instance_minutes == 60 * 4
    assert Entry.objects.filter(action="metrics.backfill_ordered").count() == 1


def test_slice__that_was_cut_off__is_gone_on_with_and_counts_nothing_twice(azure, production):
    (number,) = order_backfill(actor=SYSTEM_COMMAND, days=1)
    assert do_slice(backfill_id=number, seconds=0.0) == 0
    assert do_slice(backfill_id=number, seconds=0.01) >= 1
    between = Backfill.objects.get()
    assert between.since < between.cursor < between.until
    finish(number)
    once = {(row.deployment_id, row.minute): row.requests for row in Minute.objects.all()}

    (again,) = order_backfill(actor=SYSTEM_COMMAND, days=1)
    finish(again)
    twice = {(row.deployment_id, row.minute): row.requests for row in Minute.objects.all()}
    assert {key: twice[key] for key in once} == once


def test_throttled__waits_as_long_as_azure_says_and_keeps_its_place(azure, production):
    (number,) = order_backfill(actor=SYSTEM_COMMAND, days=1)
    azure.admin.fault("status", plane="metrics", status=429, retry_after=120)
    assert do_slice(backfill_id=number, seconds=5) == 0
    order = Backfill.objects.get()
    assert order.cursor == order.until
    assert order.due_at > db_now() + timedelta(seconds=60)
    assert order.error and order.failures == 1
    assert due_backfills() == []


def test_order__while_another_is_worked_on__waits(azure, production):
    first, second = (
        order_backfill(actor=SYSTEM_COMMAND, days=1)[0],
        order_backfill(actor=SYSTEM_COMMAND, days=2)[0],
    )
    assert set(due_backfills()) == {first, second}
    Backfill.objects.filter(pk=first).update(claimed_until=db_now() + timedelta(minutes=1))
    assert due_backfills() == []


@pytest.mark.parametrize("days", [0, 94, -3])
def test_order__of_days_that_azure_does_not_keep__is_refused_and_orders_nothing(azure, production, days):
    with pytest.raises(Invalid, match="93"):
        order_backfill(actor=SYSTEM_COMMAND, days=days)
    with pytest.raises(CommandError, match="Nothing was ordered"):
        call_command("backfill", days=days, stdout=StringIO())
    assert not Backfill.objects.exists()


def test_command__shows_progress_and_cancels(azure, production):
    out = StringIO()
    call_command("backfill", days=2, workspace="mlw-prod-weu", stdout=out)
    assert "0% of 2 days" in out.getvalue() and "under way" in out.getvalue()
    call_command("backfill", cancel=True, stdout=out)
    assert "1 orders were ended" in out.getvalue() and "cancelled" in out.getvalue()
    assert cancel_backfills(actor=SYSTEM_COMMAND) == 0
    assert Entry.objects.filter(action="metrics.backfill_cancelled").count() == 1


def test_list__after_the_last_day_was_read__shows_its_24_hours(azure, production):
    collectors_row = Collector.objects.get()
    collect(collector_id=collectors_row.pk)
    before = Telemetry.objects.get(endpoint__name="checkout-risk")
    assert before.spark.count(None) >= 23
    (number,) = order_backfill(actor=SYSTEM_COMMAND, days=2)
    finish(number)
    spark = Telemetry.objects.get(endpoint__name="checkout-risk").spark
    assert len(spark) == 24
    assert all(value > 0 for value in spark)


def test_order__that_one_under_way_covers__is_that_one_and_recorded_once(azure, production):
    first = order_backfill(actor=SYSTEM_COMMAND, days=2)
    assert order_backfill(actor=SYSTEM_COMMAND, days=2) == first
    assert order_backfill(actor=SYSTEM_COMMAND, days=1) == first
    assert order_backfill(actor=SYSTEM_COMMAND, days=3) != first
    assert Entry.objects.filter(action="metrics.backfill_ordered").count() == 2


def test_azure_monitor__failing__keeps_the_place_and_says_why(azure, production):
    (number,) = order_backfill(actor=SYSTEM_COMMAND, days=1)
    azure.admin.fault("status", plane="metrics", status=503, message="Out of order.")
    assert do_slice(backfill_id=number, seconds=5) == 0
    order = Backfill.objects.get()
    assert (order.cursor, order.failures) == (order.until, 1)
    assert "Out of order." in order.error
    assert not Minute.objects.exists()


def test_endpoint__that_is_gone__is_passed_over_and_named(azure, production):
    azure.admin.settings(behaviour={"unknown_resource_spoils": "call"})
    azure.admin.foreign(endpoint_id_of(azure, "shadowed"), delete=True)
    (number,) = order_backfill(actor=SYSTEM_COMMAND, days=1)
    assert do_slice(backfill_id=number, seconds=0.01) == 1
    order = Backfill.objects.get()
    assert order.error.startswith("1 endpoints could not be read")
    assert order.cursor < order.until
    assert Minute.objects.exists()


def test_past__before_a_deployment_was_made__is_not_asked_for_and_not_its_own(azure, production):
    born = db_now() - timedelta(hours=5)
    Deployment.objects.update(azure_created_at=born)
    (number,) = order_backfill(actor=SYSTEM_COMMAND, days=2)
    finish(number)
    assert Minute.objects.earliest("minute").minute >= born - timedelta(minutes=1)
    asked = len(azure.admin.requests(plane="metrics"))
    assert asked < 20, "two windows of the five hours, not sixteen"


def test_order__cancelled_while_it_is_worked_on__stays_where_it_was(azure, production):
    (number,) = order_backfill(actor=SYSTEM_COMMAND, days=1)
    assert do_slice(backfill_id=number, seconds=0.01) == 1
    cursor = Backfill.objects.get().cursor
    cancel_backfills(actor=SYSTEM_COMMAND)
    assert do_slice(backfill_id=number, seconds=5) == 0
    order = Backfill.objects.get()
    assert (order.cursor, order.cancelled_at is not None) == (cursor, True)


@pytest.mark.parametrize(
    ("endpoints", "deployments", "hours"), [(0, 0, 12), (4, 3, 12), (50, 3, 2), (500, 20, 1)]
)
def test_window__by_the_size_of_the_fleet__is_whole_hours(
    endpoints: int, deployments: int, hours: int
) -> None:
    below = {number: Deployed(f"d{number}", f"arm-{number}") for number in range(deployments)}
    targets = [Target(number, f"arm-{number}", below) for number in range(endpoints)]
    assert window(targets) == timedelta(hours=hours)
