"""How well an endpoint can be seen, as one word and one sentence. Pure."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """What the newest reading found. Everything but FLOWING is unknown, never zero."""

    NONE_YET = "none-yet"  # never read, or Azure has not delivered any value so far
    FLOWING = "flowing"
    LATE = "late"  # there were values, and the newest is older than it should be
    THROTTLED = "throttled"
    FORBIDDEN = "forbidden"
    UNREADABLE = "unreadable"
    UNREACHABLE = "unreachable"
