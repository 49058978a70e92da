"""The one way a change moves: a conditional UPDATE, its Transition and its ledger entry, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.db.models import F

from endpoints.audit.actors import SYSTEM_EXECUTOR, Actor
from endpoints.audit.services import record
from endpoints.changes import wake
from endpoints.changes.lifecycle import TERMINAL, State, may_move
from endpoints.changes.models import Change, Transition
from endpoints.core.errors import Conflict
from endpoints.core.ids import ref
from endpoints.dispatch import db_now, notify
from endpoints.metrics.services import keep

# Of the minutes of an endpoint before and after a change.
KEPT_AROUND = timedelta(hours=2)
LABELS = {
    State.CHECKING: "being checked",
    State.CHECK_FAILED: "held by its checks",
    State.IN_REVIEW: "waiting for review",
    State.APPROVED: "approved",
    State.SCHEDULED: "scheduled",
    State.APPLYING: "being applied",
    State.VERIFYING: "being read back",
    State.BAKING: "baking",
    State.HELD: "held",
    State.DRIFTED: "drifted",
    State.SUCCEEDED: "done",
    State.FAILED: "failed",
    State.REJECTED: "rejected",
    State.WITHDRAWN: "withdrawn",
    State.EXPIRED: "expired",
    State.SUPERSEDED: "superseded by a rollback",
}


def moved_on(change: Change) -> Conflict:
    """Somebody else was first."""
    return Conflict(
        f"CR-{change.pk} is {LABELS[State(change.state)]} by now. Nothing was stored; look at it again."
    )


def move(
    *,
    change: Change,
    to: State,
    actor: Actor,
    reason: str = "",
    facts: Mapping[str, Any] | None = None,
    personal: Mapping[str, str] | None = None,
    azure_request_id: str = "",
    action: str = "",
    **fields: Any,
) -> None:
    """Move `change` and set `fields` with it; Conflict when it is not any more where the caller saw it.

    `action` is the ledger's word for it, where the new state's name would not say what was done.
    """
    before = State(change.state)
    if not may_move(before, to, emergency=fields.get("emergency", False)):
        raise moved_on(change)
    now = db_now()
    if to in TERMINAL:
        fields |= {"ended_at": now, "next_check_at": None}
    seen = Change.objects.filter(pk=change.pk, version=change.version, state=before)
    if seen.update(state=to, version=F("version") + 1, **fields) != 1:
        change.refresh_from_db()
        raise moved_on(change)
    change.refresh_from_db()
    _keep_its_minutes(change)
    _tell(change, before, actor, reason, facts or {}, personal or {}, azure_request_id, action)


def _keep_its_minutes(change: Change) -> None:
    """What was measured around a change that Azure was asked for is evidence: it outlives other minutes."""
    if change.started_at is not None and change.ended_at is not None:
        keep(
            endpoint_id=change.endpoint_id,
            since=change.started_at - KEPT_AROUND,
            until=change.ended_at + KEPT_AROUND,
            cause=ref("change", change.pk),
        )


def born(
    *,
    change: Change,
    actor: Actor,
    facts: Mapping[str, Any],
    personal: Mapping[str, str],
    reason: str = "",
) -> None:
    """The first transition and ledger entry of a change that was just inserted."""
    _tell(change, None, actor, reason, facts, personal, "")


def _tell(
    change: Change,
    before: State | None,
    actor: Actor,
    reason: str,
    facts: Mapping[str, Any],
    personal: Mapping[str, str],
    azure_request_id: str,
    action: str = "",
) -> None:
    Transition.objects.create(
        change=change,
        version=change.version,
        before=before or "",
        after=change.state,
        step=change.step,
        actor=actor.ref,
        reason=reason,
        at=db_now(),
    )
    announce(change)
    tell_ledger(
        change,
        actor,
        action or (f"change.{change.state}" if before else f"change.requested.{change.kind}"),
        before={"state": before.value} if before else None,
        after={"state": change.state, "version": change.version, "step": change.step, **facts}
        | ({"why": reason} if reason else {}),
        personal=personal,
        azure_request_id=azure_request_id,
    )


def announce(change: Change) -> None:
    """Wake whoever watches this change, once this transaction has committed."""
    notify(wake.CHANNEL, wake.Wake(change.pk, change.endpoint_id, wake.origin.get()).encode())


def actor_for(change: Change) -> Actor:
    """The executor, carrying out the order of the person who started the change."""
    person = change.started_by_id
    return replace(SYSTEM_EXECUTOR, on_behalf=ref("user", person)) if person else SYSTEM_EXECUTOR


def tell_ledger(
    change: Change,
    actor: Actor,
    action: str,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    personal: Mapping[str, str] | None = None,
    azure_request_id: str = "",
) -> None:
    """One ledger entry about a change: the last statement of whatever it belongs to."""
    record(
        actor=actor,
        action=action,
        subject=ref("change", change.pk),
        workspace_id=change.workspace_id,
        endpoint=ref("endpoint", change.endpoint_id),
        before=before,
        after=after,
        personal=personal,
        azure_request_id=azure_request_id,
    )
