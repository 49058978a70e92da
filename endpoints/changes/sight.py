"""The words in which the executor decides: what the rows say, what Azure shows, and what can be done about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from endpoints.changes.lifecycle import Hold, Kind, State
from endpoints.changes.verdict import Outcome
from endpoints.core import traffic


class AttemptOutcome(StrEnum):
    """How a call ended. `UNKNOWN`: it may have been applied, or may still be."""

    ACCEPTED = "accepted"
    UNKNOWN = "unknown"
    REFUSED = "refused"
    CONFIRMED = "confirmed"
    ADOPTED = "adopted"
    NOT_APPLIED = "not_applied"


class Trouble(StrEnum):
    """Why Azure could not be read."""

    THROTTLED = "throttled"
    FORBIDDEN = "forbidden"
    UNAUTHENTICATED = "unauthenticated"
    UNREACHABLE = "unreachable"
    SERVER = "server"
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class Split:
    """Live and mirrored traffic, both normalised."""

    live: traffic.Split
    mirror: traffic.Split = field(default_factory=dict)

    @classmethod
    def of(cls, live: Mapping[str, int], mirror: Mapping[str, int] | None = None) -> Split:
        return cls(traffic.normalise(live), traffic.normalise(mirror))


@dataclass(frozen=True, slots=True)
class LastAttempt:
    """The newest call of this step and generation. `outcome` None: sent, and no answer was ever recorded.

    `refusal` is what Azure said against it; `needs_person` that waiting alone will not help.
    """

    sent_at: datetime
    outcome: AttemptOutcome | None
    retry_at: datetime | None = None
    refusal: str = ""
    needs_person: bool = False
    operation_uri: str = ""
    operation_ended_at: datetime | None = None
    operation_failure: str = ""

    @property
    def unresolved(self) -> bool:
        return self.outcome in (None, AttemptOutcome.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a step that scales orders: this deployment at so many instances."""

    deployment: str
    instances: int


@dataclass(frozen=True, slots=True)
class Autoscale:
    """What a step that sets autoscale orders: `document` of `setting`, where `previous` stood. None: no setting."""

    deployment: str
    setting: str
    document: Mapping[str, Any] | None
    previous: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Gates:
    """What the gates of a step said last. `harm` is the reason of one that failed and was not overridden.

    `until` is the end of what they have seen; `due_at` when they are to be asked again. No gates: nothing to pass.
    """

    count: int = 0
    outcome: Outcome | None = None
    reason: str = ""
    harm: str = ""
    measured_at: datetime | None = None
    until: datetime | None = None
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Bake:
    """How a step is watched once it is in force. Seconds; `baked` are those seen in force and healthy by `baked_at`.

    `hold` says why the change is held; `automatic` whether harm is rolled back without asking; `overtime_at` when
    the plan's longest duration is over.
    """

    wanted: float = 0.0
    baked: float = 0.0
    baked_at: datetime | None = None
    click: bool = False
    gates: Gates = field(default_factory=Gates)
    automatic: bool = True
    hold: Hold | None = None
    overtime_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Blocked:
    """What says "not now" to the next step."""

    hold: Hold
    reason: str


@dataclass(frozen=True, slots=True)
class Facts:
    """The rows. `before` is None for a rollback, which overrides whatever it finds.

    `rival_sent_at`: when the newest call of another order went out that was never answered, if there is one.
    `hold_wanted`: a person asked to stop here, at the next place where that is possible. Of what a step may order
    beside the split at most one is set: `capacity`, `autoscale`, `deletes` (a deployment's name) or `deletes_endpoint`.
    `essential`: a rollback is for what it orders beside the split, and does not go on without it. `planned_at`: when
    the plan was written; what was made later is not what was to be deleted.
    """

    kind: Kind
    state: State
    target: Split
    before: Split | None
    step_since: datetime
    last: LastAttempt | None = None
    confirmed_at: datetime | None = None
    rival_sent_at: datetime | None = None
    capacity: Capacity | None = None
    autoscale: Autoscale | None = None
    deletes: str = ""
    deletes_endpoint: bool = False
    essential: bool = False
    planned_at: datetime | None = None
    bake: Bake = field(default_factory=Bake)
    blocked: Blocked | None = None
    hold_wanted: bool = False
    waiting_for: str = ""
    attention: str = ""

    @property
    def beside(self) -> bool:
        """Whether the step orders something beside the split, and the split stays as it is."""
        return bool(self.capacity or self.autoscale or self.deletes or self.deletes_endpoint)


@dataclass(frozen=True, slots=True)
class SeenEndpoint:
    """The endpoint as just read; `exists` False means Azure answered 404.

    `complete` False: deployments were not listed, or some could not be understood, so one that is missing may exist.
    `created`: when each of them was made, as far as Azure says.
    """

    exists: bool
    split: Split
    provisioning_state: str
    deployments: Mapping[str, str]
    complete: bool = True
    instances: Mapping[str, int | None] = field(default_factory=dict)
    created: Mapping[str, datetime | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SeenOperation:
    """Azure's own record of the operation; `failure` is its error in words. `retry_at`: not to be asked before."""

    running: bool
    failure: str = ""
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReadFailure:
    """Azure did not tell. `retry_at` is set when Azure named a time."""

    trouble: Trouble
    text: str
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SeenSetting:
    """An autoscale setting as just read; `document` None: there is none."""

    document: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Seen:
    """What this round has read so far."""

    endpoint: SeenEndpoint | ReadFailure | None = None
    operation: SeenOperation | ReadFailure | None = None
    setting: SeenSetting | ReadFailure | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds. `in_flight` bounds how long an unanswered call may still take effect; `poll` scales the polling.

    While a step bakes Azure is read every `bake_read`; a longer silence than `bake_gap` counts for nothing. Gates
    that can't tell at the end of a bake have `grace` for metrics to arrive. A rollback waits `scale_first` for the
    instances that it asked for, and then goes on without them.
    """

    in_flight: float = 30.0
    second_read: float = 5.0
    settle: float = 30.0
    busy_wait: float = 3.0
    slow_wait: float = 15.0
    attention_after: float = 1800.0
    rollback_attention_after: float = 300.0
    poll: float = 1.0
    bake_read: float = 15.0
    bake_gap: float = 60.0
    scale_first: float = 180.0
    grace: float = 300.0


@dataclass(frozen=True, slots=True)
class Poll:
    """Ask Azure how the operation stands."""


@dataclass(frozen=True, slots=True)
class Read:
    """Read endpoint and deployments."""


@dataclass(frozen=True, slots=True)
class ReadSetting:
    """Read the autoscale setting that the step is about."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do before `until`. `attention` is set when a person should look, and says why."""

    until: datetime
    reason: str
    attention: str = ""


@dataclass(frozen=True, slots=True)
class Put:
    """Order the target. `note` says what is overwritten by that, where it is not what was expected."""

    note: str = ""


@dataclass(frozen=True, slots=True)
class NoteOperation:
    """The operation ended; write down how."""

    failure: str


@dataclass(frozen=True, slots=True)
class Accept:
    """Azure shows the target although no answer said so: go on to verifying."""

    reason: str


@dataclass(frozen=True, slots=True)
class Confirm:
    """First read-back that shows the target."""


@dataclass(frozen=True, slots=True)
class StepDone:
    """Second read-back that shows the target."""


@dataclass(frozen=True, slots=True)
class Again:
    """The order did not take effect: back to applying."""

    reason: str


@dataclass(frozen=True, slots=True)
class Drift:
    """Azure shows a split that nobody here ordered."""

    found: Split


@dataclass(frozen=True, slots=True)
class Fail:
    """The step can't be applied."""

    reason: str


@dataclass(frozen=True, slots=True)
class Measure:
    """Ask the gates."""


@dataclass(frozen=True, slots=True)
class Baked:
    """So many more seconds in force and healthy; 0 only says when it was looked."""

    seconds: float


@dataclass(frozen=True, slots=True)
class HoldHere:
    """Go no further until a person says how."""

    hold: Hold
    reason: str


@dataclass(frozen=True, slots=True)
class StepOver:
    """Baked, and every gate passed: the next step, or done."""


@dataclass(frozen=True, slots=True)
class SkipStep:
    """A rollback's own scaling did not come off: traffic goes back without it."""

    reason: str


@dataclass(frozen=True, slots=True)
class RollBack:
    """A gate failed: give the traffic back."""

    reason: str


Action = (
    Poll
    | Read
    | ReadSetting
    | Wait
    | Put
    | NoteOperation
    | Accept
    | Confirm
    | StepDone
    | Again
    | Drift
    | Fail
    | Measure
    | Baked
    | HoldHere
    | StepOver
    | SkipStep
    | RollBack
)
