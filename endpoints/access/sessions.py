"""When a browser session ends: after 30 idle minutes, and after 8 hours in any case.

Works on the session's mapping, so that the edge that owns requests calls it: `begin` at login, `ended` on
each request. Disabling an account or changing its password ends its sessions too, through the session hash.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=8)
_SEEN_EVERY = timedelta(minutes=1)  # one write of the session a minute is enough to know that it is used

_BEGAN, _SEEN = "access_began", "access_seen"


def begin(session: MutableMapping[str, Any], now: datetime) -> None:
    """Start both clocks. The caller has just logged in, which gave the session a new key."""
    session[_BEGAN] = session[_SEEN] = now.timestamp()


def ended(session: MutableMapping[str, Any], now: datetime) -> Literal["", "idle", "absolute", "unknown"]:
    """Why the session is over, or "". A session without clocks was not begun here: it is over too."""
    began, seen = _moment(session, _BEGAN), _moment(session, _SEEN)
    if began is None or seen is None:
        return "unknown"
    if now - began >= ABSOLUTE:
        return "absolute"
    if now - seen >= IDLE:
        return "idle"
    if now - seen >= _SEEN_EVERY:
        session[_SEEN] = now.timestamp()
    return ""


def _moment(session: MutableMapping[str, Any], key: str) -> datetime | None:
    value = session.get(key)
    return datetime.fromtimestamp(value, UTC) if isinstance(value, int | float) else None
