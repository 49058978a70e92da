"""Ask for a traffic change: write the plan down, check it, hand it to reviewers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction

from endpoints.access.policies import Action, Principal, require
from endpoints.audit.actors import Actor
from endpoints.changes.checks import run
from endpoints.changes.draft import Draft, planned
from endpoints.changes.lifecycle import Kind, State
from endpoints.changes.models import Change, ChangeRevision
from endpoints.changes.plan import Base, Step, base_from_json, before_step, duration, steps_from_json
from endpoints.changes.plan import problems as plan_problems
from endpoints.changes.selectors.probes import sample_of
from endpoints.changes.selectors.situation import current_base, known_deployments, situation_of
from endpoints.changes.services.keys import KEY_TAKEN, earlier_with_key
from endpoints.changes.services.lease import lock_lease
from endpoints.changes.services.moves import born, move
from endpoints.changes.services.people import person_id, visible_endpoint, workspace_slug
from endpoints.changes.services.revise import (
    add_note,
    add_revision,
    clean_reason,
    keep_checks,
    state_after_checks,
)
from endpoints.changes.terms import problems as terms_problems
from endpoints.changes.terms import terms_from_json
from endpoints.core import traffic
from endpoints.core.errors import Conflict, Invalid
from endpoints.dispatch import after_commit, db_now
from endpoints.inventory.selectors import EndpointFacts, endpoint_facts

MOST_STEPS = 20
PROBE_CHANGE = "changes.probe"


def request_change(
    *,
    principal: Principal,
    endpoint_id: int,
    reason: str,
    draft: Draft | None = None,
    split: Mapping[str, int] | None = None,
    mirror: Mapping[str, int] | None = None,
    idempotency_key: str = "",
) -> int:
    """The new change's number; asked twice with one key, the first one's.

    `draft` is a plan to be walked; `split` asks for one step, with `mirror` None for what is mirrored now. Invalid
    for a plan that Azure would refuse or that changes nothing; nothing is stored then.
    """
    wanted = draft or Draft.single(split or {}, mirror)
    endpoint = endpoint_facts(endpoint_id)
    slug = workspace_slug(endpoint.workspace_id)
    visible_endpoint(principal, endpoint)
    require(principal, Action.CREATE_TRAFFIC, workspace_id=endpoint.workspace_id, own=True, workspace=slug)
    order = Order(principal, endpoint, wanted, clean_reason(reason), idempotency_key)
    try:
        with transaction.atomic():
            lock_lease(endpoint_id)
            earlier = earlier_with_key(principal, idempotency_key, endpoint_id, Kind.TRAFFIC)
            return same_order(earlier, wanted) if earlier else write_down(order)
    except IntegrityError as error:
        raise Conflict(KEY_TAKEN) from error  # used at this very moment, for another endpoint


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for, and by whom."""

    principal: Principal
    endpoint: EndpointFacts
    draft: Draft
    reason: str
    key: str
    kind: Kind = Kind.TRAFFIC


def write_down(order: Order) -> int:
    """The change's number, checked and presented; the caller has locked the lease and decided who may."""
    endpoint = order.endpoint
    base = current_base(endpoint.id)
    steps = planned_steps(endpoint.id, base, order.draft)
    author_id, actor, now = person_id(order.principal), order.principal.actor, db_now()
    change = Change.objects.create(
        endpoint_id=endpoint.id,
        workspace_id=endpoint.workspace_id,
        kind=order.kind,
        state=State.CHECKING,
        author_id=author_id,
        idempotency_key=order.key,
        created_at=now,
        approval_expires_at=now + timedelta(hours=settings.OPSPORTAL.approval_ttl_hours),
    )
    revision = add_revision(
        change=change, editor_id=author_id, steps=steps, base=base, terms=order.draft.terms
    )
    add_note(change=change, author_id=author_id, kind="reason", text=order.reason)
    born(
        change=change,
        actor=actor,
        facts={
            "plan": revision.plan,
            "base": revision.base,
            "terms": order.draft.terms.for_ledger(),
            "hash": revision.content_hash,
        },
        personal={"reason": order.reason},
    )
    check_and_present(change=change, actor=actor)
    return change.pk


def planned_steps(endpoint_id: int, base: Base, draft: Draft) -> tuple[Step, ...]:
    """The draft as steps on this base, or Invalid with every reason why it can't be a plan."""
    steps, known = planned(draft, base.mirror), known_deployments(endpoint_id)
    found = [*_split_problems(draft, steps, known), *_idle_steps(base, steps)]
    walk = [*plan_problems(steps), *terms_problems(draft.terms, least=duration(steps, draft.terms))]
    told = {"split": list(dict.fromkeys(found)), "plan": walk}
    if any(told.values()):
        raise Invalid({field: problems for field, problems in told.items() if problems})
    return steps


def _split_problems(draft: Draft, steps: tuple[Step, ...], known: Iterable[str]) -> list[str]:
    if not steps:
        return ["A plan has at least one step."]
    if len(steps) > MOST_STEPS:
        return [f"A plan has at most {MOST_STEPS} steps; this one has {len(steps)}."]
    # The splits as they were given: a name that differs only by case, or a weight of 0, must not hide a mistake.
    return [
        problem
        for given, step in zip(draft.steps, steps, strict=True)
        for problem in traffic.problems(given.split, known, step.mirror)
    ]


def _idle_steps(base: Base, steps: tuple[Step, ...]) -> list[str]:
    """Steps that order what is in force already."""
    found = []
    for number, step in enumerate(steps):
        before, mirrored = before_step(base, steps, number)
        if traffic.same(step.split, before) and traffic.same(step.mirror, mirrored):
            which = f"Step {number + 1} orders" if len(steps) > 1 else "This is"
            split = traffic.describe(before)
            found.append(f"{which} the split in force: {split}. Nothing would change.")
    return found


def check_and_present(*, change: Change, actor: Actor) -> None:
    """From checking to people, or held with the reason; what can be asked directly is, and judged again then."""
    worst = keep_checks(change=change, moment="request", verdicts=run(situation_of(change)))
    if sample_of(change.endpoint_id) is not None:
        after_commit(PROBE_CHANGE, change.pk)
    move(
        change=change, to=state_after_checks(worst), actor=actor, reason=worst.reason if worst.blocks else ""
    )


def same_order(earlier: Change, draft: Draft) -> int:
    """The number of the change that this key made; Conflict when it was for another plan."""
    first = ChangeRevision.objects.get(change=earlier, number=1)
    steps = planned(draft, base_from_json(first.base).mirror)
    if steps != steps_from_json(first.plan) or draft.terms != terms_from_json(first.terms):
        raise Conflict(KEY_TAKEN)
    return earlier.pk
