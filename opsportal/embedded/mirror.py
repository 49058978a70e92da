"""What a starting stack asks of mirror and metrics: to be read now, not when the run before had planned it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import LiteralString

import psycopg
from psycopg import sql

_READ = ("inventory_sync_target", "metrics_collector")
_CLAIMED = (*_READ, "metrics_backfill")


def read_anew(owner_url: str, *, nobody_else: bool) -> None:
    """Make every workspace and every collector of metrics due, never before Azure's Retry-After.

    When `nobody_else` uses the database, what a killed worker had claimed for reading is free at once.
    """
    with psycopg.connect(owner_url) as session:
        _set(session, _READ, "due_at = greatest(now(), retry_at)")
        if nobody_else:
            _set(session, _CLAIMED, "claim = NULL, claimed_until = NULL")


def _set(session: psycopg.Connection, tables: Iterable[str], values: LiteralString) -> None:
    for table in tables:
        session.execute(sql.SQL("UPDATE {} SET ").format(sql.Identifier(table)) + sql.SQL(values))
