"""How one answer shows moments: in whose zone, and what "now" is. Set once per request, read by filters.

A context variable, because macros are imported without the page's context and charts come later without one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


@dataclass(frozen=True, slots=True)
class Display:
    """`zone` is the one shown, `home` the person's own; both are UTC for who has set none."""

    zone: ZoneInfo
    home: ZoneInfo
    now: datetime | None = None

    def moment(self) -> datetime:
        """The answer's own "now": one for the page, so that two ages of one moment agree."""
        return self.now or datetime.now(UTC)


UTC_ZONE = ZoneInfo("UTC")
_NOBODYS = Display(UTC_ZONE, UTC_ZONE)
_current: ContextVar[Display] = ContextVar("display")


def current() -> Display:
    return _current.get(_NOBODYS)


@contextmanager
def showing(display: Display) -> Iterator[None]:
    """Everything rendered inside shows moments as `display` says."""
    token = _current.set(display)
    try:
        yield
    finally:
        _current.reset(token)


def zone_named(name: str) -> ZoneInfo:
    """The named zone; UTC for a name that this machine does not know."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC_ZONE
