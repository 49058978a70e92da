"""The fleet page and the API's list at 10,000 endpoints, beside the raw SQL that fetches the same rows.

The yardstick runs, without Django, the very statements that the page's or the list's rows, counts and workspaces
come from, and writes the rows as strings. Both sides take turns, so that a machine whose speed drifts slows both.
"""

from __future__ import annotations

import gzip
import html
import json
import statistics
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from bench import browser_charts, stage
from bench.crowd import crowd
from bench.figures import Figure

if TYPE_CHECKING:
    from django.test import Client

    from tests.support.databases import Database

ENDPOINTS, ROUNDS = 10_000, 31
FILTERED = "/fleet?q=endpoint-0+!checkout&state=warn"
LIST = "/api/v1/endpoints?limit=50"
# Who asks, before any row is fetched: no part of the yardstick.
_IDENTITY = ("django_session", "powers_read_at")


def measure() -> list[Figure]:
    stage.prepare()
    with stage.database() as database:
        client = _populate(database)
        first, last = "/fleet", _last_page(client)
        found = [
            _beside_sql("fleet page", client, first, of=2.5, write=_as_html),
            _beside_sql("fleet page, filtered", client, FILTERED, of=2.5, write=_as_html),
            _paired(
                "last page beside the first", lambda: client.get(last), lambda: client.get(first), of=1.2
            ),
            Figure(name="queries of the fleet page", value=len(_queries(client, first)), bar=6, unit=""),
            _beside_sql("API list of 50", client, LIST, of=2.0, write=_as_json),
            Figure(name="fleet page, gzipped", value=_kibibytes(client, first), bar=100, unit="KiB"),
        ]
    return [*found, *browser_charts.figures()]


def _populate(database: Database) -> Client:
    import psycopg

    from endpoints.changes.models import Executor
    from endpoints.dispatch import db_now
    from tests.support.people import browser

    who = crowd(ENDPOINTS)
    Executor.objects.create(name="bench", started_at=db_now(), beat_at=db_now())
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        owner.execute("VACUUM ANALYZE")  # as autovacuum would have done by the time anybody looks
    return browser(who.reader)


def _beside_sql(
    name: str, client: Client, address: str, *, of: float, write: Callable[[list[Any]], str]
) -> Figure:
    from django.db import connection

    statements = [sql for sql in _queries(client, address) if not any(mark in sql for mark in _IDENTITY)]
    raw = connection.connection

    def yardstick() -> None:
        # A cursor of psycopg's own: Django's costs are the page's, not the yardstick's.
        write([row for sql in statements for row in raw.execute(sql.replace("%", "%%"), ()).fetchall()])

    return _paired(name, lambda: client.get(address), yardstick, of=of)


def _paired(name: str, ours: Callable[[], Any], yardstick: Callable[[], Any], *, of: float) -> Figure:
    """The medians of both in turns, in milliseconds."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for side, run in zip(times, (ours, yardstick), strict=True):
            began = time.perf_counter()
            run()
            side.append(1000 * (time.perf_counter() - began))
    value, measure = (statistics.median(side[1:]) for side in times)
    return Figure(name=name, value=value, yardstick=measure, bar=of, of_yardstick=True, unit="ms")


def _queries(client: Client, address: str) -> list[str]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client.get(address)
    with CaptureQueriesContext(connection) as caught:
        answer = client.get(address)
    if answer.status_code != 200:
        raise RuntimeError(f"{address} was answered with {answer.status_code}")
    return [query["sql"] for query in caught.captured_queries]


def _last_page(client: Client) -> str:
    """The page before which all others lie, found by walking the API's list."""
    address, before = "/api/v1/endpoints?limit=50", ""
    while address:
        answer = client.get(address).json()
        before, address = address, answer["next"]
    return before.replace("/api/v1/endpoints?", "/fleet?").replace("cursor=", "after=")


def _kibibytes(client: Client, address: str) -> float:
    return len(gzip.compress(client.get(address).content, 6)) / 1024


def _as_html(rows: list[Any]) -> str:
    return "<table>" + "".join(f"<tr>{_cells(row)}</tr>" for row in rows) + "</table>"


def _cells(row: Iterable[Any]) -> str:
    return "".join(f"<td>{html.escape(str(value))}</td>" for value in row)


def _as_json(rows: list[Any]) -> str:
    return json.dumps(rows, default=str)
