"""Small shared vocabulary: JSON types, time stamps as Azure writes them, and deterministic chance."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]
Clock = Callable[[], datetime]

NO_TIME = "0001-01-01T00:00:00+00:00"  # what the service writes for "not ended yet"


def system_clock() -> datetime:
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """ISO 8601 with microseconds and offset, the form of `systemData` and of the world log."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


_DURATION = re.compile(r"PT(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?")


def seconds(duration: str | None, default: float) -> float:
    """`PT5S`, `PT1M30S`, `PT0.5S` as seconds."""
    found = _DURATION.fullmatch(duration or "")
    if found is None or not any(found.groups()):
        return default
    return 60 * int(found[1] or 0) + float(found[2] or 0)


def _digest(parts: tuple[object, ...]) -> bytes:
    return hashlib.blake2b("\x1f".join(map(str, parts)).encode(), digest_size=16).digest()


def chance(*parts: object) -> float:
    """A number in [0, 1) that depends on nothing but its arguments: the same seed tells the same story."""
    return int.from_bytes(_digest(parts)[:8], "big") / 2**64


def guid(*parts: object) -> str:
    """A GUID that depends on nothing but its arguments."""
    return str(uuid.UUID(bytes=_digest(parts), version=4))


def correlation_id(write: object) -> str:
    """How ARM's answer and the activity log name one request: by its operation, or its record's number."""
    return guid("correlation", write)


def new_guid() -> str:
    return str(uuid.uuid4())
