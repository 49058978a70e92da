"""Rules, holds and reviewers for tests about approvals, in one line each."""

from __future__ import annotations

from typing import Any

from endpoints.access import services as access
from endpoints.access.models import Grant, User
from endpoints.access.policies import Principal
from endpoints.access.roles import Role
from endpoints.audit.actors import SYSTEM_COMMAND
from endpoints.changes import services
from endpoints.changes.services import RuleDraft
from endpoints.dispatch import db_now
from endpoints.holds.models import Override, Protection, Stop
from tests.changes.desk import Desk
from tests.support.people import INSTALLATION, make_person, principal


def person(desk: Desk, name: str, *roles: str) -> User:
    """Somebody with these roles on the desk's workspace."""
    return make_person(name, {desk.workspace.slug: roles})


def reviewer(desk: Desk, name: str) -> Principal:
    return principal(person(desk, name, "reviewer"))


def administrator(name: str = "ada") -> User:
    return make_person(name, {INSTALLATION: ["admin"]})


def rule(
    desk: Desk, required: int = 2, *, by: User | None = None, title: str = "two eyes more", **more: Any
) -> int:
    """In force at once, for an administrator makes it."""
    maker = by or User.objects.filter(username="ada").first() or administrator()
    made = services.propose_rule(
        principal=principal(maker),
        workspace_id=desk.workspace.pk,
        draft=RuleDraft(title, required=required, **more),
        reason="after the incident of May",
    )
    return made.rule_id


def lose_roles(user: User) -> None:
    Grant.objects.filter(user=user, until=None).update(until=db_now())


def give_role(desk: Desk, user: User, role: str) -> None:
    access.add_grant(actor=SYSTEM_COMMAND, user_id=user.pk, role=Role(role), workspace_id=desk.workspace.pk)


def stop(desk: Desk) -> str:
    """The line is stopped; the ref of the stop."""
    row = Stop.objects.create(
        workspace=desk.workspace, reason="we look into it", stopped_by="user:1", stopped_at=db_now()
    )
    return f"stop:{row.pk}"


def protect(desk: Desk, deployment: str = "") -> str:
    row = Protection.objects.create(
        endpoint_id=desk.endpoint_id,
        deployment=deployment,
        cause="case:7",
        reason="evidence",
        since=db_now(),
        made_by="user:1",
    )
    return f"protection:{row.pk}"


def let_past(change_id: int, hold: str) -> None:
    Override.objects.create(
        hold=hold,
        subject=f"change:{change_id}",
        reason="urgent",
        overridden_by="user:1",
        overridden_at=db_now(),
    )
