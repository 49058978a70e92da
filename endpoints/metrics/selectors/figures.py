"""Business figures of an endpoint: which there are, and what they were by deployment and minute."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from endpoints.core.errors import NotFound
from endpoints.metrics.figures import Kind, ratio
from endpoints.metrics.windows import Grain, ceiled, floored, steps


@dataclass(frozen=True, slots=True)
class FigureRow:
    """A figure that somebody defined for an endpoint. `newest`: its newest minute of any deployment."""

    id: int
    endpoint_id: int
    name: str
    label: str
    kind: Kind
    unit: str
    made_by: str
    made_at: datetime
    ended_by: str
    ended_at: datetime | None
    newest: datetime | None


@dataclass(frozen=True, slots=True)
class FigurePage:
    """`next_before` is None on the last page."""

    rows: tuple[FigureRow, ...]
    next_before: int | None


@dataclass(frozen=True, slots=True)
class FigureMinute:
    """One minute of one deployment: `total` over `count` observations; their ratio is the rate, or the mean."""

    minute: datetime
    count: int
    total: float

    @property
    def value(self) -> float | None:
        return ratio(self.count, self.total)


@dataclass(frozen=True, slots=True)
class FigureMinutes:
    """By lower-case name, the minutes that were sent, oldest first. What was not sent is unknown.

    `sent_until`: the end of the newest minute that anybody sent, None when none was. `unreadable`: why there is
    nothing to read at all, such as a figure that nobody defined, or one that was ended.
    """

    figure: FigureRow | None
    by_deployment: Mapping[str, tuple[FigureMinute, ...]]
    sent_until: datetime | None
    unreadable: str


@dataclass(frozen=True, slots=True)
class SentMinute:
    """One value as it stands in a list."""

    deployment: str
    minute: datetime
    count: int
    total: float

    @property
    def value(self) -> float | None:
        return ratio(self.count, self.total)


@dataclass(frozen=True, slots=True)
class SentPage:
    """`next_after` (minute and deployment) is None on the last page."""

    rows: tuple[SentMinute, ...]
    next_after: tuple[datetime, str] | None


@dataclass(frozen=True, slots=True)
class FigureSeries:
    """One figure in every step of a stretch, by lower-case name. `counts` are its observations, None where unknown.

    Counts and totals add up, so a step of an hour is what its minutes come to; minutes that nobody sent, or that are
    not kept any more, are in none.
    """

    figure: FigureRow
    times: tuple[datetime, ...]
    counts: Mapping[str, tuple[float | None, ...]]
    values: Mapping[str, tuple[float | None, ...]]


_ROWS = """
SELECT f.id, f.endpoint_id, f.name, f.label, f.kind, f.unit, f.made_by, f.made_at, f.ended_by, f.ended_at, n.minute
FROM metrics_figure f
LEFT JOIN LATERAL (
    SELECT max(m.minute) AS minute
    FROM (SELECT DISTINCT name_key FROM inventory_deployment WHERE endpoint_id = f.endpoint_id) AS d
    JOIN LATERAL (
        SELECT minute FROM metrics_figure_minute WHERE figure_id = f.id AND deployment = d.name_key
        ORDER BY minute DESC LIMIT 1) m ON true) n ON true
WHERE f.endpoint_id = %(endpoint)s
"""
_BOTH = """
SELECT figure_id, deployment, minute, count, total FROM metrics_figure_minute
WHERE figure_id = ANY (%(figures)s::bigint[]) AND minute >= %(since)s AND minute < %(until)s
UNION ALL
SELECT k.figure_id, k.deployment, k.minute, k.count, k.total FROM metrics_kept_figure_minute k
WHERE k.figure_id = ANY (%(figures)s::bigint[]) AND k.minute >= %(since)s AND k.minute < %(until)s
AND NOT EXISTS (SELECT FROM metrics_figure_minute m
    WHERE m.figure_id = k.figure_id AND m.deployment = k.deployment AND m.minute = k.minute)
"""
_MINUTES = f"""
SELECT deployment, minute, count, total FROM ({_BOTH}) AS sent
WHERE deployment = ANY (%(names)s::text[]) ORDER BY deployment, minute
"""  # noqa: S608 - an expression
_PAGE = f"""
SELECT deployment, minute, count, total FROM ({_BOTH}) AS sent
WHERE (%(name)s = '' OR deployment = %(name)s)
AND (%(minute)s::timestamptz IS NULL OR (minute, deployment) > (%(minute)s::timestamptz, %(after)s))
ORDER BY minute, deployment LIMIT %(limit)s
"""  # noqa: S608
_STEPS = f"""
SELECT figure_id, deployment, extract(epoch FROM date_bin(%(step)s, minute, %(since)s))::bigint, sum(count), sum(total)
FROM ({_BOTH}) AS sent GROUP BY 1, 2, 3
"""  # noqa: S608


def figures(
    endpoint_id: int, *, before: int | None = None, limit: int = 50, ended: bool = True
) -> FigurePage:
    """The endpoint's figures, newest first; without `ended`, the living ones alone."""
    statement = (
        f"{_ROWS} AND (%(ended)s OR f.ended_at IS NULL) AND (%(before)s::bigint IS NULL OR f.id < %(before)s::bigint)"
        " ORDER BY f.id DESC LIMIT %(limit)s"
    )
    values = {"endpoint": endpoint_id, "before": before, "limit": limit + 1, "ended": ended}
    rows = tuple(_row(found) for found in _fetched(statement, values))
    return FigurePage(rows[:limit], rows[limit - 1].id if len(rows) > limit else None)


def figure_named(endpoint_id: int, name: str) -> FigureRow:
    """The living figure of a name, or the one that was ended last; NotFound when there never was one."""
    statement = f"{_ROWS} AND f.name = %(name)s ORDER BY f.ended_at IS NULL DESC, f.id DESC LIMIT 1"
    found = _fetched(statement, {"endpoint": endpoint_id, "name": name})
    if not found:
        raise NotFound(f"Nobody defined a figure {name} for this endpoint.")
    return _row(found[0])


def figures_between(
    endpoint_id: int, figure: str, deployments: Iterable[str], since: datetime, until: datetime
) -> FigureMinutes:
    """The whole minutes inside a stretch, of each deployment that is named, kept ones included. Two queries.

    Of several that had one name, it is the one that was sent when the stretch began. One that was ended within or
    before the stretch is unreadable: what is missing will not be sent.
    """
    names = sorted({name.lower() for name in deployments})
    row = _figure_then(endpoint_id, figure, since)
    if row is None:
        text = f"Nobody defined a figure {figure} for this endpoint."
        return FigureMinutes(None, dict.fromkeys(names, ()), None, text)
    found: dict[str, list[FigureMinute]] = {name: [] for name in names}
    begin, end = ceiled(since, Grain.MINUTE), floored(until, Grain.MINUTE)
    values = {"figures": [row.id], "names": names, "since": begin, "until": end}
    for name, minute, count, total in _fetched(_MINUTES, values):
        found[name].append(FigureMinute(minute.astimezone(UTC), count, total))
    ended = row.ended_at is not None and row.ended_at < until
    return FigureMinutes(
        figure=row,
        by_deployment={name: tuple(rows) for name, rows in found.items()},
        sent_until=None if row.newest is None else row.newest + Grain.MINUTE.step,
        unreadable=f"{row.name} was ended {row.ended_at:%Y-%m-%d %H:%M}\u00a0UTC." if ended else "",
    )


def _figure_then(endpoint_id: int, name: str, since: datetime) -> FigureRow | None:
    """The first one of a name that had not ended by then, else the one that ended last."""
    statement = (
        f"{_ROWS} AND f.name = %(name)s"
        " ORDER BY CASE WHEN f.ended_at IS NULL OR f.ended_at > %(since)s THEN f.id END NULLS LAST, f.id DESC LIMIT 1"
    )
    found = _fetched(statement, {"endpoint": endpoint_id, "name": name, "since": since})
    return _row(found[0]) if found else None


def sent_minutes(
    figure_id: int,
    since: datetime,
    until: datetime,
    *,
    deployment: str = "",
    after: tuple[datetime, str] | None = None,
    limit: int = 50,
) -> SentPage:
    """The values of a figure in a stretch, oldest first, page by page."""
    minute, name = after or (None, "")
    values = {
        "figures": [figure_id], "since": since, "until": until, "name": deployment.lower(), "minute": minute,
        "after": name, "limit": limit + 1,
    }  # fmt: skip
    rows = tuple(
        SentMinute(found[0], found[1].astimezone(UTC), *found[2:]) for found in _fetched(_PAGE, values)
    )
    last = rows[limit - 1] if len(rows) > limit else None
    return SentPage(rows[:limit], None if last is None else (last.minute, last.deployment))


def figure_series(
    rows: Sequence[FigureRow], *, since: datetime, until: datetime, grain: Grain
) -> tuple[FigureSeries, ...]:
    """Every step of a stretch for some figures of one endpoint. One query."""
    begin, times = floored(since, grain), steps(since, until, grain)
    sums: dict[tuple[int, str], dict[int, tuple[int, float]]] = {}
    values = {
        "figures": [row.id for row in rows], "since": begin, "until": ceiled(until, grain), "step": grain.step,
    }  # fmt: skip
    for figure_id, name, second, count, total in _fetched(_STEPS, values) if rows else ():
        sums.setdefault((figure_id, name), {})[second] = (int(count), float(total))
    return tuple(_series(row, times, sums) for row in rows)


def _series(
    row: FigureRow, times: tuple[datetime, ...], sums: dict[tuple[int, str], dict[int, tuple[int, float]]]
) -> FigureSeries:
    mine = {name: found for (figure_id, name), found in sums.items() if figure_id == row.id}
    placed = {name: [found.get(int(time.timestamp())) for time in times] for name, found in mine.items()}
    return FigureSeries(
        figure=row,
        times=times,
        counts={
            name: tuple(None if step is None else float(step[0]) for step in found)
            for name, found in placed.items()
        },
        values={
            name: tuple(None if step is None else ratio(*step) for step in found)
            for name, found in placed.items()
        },
    )


def _row(found: tuple[Any, ...]) -> FigureRow:
    values = list(found)
    values[4] = Kind(values[4])
    return FigureRow(*values)


def _fetched(statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())
