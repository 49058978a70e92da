"""How far an endpoint's minutes can be read by now, and why no further: lag and trouble are two things. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from endpoints.metrics.lag import MINUTE, floored
from endpoints.metrics.telemetry import State

# Azure still fills in a minute for so long after it is over.
SETTLED = timedelta(minutes=4)
# When the newest value is older than this, something holds it up.
LATE_AFTER = timedelta(minutes=15)
# When nobody has read for so long, or for three readings that were due, the present is not seen.
STALE_AFTER = timedelta(minutes=5)
_TROUBLES = (State.FORBIDDEN, State.UNREADABLE, State.UNREACHABLE, State.THROTTLED)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is on record of an endpoint's readings. `told`: its newest minute whose requests are known.

    `newest`: the newest one of which anything is. `read_at`: when it was read last without trouble, in a reading that
    began at `began_at`. The rest is the collector's.
    """

    now: datetime
    state: State = State.NONE_YET
    reason: str = ""
    newest: datetime | None = None
    told: datetime | None = None
    read_at: datetime | None = None
    began_at: datetime | None = None
    cadence_seconds: float | None = None
    failures: int = 0
    retry_at: datetime | None = None
    error_code: str = ""


@dataclass(frozen=True, slots=True)
class Reach:
    """As `selectors.GateMinutes` says."""

    read_until: datetime | None
    settled_until: datetime | None
    waiting: str = ""
    unreadable: str = ""


def reach(facts: Facts, until: datetime) -> Reach:
    """How far a stretch that ends at `until` is there."""
    newest = facts.told or facts.newest
    read_until = None if newest is None else min(floored(until), newest + MINUTE)
    settled_until = _settled(facts, read_until)
    if read_until is not None and read_until >= floored(until):
        return Reach(read_until, settled_until)
    return Reach(read_until, settled_until, _waiting(read_until), _unreadable(facts, newest))


def _settled(facts: Facts, read_until: datetime | None) -> datetime | None:
    if read_until is None or facts.read_at is None:
        return None
    began = min(facts.read_at, facts.began_at or facts.read_at)
    return min(read_until, floored(began - SETTLED))


def _waiting(read_until: datetime | None) -> str:
    if read_until is None:
        return "Azure has not delivered any value so far."
    return f"Azure has told of minutes up to {_clock(read_until)}."


def _unreadable(facts: Facts, newest: datetime | None) -> str:
    if facts.read_at is None:
        return facts.reason or "No metric of it was read yet."
    if facts.state in _TROUBLES:
        return facts.reason or f"Its metrics are {facts.state}."
    if facts.now - facts.read_at > max(STALE_AFTER, timedelta(seconds=3 * (facts.cadence_seconds or 0))):
        minutes = int((facts.now - facts.read_at).total_seconds()) // 60
        return f"Metrics were last read {minutes} minutes ago. {_who(facts)}"
    if newest is not None and facts.now - newest > LATE_AFTER:
        return f"Azure delivers nothing newer than {_clock(newest)}."
    return ""


def _who(facts: Facts) -> str:
    """What keeps the collector from reading, as far as it is known."""
    if facts.retry_at is not None and facts.retry_at > facts.now:
        return f"Azure Monitor lets nobody read before {_clock(facts.retry_at)}."
    if facts.failures:
        code = f" ({facts.error_code})" if facts.error_code else ""
        return f"The last {facts.failures} readings failed{code}."
    return "Nobody reads them: the worker may be stopped."


def _clock(moment: datetime) -> str:
    return f"{moment:%H:%M}\u00a0UTC"
