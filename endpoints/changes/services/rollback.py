"""Roll traffic back: a change of its own that needs no approval and takes the endpoint from whatever has it.

Two clicks by two people, or by one twice, are one rollback: the lease row's lock puts them in order, and the
second one finds the first one's change.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import IntegrityError, transaction

from endpoints.access.policies import Principal
from endpoints.changes.lifecycle import Kind, State
from endpoints.changes.models import Change, ChangeRevision, Lease
from endpoints.changes.plan import put_split, steps_from_json
from endpoints.changes.selectors.rollback import (
    active_change,
    last_completed,
    may_roll_back,
    rollback_targets,
)
from endpoints.changes.selectors.situation import current_base
from endpoints.changes.services.keys import KEY_TAKEN, earlier_with_key
from endpoints.changes.services.lease import lock_lease, take_goal
from endpoints.changes.services.moves import born, move
from endpoints.changes.services.people import person_id, visible_endpoint
from endpoints.changes.services.revise import add_note, add_revision, clean_reason
from endpoints.changes.targets import Target, find, key_of
from endpoints.core.errors import Conflict, Refused
from endpoints.core.traffic import describe
from endpoints.dispatch import db_now
from endpoints.inventory.selectors import EndpointFacts, endpoint_facts

REASONS = {
    "errors": "Errors or latency",
    "predictions": "Wrong predictions",
    "dependency": "Dependency",
    "other": "Other",
}


@dataclass(frozen=True, slots=True)
class Receipt:
    """The rollback that is under way or done. `created` is False when somebody was first."""

    change_id: int
    created: bool


def roll_back(
    *,
    principal: Principal,
    endpoint_id: int,
    target_key: str,
    reason: str = "errors",
    comment: str = "",
    idempotency_key: str = "",
) -> Receipt:
    """Order the issued target `target_key`. Conflict, with nothing done, for a target that can't be taken."""
    order = _Order(
        principal, endpoint_facts(endpoint_id), target_key, reason, _words(comment), idempotency_key
    )
    visible_endpoint(principal, order.endpoint)
    try:
        with transaction.atomic():
            return _roll_back(order)
    except IntegrityError as error:
        raise Conflict(KEY_TAKEN) from error  # used at this very moment, for another endpoint


@dataclass(frozen=True, slots=True)
class _Order:
    """What was asked for, and by whom."""

    principal: Principal
    endpoint: EndpointFacts
    target_key: str
    cause: str
    comment: str
    key: str


def _words(comment: str) -> str:
    """Nobody has to explain a rollback, so only too many words are refused."""
    return clean_reason(comment, field="comment") if comment.strip() else ""


def _roll_back(order: _Order) -> Receipt:
    endpoint_id = order.endpoint.id
    lease = lock_lease(endpoint_id)
    allowed = may_roll_back(order.principal, endpoint_id, order.endpoint.workspace_id)
    if not allowed.allowed:
        raise Refused(allowed.reason)
    earlier = earlier_with_key(order.principal, order.key, endpoint_id, Kind.ROLLBACK)
    same = earlier or _same_already(endpoint_id, order.target_key)
    if earlier and _goal_key(earlier) != order.target_key:
        raise Conflict(KEY_TAKEN)
    if same:
        return Receipt(same.pk, created=False)
    target = _eligible(endpoint_id, order.target_key)
    return Receipt(_create(order, lease, target).pk, created=True)


def _same_already(endpoint_id: int, key: str) -> Change | None:
    """The running rollback to this target, or the last one done when Azure still reports its split."""
    newest = (
        Change.objects.filter(endpoint_id=endpoint_id, started_at__isnull=False)
        .order_by("-started_at", "-pk")
        .first()
    )
    if newest is None or newest.kind != Kind.ROLLBACK or newest.state in (State.FAILED, State.DRIFTED):
        return None
    if _goal_key(newest) != key:
        return None
    if newest.ended_at is None:
        return newest
    live = current_base(endpoint_id)
    return newest if key_of(live.split, live.mirror) == key else None


def _goal_key(change: Change) -> str:
    goal = steps_from_json(ChangeRevision.objects.get(change=change, number=change.revision).plan)[-1]
    return key_of(goal.split, goal.mirror)


def _eligible(endpoint_id: int, key: str) -> Target:
    target = find(rollback_targets(endpoint_id), key)
    if target is None:
        live = current_base(endpoint_id)
        raise Conflict(
            f"That split is no rollback target any more; Azure reports {describe(live.split)}. "
            "Nothing was sent to Azure; choose again."
        )
    if not target.eligible:
        raise Conflict(f"{target.refusal} Nothing was sent to Azure; choose another target.")
    return target


def _create(order: _Order, lease: Lease, target: Target) -> Change:
    endpoint_id = order.endpoint.id
    active, base = active_change(endpoint_id), current_base(endpoint_id)
    undone = active or last_completed(endpoint_id)
    if active:
        move(
            change=active,
            to=State.SUPERSEDED,
            actor=order.principal.actor,
            reason="rolled back",
            attention="",
            waiting_for="",
        )
    change = _insert(order, undone)
    revision = add_revision(
        change=change,
        editor_id=change.author_id,
        steps=(put_split(target.split, target.mirror),),
        base=base,
    )
    add_note(change=change, author_id=change.author_id, kind="comment", text=order.comment)
    take_goal(lease, change)
    born(
        change=change,
        actor=order.principal.actor,
        facts={
            "plan": revision.plan,
            "base": revision.base,
            "hash": revision.content_hash,
            "reverts": f"change:{change.reverts_id}" if change.reverts_id else "",
            "cause": change.cause,
        },
        personal={"comment": order.comment} if order.comment else {},
    )
    return change


def _insert(order: _Order, reverts: Change | None) -> Change:
    now, author_id = db_now(), person_id(order.principal)
    return Change.objects.create(
        endpoint_id=order.endpoint.id,
        workspace_id=order.endpoint.workspace_id,
        kind=Kind.ROLLBACK,
        state=State.APPLYING,
        reverts=reverts,
        cause=order.cause if order.cause in REASONS else "other",
        author_id=author_id,
        idempotency_key=order.key,
        created_at=now,
        started_at=now,
        started_by_id=author_id,
        step_since=now,
        next_check_at=now,
    )
