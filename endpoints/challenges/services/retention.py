"""Drop records of requests that are past their time, by whole months, once what cases and holds need was copied.

A month goes in one transaction with its copies and its ledger entry, with the table locked against writers. What is
locked by somebody else waits for the next call. A hold that was asked for keeps records before anybody agreed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import OperationalError, connection, transaction
from psycopg.errors import LockNotAvailable

from endpoints.audit.actors import Actor
from endpoints.audit.services import record
from endpoints.challenges import ids
from endpoints.challenges.bounds import first_day
from endpoints.challenges.copytext import COLUMNS
from endpoints.challenges.models import Case
from endpoints.challenges.services.stored import make_partitions
from endpoints.core.ids import ref
from endpoints.dispatch import db_now

log = structlog.get_logger(__name__)

SYSTEM = Actor("system:challenges", "system")
_TABLE = "challenges_prediction"
# Enough of them to meet the next month once.
_DAYS_AHEAD = (0, 31)
_NAMES = ", ".join(COLUMNS)
_OWN = ", ".join(f"p.{name}" for name in COLUMNS)
_PARTITIONS = """
SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = %s::regclass ORDER BY c.relname
"""
_COUNT = "SELECT count(*) FROM challenges_prediction WHERE day >= %(begins)s AND day < %(ends)s"
_OF_CASES = "challenges_case c WHERE c.endpoint_id = p.endpoint_id AND c.key = p.key AND c.day = p.day"
_OF_HOLDS = """
challenges_legal_hold h WHERE h.ended_at IS NULL AND h.endpoint_id = p.endpoint_id AND p.at BETWEEN h.since AND h.until
"""
# Of cases in which nobody chose a record yet: whatever has the id that was given.
_OF_IDS = """
unnest(%(workspaces)s::bigint[], %(requests)s::text[], %(clients)s::text[]) AS w (workspace_id, request_id, client_id)
JOIN inventory_endpoint e USING (workspace_id)
WHERE e.id = p.endpoint_id AND p.{column} = w.{column} AND p.{column} <> ''
"""
_NEEDED = (_OF_CASES, _OF_HOLDS, _OF_IDS.format(column="request_id"), _OF_IDS.format(column="client_id"))
_KEEP = f"""
INSERT INTO challenges_kept_prediction ({_NAMES})
SELECT DISTINCT ON (p.endpoint_id, p.key, p.day) {_OWN} FROM challenges_prediction p, {{needed}}
AND p.day >= %(begins)s AND p.day < %(ends)s
ON CONFLICT (endpoint_id, key, day) DO NOTHING
"""  # noqa: S608 - names of columns
_RELEASE = "DELETE FROM challenges_kept_prediction p WHERE " + " AND ".join(  # noqa: S608 - as above
    f"NOT EXISTS (SELECT FROM {needed})" for needed in _NEEDED
)


@dataclass(frozen=True, slots=True)
class Dropped:
    """`months` by their first day; `records` of them are gone, `kept` were copied, `postponed` months wait.

    `released`: kept ones that no case and no hold needs any more.
    """

    months: tuple[date, ...] = ()
    records: int = 0
    kept: int = 0
    postponed: tuple[date, ...] = ()
    released: int = 0


def make_ahead() -> None:
    """The partitions of this month and the next."""
    today = db_now().astimezone(UTC).date()
    make_partitions(today + timedelta(days=ahead) for ahead in _DAYS_AHEAD)


def drop_old() -> Dropped:
    """Drop the months that are past retention, and release what was kept and nobody needs."""
    oldest = first_day(db_now(), settings.OPSPORTAL.prediction_days)
    months, postponed, records, kept = [], [], 0, 0
    for begins in _existing():
        if begins >= oldest:
            continue
        done = _drop(begins)
        if done is None:
            postponed.append(begins)
        else:
            months.append(begins)
            records, kept = records + done[0] - done[1], kept + done[1]
    found = Dropped(tuple(months), records, kept, tuple(postponed), _release())
    if found != Dropped():
        log.info(
            "predictions_dropped", months=months, postponed=postponed, kept=kept, released=found.released
        )
    return found


def _existing() -> list[date]:
    """The first day of each month that has a partition, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(_PARTITIONS, [_TABLE])
        digits = [str(row[0]).rpartition("_")[2] for row in cursor.fetchall()]
    return [datetime.strptime(each, "%Y%m").replace(tzinfo=UTC).date() for each in digits]


def _drop(begins: date) -> tuple[int, int] | None:
    """How many records the month had, and how many of them are kept; None when somebody else kept it locked."""
    values = {"begins": begins, "ends": (begins + timedelta(days=31)).replace(day=1)}
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE ONLY {_TABLE} IN ACCESS EXCLUSIVE MODE")
            cursor.execute(_COUNT, values)
            records = int(cursor.fetchone()[0])
            kept = _keep(cursor, values)
            cursor.execute("SELECT challenges_drop_partition(%s)", [begins])
            record(
                actor=SYSTEM,
                action="predictions.dropped",
                subject=ref("month", f"{begins:%Y-%m}"),
                after={"records": records - kept, "kept": kept},
            )
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            return None
        raise
    return records, kept


def _keep(cursor: Any, values: dict[str, Any]) -> int:
    wanted = values | _open_ids()
    kept = 0
    for needed in _NEEDED:
        cursor.execute(_KEEP.format(needed=needed), wanted)
        kept += int(cursor.rowcount)
    return kept


@transaction.atomic
def _release() -> int:
    with connection.cursor() as cursor:
        cursor.execute(_RELEASE, _open_ids())
        released = int(cursor.rowcount)
    if released:
        record(
            actor=SYSTEM,
            action="predictions.released",
            subject=ref("month", f"{db_now().astimezone(UTC):%Y-%m}"),
            after={"records": released},
        )
    return released


def _open_ids() -> dict[str, list[Any]]:
    """The ids that cases without a chosen record were raised with, in both forms, with their workspaces."""
    found = Case.objects.filter(key="", closed_at=None).exclude(asked_id="")
    rows = list(found.values_list("workspace_id", "asked_id"))
    return {
        "workspaces": [workspace_id for workspace_id, _ in rows],
        "requests": [ids.request_id(asked) for _, asked in rows],
        "clients": [ids.client_id(asked) for _, asked in rows],
    }
