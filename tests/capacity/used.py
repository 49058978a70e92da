"""Weeks of a deployment's use, as rollups have them, up to the hour that is running."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db import connection

from endpoints.dispatch import db_now

DAY = timedelta(days=1)
_HOURS = """
INSERT INTO metrics_hour (deployment_id, hour, minutes, request_minutes, idle_minutes, capacity_minutes, requests,
    status_429, p95, cpu_max, memory_max, instance_minutes, idle_instance_minutes)
SELECT %(id)s, hour, 60, 60, CASE WHEN asked = 0 THEN 60 ELSE 0 END, 60, asked, 0, %(p95)s, %(cpu)s, %(memory)s,
    60 * %(instances)s, CASE WHEN asked = 0 THEN 60 * %(instances)s ELSE 0 END
FROM generate_series(%(since)s, %(until)s - interval '1 hour', interval '1 hour') AS hour,
LATERAL (SELECT CASE WHEN extract(hour FROM hour AT TIME ZONE 'UTC')::int = ANY (%(asleep)s::int[])
    THEN 0 ELSE %(requests)s END AS asked) a
"""
_DAYS = """
INSERT INTO metrics_day (deployment_id, day, minutes, request_minutes, idle_minutes, capacity_minutes, requests)
SELECT deployment_id, (hour AT TIME ZONE 'UTC')::date, sum(minutes), sum(request_minutes), sum(idle_minutes),
    sum(capacity_minutes), sum(requests) FROM metrics_hour WHERE deployment_id = %(id)s GROUP BY 1, 2
"""


def this_hour() -> datetime:
    return db_now().astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def used(
    number: int,
    *,
    requests: float = 0.0,
    instances: float = 2.0,
    days: int = 31,
    cpu: float | None = 40.0,
    memory: float | None = 40.0,
    p95: float | None = 50.0,
    asleep: tuple[int, ...] = (),
) -> None:
    """Every hour alike, but for the UTC hours of the day in which it sleeps. `requests`: an hour's."""
    until = this_hour()
    since = until.replace(hour=0) - days * DAY
    values = {
        "id": number, "since": since, "until": until, "requests": requests, "instances": instances, "cpu": cpu,
        "memory": memory, "p95": p95 if requests else None, "asleep": list(asleep),
    }  # fmt: skip
    with connection.cursor() as cursor:
        for back in range(days + 1):
            for series in ("hour", "day"):
                cursor.execute("SELECT metrics_make_partition(%s, %s)", [series, (since + back * DAY).date()])
        cursor.execute(_HOURS, values)
        cursor.execute(_DAYS, values)


def asked_again(number: int) -> None:
    """One request came in the newest hour."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE metrics_hour SET requests = 1, idle_minutes = 59 WHERE deployment_id = %s AND hour = %s",
            [number, this_hour() - timedelta(hours=1)],
        )
