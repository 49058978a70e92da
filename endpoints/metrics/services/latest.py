"""The newest figures of deployments and endpoints, which lists and marks are made of."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from endpoints.dispatch import db_now
from endpoints.inventory.services import set_outer_marks
from endpoints.metrics import marks
from endpoints.metrics.reach import LATE_AFTER, SETTLED
from endpoints.metrics.telemetry import State

SOURCE = "metrics"

_LATEST = """
WITH hour AS (
    SELECT d.endpoint_id, m.*, b.p95_ms AS budget
    FROM inventory_deployment d
    JOIN metrics_minute m ON m.deployment_id = d.id AND m.minute >= %(since)s AND m.minute <= %(now)s
    LEFT JOIN LATERAL (
        SELECT p95_ms FROM metrics_budget WHERE endpoint_id = d.endpoint_id AND since <= %(now)s
        ORDER BY since DESC, id DESC LIMIT 1) b ON true
    WHERE d.endpoint_id = ANY (%(endpoints)s::bigint[]) AND d.deleted_at IS NULL
), told AS (
    SELECT DISTINCT ON (deployment_id) * FROM hour
    ORDER BY deployment_id, (minute > %(settled)s), minute DESC
), summed AS (
    SELECT deployment_id, count(*) AS minutes, sum(requests::float8) AS requests,
        CASE WHEN count(requests) > 0 AND NOT bool_or(requests > 0 AND (status_5xx IS NULL OR model_errors IS NULL))
            THEN coalesce(sum(status_5xx::float8 + model_errors::float8), 0) END AS failures,
        sum(status_429::float8) AS throttled, max(p95) AS p95_max,
        CASE WHEN count(p95) > 0 AND count(budget) > 0 THEN count(*) FILTER (WHERE p95 > budget) END AS over_budget
    FROM hour GROUP BY deployment_id
)
INSERT INTO metrics_latest AS l (deployment_id, endpoint_id, minute, requests, p50, p95, p99, cpu_max, memory_max,
    gpu_max, instances, hour_minutes, hour_requests, hour_failures, hour_throttled, hour_p95_max, over_budget)
SELECT deployment_id, told.endpoint_id, told.minute, told.requests, p50, p95, p99, cpu_max, memory_max, gpu_max,
    instances, summed.minutes, summed.requests, failures, throttled, p95_max, over_budget
FROM told JOIN summed USING (deployment_id) ORDER BY deployment_id
ON CONFLICT (deployment_id) DO UPDATE SET (minute, requests, p50, p95, p99, cpu_max, memory_max, gpu_max, instances,
    hour_minutes, hour_requests, hour_failures, hour_throttled, hour_p95_max, over_budget) =
    (EXCLUDED.minute, EXCLUDED.requests, EXCLUDED.p50, EXCLUDED.p95, EXCLUDED.p99, EXCLUDED.cpu_max,
    EXCLUDED.memory_max, EXCLUDED.gpu_max, EXCLUDED.instances, EXCLUDED.hour_minutes, EXCLUDED.hour_requests,
    EXCLUDED.hour_failures, EXCLUDED.hour_throttled, EXCLUDED.hour_p95_max, EXCLUDED.over_budget)
"""
# An endpoint's figures are those of deployments whose newest minute is recent: old ones say nothing about now.
_TELEMETRY = """
WITH wanted AS (
    SELECT * FROM unnest(%(endpoints)s::bigint[], %(states)s::text[], %(reasons)s::text[], %(read)s::boolean[])
        AS w (endpoint_id, state, reason, read)
), newest AS (
    SELECT d.endpoint_id, max(m.minute) AS minute
    FROM inventory_deployment d
    JOIN LATERAL (
        SELECT minute FROM metrics_minute WHERE deployment_id = d.id AND minute >= %(day)s
        ORDER BY minute DESC LIMIT 1) m ON true
    WHERE d.endpoint_id = ANY (%(endpoints)s::bigint[]) AND d.deleted_at IS NULL GROUP BY 1
), figures AS (
    SELECT l.endpoint_id, sum(l.requests) AS requests, max(l.p95) AS p95, max(l.over_budget) AS over_budget,
        CASE WHEN sum(l.hour_requests) > 0 AND NOT bool_or(l.hour_requests > 0 AND l.hour_failures IS NULL)
            THEN sum(coalesce(l.hour_failures, 0)) / sum(l.hour_requests) END AS failure_share
    FROM metrics_latest l JOIN inventory_deployment d ON d.id = l.deployment_id AND d.deleted_at IS NULL
    WHERE l.endpoint_id = ANY (%(endpoints)s::bigint[]) AND l.minute >= %(late)s GROUP BY 1
)
INSERT INTO metrics_telemetry AS t (endpoint_id, state, reason, minute, read_at, lag_seconds, requests, p95,
    failure_share, over_budget, spark, diagnostics_reason)
SELECT w.endpoint_id,
    CASE WHEN w.state <> '' THEN w.state WHEN n.minute IS NULL THEN 'none-yet'
        WHEN n.minute < %(late)s THEN 'late' ELSE 'flowing' END,
    CASE WHEN w.state <> '' THEN w.reason WHEN n.minute IS NULL THEN 'Azure has not delivered any value so far.'
        WHEN n.minute < %(late)s THEN 'Azure delivers nothing newer.' ELSE '' END,
    n.minute, CASE WHEN w.read THEN %(now)s END,
    extract(epoch FROM %(now)s - n.minute)::float8 - 60,
    f.requests, f.p95, f.failure_share, f.over_budget, '[]'::jsonb, ''
FROM wanted w LEFT JOIN newest n USING (endpoint_id) LEFT JOIN figures f USING (endpoint_id)
ORDER BY w.endpoint_id
ON CONFLICT (endpoint_id) DO UPDATE SET (state, reason, minute, read_at, lag_seconds, requests, p95, failure_share,
    over_budget) = (EXCLUDED.state, EXCLUDED.reason, coalesce(EXCLUDED.minute, t.minute),
    coalesce(EXCLUDED.read_at, t.read_at), EXCLUDED.lag_seconds, EXCLUDED.requests, EXCLUDED.p95,
    EXCLUDED.failure_share, EXCLUDED.over_budget)
"""
_SPARKS = """
WITH due AS (
    SELECT t.endpoint_id FROM metrics_telemetry t WHERE t.endpoint_id = ANY (%(endpoints)s::bigint[])
    AND (%(anew)s OR t.spark_until IS NULL OR t.spark_until < %(until)s)
), ids AS (
    SELECT array_agg(d.id) AS all_ids FROM inventory_deployment d JOIN due USING (endpoint_id)
), hours AS (
    SELECT d.endpoint_id, h.hour, sum(h.requests) AS requests
    FROM ids, metrics_hours(ids.all_ids, %(since)s, %(until)s) h JOIN inventory_deployment d ON d.id = h.deployment_id
    GROUP BY 1, 2
), sparks AS (
    SELECT due.endpoint_id, jsonb_agg(h.requests ORDER BY step) AS spark
    FROM due CROSS JOIN generate_series(%(since)s::timestamptz, %(until)s::timestamptz - interval '1 hour',
        interval '1 hour') AS step
    LEFT JOIN hours h ON h.endpoint_id = due.endpoint_id AND h.hour = step GROUP BY 1
)
UPDATE metrics_telemetry t SET spark = s.spark, spark_until = %(until)s FROM sparks s
WHERE t.endpoint_id = s.endpoint_id
"""
_FACTS = """
SELECT t.endpoint_id, t.state, t.reason, t.failure_share, t.over_budget, b.p95_ms, b.failure_share, l.p95, l.throttled,
    l.requests, e.traffic <> '{}'::jsonb
FROM metrics_telemetry t JOIN inventory_endpoint e ON e.id = t.endpoint_id
LEFT JOIN LATERAL (
    SELECT p95_ms, failure_share FROM metrics_budget WHERE endpoint_id = t.endpoint_id AND since <= %(now)s
    ORDER BY since DESC, id DESC LIMIT 1) b ON true
LEFT JOIN LATERAL (
    SELECT max(p95) AS p95, sum(hour_throttled) AS throttled, sum(hour_requests) AS requests
    FROM metrics_latest WHERE endpoint_id = t.endpoint_id AND minute >= %(late)s) l ON true
WHERE t.endpoint_id = ANY (%(endpoints)s::bigint[])
"""


def refresh(
    known: Mapping[int, Collection[int]],
    *,
    troubles: Mapping[int, tuple[State, str]],
    read: Collection[int],
) -> float | None:
    """Bring the figures of these endpoints up to what is stored; how late the newest value of all is, in seconds.

    `troubles`: what kept an endpoint from being read. `read`: those that were read, whatever came of it.
    """
    if not known:
        return None
    now = db_now()
    endpoints = sorted(known)
    nothing = ("", "")
    values: dict[str, Any] = {
        "endpoints": endpoints,
        "states": [str(troubles.get(one, nothing)[0]) for one in endpoints],
        "reasons": [troubles.get(one, nothing)[1] for one in endpoints],
        "read": [one in read and one not in troubles for one in endpoints],
        "now": now,
        "since": now - timedelta(minutes=60),
        "settled": now - SETTLED,
        "late": now - LATE_AFTER,
        "day": now - timedelta(days=1),
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LATEST, values)
        cursor.execute(_TELEMETRY, values)
        refresh_sparks(endpoints, now)
        cursor.execute(_FACTS, values)
        found = {row[0]: marks.find(marks.Facts(*row[1:])) for row in cursor.fetchall()}
        set_outer_marks(SOURCE, found)
        cursor.execute(
            "SELECT extract(epoch FROM %s - max(minute))::float8 - 60 FROM metrics_telemetry"
            " WHERE endpoint_id = ANY (%s::bigint[])",
            [now, endpoints],
        )
        (newest,) = cursor.fetchone()
    return None if newest is None else max(0.0, float(newest))


def refresh_sparks(endpoints: Collection[int], now: datetime, *, anew: bool = False) -> None:
    """The last 24 whole hours of requests: once an hour, or `anew` because their past was read."""
    until = (now - timedelta(minutes=7)).replace(minute=0, second=0, microsecond=0)
    with connection.cursor() as cursor:
        cursor.execute(
            _SPARKS,
            {
                "endpoints": list(endpoints),
                "anew": anew,
                "until": until,
                "since": until - timedelta(hours=24),
            },
        )


def moment() -> datetime:
    """The database's time, at which a reading ends."""
    return db_now()
