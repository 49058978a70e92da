"""What a starting stack asks of the mirror: to be read now, not when the run before had planned it."""

from __future__ import annotations

import psycopg


def read_anew(owner_url: str, *, nobody_else: bool) -> None:
    """Make every workspace due, never before Azure's Retry-After.

    When `nobody_else` uses the database, what a killed worker had claimed for reading is free at once.
    """
    with psycopg.connect(owner_url) as session:
        session.execute("UPDATE inventory_sync_target SET due_at = greatest(now(), retry_at)")
        if nobody_else:
            session.execute("UPDATE inventory_sync_target SET claim = NULL, claimed_until = NULL")
