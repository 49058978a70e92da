"""Rows of minutes for tests, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from endpoints.dispatch import db_now
from endpoints.metrics.columns import NAMES
from endpoints.metrics.points import MinuteRow, Values

EMPTY: Values = (None,) * len(NAMES)


def hour_ago(hours: int) -> datetime:
    """The beginning of a whole hour that was over so many hours ago."""
    return db_now().astimezone(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=hours)


def values(**known: float | None) -> Values:
    """Values in the columns' order; unknown unless named."""
    assert set(known) <= set(NAMES)
    return tuple(known.get(name) for name in NAMES)


def row(deployment_id: int, minute: datetime, **known: float | None) -> MinuteRow:
    return MinuteRow(deployment_id, int(minute.timestamp()), values(**known))


def rows_of(table: str, **where: Any) -> list[dict[str, Any]]:
    """The rows of one of the room's tables, by column, in the order of their keys."""
    condition = " AND ".join(f"{name} = %s" for name in where) or "true"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} WHERE {condition} ORDER BY 1, 2", list(where.values()))
        names = [column.name for column in cursor.description]
        return [dict(zip(names, found, strict=True)) for found in cursor.fetchall()]


def stored(deployment_id: int, minute: datetime) -> dict[str, float | None]:
    """The known values of a stored minute, by column."""
    (found,) = rows_of("metrics_minute", deployment_id=deployment_id, minute=minute)
    return {name: found[name] for name in NAMES if found[name] is not None}


def marks(table: str = "metrics_dirty_hour") -> list[tuple[int, Any]]:
    """What is due for a rollup."""
    return [tuple(found.values()) for found in rows_of(table)]  # type: ignore[misc]


def of(found: Mapping[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(found[name] for name in names)
