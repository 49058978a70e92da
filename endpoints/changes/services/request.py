"""Ask for a traffic change: write the plan down, check it, hand it to reviewers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction

from endpoints.access.policies import Action, Principal, require
from endpoints.audit.actors import Actor
from endpoints.changes.checks import run
from endpoints.changes.lifecycle import Kind, State
from endpoints.changes.models import Change, ChangeRevision
from endpoints.changes.plan import Base, Step, put_split, steps_from_json
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
from endpoints.core import traffic
from endpoints.core.errors import Conflict, Invalid
from endpoints.dispatch import db_now
from endpoints.inventory.selectors import endpoint_facts


def request_change(
    *,
    principal: Principal,
    endpoint_id: int,
    split: Mapping[str, int],
    reason: str,
    mirror: Mapping[str, int] | None = None,
    idempotency_key: str = "",
) -> int:
    """The new change's number; asked twice with one key, the first one's.

    `mirror` None keeps what is mirrored now. Invalid for a split that Azure would refuse or that changes
    nothing; nothing is stored then.
    """
    endpoint = endpoint_facts(endpoint_id)
    slug = workspace_slug(endpoint.workspace_id)
    visible_endpoint(principal, endpoint)
    require(principal, Action.CREATE_TRAFFIC, workspace_id=endpoint.workspace_id, own=True, workspace=slug)
    words = clean_reason(reason)
    try:
        with transaction.atomic():
            lock_lease(endpoint_id)
            earlier = earlier_with_key(principal, idempotency_key, endpoint_id, Kind.TRAFFIC)
            if earlier:
                return _same_order(earlier, split)
            return _request(
                principal, endpoint_id, endpoint.workspace_id, split, mirror, words, idempotency_key
            )
    except IntegrityError as error:
        raise Conflict(KEY_TAKEN) from error  # used at this very moment, for another endpoint


def _request(
    principal: Principal,
    endpoint_id: int,
    workspace_id: int,
    split: Mapping[str, int],
    mirror: Mapping[str, int] | None,
    reason: str,
    key: str,
) -> int:
    base = current_base(endpoint_id)
    steps = (planned_step(endpoint_id, base, split, mirror),)
    actor = principal.actor
    now = db_now()
    change = Change.objects.create(
        endpoint_id=endpoint_id,
        workspace_id=workspace_id,
        kind=Kind.TRAFFIC,
        state=State.CHECKING,
        author_id=person_id(principal),
        idempotency_key=key,
        created_at=now,
        approval_expires_at=now + timedelta(hours=settings.OPSPORTAL.approval_ttl_hours),
    )
    revision = add_revision(change=change, editor_id=person_id(principal), steps=steps, base=base)
    add_note(change=change, author_id=person_id(principal), kind="reason", text=reason)
    born(
        change=change,
        actor=actor,
        facts={"plan": revision.plan, "base": revision.base, "hash": revision.content_hash},
        personal={"reason": reason},
    )
    check_and_present(change=change, actor=actor)
    return change.pk


def planned_step(
    endpoint_id: int, base: Base, split: Mapping[str, int], mirror: Mapping[str, int] | None
) -> Step:
    """The wanted split as a step, or Invalid with every reason why it can't be one."""
    wanted = put_split(split, base.mirror if mirror is None else mirror)
    found = traffic.problems(split, known_deployments(endpoint_id), wanted.mirror)
    if found:
        raise Invalid({"split": found})
    if traffic.same(wanted.split, base.split) and traffic.same(wanted.mirror, base.mirror):
        raise Invalid(
            {"split": [f"This is the split in force: {traffic.describe(base.split)}. Nothing would change."]}
        )
    return wanted


def check_and_present(*, change: Change, actor: Actor) -> None:
    """From checking to people, or held with the reason."""
    worst = keep_checks(change=change, moment="request", verdicts=run(situation_of(change)))
    move(
        change=change, to=state_after_checks(worst), actor=actor, reason="" if worst.passed else worst.reason
    )


def _same_order(earlier: Change, split: Mapping[str, int]) -> int:
    """The number of the change that this key made; Conflict when it was for another split."""
    first = ChangeRevision.objects.get(change=earlier, number=1)
    if not traffic.same(steps_from_json(first.plan)[-1].split, split):
        raise Conflict(KEY_TAKEN)
    return earlier.pk
