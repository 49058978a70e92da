"""How a fleet's deployments were used in the last weeks, out of their hours: what right-sizing stands on.

A few statements for thousands of deployments: twenty million hours are too many to be read one by one. What an hour's
busiest minute was is not kept; an hour is its mean minute, beside the highest use that it had.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from endpoints.metrics.carried import CPU_LIMIT, FEWEST_HOURS, LEAST_USE, REFUSED_SHARE

KNOWN_MINUTES = 30
"""Of so many minutes an hour must tell, before it counts as one with or without requests."""
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Shares:
    """Of one deployment: `minutes` whose requests are known, their `requests`, `hours` of which at least half is known,
    `served` of them with requests; the same of the hours `off`, and `off_idle` of these without any."""

    minutes: int
    requests: float | None
    hours: int
    served: int
    off: int
    off_idle: int


@dataclass(frozen=True, slots=True)
class Loads:
    """Of one deployment, out of its hours with requests; None: not known.

    `busy` is the mean minute's requests of the hour that ranks at the percentile, `at_once` the requests under way at
    once, `carried` the requests a minute that one instance carries (`carried.py`). `cpu`, `memory` and `gpu` are the
    highest percent of the hour that ranks there.
    """

    busy: float | None
    at_once: float | None
    cpu: float | None
    memory: float | None
    gpu: float | None
    carried: float | None


_SHARES = f"""
SELECT deployment_id, sum(request_minutes)::bigint, sum(requests::float8),
    count(*) FILTER (WHERE request_minutes >= {KNOWN_MINUTES}),
    count(*) FILTER (WHERE request_minutes >= {KNOWN_MINUTES} AND requests > 0),
    count(o.at) FILTER (WHERE request_minutes >= {KNOWN_MINUTES}),
    count(o.at) FILTER (WHERE request_minutes >= {KNOWN_MINUTES} AND requests = 0)
FROM metrics_hours(%(ids)s::bigint[], %(since)s, %(until)s) h
LEFT JOIN unnest(%(off)s::timestamptz[]) AS o (at) ON o.at = h.hour
GROUP BY 1
"""  # noqa: S608 - numbers of this module
# What ranks at the percentile is one of the hours, and no mean.
_LOADS = f"""
WITH hours AS MATERIALIZED (
    SELECT deployment_id, requests / request_minutes AS rate, p95, cpu_max, memory_max, gpu_max,
        instance_minutes / nullif(capacity_minutes, 0) AS instances, status_429 / request_minutes AS refused
    FROM metrics_hours(%(ids)s::bigint[], %(since)s, %(until)s) WHERE requests > 0 AND request_minutes > 0),
most AS (
    SELECT deployment_id, max(rate / nullif(instances, 0)) / 2 AS half FROM hours GROUP BY 1),
carried AS (
    SELECT deployment_id,
        CASE WHEN count(*) FILTER (WHERE used) >= {FEWEST_HOURS} THEN percentile_disc(0.1) WITHIN GROUP (ORDER BY
            rate / instances * {CPU_LIMIT} / greatest(cpu_max, gpu_max, {LEAST_USE})) FILTER (WHERE used) END AS by_use,
        CASE WHEN count(*) FILTER (WHERE beyond) >= {FEWEST_HOURS} THEN percentile_disc(0.5) WITHIN GROUP (ORDER BY
            (rate - refused) / instances) FILTER (WHERE beyond) END AS by_refusals
    FROM (
        SELECT h.*, refused > {REFUSED_SHARE} * rate AS beyond,
            rate >= half * instances AND coalesce(cpu_max, gpu_max) IS NOT NULL AS used
        FROM hours h JOIN most USING (deployment_id) WHERE instances > 0) told
    WHERE used OR beyond GROUP BY 1),
ranks AS (
    SELECT deployment_id, percentile_disc(%(percentile)s) WITHIN GROUP (ORDER BY rate) AS busy,
        percentile_disc(%(percentile)s) WITHIN GROUP (ORDER BY rate * p95 / 60000) AS at_once,
        percentile_disc(%(percentile)s) WITHIN GROUP (ORDER BY cpu_max) AS cpu,
        percentile_disc(%(percentile)s) WITHIN GROUP (ORDER BY memory_max) AS memory,
        percentile_disc(%(percentile)s) WITHIN GROUP (ORDER BY gpu_max) AS gpu
    FROM hours GROUP BY 1)
SELECT deployment_id, busy, at_once, cpu, memory, gpu, least(by_use, by_refusals)
FROM ranks LEFT JOIN carried USING (deployment_id)
"""  # noqa: S608


def shares(
    ids: Sequence[int], since: datetime, until: datetime, *, off: Collection[datetime]
) -> dict[int, Shares]:
    """By deployment; one without any hour is left out: nothing is known of it. `off`: hours in which nobody works."""
    values = {"since": since, "until": until, "off": list(off)}
    return {row[0]: Shares(*row[1:]) for row in _rows(_SHARES, ids, values)}


def loads(ids: Sequence[int], since: datetime, until: datetime, *, percentile: float) -> dict[int, Loads]:
    """By deployment; one without any request is left out."""
    values = {"since": since, "until": until, "percentile": percentile}
    return {row[0]: Loads(*row[1:]) for row in _rows(_LOADS, ids, values)}


def _rows(statement: str, ids: Sequence[int], values: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    for begin in range(0, len(ids), _AT_ONCE):
        with transaction.atomic(), connection.cursor() as cursor:
            # What one statement holds fits into memory; sorting a million hours on disk takes twice as long.
            cursor.execute("SELECT set_config('work_mem', '128MB', true)")
            cursor.execute(statement, values | {"ids": list(ids[begin : begin + _AT_ONCE])})
            yield from cursor.fetchall()
