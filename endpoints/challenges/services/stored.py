"""Find the records that words may be about, and store what became of them: many at once, by COPY and set-based SQL.

Whoever takes words of an endpoint holds its lock until the end of the transaction, so that two of them never begin two
records of one request.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any

from django.db import connection

from endpoints.challenges.copytext import COLUMNS, decoded, encoded
from endpoints.challenges.merge import KEYS_LOOKED_AT, MOST_NEAR, NEAR, Book, Merged, possible_keys
from endpoints.challenges.recorded import Record

_DAY = timedelta(days=1)
_PIECE = 1 << 18
_ADDRESS = 3  # the first columns
_NAMES = ", ".join(COLUMNS)
_SAID = tuple(name for name in COLUMNS if name not in ("day", "endpoint_id", "key"))
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('challenges.take:' || %s::text, 0))"
_PARTITION = "SELECT challenges_make_partition(%s)"

# The LIMIT keeps the planner from joining whole months, and what a client uses for everything from being read whole.
_FIND = f"""
SELECT {", ".join(f"p.{name}" for name in COLUMNS)} FROM unnest({{wanted}}) AS w ({{names}})
CROSS JOIN LATERAL (
    SELECT * FROM challenges_prediction p
    WHERE {{which}} AND p.day BETWEEN %(first)s AND %(last)s LIMIT {MOST_NEAR + 1}) p
"""  # noqa: S608 - names of columns
# "+ 0" keeps the endpoint out of the choice of the index: the key's begins with it, and would be read whole.
_BY_REQUEST = _FIND.format(
    wanted="%(endpoints)s::bigint[], %(ids)s::text[], %(days)s::date[]",
    names="e, id, d",
    which="p.request_id = w.id AND p.request_id <> '' AND p.endpoint_id + 0 = w.e"
    " AND p.day BETWEEN w.d - 1 AND w.d + 1",
)
_BY_CLIENT = _FIND.format(
    wanted="%(endpoints)s::bigint[], %(ids)s::text[], %(times)s::timestamptz[]",
    names="e, id, t",
    which="p.client_id = w.id AND p.client_id <> '' AND p.endpoint_id + 0 = w.e"
    " AND p.at BETWEEN w.t - %(near)s AND w.t + %(near)s",
)
_BY_KEY = _FIND.format(
    wanted="%(endpoints)s::bigint[], %(ids)s::text[], %(days)s::date[]",
    names="e, id, d",
    which="p.endpoint_id = w.e AND p.day = w.d AND p.key = w.id",
)
_COPY = f"COPY {{table}} ({_NAMES}) FROM STDIN"
_STAGE = (
    "CREATE TEMPORARY TABLE challenges_staging ON COMMIT DROP AS TABLE challenges_prediction WITH NO DATA"
)
_UPDATE = f"""
UPDATE challenges_prediction p SET ({", ".join(_SAID)}) = ROW ({", ".join(f"s.{name}" for name in _SAID)})
FROM pg_temp.challenges_staging s
WHERE p.endpoint_id = s.endpoint_id AND p.key = s.key AND p.day = s.day AND p.day BETWEEN %(first)s AND %(last)s
"""  # noqa: S608
# A mark that is there is locked, although it stays as it is: whoever would take it must not miss our rows.
_MARK = """
INSERT INTO challenges_dirty_minute AS t (endpoint_id, minute)
SELECT DISTINCT * FROM unnest(%s::bigint[], %s::timestamptz[]) AS v (e, m) ORDER BY 1, 2
ON CONFLICT (endpoint_id, minute) DO UPDATE SET minute = EXCLUDED.minute WHERE false
"""


@contextmanager
def by_index() -> Iterator[None]:
    """Look rows up in indexes: of a month that just began the database knows no size, and would read all of it."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        yield
        cursor.execute("SET LOCAL enable_seqscan = on")


def lock(endpoint_ids: Iterable[int]) -> None:
    """One at a time for each endpoint, until the transaction ends."""
    with connection.cursor() as cursor:
        for endpoint_id in sorted(set(endpoint_ids)):
            cursor.execute(_LOCK, [endpoint_id])


def make_partitions(days: Iterable[date]) -> None:
    """The months that hold these days."""
    with connection.cursor() as cursor:
        for month in sorted({day.replace(day=1) for day in days}):
            cursor.execute(_PARTITION, [month])


def book_for(records: Sequence[Record]) -> Book:
    """What is stored of the requests that these words may be about. Two or three queries."""
    days = [record.at.date() for record in records]
    span = {"first": min(days) - _DAY, "last": max(days) + _DAY}
    book = Book()
    _read(book, _BY_REQUEST, span, [(one, one.request_id) for one in records if one.request_id])
    others = [record for record in records if record.client_id and not book.knows(record)]
    _read(book, _BY_CLIENT, span | {"near": NEAR}, [(one, one.client_id) for one in others])
    nameless = [one for one in others if not one.request_id]
    _read(
        book,
        _BY_KEY,
        span,
        [(one, key) for one in nameless for key in islice(possible_keys(one), KEYS_LOOKED_AT)],
    )
    return book


def store(rows: Sequence[Merged]) -> None:
    """Write new records, and what changed of others."""
    new = [row for row in rows if row.is_new]
    changed = [row for row in rows if row.is_changed and not row.is_new]
    with connection.cursor() as cursor:
        if new:
            _copy(cursor, "challenges_prediction", new)
        if changed:
            cursor.execute(_STAGE)
            _copy(cursor, "pg_temp.challenges_staging", changed)
            days = [row.day for row in changed]
            cursor.execute(_UPDATE, {"first": min(days), "last": max(days)})
            # At once, for whoever takes more within a larger transaction.
            cursor.execute("DROP TABLE pg_temp.challenges_staging")


def mark(minutes: Iterable[tuple[int, datetime]]) -> None:
    """Say that minutes of endpoints must be counted anew."""
    distinct = sorted(set(minutes))
    if distinct:
        with connection.cursor() as cursor:
            cursor.execute(_MARK, [[one[0] for one in distinct], [one[1] for one in distinct]])


def _read(book: Book, statement: str, span: dict[str, Any], wanted: Sequence[tuple[Record, str]]) -> None:
    if not wanted:
        return
    values = span | {
        "endpoints": [record.endpoint_id for record, _ in wanted],
        "ids": [known for _, known in wanted],
        "days": [record.at.date() for record, _ in wanted],
        "times": [record.at for record, _ in wanted],
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        # Two words may find one record: reading it out costs more than finding it.
        found = {row[:_ADDRESS]: row for row in cursor.fetchall()}
    for row in found.values():
        book.add(decoded(row))


def _copy(cursor: Any, table: str, rows: Sequence[Merged]) -> None:
    with cursor.copy(_COPY.format(table=table)) as copy:
        for piece in _pieces(encoded(rows)):
            copy.write(piece)


def _pieces(text: bytes) -> Iterator[bytes]:
    return (text[start : start + _PIECE] for start in range(0, len(text), _PIECE))
