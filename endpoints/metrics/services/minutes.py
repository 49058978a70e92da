"""Store minutes: many at once, as often as they come, and nothing known is ever lost to an unknown.

Whole minutes are read from Azure again and again, because it fills them in late and revises them. Rows come by
COPY into a temporary table and from there by one upsert, which writes only what says something new and marks the
hours of just those rows as due for a rollup. Rows and marks are locked in the order of their keys, so that two
writers of the same minutes wait for each other instead of dying.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice

from django.conf import settings

from endpoints.dispatch import db_now
from endpoints.metrics import retained
from endpoints.metrics.copyformat import encoded
from endpoints.metrics.points import DAY, MinuteRow, says_something, unique
from endpoints.metrics.services import partitions, staging

# Long enough to be worth the round trips, and so short that a batch holds its locks for half a second.
_BATCH = 50_000
# A minute that has not begun can't have been measured; clocks differ by less than this.
_SKEW = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Written:
    """What came of some rows. `rows` were taken (two of one minute are one), `changed` of them brought something new.

    `refused` were not stored: older than minutes are kept and in no kept window, in the future, or without any value.
    """

    rows: int = 0
    changed: int = 0
    refused: int = 0

    def __add__(self, other: Written) -> Written:
        return Written(self.rows + other.rows, self.changed + other.changed, self.refused + other.refused)


@dataclass(frozen=True, slots=True)
class _Batch:
    """Rows ready to be sent. `days` are those of which minutes are kept; `old` says that there are older ones."""

    encoded: bytes
    rows: int
    refused: int
    days: frozenset[date]
    old: int


def write_minutes(rows: Iterable[MinuteRow]) -> Written:
    """Store minutes within their retention or a kept window; their hours become due for a rollup.

    Every batch is a transaction of its own: what an error leaves out can be written again as a whole.
    """
    now = db_now()
    oldest = retained.midnight(retained.first_day_of_minutes(now, settings.OPSPORTAL.metrics_minute_days))
    total = Written()
    for batch in _batches(rows, oldest, now + _SKEW):
        total += _store(batch, oldest)
    return total


def _store(batch: _Batch, oldest: datetime) -> Written:
    if not batch.rows:
        return Written(refused=batch.refused)
    partitions.make("minute", batch.days)
    with staging.staged(batch.encoded):
        changed = staging.store_minutes(oldest)
        kept, kept_changed = staging.store_kept(oldest) if batch.old else (0, 0)
    return Written(batch.rows - batch.old + kept, changed + kept_changed, batch.refused + batch.old - kept)


def _batches(rows: Iterable[MinuteRow], oldest: datetime, newest: datetime) -> Iterator[_Batch]:
    """The batches, each made in a thread of its own while the database works on the one before."""
    remaining = iter(rows)
    coming: Future[_Batch] | None = None
    bounds = int(oldest.timestamp()), int(newest.timestamp())
    with ThreadPoolExecutor(1) as maker:
        # Rows are drawn here and not in the thread: who makes them may need this thread's database connection.
        while taken := list(islice(remaining, _BATCH)):
            ready, coming = coming, maker.submit(_batch, taken, *bounds)
            if ready:
                yield ready.result()
        if coming:
            yield coming.result()


def _batch(rows: list[MinuteRow], oldest: int, newest: int) -> _Batch:
    distinct = unique(rows)
    wanted = {key: values for key, values in distinct.items() if key[1] <= newest and says_something(values)}
    minutes = {minute for _, minute in wanted}
    days = {minute // DAY for minute in minutes if minute >= oldest}
    return _Batch(
        encoded=encoded(sorted(wanted.items())),
        rows=len(wanted),
        refused=len(distinct) - len(wanted),
        days=frozenset(datetime.fromtimestamp(day * DAY, UTC).date() for day in days),
        old=sum(1 for _, minute in wanted if minute < oldest),
    )
