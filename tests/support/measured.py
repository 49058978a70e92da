"""Measured minutes for pages: a day's rhythm, the same for the same deployment and minute, with gaps where one asks."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta

from endpoints.inventory.models import Deployment, Endpoint
from endpoints.metrics.columns import NAMES
from endpoints.metrics.models import Latest, Telemetry
from endpoints.metrics.points import MinuteRow
from endpoints.metrics.services.minutes import write_minutes

MINUTE = timedelta(minutes=1)
Change = Callable[[datetime], Mapping[str, float | None] | None]
"""What is different in a minute: other values by column, or None for a minute of which nothing is known."""


def row(deployment_id: int, moment: datetime, **values: float | None) -> MinuteRow:
    """One minute; columns that are not named are unknown."""
    return MinuteRow(deployment_id, int(moment.timestamp()), tuple(values.get(name) for name in NAMES))


def usual(seed: int, moment: datetime, share: float) -> dict[str, float | None]:
    """A minute of a deployment that serves `share` (0 to 1) of a few hundred requests."""
    minute = moment.timestamp() / 60
    day = 0.62 + 0.38 * math.sin((minute / 1440 - 0.3) * 2 * math.pi)
    jitter = ((int(minute) * 7919 + seed * 104729) % 1000) / 1000
    requests = round(900 * day * share * (0.92 + 0.16 * jitter))
    base = (120 + 30 * (seed % 3)) * (0.9 + 0.25 * day + 0.12 * jitter)
    served = requests > 0
    latency = {"p50": 0.45 * base, "p90": 0.8 * base, "p95": base, "p99": 1.5 * base * (1 + 0.3 * jitter)}
    failed, refused = round(requests * 0.003 * jitter), round(requests * 0.002 * (jitter > 0.9))
    model = round(requests * 0.001 * (jitter > 0.5))
    return {
        "requests": requests,
        "status_2xx": requests - failed - refused - model,
        "status_4xx": refused + model + round(requests * 0.006 * jitter),
        "status_429": refused,
        "status_5xx": failed,
        "model_errors": model,
        **(latency if served else {}),
        "cpu_avg": 18 + 40 * day * share,
        "cpu_max": 24 + 48 * day * share + 6 * jitter,
        "memory_avg": 41.0,
        "memory_max": 44 + 3 * jitter,
        "instances": 3.0,
    }


def measure(
    deployment: Deployment,
    *,
    since: datetime,
    until: datetime,
    share: float = 1.0,
    change: Change = lambda _: {},
) -> None:
    """Store every minute of a stretch."""
    write_minutes(_rows(deployment.pk, since, until, share, change))


def _rows(
    deployment_id: int, since: datetime, until: datetime, share: float, change: Change
) -> Iterable[MinuteRow]:
    moment = since.replace(second=0, microsecond=0)
    while moment < until:
        other = change(moment)
        if other is not None:
            yield row(deployment_id, moment, **(usual(deployment_id, moment, share) | dict(other)))
        moment += MINUTE


def tell(
    endpoint: Endpoint, *, minute: datetime, state: str = "flowing", reason: str = "", **values: object
) -> None:
    """What lists say of an endpoint."""
    Telemetry.objects.update_or_create(
        endpoint=endpoint,
        defaults={"minute": minute, "read_at": minute, "state": state, "reason": reason, **values},
    )


def tell_latest(deployment: Deployment, *, minute: datetime, **values: object) -> None:
    """The newest minute of a deployment."""
    Latest.objects.update_or_create(
        deployment=deployment,
        defaults={"endpoint_id": deployment.endpoint_id, "minute": minute, "hour_minutes": 60, **values},
    )


def now() -> datetime:
    """This minute."""
    return datetime.now(UTC).replace(second=0, microsecond=0)
