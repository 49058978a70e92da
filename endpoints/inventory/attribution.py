"""Who it was: holds a drift against what Azure's activity log has of its resource. Pure.

The log says who wrote, when and with what end, not what was written. So a write in the time of a drift is a candidate,
never a proof: one, several and none are told apart, and a write of the portal's own is not counted. Azure fills the log
in 3 to 20 minutes late; until then an answer is an answer so far.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from endpoints.azure_gateway.records import ActivityRecord
from endpoints.core.ids import arm_key

ENDPOINT, DEPLOYMENT = "onlineendpoints", "onlineendpoints/deployments"
TOLERANCE = timedelta(minutes=2)
"""How far Azure's clocks and ours, and the log's beginning of a write and its effect, may be apart."""
LONGEST_WRITE = timedelta(hours=1)
"""So much more of the log is read on both sides, so that a write's beginning and end are found together; a write
without an end in the log is taken to last so long."""
UNBOUNDED = timedelta(hours=24)
"""How far back one looks for a state of which nobody knows when it began."""
SETTLED = timedelta(minutes=30)
"""By then the log is complete, with room to spare: it is promised within 20 minutes."""
GIVE_UP = timedelta(hours=24)
_EAGER, _EVERY, _PATIENT = timedelta(hours=1), timedelta(minutes=2), timedelta(minutes=15)
_ENDED_WELL, _ENDED_BADLY = frozenset({"succeeded"}), frozenset({"failed", "canceled", "cancelled"})
_ENDED = _ENDED_WELL | _ENDED_BADLY
_BEGAN = frozenset({"started", "accepted", "in progress", "inprogress"})
_NAMED = 5


class Found(StrEnum):
    """What is known of who it was. `NONE`: the log was read and has nobody; `UNKNOWN`: it could not be read."""

    ONE = "one"
    SEVERAL = "several"
    NONE = "none"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A drift to explain. `earliest` None: nobody knows when it began. `deleted`: what is gone was deleted."""

    resource: str
    is_deployment: bool
    deleted: bool
    earliest: datetime | None
    latest: datetime

    @property
    def since(self) -> datetime:
        """The first moment at which the write that did it can have had its effect."""
        return (self.earliest or self.latest - UNBOUNDED) - TOLERANCE

    @property
    def until(self) -> datetime:
        return self.latest + TOLERANCE

    @property
    def operation(self) -> str:
        """How the name of the operation ends."""
        below = DEPLOYMENT if self.is_deployment else ENDPOINT
        return f"/{below}/{'delete' if self.deleted else 'write'}"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A write that may have been it. `ended_at` None: the log has no end of it yet."""

    caller: str
    operation: str
    began_at: datetime
    ended_at: datetime | None
    event_id: str
    correlation_id: str
    client_request_id: str
    app_id: str
    object_id: str

    def as_json(self) -> dict[str, Any]:
        return {
            "caller": self.caller,
            "operation": self.operation,
            "began_at": self.began_at.isoformat(),
            "ended_at": self.ended_at.isoformat() if self.ended_at else None,
            "event_id": self.event_id,
            "correlation_id": self.correlation_id,
            "client_request_id": self.client_request_id,
            "app_id": self.app_id,
            "object_id": self.object_id,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Candidate:
        ended = data["ended_at"]
        moments = {
            "began_at": datetime.fromisoformat(data["began_at"]),
            "ended_at": datetime.fromisoformat(ended) if ended else None,
        }
        return cls(**(data | moments))


@dataclass(frozen=True, slots=True)
class Answer:
    """What the log says. `ours` and `failed` are writes in that time that were left out.

    `unreadable` events could not be understood: there may be more than is found.
    """

    candidates: tuple[Candidate, ...]
    ours: int = 0
    failed: int = 0
    unreadable: int = 0

    @property
    def found(self) -> Found:
        return {0: Found.NONE, 1: Found.ONE}.get(len(self.candidates), Found.SEVERAL)

    def sentence(self) -> str:
        """What was found, for people."""
        return f"The activity log has {self._writes()}{self._left_out()}.{self._doubts()}"

    def _writes(self) -> str:
        match self.candidates:
            case ():
                return "no write of somebody else in that time"
            case (one,):
                return f"one write in that time, by {_who(one)}"
        callers = sorted({_who(one) for one in self.candidates})
        more = f" and {len(callers) - _NAMED} more" if len(callers) > _NAMED else ""
        return f"{len(self.candidates)} writes in that time, by {', '.join(callers[:_NAMED])}{more}"

    def _left_out(self) -> str:
        parts = [f"{self.ours} of this portal"] if self.ours else []
        parts += [f"{self.failed} that failed"] if self.failed else []
        return f", beside {' and '.join(parts)}" if parts else ""

    def _doubts(self) -> str:
        text = ""
        if self.found is Found.SEVERAL:
            text = " It does not say what they wrote, so which of them it was is not known."
        if self.unreadable:
            text += f" {self.unreadable} of its events could not be understood, so there may be more."
        return text


def answer(
    wanted: Wanted, log: Iterable[ActivityRecord], ours: Collection[str], *, unreadable: int = 0
) -> Answer:
    """Match a drift by resource, kind of operation, end and time; `ours` are the request ids of our own writes."""
    own = {_plain(request_id) for request_id in ours}
    writes = [events for events in _operations(wanted, log) if _fits(wanted, events)]
    foreign = [events for events in writes if not any(_plain(one.client_request_id) in own for one in events)]
    applied = [events for events in foreign if not _failed(events)]
    candidates = sorted(
        (_candidate(events) for events in applied), key=lambda one: (one.began_at, one.event_id)
    )
    return Answer(
        tuple(candidates),
        ours=len(writes) - len(foreign),
        failed=len(foreign) - len(applied),
        unreadable=unreadable,
    )


def window(wanted: Iterable[Wanted]) -> tuple[datetime, datetime]:
    """Which part of the log to read for these drifts of one resource."""
    found = list(wanted)
    return (
        min(one.since for one in found) - LONGEST_WRITE,
        max(one.until for one in found) + LONGEST_WRITE,
    )


def is_settled(known_at: datetime, now: datetime) -> bool:
    """Whether the log is complete by now for a drift that was found then."""
    return now - known_at >= SETTLED


def next_look(known_at: datetime, now: datetime) -> datetime | None:
    """When to look again for a drift that is not explained; None: it is given up."""
    if now - known_at >= GIVE_UP:
        return None
    return now + (_EVERY if now - known_at < _EAGER else _PATIENT)


def _operations(wanted: Wanted, log: Iterable[ActivityRecord]) -> list[list[ActivityRecord]]:
    """Events of the right kind on the resource, each write's together, in order of time."""
    writes: dict[str, dict[str, ActivityRecord]] = defaultdict(dict)
    for event in log:
        if arm_key(event.resource_id) == wanted.resource and event.operation.lower().endswith(
            wanted.operation
        ):
            writes[event.correlation_id or event.event_id][event.event_id] = event
    return [sorted(events.values(), key=lambda one: (one.at, one.event_id)) for events in writes.values()]


def _fits(wanted: Wanted, events: Sequence[ActivityRecord]) -> bool:
    """Whether the write was, or may have been, under way at a moment of the time in which the new state began."""
    known = [one for one in events if one.status.lower() in _BEGAN | _ENDED]
    if not known:
        return False
    ended = any(one.status.lower() in _ENDED for one in known)
    last = known[-1].at if ended else known[-1].at + LONGEST_WRITE
    return known[0].at <= wanted.until and last >= wanted.since


def _failed(events: Sequence[ActivityRecord]) -> bool:
    statuses = {one.status.lower() for one in events}
    return bool(statuses & _ENDED_BADLY) and not statuses & _ENDED_WELL


def _candidate(events: Sequence[ActivityRecord]) -> Candidate:
    first = events[0]
    ended = [one.at for one in events if one.status.lower() in _ENDED_WELL]
    return Candidate(
        caller=_first(one.caller for one in events),
        operation=first.operation,
        began_at=first.at,
        ended_at=max(ended) if ended else None,
        event_id=first.event_id,
        correlation_id=first.correlation_id,
        client_request_id=_first(one.client_request_id for one in events),
        app_id=_first(one.app_id for one in events),
        object_id=_first(one.object_id for one in events),
    )


def _who(one: Candidate) -> str:
    return one.caller or one.app_id or one.object_id or "somebody whom it does not name"


def _first(texts: Iterable[str]) -> str:
    return next((text for text in texts if text), "")


def _plain(request_id: str) -> str:
    """One id may be written with dashes or without."""
    return request_id.replace("-", "").lower()
