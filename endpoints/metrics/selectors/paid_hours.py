"""What is known of the use of many deployments, hour by hour: the part that an account of paid time needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection


@dataclass(frozen=True, slots=True)
class UsedHour:
    """Counts of minutes, and instance-minutes; None: not known in any minute of the hour."""

    hour: datetime
    request_minutes: int
    idle_minutes: int
    capacity_minutes: int
    instance_minutes: float | None
    idle_instance_minutes: float | None


_HOURS = """
SELECT deployment_id, hour, request_minutes, idle_minutes, capacity_minutes, instance_minutes, idle_instance_minutes
FROM metrics_hours(%s::bigint[], %s, %s)
"""


def used_hours(ids: Sequence[int], since: datetime, until: datetime) -> dict[int, list[UsedHour]]:
    """By deployment; hours without a rollup are left out: nothing is known of them."""
    found: dict[int, list[UsedHour]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_HOURS, [list(ids), since, until])
        for number, *rest in cursor.fetchall():
            found.setdefault(number, []).append(UsedHour(*rest))
    return found
