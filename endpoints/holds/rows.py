"""What this room's selectors hand out: frozen rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from endpoints.holds.calendar import Schedule, Span
from endpoints.holds.scope import Scope


class Kind(StrEnum):
    """A freeze and a stop say "not now"; a protection says "not this one"."""

    FREEZE = "freeze"
    STOP = "stop"
    PROTECTION = "protection"


@dataclass(frozen=True, slots=True)
class Hold:
    """Something in force that holds forward steps of an endpoint. Rollbacks are never held.

    `ref` is what an override names ("freeze:3"). `cause` is who asked: "user:7" for a freeze or stop, what a
    protection is for ("case:7"). `until` None: until a person ends it. `deployment`: a protection of this one
    (lower case) alone, else "".
    """

    kind: Kind
    ref: str
    title: str
    reason: str
    since: datetime
    until: datetime | None
    cause: str
    overridable: bool
    deployment: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """When forward steps are not held. `opens_at` None: nobody knows, for a person must lift `held_by` first, or
    freezes follow each other further than anybody looks. `closes_at` None: nothing known closes it again.
    """

    opens_at: datetime | None
    closes_at: datetime | None
    held_by: tuple[Hold, ...]


class FreezeState(StrEnum):
    """`FROZEN`: it holds now. `ENDED`: by a person, before it was over."""

    FROZEN = "frozen"
    COMING = "coming"
    OVER = "over"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class FreezeRow:
    """A freeze, and when it holds: `now` is the stretch that lies around the moment of asking, `next` the one after."""

    id: int
    scope: Scope
    title: str
    reason: str
    schedule: Schedule
    starts_at: datetime
    over_at: datetime | None
    source: str
    uid: str
    made_by: str
    made_at: datetime
    ended_by: str
    ended_at: datetime | None
    end_reason: str
    state: FreezeState
    now: Span | None
    next: Span | None


@dataclass(frozen=True, slots=True)
class StopRow:
    """A stop of the line, in force while `lifted_at` is None. Neither workspace nor endpoint: of everything."""

    id: int
    workspace_id: int | None
    endpoint_id: int | None
    reason: str
    stopped_by: str
    stopped_at: datetime
    lifted_by: str
    lifted_at: datetime | None
    lift_reason: str


@dataclass(frozen=True, slots=True)
class OverrideRow:
    """Who let `subject` go past `hold`, why, and until when; None: as long as the hold lasts."""

    hold: str
    subject: str
    reason: str
    until: datetime | None
    overridden_by: str
    overridden_at: datetime
