"""Make hours out of minutes, and days out of hours."""

from __future__ import annotations

from collections.abc import Iterable

from endpoints.metrics.points import MinuteRow


def roll_up(limit: int = 20_000) -> int:
    """Make up to `limit` of the hours that are due, and the days that they belong to; how many hours were made."""
    raise NotImplementedError


def roll_up_all() -> int:
    """Make all hours that are due, for as long as one task may take."""
    raise NotImplementedError


def find_missed_hours() -> int:
    """Make due every hour that has minutes and neither a rollup nor a mark; how many there were."""
    raise NotImplementedError


def write_hours(rows: Iterable[MinuteRow]) -> int:
    """Roll minutes that are older than their retention straight into hours; how many hours changed.

    Give whole hours: an hour that was made from more minutes stays as it is. Minutes in a kept window are stored.
    """
    raise NotImplementedError
