"""Freezes, stops and entries for tests, made by the services that make them in production."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from endpoints.access.models import User
from endpoints.audit.models import Entry
from endpoints.dispatch import db_now
from endpoints.holds.calendar import Schedule
from endpoints.holds.models import Freeze
from endpoints.holds.scope import Scope
from endpoints.holds.services import make_freeze, stop_the_line
from tests.support.people import principal


def shown(text: str) -> datetime:
    """What a clock shows."""
    return datetime.fromisoformat(text)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def around(hours_before: float = 1, hours_after: float = 1, rule: str = "") -> Schedule:
    """A stretch around now, on the clock of UTC."""
    now = db_now().replace(tzinfo=None, microsecond=0)
    first, last = now - timedelta(hours=hours_before), now + timedelta(hours=hours_after)
    return Schedule("UTC", first, last, rule)


def ahead(hours: float = 24, length: float = 2) -> Schedule:
    """A stretch that begins in so many hours."""
    return around(-hours, hours + length)


def freeze(user: User, scope: Scope | None = None, schedule: Schedule | None = None, **more: Any) -> Freeze:
    number = make_freeze(
        principal=principal(user),
        scope=scope or Scope(),
        schedule=schedule or around(),
        **{"title": "Holidays", "reason": "Nobody is here.", **more},
    )
    return Freeze.objects.get(pk=number)


def stop(user: User, **where: int) -> int:
    return stop_the_line(principal=principal(user), reason="It burns.", **where).stop_id


def last_entry(action: str) -> Entry:
    return Entry.objects.filter(action=action).latest("seq")
