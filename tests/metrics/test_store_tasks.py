"""What the timetable does with the store, from a first minute to hours, days and partitions."""

from __future__ import annotations

import pytest

from endpoints.metrics import tasks
from endpoints.metrics.models import DirtyHour
from endpoints.metrics.services import write_minutes
from tests.metrics.storing import hour_ago, row, rows_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "task",
    [tasks.make_partitions, tasks.roll_up, tasks.find_missed_hours, tasks.pack_hours, tasks.drop_old],
)
def test_a_task__with_nothing_to_do__does_nothing_as_often_as_it_comes(task: object) -> None:
    assert callable(task)
    task()
    task()
    assert rows_of("metrics_hour") == rows_of("metrics_day") == []


def test_a_minute__written_before_any_partition_was_made__becomes_an_hour_and_a_day() -> None:
    write_minutes([row(7, hour_ago(2), requests=3)])
    DirtyHour.objects.all().delete()
    tasks.find_missed_hours()
    tasks.roll_up()
    tasks.make_partitions()
    tasks.pack_hours()
    tasks.drop_old()
    assert [found["requests"] for found in rows_of("metrics_hour")] == [3]
    assert [found["requests"] for found in rows_of("metrics_day")] == [3]
    assert [found["requests"] for found in rows_of("metrics_minute")] == [3]
