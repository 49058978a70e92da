"""From when on minutes and hours are kept, by the settings."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from endpoints.metrics import retained
from endpoints.metrics.windows import Grain, grain_for


def minutes_since(now: datetime) -> datetime:
    """From here on all minutes are kept; of those before, only kept windows."""
    return retained.midnight(retained.first_day_of_minutes(now, settings.OPSPORTAL.metrics_minute_days))


def hours_since(now: datetime) -> datetime:
    """From here on all hours are kept."""
    return retained.midnight(retained.first_month_of_hours(now, settings.OPSPORTAL.metrics_hour_days))


def finest_grain(since: datetime, until: datetime, now: datetime) -> Grain:
    """The grain in which a stretch is shown unless somebody asks for another."""
    return grain_for(since, until, minutes_since=minutes_since(now), hours_since=hours_since(now))
