"""Find hours that no rollup was made of, whatever became of their marks."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import connection

from endpoints.dispatch import db_now
from endpoints.metrics import retained
from endpoints.metrics.services.rollups import settled

# Deployments are found by skipping from one to the next in the index; hours that are there are the rule.
_MARK_MISSED = """
WITH RECURSIVE deployments AS (
    (SELECT deployment_id FROM metrics_minute WHERE minute >= %(since)s ORDER BY deployment_id LIMIT 1)
    UNION ALL
    SELECT (SELECT m.deployment_id FROM metrics_minute m
            WHERE m.deployment_id > d.deployment_id AND minute >= %(since)s ORDER BY m.deployment_id LIMIT 1)
    FROM deployments d WHERE d.deployment_id IS NOT NULL
), missed AS (
    SELECT d.deployment_id, h.hour
    FROM deployments d, generate_series(%(since)s, %(until)s - interval '1 hour', interval '1 hour') AS h (hour)
    WHERE NOT EXISTS (SELECT FROM metrics_hour r WHERE r.deployment_id = d.deployment_id AND r.hour = h.hour
        AND r.hour >= %(since)s AND r.hour < %(until)s)
)
INSERT INTO metrics_dirty_hour (deployment_id, hour)
SELECT deployment_id, hour FROM missed h WHERE EXISTS (
    SELECT FROM metrics_minute m WHERE m.deployment_id = h.deployment_id
    AND m.minute >= h.hour AND m.minute < h.hour + interval '1 hour')
ORDER BY 1, 2
ON CONFLICT DO NOTHING
"""


def find_missed_hours() -> int:
    """Make due every hour that has minutes and neither a rollup nor a mark; how many there were."""
    now = db_now()
    first = retained.first_day_of_minutes(now, settings.OPSPORTAL.metrics_minute_days)
    until, _ = retained.whole_hours(settled(now) + retained.HOUR, now)
    return mark_missed(retained.midnight(first), until)


def mark_missed(since: datetime, until: datetime) -> int:
    """Make due every hour from `since` up to `until`, both whole hours, that has minutes and nothing made of them."""
    with connection.cursor() as cursor:
        cursor.execute(_MARK_MISSED, {"since": since, "until": until})
        return int(cursor.rowcount)
