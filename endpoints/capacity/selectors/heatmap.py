"""When capacity is idle: for each hour of the week, the share of paid time that served. Callers ask for rights before.

One statement for the deployments whose idle time costs most; the clock is that of a zone, so that a night is a night.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from django.db import connection

from endpoints.capacity.worth import NANO

DAYS, HOURS = 7, 24
CELLS = DAYS * HOURS
KNOWN_MINUTES = 30
"""Of so many minutes an hour must tell, before it says anything of its time of the week."""


@dataclass(frozen=True, slots=True)
class Cell:
    """`served` 0 to 1; None: of no such hour enough is known. `hours`: how many are."""

    served: float | None
    hours: int


@dataclass(frozen=True, slots=True)
class HeatRow:
    """One deployment. `cells` by hour of the week, from Monday 0:00 of the zone's clock.

    `unserved` is the money of the stretch for which no request came; None: no price was known.
    """

    deployment_id: int
    endpoint_id: int
    endpoint: str
    deployment: str
    workspace: str
    currency: str
    unserved: Decimal | None
    unserved_seconds: int
    paid_seconds: int
    cells: tuple[Cell, ...]


_NONE = Cell(None, 0)
# Instances that were not measured in an hour are those of now: they only weigh hours against each other.
_CELLS = f"""
WITH top AS MATERIALIZED (
    SELECT deployment_id, endpoint_id, max(currency) AS currency, sum(unserved_nanos) AS nanos,
        sum(unserved_seconds) AS seconds, sum(paid_seconds) AS paid
    FROM capacity_day
    WHERE workspace_id = ANY (%(workspaces)s) AND day >= %(since)s AND day < %(until)s
    GROUP BY 1, 2 HAVING sum(unserved_seconds) > 0 ORDER BY 4 DESC, 5 DESC, 1 LIMIT %(limit)s),
hours AS (
    SELECT h.deployment_id, h.hour AT TIME ZONE %(zone)s AS at, h.request_minutes, h.idle_minutes,
        coalesce(h.instance_minutes / nullif(h.capacity_minutes, 0), d.instance_count, 1) AS each
    FROM metrics_hours((SELECT array_agg(deployment_id) FROM top), %(begin)s, %(end)s) h
    JOIN inventory_deployment d ON d.id = h.deployment_id
    WHERE h.request_minutes >= {KNOWN_MINUTES}),
cells AS (
    SELECT deployment_id, (extract(isodow FROM at)::int - 1) * {HOURS} + extract(hour FROM at)::int AS place,
        sum(each * (request_minutes - idle_minutes)) / nullif(sum(each * request_minutes), 0) AS served,
        count(*) AS many
    FROM hours GROUP BY 1, 2)
SELECT t.deployment_id, t.endpoint_id, e.name, d.name, w.slug, t.currency, t.nanos, t.seconds, t.paid,
    (SELECT json_agg(json_build_array(c.place, c.served, c.many)) FROM cells c WHERE c.deployment_id = t.deployment_id)
FROM top t JOIN inventory_deployment d ON d.id = t.deployment_id JOIN inventory_endpoint e ON e.id = t.endpoint_id
JOIN access_workspace w ON w.id = e.workspace_id
ORDER BY t.nanos DESC, t.seconds DESC, t.deployment_id
"""  # noqa: S608 - numbers of this module


def heatmap(
    workspace_ids: Collection[int], since: date, until: date, *, zone: str = "UTC", limit: int = 20
) -> tuple[HeatRow, ...]:
    """UTC days from `since` until before `until`; those that were idle for most money first. One query.

    `zone`: a name that the database knows.
    """
    values: dict[str, Any] = {
        "workspaces": list(workspace_ids),
        "since": since,
        "until": until,
        "begin": datetime.combine(since, time(), tzinfo=UTC),
        "end": datetime.combine(until, time(), tzinfo=UTC),
        "zone": zone,
        "limit": limit,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CELLS, values)
        return tuple(_row(*row) for row in cursor.fetchall())


def _row(
    number: int, endpoint_id: int, endpoint: str, deployment: str, workspace: str, currency: str, nanos: Decimal,
    seconds: Decimal, paid: Decimal, told: list[list[Any]] | None,
) -> HeatRow:  # fmt: skip
    cells = [_NONE] * CELLS
    for place, served, hours in told or ():
        cells[place] = Cell(served, hours)
    return HeatRow(
        deployment_id=number,
        endpoint_id=endpoint_id,
        endpoint=endpoint,
        deployment=deployment,
        workspace=workspace,
        currency=currency,
        unserved=int(nanos) * NANO if currency else None,
        unserved_seconds=int(seconds),
        paid_seconds=int(paid),
        cells=tuple(cells),
    )
