"""How many minutes a deployment was over its endpoint's latency budget, and its worst one.

Counted from minutes where these are kept, else from the hours' histograms, which know the latencies of an hour's
minutes up to a bucket: then the answer is from so many to so many. Each minute is held against the budget that was
in force in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from endpoints.dispatch import db_now
from endpoints.metrics import histogram
from endpoints.metrics.selectors.boundaries import minutes_since
from endpoints.metrics.selectors.budget import BudgetRow, budgets_between
from endpoints.metrics.windows import HOUR, Grain, ceiled, floored


@dataclass(frozen=True, slots=True)
class Share:
    """Of `minutes` that are over, the latency of `known_minutes` is known and a budget was in force in them.

    From `over_at_least` to `over_at_most` of these were over; equal when counted exactly. `idle_minutes` had no
    request, so no latency. `worst_minute` is when p95 was highest, budget or not; with `worst_grain` HOUR only its
    hour is known. With several deployments minutes are those of each.
    """

    minutes: int = 0
    known_minutes: int = 0
    idle_minutes: int = 0
    over_at_least: int = 0
    over_at_most: int = 0
    worst_minute: datetime | None = None
    worst_value: float | None = None
    worst_grain: Grain = Grain.MINUTE

    @property
    def is_exact(self) -> bool:
        return self.over_at_least == self.over_at_most

    def __add__(self, other: Share) -> Share:
        worst = max((self, other), key=lambda share: -1.0 if share.worst_value is None else share.worst_value)
        return Share(
            self.minutes + other.minutes,
            self.known_minutes + other.known_minutes,
            self.idle_minutes + other.idle_minutes,
            self.over_at_least + other.over_at_least,
            self.over_at_most + other.over_at_most,
            worst.worst_minute,
            worst.worst_value,
            worst.worst_grain,
        )


def over_budget(
    endpoint_id: int,
    deployment_ids: Iterable[int],
    *,
    since: datetime,
    until: datetime,
    now: datetime | None = None,
) -> dict[int, Share]:
    """For each of the endpoint's deployments. What lies before the kept minutes is counted by whole hours."""
    ids, moment = list(deployment_ids), now or db_now()
    end = min(until, moment)
    split = min(max(ceiled(minutes_since(moment), Grain.HOUR), since), end)
    budgets = budgets_between(endpoint_id, floored(since, Grain.HOUR), until)
    recent = _from_minutes(ids, budgets, split, end)
    older = _from_hours(ids, budgets, floored(since, Grain.HOUR), split) if since < split else {}
    return {each: older.get(each, Share()) + recent[each] for each in ids}


def together(shares: Mapping[int, Share]) -> Share:
    """The minutes of all deployments, and the worst of them."""
    return sum(shares.values(), Share())


# A limit is compared as the column holds its values: 250.1 in `real` is a little more than in double precision.
_COUNT = """
SELECT m.deployment_id, count(m.p95) FILTER (WHERE b.p95_ms IS NOT NULL),
    count(*) FILTER (WHERE m.requests = 0 AND m.p95 IS NULL),
    count(*) FILTER (WHERE m.p95 > b.p95_ms)
FROM metrics_minute m
LEFT JOIN unnest(%(limits)s::real[], %(from)s::timestamptz[], %(to)s::timestamptz[]) AS b (p95_ms, begins, ends)
    ON m.minute >= b.begins AND m.minute < b.ends
WHERE m.deployment_id = ANY (%(ids)s::bigint[]) AND m.minute >= %(since)s AND m.minute < %(until)s
GROUP BY m.deployment_id
"""
_WORST = """
SELECT DISTINCT ON (deployment_id) deployment_id, minute, p95 FROM metrics_minute
WHERE deployment_id = ANY (%(ids)s::bigint[]) AND minute >= %(since)s AND minute < %(until)s AND p95 IS NOT NULL
ORDER BY deployment_id, p95 DESC, minute
"""
_HOURS = """
SELECT deployment_id, hour, idle_minutes, p95_max, p95_histogram
FROM metrics_hours(%(ids)s::bigint[], %(since)s, %(until)s) ORDER BY deployment_id, hour
"""


def _from_minutes(
    ids: list[int], budgets: Sequence[BudgetRow], since: datetime, until: datetime
) -> dict[int, Share]:
    limited = [row for row in budgets if row.p95_ms is not None]
    values = {
        "ids": ids,
        "since": since,
        "until": until,
        "limits": [row.p95_ms for row in limited],
        "from": [row.since for row in limited],
        "to": [row.until or until for row in limited],
    }
    counts = {row[0]: row[1:] for row in _fetched(_COUNT, values)}
    worst = {row[0]: row[1:] for row in _fetched(_WORST, values)}
    minutes = _minutes(since, until)
    found = {}
    for each in ids:
        known, idle, over = counts.get(each, (0, 0, 0))
        at, value = worst.get(each, (None, None))
        found[each] = Share(minutes, known, idle, over, over, at, value)
    return found


def _from_hours(
    ids: list[int], budgets: Sequence[BudgetRow], since: datetime, until: datetime
) -> dict[int, Share]:
    minutes = _minutes(since, until)
    found = {each: Share(minutes) for each in ids}
    for deployment_id, hour, idle, worst, packed in _fetched(
        _HOURS, {"ids": ids, "since": since, "until": until}
    ):
        found[deployment_id] += _hour(hour.astimezone(UTC), idle, worst, packed, budgets)
    return found


def _hour(hour: datetime, idle: int, worst: float | None, packed: Any, budgets: Sequence[BudgetRow]) -> Share:
    latencies = histogram.unpack(packed)
    limits, limited = _limits(hour, budgets)
    count = sum(latencies.values())
    at_least = at_most = 0
    if limits:
        # Where the budget changed within the hour, no one knows which of its minutes came before.
        at_least = max(0, histogram.over(latencies, max(limits))[0] - (60 - limited))
        at_most = min(limited, histogram.over(latencies, min(limits))[1])
        if worst is not None and worst <= min(limits):
            at_most = 0
        elif worst is not None and worst > max(limits) and limited == 60:
            at_least = max(1, at_least)
    return Share(
        known_minutes=min(count, limited),
        idle_minutes=idle,
        over_at_least=at_least,
        over_at_most=at_most,
        worst_minute=None if worst is None else hour,
        worst_value=worst,
        worst_grain=Grain.HOUR,
    )


def _limits(hour: datetime, budgets: Sequence[BudgetRow]) -> tuple[list[float], int]:
    """The latency limits in force at any time of an hour, and in how many of its minutes there was one."""
    limits, seconds = [], 0.0
    for row in budgets:
        begins, ends = max(hour, row.since), min(hour + HOUR, row.until or hour + HOUR)
        if row.p95_ms is not None and begins < ends:
            limits.append(row.p95_ms)
            seconds += (ends - begins).total_seconds()
    return limits, -int(-seconds // 60)


def _minutes(since: datetime, until: datetime) -> int:
    return max(0, (until - since) // timedelta(minutes=1))


def _fetched(statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())
