"""What must be true each time somebody acts on a case: it is theirs to see, they may, and they said what is needed."""

from __future__ import annotations

from endpoints.access.policies import Action, Principal, require, visible_workspaces
from endpoints.access.selectors import workspace
from endpoints.challenges.models import Case
from endpoints.core.errors import Invalid, NotFound, Refused

TEXT_LIMIT = 2000
REFERENCE_LIMIT = 80
NAME_LIMIT = 200


def lock_case(case_id: int, principal: Principal) -> Case:
    """The case, locked until this transaction ends; NotFound when the principal may not even see its workspace."""
    case = Case.objects.select_for_update(no_key=True).filter(pk=case_id).first()
    if case is None or case.workspace_id not in visible_workspaces(principal):
        raise NotFound(f"There is no CH-{case_id}, or not for you.")
    permit(principal, Action.PREDICTIONS_VIEW, case.workspace_id)
    return case


def permit(principal: Principal, action: Action, workspace_id: int) -> None:
    """Refused, with the reason, when policy says no to this person on this workspace."""
    require(principal, action, workspace_id=workspace_id, workspace=workspace(workspace_id).slug)


def person_id(principal: Principal) -> int:
    """The account behind the principal; nobody anonymous works on a case."""
    if principal.user_id is None:
        raise Refused("Sign in to do this.")
    return principal.user_id


def said(text: str, field: str, missing: str, *, limit: int = TEXT_LIMIT) -> str:
    """What a person must give in words. Invalid for the field when it is missing or too long."""
    words = text.strip()
    if not words:
        raise Invalid({field: [missing]})
    return within(words, field, limit=limit)


def within(text: str, field: str, *, limit: int = TEXT_LIMIT) -> str:
    """Words that may be missing, and are not too long."""
    words = text.strip()
    if len(words) > limit:
        raise Invalid({field: [f"At most {limit} characters; these are {len(words)}."]})
    return words


def user_of(ref: str) -> int | None:
    """7 out of "user:7"; None for whatever is no person."""
    kind, _, number = ref.partition(":")
    return int(number) if kind == "user" and number.isdecimal() else None
