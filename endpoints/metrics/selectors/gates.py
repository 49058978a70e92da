"""What the gates of a rollout read: an endpoint's minutes by deployment, how far they reach, and why not further."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from endpoints.metrics.columns import failures
from endpoints.metrics.points import known, merged
from endpoints.metrics.reach import Facts, Reach, reach
from endpoints.metrics.telemetry import State
from endpoints.metrics.windows import Grain, ceiled, floored, steps


@dataclass(frozen=True, slots=True)
class GateMinute:
    """One minute of one deployment; None is unknown, and zero only where Azure says zero.

    `errors` are what the deployment failed (5xx, and errors of its model, which are no 5xx). `throttled` are 429s.
    """

    minute: datetime
    requests: float | None = None
    errors: float | None = None
    throttled: float | None = None
    p95: float | None = None
    cpu_max: float | None = None
    memory_max: float | None = None
    gpu_max: float | None = None


@dataclass(frozen=True, slots=True)
class GateMinutes:
    """By lower-case name, every whole minute from `since` on that Azure has had its say of, oldest first.

    `read_until`: of later minutes Azure has not told yet; None when it never told anything. Those from
    `settled_until` on it may still revise: enough to stop by, not to pass by. `waiting` says in words what is still
    to come; `unreadable` why nothing more comes as things are. Both are "" where all up to `until` is there.
    """

    since: datetime
    until: datetime
    by_deployment: Mapping[str, tuple[GateMinute, ...]]
    read_until: datetime | None
    settled_until: datetime | None
    waiting: str
    unreadable: str


# A minute may be among the kept ones and not dropped yet from the others: then the kept one is newer. Of two
# deployments that had one name, the younger one counts where both have a value.
_MINUTES = """
SELECT d.name_key, extract(epoch FROM m.minute)::bigint, m.requests, m.status_5xx, m.model_errors, m.status_429, m.p95,
    m.cpu_max, m.memory_max, m.gpu_max
FROM inventory_deployment d
JOIN LATERAL (
    SELECT *, 0 AS source FROM metrics_minute
    WHERE deployment_id = d.id AND minute >= %(since)s AND minute < %(until)s
    UNION ALL
    SELECT *, 1 FROM metrics_kept_minute
    WHERE deployment_id = d.id AND minute >= %(since)s AND minute < %(until)s) m ON true
WHERE d.endpoint_id = %(endpoint)s AND d.name_key = ANY (%(names)s::text[])
ORDER BY d.id, m.source
"""
_FACTS = """
SELECT statement_timestamp(), coalesce(t.state, 'none-yet'), coalesce(t.reason, ''), t.minute, told.minute, t.read_at,
    r.started_at, c.cadence_seconds, coalesce(c.failures, 0), c.retry_at, coalesce(r.error_code, '')
FROM inventory_endpoint e
JOIN access_workspace w ON w.id = e.workspace_id
LEFT JOIN metrics_telemetry t ON t.endpoint_id = e.id
LEFT JOIN metrics_collector c
    ON c.subscription = lower(w.subscription_id) AND c.region = lower(replace(e.location, ' ', ''))
LEFT JOIN metrics_collector_run r ON r.id = c.last_run_id
LEFT JOIN LATERAL (
    SELECT max(m.minute) AS minute
    FROM inventory_deployment d
    JOIN LATERAL (
        SELECT minute FROM metrics_minute
        WHERE deployment_id = d.id AND requests IS NOT NULL AND minute >= statement_timestamp() - interval '1 day'
        ORDER BY minute DESC LIMIT 1) m ON true
    WHERE d.endpoint_id = e.id) told ON true
WHERE e.id = %s
"""


def gate_minutes(
    endpoint_id: int,
    deployments: Iterable[str],
    since: datetime,
    until: datetime,
    *,
    now: datetime | None = None,
) -> GateMinutes:
    """The whole minutes inside a stretch, of each deployment that is named, kept ones included. Two queries."""
    names = sorted({name.lower() for name in deployments})
    begin, end = ceiled(since, Grain.MINUTE), floored(until, Grain.MINUTE)
    found = _reach(endpoint_id, end, now)
    rows = _rows(endpoint_id, names, begin, end)
    times = steps(begin, max(begin, found.read_until or begin), Grain.MINUTE)
    return GateMinutes(
        since=since,
        until=until,
        by_deployment={
            name: tuple(_minute(time, rows.get((name, time))) for time in times) for name in names
        },
        read_until=found.read_until,
        settled_until=found.settled_until,
        waiting=found.waiting,
        unreadable=found.unreadable,
    )


def _reach(endpoint_id: int, until: datetime, now: datetime | None) -> Reach:
    with connection.cursor() as cursor:
        cursor.execute(_FACTS, [endpoint_id])
        row = cursor.fetchone()
    if row is None:
        return Reach(None, None, unreadable="There is no such endpoint.")
    told = dict(zip(_FACTS_ORDER, row, strict=True))
    return reach(Facts(**told | {"state": State(told["state"]), "now": now or told["now"]}), until)


_FACTS_ORDER = (
    "now", "state", "reason", "newest", "told", "read_at", "began_at", "cadence_seconds", "failures", "retry_at",
    "error_code",
)  # fmt: skip


def _rows(
    endpoint_id: int, names: list[str], since: datetime, until: datetime
) -> dict[tuple[str, datetime], tuple[float | None, ...]]:
    found: dict[tuple[str, datetime], tuple[float | None, ...]] = {}
    values: dict[str, Any] = {"endpoint": endpoint_id, "names": names, "since": since, "until": until}
    with connection.cursor() as cursor:
        cursor.execute(_MINUTES, values)
        for name, second, *measured in cursor.fetchall():
            key = (name, datetime.fromtimestamp(second, UTC))
            row = tuple(measured)
            found[key] = merged(found[key], row) if key in found else row
    return found


def _minute(time: datetime, row: tuple[Any, ...] | None) -> GateMinute:
    if row is None:
        return GateMinute(time)
    requests, status_5xx, model_errors, throttled, *rest = (known(value) for value in row)
    errors = failures(status_5xx, model_errors)
    if requests == 0:
        # Nobody asked: nobody was failed and nobody refused, whether Azure says so or not.
        errors, throttled = errors or 0.0, throttled or 0.0
    return GateMinute(time, requests, errors, throttled, *rest)
