"""A stretch of measured values: every step of it for each deployment, in one query. What is not known is None."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from endpoints.core.errors import Invalid
from endpoints.dispatch import db_now
from endpoints.metrics.columns import NAMES
from endpoints.metrics.points import merged
from endpoints.metrics.rollup_sql import MINUTE_COUNTS, VALUES
from endpoints.metrics.selectors.boundaries import finest_grain
from endpoints.metrics.windows import Grain, ceiled, check_steps, floored, steps

ROLLED: tuple[str, ...] = (*MINUTE_COUNTS, *(name for name in VALUES if name != "p95_histogram"))
COLUMNS: Mapping[Grain, tuple[str, ...]] = {Grain.MINUTE: NAMES, Grain.HOUR: ROLLED, Grain.DAY: ROLLED}

# A minute may be among the kept ones and not dropped yet from the others: then the kept one is newer.
_MINUTES = """
SELECT deployment_id, extract(epoch FROM minute)::bigint, 1, {columns} FROM metrics_minute
WHERE deployment_id = ANY (%(ids)s::bigint[]) AND minute >= %(since)s AND minute < %(until)s
UNION ALL
SELECT deployment_id, extract(epoch FROM minute)::bigint, 1, {columns} FROM metrics_kept_minute
WHERE deployment_id = ANY (%(ids)s::bigint[]) AND minute >= %(since)s AND minute < %(until)s
"""
_HOURS = """
SELECT deployment_id, extract(epoch FROM hour)::bigint, minutes, {columns}
FROM metrics_hours(%(ids)s::bigint[], %(since)s, %(until)s)
"""
_DAYS = """
SELECT deployment_id, extract(epoch FROM day)::bigint, minutes, {columns} FROM metrics_day
WHERE deployment_id = ANY (%(ids)s::bigint[])
AND day >= (%(since)s AT TIME ZONE 'UTC')::date AND day < (%(until)s AT TIME ZONE 'UTC')::date
"""
_STATEMENTS = {Grain.MINUTE: _MINUTES, Grain.HOUR: _HOURS, Grain.DAY: _DAYS}

Values = tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of `of` minutes that are over, any value is known in `known`."""

    known: int
    of: int

    @property
    def missing(self) -> int:
        return max(0, self.of - self.known)


@dataclass(frozen=True, slots=True)
class Series:
    """`times` are all steps of the stretch, oldest first, and each column of each deployment has as many values.

    The first and last step may reach beyond what was asked for; an hour or a day is whole. `known_until` is the end of
    the newest step that has any value, None when none has.
    """

    grain: Grain
    times: tuple[datetime, ...]
    by_deployment: Mapping[int, Mapping[str, Values]]
    known_until: datetime | None
    coverage: Mapping[int, Coverage]


def series(
    deployment_ids: Iterable[int],
    *,
    since: datetime,
    until: datetime,
    grain: Grain | None = None,
    columns: Sequence[str] | None = None,
    now: datetime | None = None,
) -> Series:
    """The values from `since` up to `until`; without `columns` all that the grain has (`COLUMNS`).

    An hour has values some minutes after it is over, and the running day those of its hours so far. Invalid for a
    column that the grain lacks and for too many steps.
    """
    ids, moment = list(dict.fromkeys(deployment_ids)), now or db_now()
    step = grain or finest_grain(since, until, moment)
    wanted = tuple(COLUMNS[step] if columns is None else dict.fromkeys(columns))
    _check(wanted, step)
    check_steps(since, until, step)
    begin, end = floored(since, step), ceiled(until, step)
    times = steps(since, until, step)
    rows = _rows(step, wanted, ids, begin, end)
    return Series(
        grain=step,
        times=times,
        by_deployment=_filled(ids, wanted, rows, int(begin.timestamp()), step, len(times)),
        known_until=_known_until(rows, step, moment),
        coverage=_coverage(ids, rows, begin, min(end, moment)),
    )


def _check(columns: Sequence[str], grain: Grain) -> None:
    if not columns:
        raise Invalid({"columns": ["Name at least one."]})
    if wrong := [name for name in columns if name not in COLUMNS[grain]]:
        raise Invalid(
            {
                "columns": [
                    f"{', '.join(wrong)}: not kept by the {grain}. There are: {', '.join(COLUMNS[grain])}."
                ]
            }
        )


def _rows(
    grain: Grain, columns: Sequence[str], ids: list[int], since: datetime, until: datetime
) -> list[tuple[Any, ...]]:
    if not ids:
        return []
    statement = _STATEMENTS[grain].format(columns=", ".join(columns))
    with connection.cursor() as cursor:
        cursor.execute(statement, {"ids": ids, "since": since, "until": until})
        return list(cursor.fetchall())


def _filled(
    ids: list[int], columns: Sequence[str], rows: list[tuple[Any, ...]], begin: int, grain: Grain, count: int
) -> dict[int, dict[str, Values]]:
    length = int(grain.step.total_seconds())
    placed: dict[int, list[tuple[Any, ...] | None]] = {each: [None] * count for each in ids}
    for row in rows:
        place, of = (row[1] - begin) // length, placed[row[0]]
        of[place] = row if (older := of[place]) is None else merged(older, row)
    nothing = (None,) * (len(columns) + 3)
    return {
        each: dict(zip(columns, list(zip(*(row or nothing for row in found), strict=True))[3:], strict=True))
        if found
        else dict.fromkeys(columns, ())
        for each, found in placed.items()
    }


def _known_until(rows: list[tuple[Any, ...]], grain: Grain, now: datetime) -> datetime | None:
    newest = max((row[1] for row in rows), default=None)
    return None if newest is None else min(datetime.fromtimestamp(newest, UTC) + grain.step, now)


def _coverage(
    ids: list[int], rows: list[tuple[Any, ...]], since: datetime, until: datetime
) -> dict[int, Coverage]:
    whole = max(0, int((until - since).total_seconds()) // 60)
    known = dict.fromkeys(ids, 0)
    for row in rows:
        known[row[0]] += row[2]
    return {each: Coverage(min(found, whole), whole) for each, found in known.items()}
