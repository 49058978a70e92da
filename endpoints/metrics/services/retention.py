"""Drop what is older than it is kept: whole partitions, once everything in them is rolled up and kept windows copied.

A partition goes in one transaction of its own, with its parent locked against writers, so that no minute is written
between the copy and the drop. What is locked by somebody else, or still to be rolled up, waits for the next call.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import structlog
from django.conf import settings

from endpoints.dispatch import db_now
from endpoints.metrics import retained
from endpoints.metrics.columns import NAMES
from endpoints.metrics.services import partitions
from endpoints.metrics.services.missed import mark_missed
from endpoints.metrics.services.rollups import roll_up
from endpoints.metrics.services.staging import COLUMNS, HOUR_OF

log = structlog.get_logger(__name__)

_DAY = timedelta(days=1)
# Whole hours around each window, as `retained.whole_hours` says. A kept minute that is there was written after its
# retention had ended, and is the newer one.
_COPY_KEPT = f"""
INSERT INTO metrics_kept_minute AS t ({COLUMNS})
SELECT DISTINCT {", ".join(f"m.{name}" for name in COLUMNS.split(", "))}
FROM metrics_keep k JOIN inventory_deployment d USING (endpoint_id)
JOIN metrics_minute m ON m.deployment_id = d.id
    AND m.minute >= {HOUR_OF.format("k.since")}
    AND m.minute < {HOUR_OF.format("k.until + interval '1 hour' - interval '1 microsecond'")}
    AND m.minute >= %(begins)s AND m.minute < %(ends)s
WHERE k.since < %(ends)s AND k.until > %(begins)s
ORDER BY m.deployment_id, m.minute
ON CONFLICT (deployment_id, minute) DO UPDATE
SET ({", ".join(NAMES)}) = ROW ({", ".join(f"COALESCE(t.{name}, EXCLUDED.{name})" for name in NAMES)})
"""  # noqa: S608 - names of columns
_COPY_KEPT_FIGURES = f"""
INSERT INTO metrics_kept_figure_minute (figure_id, deployment, minute, count, total)
SELECT DISTINCT m.figure_id, m.deployment, m.minute, m.count, m.total
FROM metrics_keep k JOIN metrics_figure f USING (endpoint_id)
JOIN metrics_figure_minute m ON m.figure_id = f.id
    AND m.minute >= {HOUR_OF.format("k.since")}
    AND m.minute < {HOUR_OF.format("k.until + interval '1 hour' - interval '1 microsecond'")}
    AND m.minute >= %(begins)s AND m.minute < %(ends)s
WHERE k.since < %(ends)s AND k.until > %(begins)s
ORDER BY m.figure_id, m.deployment, m.minute
ON CONFLICT (figure_id, deployment, minute) DO UPDATE SET (count, total) = (EXCLUDED.count, EXCLUDED.total)
"""  # noqa: S608 - an expression
_HOURS_DUE = "SELECT EXISTS (SELECT FROM metrics_dirty_hour WHERE hour >= %(begins)s AND hour < %(ends)s)"
_DAYS_DUE = "SELECT EXISTS (SELECT FROM metrics_dirty_day WHERE day >= %(begins)s AND day < %(ends)s)"


@dataclass(frozen=True, slots=True)
class Dropped:
    """`partitions` by name; `kept` minutes were copied out of them first; `postponed` wait for the next call."""

    partitions: tuple[str, ...] = ()
    postponed: tuple[str, ...] = ()
    kept: int = 0


def drop_old() -> Dropped:
    """Drop minutes and hours past their retention. Called again, it finds nothing to do."""
    now, config = db_now(), settings.OPSPORTAL
    first_day = retained.first_day_of_minutes(now, config.metrics_minute_days)
    first_month = retained.first_month_of_hours(now, config.metrics_hour_days)
    done: list[str] = []
    postponed: list[str] = []
    kept = 0
    for series, first, drop in (
        ("minute", first_day, _drop_day),
        ("figure_minute", first_day, _drop_day_of_figures),
        ("hour", first_month, _drop_month),
        ("packed_hour", first_month, _drop_packed),
    ):
        for name, begins in partitions.existing(series):
            if begins < first:
                copied = drop(begins)
                (postponed if copied is None else done).append(name)
                kept += copied or 0
    if done or postponed:
        log.info("metrics_dropped", partitions=done, postponed=postponed, kept=kept)
    return Dropped(tuple(done), tuple(postponed), kept)


def _drop_day(day: date) -> int | None:
    """Drop a day of minutes; how many were copied because they are kept, or None if it has to wait."""
    window = {"begins": retained.midnight(day), "ends": retained.midnight(day + _DAY)}
    mark_missed(window["begins"], window["ends"])
    while roll_up(until=window["ends"]):
        pass

    def copy_kept(cursor: Any) -> int | None:
        if _is_due(cursor, _HOURS_DUE, window):
            return None
        cursor.execute(_COPY_KEPT, window)
        return int(cursor.rowcount)

    return partitions.drop("minute", day, copy_kept)


def _drop_day_of_figures(day: date) -> int | None:
    """Drop a day of business figures; how many were copied because they are kept."""

    def copy_kept(cursor: Any) -> int:
        window = {"begins": retained.midnight(day), "ends": retained.midnight(day + _DAY)}
        cursor.execute(_COPY_KEPT_FIGURES, window)
        return int(cursor.rowcount)

    return partitions.drop("figure_minute", day, copy_kept)


def _drop_month(first: date) -> int | None:
    """Drop a month of hours, unless one of its days is still to be made from them."""
    window = {"begins": first, "ends": (first + 31 * _DAY).replace(day=1)}
    return partitions.drop("hour", first, lambda cursor: None if _is_due(cursor, _DAYS_DUE, window) else 0)


def _drop_packed(first: date) -> int | None:
    """Drop a month of packed hours: days that are still to be made have theirs unpacked."""
    return partitions.drop("packed_hour", first, lambda cursor: 0)


def _is_due(cursor: Any, question: str, window: dict[str, Any]) -> bool:
    cursor.execute(question, window)
    return bool(cursor.fetchone()[0])
