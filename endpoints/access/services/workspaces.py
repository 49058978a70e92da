"""Workspaces connected and disconnected. What was seen in a disconnected one stays readable."""

from __future__ import annotations

import re

from django.db import IntegrityError, transaction

from endpoints.access.models import Workspace
from endpoints.access.policies import Action, Principal, require
from endpoints.audit.actors import Actor
from endpoints.audit.services import record
from endpoints.core.errors import Conflict, Invalid, NotFound
from endpoints.core.ids import WorkspaceId, arm_key, parse_workspace_id, ref
from endpoints.dispatch import db_now

_SLUG = re.compile(r"^[a-z0-9][a-z0-9-]{1,62}$")


def connect_workspace(
    *, principal: Principal, arm_id: str, slug: str, environment: str, region: str = ""
) -> int:
    """Start to mirror the workspace that `arm_id` names; returns its id. The next sync reads it."""
    require(principal, Action.WORKSPACE_CONNECT)
    return add_workspace(
        actor=principal.actor,
        connected_by=principal.user_id,
        arm_id=arm_id,
        slug=slug,
        environment=environment,
        region=region,
    )


@transaction.atomic
def add_workspace(
    *,
    actor: Actor,
    arm_id: str,
    slug: str,
    environment: str,
    region: str = "",
    connected_by: int | None = None,
) -> int:
    """`connect_workspace` without asking the policy. Connecting a disconnected one again keeps its id."""
    parts = _check(arm_id, slug, environment)
    known = Workspace.objects.select_for_update(no_key=True).filter(arm_key=arm_key(arm_id)).first()
    if known is not None and known.disconnected_at is None:
        raise Conflict(f"This workspace is connected already, as {known.slug}; nothing was changed.")
    row = known or Workspace(arm_key=arm_key(arm_id))
    row.slug, row.environment, row.region = slug, environment, region.strip()
    row.arm_id, row.subscription_id = arm_id.strip().rstrip("/"), parts.subscription
    row.resource_group, row.name = parts.resource_group, parts.name
    row.connected_by_id, row.disconnected_at = connected_by, None
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise Conflict(
            f"The short name {slug} is taken by another workspace; nothing was connected."
        ) from error
    after = {"slug": slug, "arm_id": row.arm_id, "environment": environment, "region": row.region}
    record(
        actor=actor,
        action="workspace.connected",
        subject=ref("workspace", row.pk),
        workspace_id=row.pk,
        after=after,
    )
    return row.pk


def _check(arm_id: str, slug: str, environment: str) -> WorkspaceId:
    problems: dict[str, list[str]] = {}
    parts = WorkspaceId("", "", "")
    try:
        parts = parse_workspace_id(arm_id)
    except ValueError as error:
        problems["arm_id"] = [str(error)]
    if not _SLUG.match(slug):
        problems["slug"] = [
            "A short name has 2 to 63 of a-z, 0-9 and dash, and begins with a letter or digit."
        ]
    if environment not in Workspace.Environment.values:
        problems["environment"] = ["A workspace is production or test."]
    if problems:
        raise Invalid(problems)
    return parts


@transaction.atomic
def disconnect_workspace(*, principal: Principal, workspace_id: int, reason: str = "") -> None:
    """Stop to mirror a workspace. Nothing in Azure changes, and nothing that was recorded goes."""
    require(principal, Action.WORKSPACE_CONNECT)
    row = Workspace.objects.select_for_update(no_key=True).filter(pk=workspace_id).first()
    if row is None:
        raise NotFound("There is no such workspace; nothing was disconnected.")
    if row.disconnected_at is not None:
        raise Conflict("This workspace is disconnected already.")
    Workspace.objects.filter(pk=workspace_id).update(disconnected_at=db_now())
    record(
        actor=principal.actor,
        action="workspace.disconnected",
        subject=ref("workspace", workspace_id),
        workspace_id=workspace_id,
        before={"slug": row.slug},
        personal={"reason": reason.strip()},
    )
