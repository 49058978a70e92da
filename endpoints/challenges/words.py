"""How facts write numbers, moments and certainties, so that a document has no float and one text each. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal


def decimal(value: float | None, places: int = 6) -> str | None:
    """A decimal as text, without exponent and needless zeros: 1094.0 is "1094"; None stays unknown."""
    if value is None:
        return None
    text = format(round(Decimal(repr(float(value))), places), "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def moment(at: datetime) -> str:
    """UTC with Z, to the microsecond: 2026-11-23T07:14:22.481000Z."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def clock(at: datetime, *, fine: bool = False) -> str:
    """For sentences: 2026-11-23 07:14:22 UTC; `fine`: with milliseconds."""
    utc = at.astimezone(UTC)
    millis = f".{utc.microsecond // 1000:03}" if fine else ""
    return f"{utc:%Y-%m-%d %H:%M:%S}{millis} UTC"


def length(seconds: float) -> str:
    """A span in one unit: "212 ms", "40 s", "12 min", "5 h", "3 d"."""
    if seconds < 1:
        return f"{int(seconds * 1000)} ms"
    for size, unit, most in ((1, "s", 120), (60, "min", 7200), (3600, "h", 172_800)):
        if seconds < most:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds // 86_400)} d"
