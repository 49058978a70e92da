"""The clock that decides: PostgreSQL's, one for all processes."""

from __future__ import annotations

from datetime import datetime

from django.db import connection


def db_now() -> datetime:
    """`clock_timestamp()` as aware UTC: real time, also within a long transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        row = cursor.fetchone()
    moment: datetime = row[0]
    return moment
