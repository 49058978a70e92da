"""The states of a change and the closed table of moves between them.

    checking ─→ in_review ─→ approved ─→ applying ─→ verifying ─→ baking ─→ succeeded
        └→ check_failed         ├→ scheduled ─↗           │         ├→ applying (next step)
                                └→ expired                │         └→ held ─→ baking, applying, succeeded
                                                          └→ applying (once more), succeeded

Before it starts a change can be rejected, withdrawn or edited (back to checking, which voids approvals).
While a step bakes its gates are watched; a held change stays where it is until a person says how it goes on.
A change that meets a state of Azure nobody here ordered is drifted: not ended, but stopped until somebody
edits it onto the new base, rolls back or closes it. A rollback supersedes whatever is active.
"Active" is no state: it is started and not ended, so that new states need no new index.
"""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What a change is for; all kinds share one life and one executor."""

    TRAFFIC = "traffic"
    ROLLBACK = "rollback"
    DRILL = "drill"
    CAPACITY = "capacity"  # instances, autoscale, deletes


class State(StrEnum):
    CHECKING = "checking"
    CHECK_FAILED = "check_failed"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    SCHEDULED = "scheduled"
    APPLYING = "applying"
    VERIFYING = "verifying"
    BAKING = "baking"
    HELD = "held"
    DRIFTED = "drifted"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


TERMINAL = frozenset(
    {State.SUCCEEDED, State.FAILED, State.REJECTED, State.WITHDRAWN, State.EXPIRED, State.SUPERSEDED}
)
OPEN = frozenset(State) - TERMINAL
EXECUTING = frozenset({State.APPLYING, State.VERIFYING, State.BAKING, State.HELD})
IN_FORCE = frozenset({State.BAKING, State.HELD})
"""The states in which a step may be in force: what Azure shows is compared with it all the time."""
EDITABLE = frozenset(
    {State.CHECKING, State.CHECK_FAILED, State.IN_REVIEW, State.APPROVED, State.SCHEDULED, State.DRIFTED}
)
WITHDRAWABLE = EDITABLE

_STOPS = frozenset({State.DRIFTED, State.FAILED, State.SUPERSEDED})
_BEFORE_START = frozenset({State.CHECKING, State.REJECTED, State.WITHDRAWN, State.EXPIRED, State.DRIFTED})

MOVES: dict[State, frozenset[State]] = {
    State.CHECKING: frozenset({State.CHECKING, State.IN_REVIEW, State.CHECK_FAILED, State.WITHDRAWN}),
    State.CHECK_FAILED: frozenset({State.CHECKING, State.WITHDRAWN}),
    # In review to itself: an approval that does not make the quorum yet.
    State.IN_REVIEW: frozenset({State.IN_REVIEW, State.APPROVED}) | _BEFORE_START,
    State.APPROVED: frozenset({State.SCHEDULED, State.APPLYING}) | _BEFORE_START,
    # Back to approved: its start was called off, or could not be made when it was due.
    State.SCHEDULED: frozenset({State.APPROVED, State.APPLYING}) | _BEFORE_START,
    # Applying to itself: a rollback's own scaling is left out.
    State.APPLYING: frozenset({State.APPLYING, State.VERIFYING, State.HELD}) | _STOPS,
    State.VERIFYING: frozenset({State.APPLYING, State.BAKING, State.SUCCEEDED}) | _STOPS,
    State.BAKING: frozenset({State.APPLYING, State.HELD, State.SUCCEEDED}) | _STOPS,
    State.HELD: frozenset({State.APPLYING, State.BAKING, State.SUCCEEDED}) | _STOPS,
    State.DRIFTED: frozenset({State.CHECKING, State.WITHDRAWN, State.SUPERSEDED}),
} | {state: frozenset() for state in TERMINAL}


BREAK_GLASS = frozenset({State.CHECK_FAILED, State.IN_REVIEW})
"""From here to applying without an approval: in an emergency only, and reviewed afterwards."""


def may_move(before: State, after: State, *, emergency: bool = False) -> bool:
    """Whether the table has this move."""
    if emergency and after is State.APPLYING and before in BREAK_GLASS:
        return True
    return after in MOVES[before]


class Hold(StrEnum):
    """Why a change is held. Only `PERSON` is a person's own wish: the portal never overrules it."""

    CLICK = "click"  # the plan wants a person's click here
    PERSON = "person"
    INCONCLUSIVE = "inconclusive"  # a gate could not tell by the end of the bake
    ERROR = "error"  # a gate could not be measured
    FAILED = "failed"  # a gate failed, and the plan says hold rather than roll back
    CHECK = "check"  # a check before the step did not pass
    STOP = "stop"  # a freeze or a stop of the line
    OVERTIME = "overtime"  # the plan's longest duration is over


PLANNED_HOLDS = frozenset({Hold.CLICK})
"""Waiting as planned: nobody needs to be alarmed."""
