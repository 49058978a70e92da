"""Ask for a traffic change: write the plan down, check it, hand it to reviewers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db import IntegrityError, transaction

from endpoints.access.policies import Action, Principal, require
from endpoints.changes.draft import Draft, planned
from endpoints.changes.lifecycle import Kind
from endpoints.changes.models import Change, ChangeRevision
from endpoints.changes.plan import Base, Step, base_from_json, before_step, duration, steps_from_json
from endpoints.changes.plan import problems as plan_problems
from endpoints.changes.selectors.situation import current_base, known_deployments
from endpoints.changes.services.keys import KEY_TAKEN, earlier_with_key
from endpoints.changes.services.lease import lock_lease
from endpoints.changes.services.people import visible_endpoint, workspace_slug
from endpoints.changes.services.revise import clean_reason
from endpoints.changes.services.writing import Order, write_down
from endpoints.changes.terms import problems as terms_problems
from endpoints.changes.terms import terms_from_json
from endpoints.core import traffic
from endpoints.core.errors import Conflict, Invalid
from endpoints.inventory.selectors import EndpointFacts, endpoint_facts

MOST_STEPS = 20


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
    words = clean_reason(reason)
    try:
        with transaction.atomic():
            lock_lease(endpoint_id)
            if earlier := earlier_with_key(principal, idempotency_key, endpoint_id, Kind.TRAFFIC):
                return same_order(earlier, wanted)
            return write_down(order_of(principal, endpoint, wanted, words, idempotency_key))
    except IntegrityError as error:
        raise Conflict(KEY_TAKEN) from error  # used at this very moment, for another endpoint


def order_of(
    principal: Principal,
    endpoint: EndpointFacts,
    draft: Draft,
    reason: str,
    key: str,
    kind: Kind = Kind.TRAFFIC,
) -> Order:
    """The draft on the base that is live now; Invalid where it can't be a plan there."""
    base = current_base(endpoint.id)
    steps = planned_steps(endpoint.id, base, draft)
    return Order(principal, endpoint, kind, base, steps, reason, draft.terms, key)


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


def same_order(earlier: Change, draft: Draft) -> int:
    """The number of the change that this key made; Conflict when it was for another plan."""
    first = ChangeRevision.objects.get(change=earlier, number=1)
    steps = planned(draft, base_from_json(first.base).mirror)
    if steps != steps_from_json(first.plan) or draft.terms != terms_from_json(first.terms):
        raise Conflict(KEY_TAKEN)
    return earlier.pk
