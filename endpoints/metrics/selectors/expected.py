"""What to expect of an endpoint in the time to come: its traffic, and a deployment's latency under a load."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db import connection

from endpoints.dispatch import db_now
from endpoints.inventory.selectors import DeploymentLife, deployments_between
from endpoints.metrics.expected import Answered, Expected, LatencyRange, Week, expected, latency_range
from endpoints.metrics.selectors.series import Series, series
from endpoints.metrics.windows import HOUR, MINUTE, Grain, ceiled, floored

WEEKS = 4
_WEEK = timedelta(days=7)
# Further ahead, what the last hour was says nothing any more.
_LAST_HOUR_COUNTS = timedelta(hours=6)
# Azure tells of a minute some minutes late.
_LAG = timedelta(minutes=5)
_RECENT = timedelta(days=3)
_P95 = """
SELECT m.p95, m.requests, m.instances
FROM inventory_deployment d JOIN metrics_minute m ON m.deployment_id = d.id
WHERE d.endpoint_id = %s AND d.name_key = %s AND d.deleted_at IS NULL AND m.minute >= %s AND m.minute < %s
AND m.p95 IS NOT NULL AND m.requests > 0
"""
Rates = Mapping[datetime, float]


def expected_traffic(
    endpoint_id: int, since: datetime, seconds: float, *, now: datetime | None = None
) -> Expected:
    """Requests a minute, on average over the stretch, of all deployments together."""
    moment = now or db_now()
    until = since + timedelta(seconds=max(60.0, seconds))
    last = (moment - HOUR - _LAG, moment - _LAG)
    shifts = _shifts(until, moment)
    first = min((since, last[0])) - shifts[-1]
    lives = deployments_between(endpoint_id, since=first, until=moment)
    rates = _hours(lives, floored(first, Grain.HOUR), moment)
    weeks = [
        Week(_mean(rates, since - by, until - by), _mean(rates, last[0] - by, last[1] - by)) for by in shifts
    ]
    counts = since - moment <= _LAST_HOUR_COUNTS
    return expected(weeks, _minutes(lives, *last) if counts else ())


def expected_p95(
    endpoint_id: int,
    deployment: str,
    requests: float | None,
    *,
    instances: float | None = None,
    now: datetime | None = None,
) -> LatencyRange:
    """The p95 of a deployment's minutes of the last 3 days in which it served about so many requests a minute.

    With `instances`, in which each of its replicas did; without `requests`, of all of them.
    """
    moment = now or db_now()
    with connection.cursor() as cursor:
        cursor.execute(_P95, [endpoint_id, deployment.lower(), moment - _RECENT, moment])
        minutes = [Answered(*row) for row in cursor.fetchall()]
    return latency_range(minutes, requests, instances)


def _shifts(until: datetime, now: datetime) -> list[timedelta]:
    """How far back the last weeks are in which the whole stretch has passed."""
    first = max(1, -((now - until) // _WEEK))
    return [number * _WEEK for number in range(first, first + WEEKS)]


def _hours(lives: Sequence[DeploymentLife], since: datetime, until: datetime) -> Rates:
    """Requests a minute of the whole endpoint, by the hours in which those of all its deployments are known."""
    columns = ("requests", "request_minutes")
    found = series([life.id for life in lives], since=since, until=until, grain=Grain.HOUR, columns=columns)
    per_minute = {life.id: _per_minute(found, life.id) for life in lives}
    return _together(lives, found.times, per_minute, HOUR)


def _per_minute(found: Series, number: int) -> list[float | None]:
    """An hour says something when at least half of its minutes are known."""
    columns = found.by_deployment[number]
    return [
        None if count is None or minutes is None or minutes < 30 else count / minutes
        for count, minutes in zip(columns["requests"], columns["request_minutes"], strict=True)
    ]


def _minutes(lives: Sequence[DeploymentLife], since: datetime, until: datetime) -> list[float]:
    """Requests of the whole endpoint, in the minutes in which those of all its deployments are known."""
    found = series(
        [life.id for life in lives], since=since, until=until, grain=Grain.MINUTE, columns=("requests",)
    )
    values = {life.id: found.by_deployment[life.id]["requests"] for life in lives}
    return list(_together(lives, found.times, values, MINUTE).values())


def _together(
    lives: Sequence[DeploymentLife],
    times: Sequence[datetime],
    values: Mapping[int, Sequence[float | None]],
    step: timedelta,
) -> dict[datetime, float]:
    """Sums by time. A deployment of which nothing is known all along is in none of them, and spoils none."""
    told = [life for life in lives if any(value is not None for value in values[life.id])]
    found: dict[datetime, float] = {}
    for place, time in enumerate(times):
        counts = {life.id: values[life.id][place] for life in told}
        known = [count for count in counts.values() if count is not None]
        missing = any(counts[life.id] is None and _is_there(life, time, time + step) for life in told)
        if known and not missing:
            found[time] = sum(known)
    return found


def _is_there(life: DeploymentLife, since: datetime, until: datetime) -> bool:
    """Whether it was there all along. One that came or went within the step may be unknown in it."""
    return (life.azure_created_at or life.first_seen_at) <= since and (
        life.deleted_at is None or life.deleted_at >= until
    )


def _mean(rates: Rates, since: datetime, until: datetime) -> float | None:
    """The mean over a stretch of which at least half is known, each hour for as much of it as lies within."""
    weight = total = 0.0
    time = floored(since, Grain.HOUR)
    while time < ceiled(until, Grain.HOUR):
        part = (min(until, time + HOUR) - max(since, time)).total_seconds()
        if (rate := rates.get(time)) is not None and part > 0:
            weight, total = weight + part, total + part * rate
        time += HOUR
    return total / weight if weight * 2 >= (until - since).total_seconds() and weight else None
