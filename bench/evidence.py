"""Passports beside a long past: 5 M records of requests and 1 M revisions, then one request after another.

A fifth of the records are of one endpoint, so that the day among which a confidence is placed is a busy one. The
yardstick is a single indexed read of one record in the same run.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg

from bench import minutes, stage
from bench.evidence_seed import seed
from bench.figures import Figure

if TYPE_CHECKING:
    from endpoints.challenges.seen import SeenRow
    from tests.support.databases import Database

WARM_UP = 20


def measure(records: float = 5e6, revisions: float = 1e6, runs: float = 300) -> list[Figure]:
    stage.prepare()
    with stage.database() as database, _owner(database) as owner:
        began = time.perf_counter()
        seed(owner, int(records), int(revisions), minutes.VALUES)
        sys.stdout.write(
            f"seeded {int(records):,} records and {int(revisions):,} revisions in {time.perf_counter() - began:.0f} s\n"
        )
        busy, others = _asked(owner, int(runs))
        return _figures(busy, others)


def _figures(busy: list[str], others: list[str]) -> list[Figure]:
    from django.db import connection

    from endpoints.challenges.selectors import lookup
    from endpoints.challenges.selectors.passport import passport_of

    def found(asked: str) -> SeenRow:
        (row,) = lookup(asked, workspace_ids=None).found
        return row

    def one_read(asked: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT * FROM challenges_prediction WHERE request_id = %s AND request_id <> ''", [asked]
            )
            cursor.fetchall()

    def known_then(asked: str) -> None:
        row = found(asked)
        passport_of(row, known=row.log_known_at)

    def passport(asked: str) -> None:
        passport_of(found(asked))

    yardstick = _p95(one_read, others)
    told = (
        ("passport of a request, p95", others, passport, 50.0),
        ("of one on a busy day, p95", busy, passport, 50.0),
        ("as known then and now, p95", others, known_then, 100.0),
    )
    return [
        Figure(name=name, value=_p95(act, asked), bar=bar, unit="ms", yardstick=yardstick)
        for name, asked, act, bar in told
    ]


def _p95(act: Callable[[str], Any], asked: list[str]) -> float:
    """Milliseconds; every id is another request."""
    for one in asked[:WARM_UP]:
        act(one)
    spent, worked = [], time.process_time()
    for one in asked[WARM_UP:]:
        began = time.perf_counter()
        act(one)
        spent.append(1000 * (time.perf_counter() - began))
    each = 1000 * (time.process_time() - worked) / len(spent)
    sys.stdout.write(
        f"{act.__name__}: median {statistics.median(spent):.1f} ms, {each:.1f} ms of this process's own time each\n"
    )
    return sorted(spent)[int(0.95 * len(spent))]


def _asked(owner: psycopg.Connection, runs: int) -> tuple[list[str], list[str]]:
    """Ids of requests of the busy endpoint, and of all others, from any time of the past."""
    chance = random.Random(7)
    found = []
    for condition in ("endpoint_id = 1", "endpoint_id <> 1"):
        rows = owner.execute(
            f"SELECT request_id FROM challenges_prediction TABLESAMPLE SYSTEM (1) WHERE {condition}"
        ).fetchall()
        found.append([row[0] for row in chance.sample(sorted(rows), runs + WARM_UP)])
    return found[0], found[1]


@contextmanager
def _owner(database: Database) -> Iterator[psycopg.Connection]:
    """Bulk rows and indexes are the owner's, and may take their time."""
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        owner.execute("SET maintenance_work_mem = '512MB'")
        owner.execute("SET synchronous_commit = off")
        owner.execute("SELECT setseed(0.5)")
        yield owner
