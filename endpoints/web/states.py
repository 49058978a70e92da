"""A change's state as a sign, a few words, and what comes next. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from endpoints.changes.lifecycle import PLANNED_HOLDS, Hold, Kind, State
from endpoints.changes.verdict import Outcome


@dataclass(frozen=True, slots=True)
class Sign:
    """`kind` is one of status_pill's; `next` says in a sentence what happens now, or what may be done."""

    kind: str
    text: str
    next: str = ""


_SIGNS = {
    State.CHECKING: Sign("running", "Checking", "Automatic checks run; this takes a moment."),
    State.CHECK_FAILED: Sign(
        "bad", "Held by its checks", "Edit it, or withdraw it. Nothing was sent to Azure."
    ),
    State.IN_REVIEW: Sign(
        "waiting", "Waiting for review", "Somebody who did not write it has to approve it."
    ),
    State.APPROVED: Sign("waiting", "Approved, not started", "Start it to send it to Azure."),
    State.SCHEDULED: Sign(
        "waiting", "Scheduled", "It starts at its time if everything still holds; otherwise it says why not."
    ),
    State.BAKING: Sign(
        "running", "Baking", "The step is in force; its gates are asked until its time is over."
    ),
    State.HELD: Sign("warn", "Held", "It stays where it is until a person says how it goes on."),
    State.APPLYING: Sign("running", "Applying", "The executor sends it to Azure and waits for the answer."),
    State.VERIFYING: Sign(
        "running", "Reading back", "Azure is read until it reports the new split twice in a row."
    ),
    State.DRIFTED: Sign(
        "warn",
        "Stopped by drift",
        "Azure shows traffic that this change did not order. It does nothing by itself.",
    ),
    State.SUCCEEDED: Sign("done", "Done", "Azure reports the split that was ordered."),
    State.FAILED: Sign("bad", "Failed", "It is over. The live split below is what Azure reports."),
    State.REJECTED: Sign("off", "Rejected", "Nothing was sent to Azure."),
    State.WITHDRAWN: Sign("off", "Withdrawn", ""),
    State.EXPIRED: Sign("off", "Expired", "Nobody used it in time. Nothing was sent to Azure."),
    State.SUPERSEDED: Sign("off", "Superseded by a rollback", "It ended when somebody rolled back."),
}

_OF_CAPACITY = {
    State.CHECK_FAILED: Sign(
        "bad", "Held by its checks", "Withdraw it, and ask anew. Nothing was sent to Azure."
    ),
    State.BAKING: Sign("running", "Watched", "The step is in force; the next one waits for its time."),
    State.VERIFYING: Sign(
        "running", "Reading back", "Azure is read until it reports what was ordered twice in a row."
    ),
    State.DRIFTED: Sign(
        "warn",
        "Stopped by drift",
        "Azure shows what this change did not order. It does nothing by itself.",
    ),
    State.SUCCEEDED: Sign("done", "Done", "Azure reports what was ordered."),
    State.FAILED: Sign("bad", "Failed", "It is over. What is shown below is what Azure reports."),
}
"""Where a change of capacity would be told of traffic."""
_SCREAM = Sign(
    "running", "Scream test", "Its weight is 0 and nothing is deleted yet; a request would hold the change."
)

_HELD = {
    Hold.CLICK: Sign(
        "waiting", "Waiting for a click", "The plan wants a person to say go; nothing is wrong."
    ),
    Hold.PERSON: Sign(
        "held", "Held by a person", "Resume it, or roll back. The portal never resumes it by itself."
    ),
    Hold.INCONCLUSIVE: Sign(
        "unknown", "Held: cannot tell", "A gate knows too little to say that it is well."
    ),
    Hold.ERROR: Sign("unknown", "Held: not measured", "A gate could not be measured, which is no pass."),
    Hold.FAILED: Sign(
        "bad", "Held: a gate failed", "The plan says hold. Look at the gate, then roll back or go on."
    ),
    Hold.CHECK: Sign("warn", "Held by a check", "The next step is not sent while a check stands against it."),
    Hold.STOP: Sign("warn", "Held by a freeze or stop", "The next step waits until that is over."),
    Hold.OVERTIME: Sign(
        "warn", "Held: it took too long", "Its longest duration is over. A person says what now."
    ),
}
_WATCHING = Sign(
    "running", "Watching", "All steps are in force; its gates are asked until the watch is over."
)
EMERGENCY = "Break-glass"
"""Beside the name of a change that nobody approved, wherever it is named."""


def sign_of(
    state: State,
    *,
    kind: Kind = Kind.TRAFFIC,
    mine_to_review: bool = False,
    hold: Hold | None = None,
    watching: bool = False,
    scream: bool = False,
) -> Sign:
    """The sign of a change for one reader. `hold`: why it is held, where that is known; `watching`: the last bake.

    `scream`: what bakes is the scream test of a delete.
    """
    if state is State.IN_REVIEW and mine_to_review:
        return Sign("due", "Waiting for your review", "Compare, read the checks, then decide below.")
    if state is State.HELD and hold is not None:
        return _HELD[hold]
    if state is State.BAKING and scream:
        return _SCREAM
    if kind is Kind.CAPACITY and state in _OF_CAPACITY:
        return _OF_CAPACITY[state]
    if state is State.BAKING and watching:
        return _WATCHING
    if state is State.APPLYING and kind is Kind.ROLLBACK:
        return Sign("running", "Rolling back", _SIGNS[state].next)
    if state is State.SUCCEEDED and kind is Kind.ROLLBACK:
        return Sign("done", "Rolled back", _SIGNS[state].next)
    return _SIGNS[state]


def needs_person(state: State, hold: Hold | None) -> bool:
    """Whether it is held for what nobody planned."""
    return state is State.HELD and hold not in PLANNED_HOLDS


OUTCOMES = {
    Outcome.PASS: Sign("quiet", "Pass"),
    Outcome.WARN: Sign("warn", "Warning"),
    Outcome.INCONCLUSIVE: Sign("unknown", "Cannot tell"),
    Outcome.ERROR: Sign("unknown", "Not measured"),
    Outcome.FAIL: Sign("bad", "Fail"),
}

AZURE_STATES = {
    "succeeded": "quiet",
    "creating": "running",
    "updating": "running",
    "scaling": "running",
    "deleting": "running",
    "failed": "bad",
    "canceled": "off",
}


def azure_sign(state: str) -> Sign:
    """Azure's own word, with the sign for it; a word that nobody here knows is "cannot tell" with that word."""
    return Sign(AZURE_STATES.get(state.lower(), "unknown"), state or "not reported")
