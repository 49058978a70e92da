"""What is done on a case besides deciding it: assign it, say something, link it with another one."""

from __future__ import annotations

from django.db import transaction

from endpoints.access.policies import Action, Principal
from endpoints.access.roles import Role
from endpoints.access.selectors import holders
from endpoints.challenges.lifecycle import Kind
from endpoints.challenges.linking import in_order
from endpoints.challenges.models import Link
from endpoints.challenges.services.case_guards import lock_case, permit, said
from endpoints.challenges.services.case_moves import happen
from endpoints.challenges.services.case_notices import tell_of
from endpoints.core.errors import Conflict, Invalid
from endpoints.dispatch import db_now

MOST_LINKS = 100
WHY_LIMIT = 120


@transaction.atomic
def assign(*, principal: Principal, case_id: int, user_id: int | None) -> None:
    """Give the case to somebody who may work on it, or to nobody. Invalid for anybody else."""
    case = lock_case(case_id, principal)
    permit(principal, Action.CASE_WORK, case.workspace_id)
    if case.assigned_to_id == user_id:
        return
    if user_id is not None and user_id not in {one.id for one in holders(case.workspace_id, Role.SUPERVISOR)}:
        raise Invalid({"assigned_to": ["This person does not work on cases here. Nothing was changed."]})
    if user_id is not None:
        tell_of(case, "case.assigned", also=str(case.version + 1))
    happen(
        case=case,
        kind=Kind.ASSIGNED,
        actor=principal.actor,
        data={"to": f"user:{user_id}" if user_id is not None else ""},
        assigned_to_id=user_id,
    )


@transaction.atomic
def comment(*, principal: Principal, case_id: int, text: str) -> None:
    """Words beside the case, open or closed; they decide nothing."""
    case = lock_case(case_id, principal)
    permit(principal, Action.CASE_WORK, case.workspace_id)
    words = said(text, "comment", "Write your comment first.")
    happen(case=case, kind=Kind.COMMENTED, actor=principal.actor, texts={"comment": words})


@transaction.atomic
def link(*, principal: Principal, case_id: int, other_id: int, why: str) -> None:
    """Two cases of one workspace that concern each other. Linked already: Conflict, and nothing is stored."""
    older, younger = in_order(case_id, other_id)
    if older == younger:
        raise Invalid({"other": ["A case can't be linked with itself. Nothing was stored."]})
    # Always the older one first: two who link the same two cases take turns.
    cases = {number: lock_case(number, principal) for number in (older, younger)}
    case, other = cases[case_id], cases[other_id]
    permit(principal, Action.CASE_WORK, case.workspace_id)
    if other.workspace_id != case.workspace_id:
        raise Invalid({"other": [f"CH-{other_id} belongs to another workspace. Nothing was stored."]})
    words = said(why, "why", "Say in a few words what they have to do with each other.", limit=WHY_LIMIT)
    if Link.objects.filter(case_id=older, other_id=younger).exists():
        raise Conflict(f"CH-{older} and CH-{younger} are linked already. Nothing was stored.")
    if Link.objects.filter(case_id=older).count() >= MOST_LINKS:
        raise Conflict(f"CH-{older} has {MOST_LINKS} links, which is as many as a case may have.")
    Link.objects.create(case_id=older, other_id=younger, why=words, by=principal.ref, at=db_now())
    for one, its_other in ((case, other_id), (other, case_id)):
        happen(case=one, kind=Kind.LINKED, actor=principal.actor, data={"with": f"case:{its_other}"})
