"""Count anew the minutes whose records changed, and hand what they come to down to `metrics`, where gates read it.

A minute is counted whole each time, so that a word that came late, or moved a record, leaves nothing wrong behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from endpoints.challenges import measures
from endpoints.challenges.services.retention import SYSTEM
from endpoints.metrics.figures import Value
from endpoints.metrics.services import measure_figures

_AT_ONCE = 240
_DUE = "SELECT DISTINCT endpoint_id FROM challenges_dirty_minute ORDER BY 1"
# Those that somebody writes to just now are for the next time.
_TAKE = """
SELECT minute FROM challenges_dirty_minute WHERE endpoint_id = %s ORDER BY minute DESC LIMIT %s FOR UPDATE SKIP LOCKED
"""
_DONE = "DELETE FROM challenges_dirty_minute WHERE endpoint_id = %s AND minute = ANY (%s::timestamptz[])"
_OF_MINUTES = """
FROM unnest(%(minutes)s::timestamptz[]) AS m (minute)
JOIN challenges_prediction p ON p.endpoint_id = %(endpoint)s AND p.at >= m.minute
    AND p.at < m.minute + interval '1 minute' AND p.day BETWEEN %(first)s AND %(last)s
"""
_COUNTED = f"""
SELECT p.deployment, m.minute, count(p.confidence), coalesce(sum(p.confidence), 0), count(p.high_risk),
    count(*) FILTER (WHERE p.high_risk)
{_OF_MINUTES} WHERE p.deployment <> '' GROUP BY 1, 2
"""
_SCORES = f"""
SELECT p.deployment, m.minute, s.key, count(*), sum(s.value::float8)
{_OF_MINUTES} CROSS JOIN LATERAL jsonb_each_text(p.scores) s
WHERE p.deployment <> '' AND p.scores IS NOT NULL GROUP BY 1, 2, 3
"""
_DAY = timedelta(days=1)


def aggregate() -> int:
    """Count all minutes that are due; how many they were."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE)
        endpoint_ids = [int(row[0]) for row in cursor.fetchall()]
    return sum(_of_endpoint(endpoint_id) for endpoint_id in endpoint_ids)


def _of_endpoint(endpoint_id: int) -> int:
    done = 0
    while counted := _some(endpoint_id):
        done += counted
        if counted < _AT_ONCE:
            break
    return done


@transaction.atomic
def _some(endpoint_id: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [endpoint_id, _AT_ONCE])
        minutes = [row[0] for row in cursor.fetchall()]
        if not minutes:
            return 0
        values, scores = _counted(cursor, endpoint_id, minutes)
    measure_figures(
        actor=SYSTEM,
        endpoint_id=endpoint_id,
        definitions=[each for each in measures.definitions(scores) if _is_there(each.name, values)],
        values=values,
        minutes=minutes,
    )
    with connection.cursor() as cursor:
        cursor.execute(_DONE, [endpoint_id, minutes])
    return len(minutes)


def _counted(cursor: Any, endpoint_id: int, minutes: Sequence[datetime]) -> tuple[list[Value], set[str]]:
    wanted = {
        "endpoint": endpoint_id,
        "minutes": list(minutes),
        # A record keeps the day on which it was heard of first; other words may have moved its time.
        "first": min(minutes) - _DAY,
        "last": max(minutes) + _DAY,
    }
    values: list[Value] = []
    cursor.execute(_COUNTED, wanted)
    for deployment, minute, sure, confidence, judged, risky in cursor.fetchall():
        if sure:
            values.append(Value(measures.CONFIDENCE.name, deployment, minute, sure, confidence))
        if judged:
            values.append(Value(measures.HIGH_RISK.name, deployment, minute, judged, risky))
    cursor.execute(_SCORES, wanted)
    scores = set()
    for deployment, minute, name, count, total in cursor.fetchall():
        scores.add(name)
        values.append(Value(measures.of_score(name).name, deployment, minute, count, total))
    return values, scores


def _is_there(name: str, values: Sequence[Value]) -> bool:
    """A figure of which there is nothing yet is not defined."""
    return any(value.figure == name for value in values)
