"""The highest load of an endpoint's deployments in the last weeks, and what their replicas can carry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from endpoints.dispatch import db_now
from endpoints.inventory.selectors import DeploymentLife, deployments_between
from endpoints.metrics.peaks import Load, Peaks, peak_of, total_of
from endpoints.metrics.selectors.boundaries import minutes_since
from endpoints.metrics.windows import Grain, ceiled

CPU_LIMIT = 80.0
"""Percent; a replica that is busier than this has little left for a burst."""
# Kept minutes of before are minutes, too.
_MINUTES = """
SELECT deployment_id, extract(epoch FROM minute)::bigint, requests, instances, cpu_max, gpu_max, status_429
FROM metrics_minute WHERE deployment_id = ANY (%(ids)s::bigint[]) AND minute >= %(split)s AND minute < %(until)s
UNION ALL
SELECT deployment_id, extract(epoch FROM minute)::bigint, requests, instances, cpu_max, gpu_max, status_429
FROM metrics_kept_minute WHERE deployment_id = ANY (%(ids)s::bigint[]) AND minute >= %(since)s AND minute < %(split)s
ORDER BY 1, 2
"""
_HOURS = """
SELECT deployment_id, extract(epoch FROM hour)::bigint, requests / nullif(request_minutes, 0),
    instance_minutes / nullif(capacity_minutes, 0), cpu_max, gpu_max, status_429 / nullif(request_minutes, 0)
FROM metrics_hours(%(ids)s::bigint[], %(since)s, %(split)s) ORDER BY 1, 2
"""
Loads = Mapping[str, Sequence[Load]]


def peaks(
    endpoint_id: int, *, days: int = 14, cpu_limit: float = CPU_LIMIT, now: datetime | None = None
) -> Peaks:
    """From minutes while these are kept, of the time before from hours, whose busiest minute is not known."""
    until = now or db_now()
    since = ceiled(until - timedelta(days=days), Grain.HOUR)
    split = max(since, minutes_since(until))
    lives = deployments_between(endpoint_id, since=since, until=until)
    values = {"ids": [life.id for life in lives], "since": since, "split": split, "until": until}
    names = {life.id: life.name_key for life in lives}
    minutes, hours = _loads(_MINUTES, values, names), _loads(_HOURS, values, names)
    return Peaks(
        since=since,
        until=until,
        minutes_since=split,
        by_deployment={
            name: peak_of(minutes[name], hours[name], limit=cpu_limit) for name in sorted(set(names.values()))
        },
        total=total_of(minutes, hours, lambda name, at: _alive(lives, name, at)),
    )


def _loads(statement: str, values: dict[str, Any], names: Mapping[int, str]) -> Loads:
    found: dict[str, list[Load]] = {name: [] for name in names.values()}
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        for number, second, *measured in cursor.fetchall():
            found[names[number]].append(Load(datetime.fromtimestamp(second, UTC), *measured))
    return found


def _alive(lives: Sequence[DeploymentLife], name: str, at: datetime) -> bool:
    """Whether a deployment of that name was there for all of the time that begins then, as far as it is known."""
    return any(
        life.name_key == name
        and (life.azure_created_at or life.first_seen_at) <= at
        and (life.deleted_at is None or life.deleted_at > at)
        for life in lives
    )
