"""Roles given and taken. Rows stay, so that "who could approve on that day" has an answer."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction

from endpoints.access.models import Grant, User, Workspace
from endpoints.access.policies import Action, Principal, require
from endpoints.access.roles import INSTALLATION_ROLES, TITLES, WORKSPACE_ROLES, Role
from endpoints.audit.actors import Actor
from endpoints.audit.services import record
from endpoints.core.errors import Conflict, Invalid, NotFound
from endpoints.core.ids import ref
from endpoints.dispatch import db_now


def grant_role(
    *,
    principal: Principal,
    user_id: int,
    role: Role,
    workspace_id: int | None = None,
    until: datetime | None = None,
    reason: str = "",
) -> int:
    """Give a role and return the grant's id. One that you give yourself is recorded as such, and does not let
    you approve for a day."""
    require(principal, Action.GRANT)
    return add_grant(
        actor=principal.actor,
        granted_by=principal.user_id,
        to_self=principal.is_any_of([user_id]),
        user_id=user_id,
        role=role,
        workspace_id=workspace_id,
        until=until,
        reason=reason,
    )


@transaction.atomic
def add_grant(
    *,
    actor: Actor,
    user_id: int,
    role: Role,
    workspace_id: int | None = None,
    until: datetime | None = None,
    reason: str = "",
    granted_by: int | None = None,
    to_self: bool = False,
) -> int:
    """`grant_role` without asking the policy."""
    now = db_now()
    _check(user_id, role, workspace_id, until, now)
    grant = Grant(
        user_id=user_id,
        workspace_id=workspace_id,
        role=role,
        since=now,
        until=until,
        granted_by_id=granted_by,
        reason=reason.strip(),
    )
    try:
        with transaction.atomic():
            grant.save(force_insert=True)
    except IntegrityError as error:
        raise Conflict(
            f"The account already has the role {TITLES[role]} there; nothing was changed."
        ) from error
    record(
        actor=actor,
        action="grant.given_to_self" if to_self else "grant.given",
        subject=ref("user", user_id),
        workspace_id=workspace_id,
        after={"grant": ref("grant", grant.pk), "role": str(role), "until": until and until.isoformat()},
        personal={"reason": grant.reason},
    )
    return grant.pk


def _check(user_id: int, role: Role, workspace_id: int | None, until: datetime | None, now: datetime) -> None:
    if role not in (INSTALLATION_ROLES if workspace_id is None else WORKSPACE_ROLES):
        where = "the whole installation" if workspace_id is None else "one workspace"
        raise Invalid({"role": [f"The role {TITLES[role]} is not given on {where}."]})
    if until is not None and until <= now:
        raise Invalid({"until": ["A grant ends in the future; nothing was granted."]})
    if not User.objects.filter(pk=user_id).exists():
        raise NotFound("There is no such account; nothing was granted.")
    if workspace_id is not None and not Workspace.objects.filter(pk=workspace_id).exists():
        raise NotFound("There is no such workspace; nothing was granted.")


@transaction.atomic
def end_grant(*, principal: Principal, grant_id: int, reason: str = "") -> None:
    """Take a role back, at once."""
    require(principal, Action.GRANT)
    grant = Grant.objects.select_for_update().filter(pk=grant_id).first()
    if grant is None:
        raise NotFound("There is no such grant; nothing was ended.")
    now = db_now()
    if grant.until is not None and grant.until <= now:
        raise Conflict("This grant has ended already.")
    before = grant.until
    Grant.objects.filter(pk=grant_id).update(until=max(now, grant.since))
    record(
        actor=principal.actor,
        action="grant.ended",
        subject=ref("user", grant.user_id),
        workspace_id=grant.workspace_id,
        before={"until": before and before.isoformat()},
        after={"grant": ref("grant", grant_id), "role": str(grant.role)},
        personal={"reason": reason.strip()},
    )
