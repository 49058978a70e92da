"""How well endpoints can be seen: figures for lists, and the health of telemetry."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from django.db import connection

from endpoints.core.errors import Invalid
from endpoints.metrics.telemetry import State

NEVER_READ = "No metric of it was read yet."


@dataclass(frozen=True, slots=True)
class Brief:
    """An endpoint's newest figures, as `models.Telemetry` says. `budget_p95` is the limit in force now.

    `age_seconds` counts from the end of the minute; None when no minute is known.
    """

    endpoint_id: int
    state: State
    reason: str
    minute: datetime | None
    age_seconds: float | None
    lag_seconds: float | None
    requests: float | None
    p95: float | None
    failure_share: float | None
    over_budget: int | None
    budget_p95: float | None
    budget_failure_share: float | None
    spark: Sequence[float | None]
    spark_until: datetime | None


@dataclass(frozen=True, slots=True)
class HealthRow:
    """What of one endpoint Azure delivers. `log_categories` None: its diagnostic settings were never read."""

    endpoint_id: int
    workspace_id: int
    workspace: str
    name: str
    region: str
    state: State
    reason: str
    minute: datetime | None
    read_at: datetime | None
    age_seconds: float | None
    lag_seconds: float | None
    diagnostics_read_at: datetime | None
    diagnostics_reason: str
    log_categories: Sequence[str] | None

    @property
    def cursor(self) -> str:
        return f"{_RANKS[self.state]}.{self.endpoint_id}.{self.name.lower()}"


@dataclass(frozen=True, slots=True)
class HealthPage:
    """`next_cursor` is "" on the last page; `counts` are by state, of all that match the text."""

    rows: tuple[HealthRow, ...]
    next_cursor: str
    counts: Mapping[State, int]


_BRIEF_FIELDS = tuple(one.name for one in fields(Brief))
_HEALTH_FIELDS = tuple(one.name for one in fields(HealthRow))
# Worst first: what could be mended stands before what only has no value yet.
_WORST_FIRST = (
    State.FORBIDDEN,
    State.UNREADABLE,
    State.UNREACHABLE,
    State.THROTTLED,
    State.LATE,
    State.NONE_YET,
)
_ORDER: tuple[State, ...] = (*_WORST_FIRST, *(state for state in State if state not in _WORST_FIRST))
_RANKS: Mapping[State, int] = {state: rank for rank, state in enumerate(_ORDER, start=1)}
# GREATEST passes over NULL, which would make an unknown age 0.
_AGE = """CASE WHEN t.minute IS NOT NULL
        THEN greatest(0, extract(epoch FROM statement_timestamp() - t.minute)::float8 - 60) END"""
_BRIEFS = f"""
SELECT t.endpoint_id, t.state, t.reason, t.minute, {_AGE}, t.lag_seconds, t.requests, t.p95, t.failure_share,
    t.over_budget, b.p95_ms, b.failure_share, t.spark, t.spark_until
FROM unnest(%s::bigint[]) AS wanted (endpoint_id)
JOIN metrics_telemetry t USING (endpoint_id)
LEFT JOIN LATERAL (
    SELECT p95_ms, failure_share FROM metrics_budget WHERE endpoint_id = t.endpoint_id
    ORDER BY since DESC, id DESC LIMIT 1) b ON true
"""  # noqa: S608 - an expression
_LIVING = """
FROM inventory_endpoint e JOIN access_workspace w ON w.id = e.workspace_id
LEFT JOIN metrics_telemetry t ON t.endpoint_id = e.id
CROSS JOIN LATERAL (SELECT coalesce(t.state, 'none-yet')) AS s (state)
CROSS JOIN LATERAL (SELECT coalesce(array_position(%(order)s::text[], s.state), 0)) AS r (rank)
WHERE e.workspace_id = ANY (%(workspaces)s::bigint[]) AND e.deleted_at IS NULL
AND (%(text)s = '' OR position(lower(%(text)s) in e.name_key) > 0)
"""
_HEALTH = f"""
SELECT e.id, e.workspace_id, w.slug, e.name, e.location, s.state, coalesce(t.reason, ''), t.minute, t.read_at,
    {_AGE}, t.lag_seconds, t.diagnostics_read_at, coalesce(t.diagnostics_reason, ''), t.log_categories
{_LIVING} AND (%(state)s = '' OR s.state = %(state)s)
AND (%(rank)s::int IS NULL OR (r.rank, e.name_key, e.id) > (%(rank)s::int, %(name)s, %(id)s::bigint))
ORDER BY r.rank, e.name_key, e.id LIMIT %(limit)s
"""
_COUNTS = f"SELECT s.state, count(*) {_LIVING} GROUP BY s.state"


def briefs(endpoint_ids: Iterable[int]) -> dict[int, Brief]:
    """For every endpoint asked for, those of which nothing was read included. One query."""
    wanted = list(dict.fromkeys(endpoint_ids))
    found = {row[0]: _brief(row) for row in _fetched(_BRIEFS, [wanted])} if wanted else {}
    return {endpoint_id: found.get(endpoint_id) or _nothing_read(endpoint_id) for endpoint_id in wanted}


def health(
    workspace_ids: Iterable[int], *, state: str = "", text: str = "", cursor: str = "", limit: int = 50
) -> HealthPage:
    """A page of the living endpoints, worst seen first. Invalid for a state or a cursor that there is none of."""
    if state and state not in _RANKS:
        raise Invalid({"state": [f"There is no such state. Those that are: {', '.join(_ORDER)}."]})
    rank, number, name = _place(cursor) if cursor else (None, None, "")
    values = {
        "workspaces": list(workspace_ids),
        "order": [str(one) for one in _ORDER],
        "state": state,
        "text": text.strip(),
        "rank": rank,
        "id": number,
        "name": name,
        "limit": limit + 1,
    }
    rows = tuple(_health(row) for row in _fetched(_HEALTH, values))
    counts = {State(found): count for found, count in _fetched(_COUNTS, values)}
    more = len(rows) > limit
    return HealthPage(
        rows[:limit], rows[limit - 1].cursor if more else "", {one: counts.get(one, 0) for one in _ORDER}
    )


def _place(cursor: str) -> tuple[int, int, str]:
    try:
        rank, number, name = cursor.split(".", 2)
        place = int(rank), int(number), name
    except ValueError:
        place = (-1, -1, "")
    if not (0 <= place[0] <= len(_ORDER) and 0 < place[1] < 2**63) or "\x00" in place[2]:
        raise Invalid("This page of the list does not exist; start at the first one.")
    return place


def _health(row: tuple[Any, ...]) -> HealthRow:
    named = dict(zip(_HEALTH_FIELDS, row, strict=True))
    return HealthRow(
        **named | {"state": State(named["state"]), "log_categories": _json(named["log_categories"])}
    )


def _brief(row: tuple[Any, ...]) -> Brief:
    named = dict(zip(_BRIEF_FIELDS, row, strict=True))
    return Brief(**named | {"state": State(named["state"]), "spark": tuple(_json(named["spark"]) or ())})


def _nothing_read(endpoint_id: int) -> Brief:
    return Brief(
        endpoint_id=endpoint_id,
        state=State.NONE_YET,
        reason=NEVER_READ,
        minute=None,
        age_seconds=None,
        lag_seconds=None,
        requests=None,
        p95=None,
        failure_share=None,
        over_budget=None,
        budget_p95=None,
        budget_failure_share=None,
        spark=(),
        spark_until=None,
    )


def _json(value: Any) -> Any:
    """A jsonb column of a plain cursor, which Django leaves as text."""
    return json.loads(value) if isinstance(value, str) else value


def _fetched(statement: str, values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())
