"""Edit a change, or put a drifted one onto the base that is live now. Every edit voids approvals."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from django.conf import settings
from django.db import transaction

from endpoints.access.policies import Principal
from endpoints.changes.draft import Draft
from endpoints.changes.lifecycle import EDITABLE, Kind, State
from endpoints.changes.selectors.situation import current_base
from endpoints.changes.services.guards import current_revision, lock_both, permit, same_content, writing
from endpoints.changes.services.lease import drop_goal
from endpoints.changes.services.moves import move, moved_on
from endpoints.changes.services.people import person_id
from endpoints.changes.services.request import planned_steps
from endpoints.changes.services.revise import add_note, add_revision, clean_reason
from endpoints.changes.services.steps import ANEW, CALM
from endpoints.changes.services.writing import check_and_present
from endpoints.core.errors import Conflict
from endpoints.dispatch import db_now

NOT_EDITED = "it is not edited, but withdrawn, and asked for anew."


@transaction.atomic
def edit_change(
    *,
    principal: Principal,
    change_id: int,
    seen_hash: str,
    reason: str,
    draft: Draft | None = None,
    split: Mapping[str, int] | None = None,
    mirror: Mapping[str, int] | None = None,
) -> None:
    """A new revision on the base that is live now, checked and presented again; asked for as in `request_change`."""
    wanted = draft or Draft.single(split or {}, mirror)
    lease, change = lock_both(change_id, principal)
    permit(change, principal, writing(change))
    if change.kind == Kind.CAPACITY:
        raise Conflict(f"CR-{change.pk} changes capacity: {NOT_EDITED} Nothing was stored.")
    if change.kind != Kind.TRAFFIC or State(change.state) not in EDITABLE:
        raise moved_on(change)
    previous = current_revision(change)
    same_content(previous, seen_hash)
    words = clean_reason(reason)
    if lease.goal_id == change.pk:
        drop_goal(lease)
    elif lease.goal_id is not None:
        raise Conflict(f"CR-{lease.goal_id} is at work on this endpoint. Nothing was stored.")
    base = current_base(change.endpoint_id)
    steps = planned_steps(change.endpoint_id, base, wanted)
    actor = principal.actor
    move(
        change=change,
        to=State.CHECKING,
        actor=actor,
        reason="edited",
        facts={
            "revision": change.revision + 1,
            "plan": [step.as_json() for step in steps],
            "base": base.as_json(),
            "terms": wanted.terms.for_ledger(),
        },
        personal={"reason": words},
        revision=change.revision + 1,
        approval_expires_at=db_now() + timedelta(hours=settings.OPSPORTAL.approval_ttl_hours),
        started_at=None,
        started_by=None,
        start_at=None,
        scheduled_by=None,
        step=0,
        next_check_at=None,
        held_seconds=0.0,
        **ANEW,
        **CALM,
    )
    add_revision(change=change, editor_id=person_id(principal), steps=steps, base=base, terms=wanted.terms)
    add_note(change=change, author_id=person_id(principal), kind="reason", text=words)
    check_and_present(change=change, actor=actor)
