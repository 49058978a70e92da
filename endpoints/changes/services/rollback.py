"""Roll back: a change of its own that needs no approval and takes the endpoint from whatever has it.

Two clicks by two people, or by one twice, are one rollback: the lease row's lock puts them in order, and the
second one finds the first one's change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction

from endpoints.access.policies import Principal
from endpoints.audit.actors import Actor
from endpoints.changes.lifecycle import Hold, Kind, State
from endpoints.changes.models import Change, ChangeRevision, Lease
from endpoints.changes.plan import Step, base_from_json, steps_from_json
from endpoints.changes.scaling import MOST_INSTANCES
from endpoints.changes.selectors.rollback import (
    active_change,
    last_completed,
    may_roll_back,
    rollback_targets,
)
from endpoints.changes.selectors.situation import current_base
from endpoints.changes.services.keys import KEY_TAKEN, earlier_with_key
from endpoints.changes.services.lease import lock_lease, take_goal
from endpoints.changes.services.moves import actor_for, born, move
from endpoints.changes.services.people import person_id, visible_endpoint
from endpoints.changes.services.revise import add_note, add_revision, clean_reason
from endpoints.changes.services.steps import hold_here
from endpoints.changes.targets import Target, find, key_of
from endpoints.changes.undo import Beside, goal, way_back
from endpoints.core import traffic
from endpoints.core.errors import Conflict, Invalid, Refused
from endpoints.core.traffic import describe
from endpoints.dispatch import db_now
from endpoints.inventory.selectors import EndpointFacts, deployment_states, endpoint_facts

REASONS = {
    "errors": "Errors or latency",
    "predictions": "Wrong predictions",
    "dependency": "Dependency",
    "drill": "Drill",
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
    scale_first: Mapping[str, int] | None = None,
) -> Receipt:
    """Order the issued target `target_key`. Conflict, with nothing done, for a target that can't be taken.

    `scale_first`: instances that deployments of the target are brought to before they get their traffic. The
    rollback does not depend on it: what can't be scaled in time gets its traffic all the same.
    """
    facts = endpoint_facts(endpoint_id)
    scale = _scale(scale_first or {})
    order = _Order(principal, facts, target_key, reason, _words(comment), idempotency_key, scale)
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
    scale: Mapping[str, int]


def _scale(wanted: Mapping[str, int]) -> dict[str, int]:
    bad = [name for name, count in wanted.items() if not 1 <= count <= MOST_INSTANCES]
    if bad:
        raise Invalid({"scale_first": [f"{', '.join(sorted(bad))}: from 1 to {MOST_INSTANCES} instances."]})
    return {name.lower(): count for name, count in wanted.items()}


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
    return newest if _in_force(newest) else None


def _in_force(done: Change) -> bool:
    """Whether Azure still reports what this rollback brought about."""
    split, mirror, beside = _goal(done)
    live = current_base(done.endpoint_id)
    if not (traffic.same(split, live.split) and traffic.same(mirror, live.mirror)):
        return False
    counts = {state.name.lower(): state.instance_count for state in deployment_states(done.endpoint_id)}
    return all(counts.get(name) == count for name, count in beside.instances.items())


def _goal(change: Change) -> tuple[traffic.Split, traffic.Split, Beside]:
    return goal(steps_from_json(ChangeRevision.objects.get(change=change, number=change.revision).plan))


def _goal_key(change: Change) -> str:
    return key_of(*_goal(change))


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
    active = active_change(endpoint_id)
    undone = active or _undone(endpoint_id, target)
    actor = order.principal.actor
    if active:
        _supersede(active, actor, "rolled back")
    author_id = person_id(order.principal)
    change = _insert(
        order.endpoint,
        reverts=undone,
        cause=order.cause if order.cause in REASONS else "other",
        author_id=author_id,
        started_by_id=author_id,
        idempotency_key=order.key,
    )
    _announce(change, lease, _steps(target, endpoint_id, order.scale), actor, comment=order.comment)
    return change


def _undone(endpoint_id: int, target: Target) -> Change | None:
    """What was completed last; one of capacity only by a target that puts back what it moved."""
    last = last_completed(endpoint_id)
    if last is None or last.kind != Kind.CAPACITY or last.pk == target.undoes:
        return last
    done = Change.objects.filter(endpoint_id=endpoint_id, state=State.SUCCEEDED).exclude(kind=Kind.CAPACITY)
    return done.order_by("-ended_at").first()


def _supersede(active: Change, actor: Actor, reason: str) -> None:
    move(change=active, to=State.SUPERSEDED, actor=actor, reason=reason, attention="", waiting_for="")


def _steps(target: Target, endpoint_id: int, scale: Mapping[str, int] | None = None) -> tuple[Step, ...]:
    """Where instances are asked for, they come first, under the split that is in force."""
    now = current_base(endpoint_id)
    return way_back(target.split, target.mirror, target.beside, now=now, scale_first=scale or {})


def _announce(
    change: Change, lease: Lease, steps: tuple[Step, ...], actor: Actor, *, comment: str = "", why: str = ""
) -> None:
    """Write down what the rollback orders and hand it the endpoint."""
    base = current_base(change.endpoint_id)
    revision = add_revision(change=change, editor_id=change.author_id, steps=steps, base=base)
    add_note(change=change, author_id=change.author_id, kind="comment", text=comment)
    take_goal(lease, change)
    born(
        change=change,
        actor=actor,
        facts={
            "plan": [step.for_ledger() for step in steps],
            "base": revision.base,
            "hash": revision.content_hash,
            "reverts": f"change:{change.reverts_id}" if change.reverts_id else "",
            "cause": change.cause,
        },
        personal={"comment": comment} if comment else {},
        reason=why,
    )


def _insert(endpoint: EndpointFacts, **fields: Any) -> Change:
    now = db_now()
    return Change.objects.create(
        endpoint_id=endpoint.id,
        workspace_id=endpoint.workspace_id,
        kind=Kind.ROLLBACK,
        state=State.APPLYING,
        created_at=now,
        started_at=now,
        step_since=now,
        next_check_at=now,
        **fields,
    )


def order_automatic_rollback(change: Change, *, reason: str, cause: str = "gate") -> None:
    """The portal's own rollback of the active `change` to its base; held, where the base can't be ordered any more.

    The caller holds lease and change locked. Nobody is its author: it is told as the executor's, on behalf of
    whoever started the change.
    """
    target, actor = _before(change), actor_for(change)
    if target is None or not target.eligible:
        why = target.refusal if target else "The base split can't be ordered any more."
        words = f"{reason} It could not be rolled back by itself: {why}"
        hold_here(change, hold=Hold.FAILED, reason=words, actor=actor)
        return
    lease = lock_lease(change.endpoint_id)
    _supersede(change, actor, reason)
    ordered = _insert(
        endpoint_facts(change.endpoint_id),
        reverts=change,
        cause=cause,
        author=None,
        started_by_id=change.started_by_id,
        waiting_for=reason,
    )
    _announce(ordered, lease, _steps(target, change.endpoint_id), actor, why=reason)


def _before(change: Change) -> Target | None:
    """The target that undoes `change`: its base, with what it moved beside the split."""
    targets = rollback_targets(change.endpoint_id)
    if change.kind == Kind.CAPACITY:
        return next((target for target in targets if target.undoes == change.pk), None)
    base = base_from_json(ChangeRevision.objects.get(change=change, number=change.revision).base)
    return find(targets, key_of(base.split, base.mirror))


def order_drilled_rollback(change: Change) -> Change:
    """The ordinary rollback of a drill that came off, in the name of who started it. The caller holds the lease.

    Conflict, with nothing done, where somebody else is at work or the split from before can't be ordered.
    """
    if active := active_change(change.endpoint_id):
        raise Conflict(f"CR-{active.pk} is at work on this endpoint.")
    target = _before(change)
    if target is None or not target.eligible:
        why = target.refusal if target else "Azure reports the split from before the drill already."
        raise Conflict(f"The drill could not be rolled back: {why}")
    ordered = _insert(
        endpoint_facts(change.endpoint_id),
        reverts=change,
        cause="drill",
        author=None,
        started_by_id=change.started_by_id,
    )
    steps, lease = _steps(target, change.endpoint_id), lock_lease(change.endpoint_id)
    _announce(ordered, lease, steps, actor_for(change), why="the drill came off")
    return ordered
