"""From when on minutes and hours are still there, and which minutes a kept window really covers. Pure, all in UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

HOUR = timedelta(hours=1)


def first_day_of_minutes(now: datetime, days: int) -> date:
    """The oldest UTC day whose minutes are all kept: partitions are days, and go as a whole."""
    return (now.astimezone(UTC) - timedelta(days=days)).date()


def first_month_of_hours(now: datetime, days: int) -> date:
    """The first day of the oldest month whose hours are all kept."""
    return (now.astimezone(UTC) - timedelta(days=days)).date().replace(day=1)


def midnight(day: date) -> datetime:
    """When a UTC day begins."""
    return datetime.combine(day, time(), tzinfo=UTC)


def whole_hours(since: datetime, until: datetime) -> tuple[datetime, datetime]:
    """The whole hours around a window.

    Kept minutes are kept by the hour: a late correction of one can then make its hour anew from all sixty.
    """
    begins = hour_of(since)
    ends = hour_of(until)
    return begins, ends if ends == until else ends + HOUR


def hour_of(moment: datetime) -> datetime:
    """When the hour that holds a moment begins."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
