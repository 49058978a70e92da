"""Make partitions before they are needed. The owner's functions do it: the runtime role may only ask."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, timedelta

from django.db import connection

from endpoints.dispatch import db_now

_DAYS_AHEAD = 3
# On which days a partition may be missing: enough of them to meet each month, or year, once.
_AHEAD = {"minute": range(_DAYS_AHEAD + 1), "hour": (0, 31), "day": (0, 366)}


def make_ahead() -> None:
    """Partitions of the three series for now and the days to come. Those that are there stay as they are."""
    today = db_now().astimezone(UTC).date()
    for series, days in _AHEAD.items():
        make(series, (today + timedelta(days=ahead) for ahead in days))


def make(series: str, days: Iterable[date]) -> None:
    """The partitions that hold these days. `series` is "minute", "hour" or "day"."""
    with connection.cursor() as cursor:
        # Sorted: two who make the same ones wait for each other in the same order.
        for day in sorted(set(days)):
            cursor.execute("SELECT metrics_make_partition(%s, %s)", [series, day])
