"""The newest minute of deployments, and how their last hour went."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime

from django.db.models.functions import Now

from endpoints.metrics.models import Latest


@dataclass(frozen=True, slots=True)
class LatestRow:
    """As `models.Latest` says; `age_seconds` counts from the end of the minute, by the database's clock."""

    deployment_id: int
    endpoint_id: int
    minute: datetime
    age_seconds: float
    requests: float | None
    p50: float | None
    p95: float | None
    p99: float | None
    cpu_max: float | None
    memory_max: float | None
    gpu_max: float | None
    instances: float | None
    hour_minutes: int
    hour_requests: float | None
    hour_failures: float | None
    hour_throttled: float | None
    hour_p95_max: float | None
    over_budget: int | None


_COLUMNS = tuple(field.name for field in fields(LatestRow) if field.name != "age_seconds")


def latest(deployment_ids: Iterable[int]) -> dict[int, LatestRow]:
    """By deployment; one of which nothing was ever measured has none. One query."""
    rows = Latest.objects.filter(deployment_id__in=list(deployment_ids)).annotate(now=Now())
    return {row["deployment_id"]: _row(**row) for row in rows.values(*_COLUMNS, "now")}


def _row(*, now: datetime, minute: datetime, **rest: int) -> LatestRow:
    age = max(0.0, (now - minute).total_seconds() - 60)
    return LatestRow(minute=minute, age_seconds=age, **rest)
