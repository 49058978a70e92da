"""Partitions: made and dropped through the owner's functions, never by the runtime role itself."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.utils import DataError, ProgrammingError


def _ask(statement: str, *values: object) -> object:
    with connection.cursor() as cursor:
        cursor.execute(statement, list(values))
        return cursor.fetchone()[0]


@pytest.mark.django_db
def test_partition__asked_for_twice__is_made_once() -> None:
    first = _ask("SELECT metrics_make_partition('minute', '2026-03-01')")
    assert first == "metrics_minute_20260301" == _ask("SELECT metrics_make_partition('minute', '2026-03-01')")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO metrics_minute (deployment_id, minute, requests) VALUES (7, '2026-03-01 23:59+00', 3)"
        )
    assert _ask("SELECT tableoid::regclass::text FROM metrics_minute") == first


@pytest.mark.django_db
def test_partition__of_today__can_not_be_dropped() -> None:
    _ask("SELECT metrics_make_partition('minute', current_date)")
    with pytest.raises(DataError, match="too young"):
        _ask("SELECT metrics_drop_partition('minute', current_date)")


@pytest.mark.django_db
def test_partition__of_an_old_day__is_dropped_and_gone() -> None:
    _ask("SELECT metrics_make_partition('hour', '2020-02-10')")
    assert _ask("SELECT metrics_drop_partition('hour', '2020-02-29')") is True
    assert _ask("SELECT metrics_drop_partition('hour', '2020-02-29')") is False


@pytest.mark.django_db
def test_partition__by_the_runtime_role_itself__is_refused() -> None:
    _ask("SELECT metrics_make_partition('minute', '2026-03-01')")
    with pytest.raises(ProgrammingError, match="must be owner"), connection.cursor() as cursor:
        cursor.execute("DROP TABLE metrics_minute_20260301")
