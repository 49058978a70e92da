"""A change's state as a sign, a few words, and what comes next. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from endpoints.changes.lifecycle import Kind, State
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


def sign_of(state: State, *, kind: Kind = Kind.TRAFFIC, mine_to_review: bool = False) -> Sign:
    """The sign of a change for one reader."""
    if state is State.IN_REVIEW and mine_to_review:
        return Sign("due", "Waiting for your review", "Compare, read the checks, then decide below.")
    if state is State.APPLYING and kind is Kind.ROLLBACK:
        return Sign("running", "Rolling back", _SIGNS[state].next)
    if state is State.SUCCEEDED and kind is Kind.ROLLBACK:
        return Sign("done", "Rolled back", _SIGNS[state].next)
    return _SIGNS[state]


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
