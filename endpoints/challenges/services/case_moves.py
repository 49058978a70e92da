"""The one way anything happens to a case: a conditional UPDATE, its Move, its Note and its ledger entry, together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import F

from endpoints.audit.actors import Actor
from endpoints.audit.services import record
from endpoints.challenges.lifecycle import Kind, State, after
from endpoints.challenges.models import Case, Move, Note
from endpoints.core.errors import Conflict
from endpoints.core.ids import ref
from endpoints.dispatch import db_now

ACTIONS = {
    Kind.RAISED: "case.raised",
    Kind.CHOSEN: "case.record_chosen",
    Kind.COLLECTED: "case.evidence_collected",
    Kind.ASSIGNED: "case.assigned",
    Kind.COMMENTED: "case.commented",
    Kind.LINKED: "case.linked",
    Kind.DECIDED: "case.decided",
    Kind.SENT_BACK: "case.sent_back",
    Kind.CONFIRMED: "case.confirmed",
    Kind.REOPENED: "case.reopened",
    Kind.HOLD_ASKED: "case.hold_asked",
    Kind.HELD: "case.hold_agreed",
    Kind.RELEASED: "case.hold_ended",
    Kind.ERASURE_ASKED: "case.erasure_asked",
    Kind.ERASURE_WITHDRAWN: "case.erasure_withdrawn",
    Kind.ERASED: "case.erased",
}
LABELS = {State.OPEN: "open", State.DECIDED: "decided and not yet confirmed", State.CLOSED: "closed"}
# The ledger's own names for personal text.
_PERSONAL = {"claimant": "name", "question": "comment", "comment": "comment", "reason": "reason"}


def moved_on(case: Case) -> Conflict:
    """Somebody else was first."""
    return Conflict(
        f"CH-{case.pk} is {LABELS[State(case.state)]} by now. Nothing was stored; look at it again."
    )


def as_seen(case: Case, seen: int | None) -> None:
    """Conflict when something happened to the case after the caller looked at it. None: they need not have."""
    if seen is not None and seen != case.version:
        raise Conflict(
            f"Something happened to CH-{case.pk} after you opened it. Nothing was stored; read what is new first."
        )


def happen(
    *,
    case: Case,
    kind: Kind,
    actor: Actor,
    data: Mapping[str, Any] | None = None,
    texts: Mapping[str, str] | None = None,
    **fields: Any,
) -> None:
    """Store that `kind` happened, with `fields` of the case; Conflict when it can't any more.

    `data` are facts for the timeline and the ledger, never free text; `texts` free text by the note's kind.
    """
    before = State(case.state)
    to = after(before, kind, two_roles=case.two_roles)
    if to is None:
        raise moved_on(case)
    now = db_now()
    if to is State.CLOSED and before is not State.CLOSED:
        fields |= {"closed_at": now, "next_due_at": None}
    seen = Case.objects.filter(pk=case.pk, version=case.version, state=before)
    if seen.update(state=to, version=F("version") + 1, **fields) != 1:
        case.refresh_from_db()
        raise moved_on(case)
    case.refresh_from_db()
    tell(case, kind, before, actor, data or {}, texts or {})


def tell(
    case: Case,
    kind: Kind,
    before: State | None,
    actor: Actor,
    data: Mapping[str, Any],
    texts: Mapping[str, str],
) -> None:
    """The move as rows and as a ledger entry, which comes last."""
    now = db_now()
    Move.objects.create(
        case=case,
        version=case.version,
        kind=kind,
        before=before or "",
        after=case.state,
        data=dict(data),
        by=actor.ref,
        at=now,
    )
    for of_kind, text in texts.items():
        if text:
            Note.objects.create(
                case=case, kind=of_kind, version=case.version, text=text, by=actor.ref, at=now
            )
    record(
        actor=actor,
        action=ACTIONS[kind],
        subject=ref("case", case.pk),
        workspace_id=case.workspace_id,
        endpoint=ref("endpoint", case.endpoint_id) if case.endpoint_id else "",
        before={"state": before.value} if before else None,
        after={"state": case.state, "version": case.version, **data},
        personal={_PERSONAL[of_kind]: text for of_kind, text in texts.items() if text},
    )
