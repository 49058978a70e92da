"""What is known of the use of many deployments, hour by hour: the part that an account of paid time needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection


@dataclass(frozen=True, slots=True)
class UsedHour:
    """Counts of minutes, instance-minutes, requests, and the highest use in percent; None: not known in any minute.

    `p95_ms` is its median minute's.
    """

    hour: datetime
    request_minutes: int
    idle_minutes: int
    capacity_minutes: int
    instance_minutes: float | None
    idle_instance_minutes: float | None
    requests: float | None = None
    p95_ms: float | None = None
    cpu_max: float | None = None
    gpu_max: float | None = None
    throttled: float | None = None


_HOURS = """
SELECT deployment_id, hour, request_minutes, idle_minutes, capacity_minutes, instance_minutes, idle_instance_minutes,
    requests, p95, cpu_max, gpu_max, status_429
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


_SERVED = """
SELECT DISTINCT deployment_id FROM metrics_day
WHERE deployment_id = ANY (%s::bigint[]) AND day >= %s AND day < %s AND requests > 0
"""
_KNOWN = """
SELECT m.day, sum(m.minutes) FROM metrics_day m
JOIN inventory_deployment d ON d.id = m.deployment_id JOIN inventory_endpoint e ON e.id = d.endpoint_id
WHERE e.workspace_id = %s AND m.day >= %s AND m.day < %s GROUP BY 1
"""


def served_between(ids: Sequence[int], since: date, until: date) -> frozenset[int]:
    """Those of the deployments that had a request in these UTC days."""
    with connection.cursor() as cursor:
        cursor.execute(_SERVED, [list(ids), since, until])
        return frozenset(row[0] for row in cursor.fetchall())


def known_minutes(workspace_id: int, since: date, until: date) -> dict[date, int]:
    """Of each UTC day, how many minutes are known of all deployments of a workspace together; a day without: none."""
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, [workspace_id, since, until])
        return {day: int(minutes) for day, minutes in cursor.fetchall()}
