"""When a fleet's capacity served, by hour of the week: shares of paid time, and unknown where nothing is known."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from endpoints.access.models import Workspace
from endpoints.capacity.models import Day
from endpoints.capacity.selectors.heatmap import HeatRow, heatmap
from endpoints.capacity.services import roll_up_day
from tests.capacity.test_roll_up import DAY, HOUR, deployed, hours, place, yesterday

__all__ = ["place"]
pytestmark = pytest.mark.django_db


def shown(place: Workspace, zone: str = "UTC") -> tuple[HeatRow, ...]:
    roll_up_day(workspace_id=place.pk, day=yesterday().date())
    return heatmap([place.pk], yesterday().date(), (yesterday() + DAY).date(), zone=zone)


def at(moment: datetime, zone: str = "UTC") -> int:
    local = moment.astimezone(ZoneInfo(zone))
    return local.weekday() * 24 + local.hour


def test_cell__hours_with_and_without_requests__is_the_share_that_served(place: Workspace) -> None:
    row = deployed(place)
    hours(row, 0, 8, requests=0)
    hours(row, 8, 20, requests=600)
    (found,) = shown(place)
    assert found.cells[at(yesterday())].served == 0
    assert found.cells[at(yesterday() + 8 * HOUR)].served == 1
    assert (found.endpoint, found.deployment, found.workspace) == ("e-blue", "blue", place.slug)
    assert found.unserved_seconds == 57_600
    assert len(found.cells) == 168


def test_cell__hour_of_which_nothing_is_known__is_unknown_and_not_idle(place: Workspace) -> None:
    row = deployed(place)
    hours(row, 0, 8, requests=0)
    (found,) = shown(place)
    late = found.cells[at(yesterday() + 20 * HOUR)]
    assert (late.served, late.hours) == (None, 0)
    assert sum(cell.hours for cell in found.cells) == 8


def test_cell__two_weeks__weighs_hours_by_their_instances(place: Workspace) -> None:
    row = deployed(place, since=yesterday() - 10 * DAY)
    hours(row, 3, 4, requests=0, instances=1.0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT metrics_make_partition('hour', %s)", [(yesterday() - 7 * DAY).date()])
        cursor.execute(
            "INSERT INTO metrics_hour (deployment_id, hour, minutes, request_minutes, idle_minutes,"
            " capacity_minutes, requests, instance_minutes, idle_instance_minutes)"
            " SELECT deployment_id, hour - interval '7 days', 60, 60, 0, 60, 600, 180, 0 FROM metrics_hour"
        )
    roll_up_day(workspace_id=place.pk, day=yesterday().date())
    (found,) = heatmap([place.pk], (yesterday() - 7 * DAY).date(), (yesterday() + DAY).date())
    cell = found.cells[at(yesterday() + 3 * HOUR)]
    assert (cell.served, cell.hours) == (0.75, 2)


def test_clock__of_another_zone__moves_the_cells(place: Workspace) -> None:
    row = deployed(place)
    hours(row, 0, 1, requests=0)
    (found,) = shown(place, "Asia/Tokyo")
    assert found.cells[at(yesterday(), "Asia/Tokyo")].served == 0
    assert found.cells[at(yesterday())].served is None


def test_rows__are_those_whose_idle_time_costs_most_and_nobody_elses(place: Workspace) -> None:
    for name, idle in (("busy", 0), ("half", 12), ("idle", 24)):
        row = deployed(place, name)
        hours(row, 0, idle, requests=0)
        hours(row, idle, 24, requests=60)
    assert [row.deployment for row in shown(place)] == ["idle", "half"]
    assert heatmap([], yesterday().date(), (yesterday() + DAY).date()) == ()
    (first,) = heatmap([place.pk], yesterday().date(), (yesterday() + DAY).date(), limit=1)
    assert first.unserved is not None
    assert first.unserved * 10**9 == Day.objects.get(deployment_id=first.deployment_id).unserved_nanos


def test_rows__of_any_number__take_one_query(place: Workspace) -> None:
    for name in ("blue", "green"):
        hours(deployed(place, name), 0, 24, requests=0)
    roll_up_day(workspace_id=place.pk, day=yesterday().date())
    since, until = yesterday().date(), (yesterday() + DAY).date()
    with CaptureQueriesContext(connection) as seen:
        assert len(heatmap([place.pk], since, until)) == 2
    assert len(seen) == 1
