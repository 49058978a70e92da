"""Workspaces: what a principal may not see is not found."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet

from endpoints.access.models import Workspace
from endpoints.access.policies import Action, Principal, require, visible_workspaces
from endpoints.access.rows import WorkspaceRow
from endpoints.core.errors import NotFound


def workspace_by_slug(principal: Principal, slug: str, action: Action = Action.VIEW) -> WorkspaceRow:
    """A workspace that this principal may see, or may do something in; NotFound otherwise, there or not.

    Beside `action` seeing counts too, so that whoever sees the workspace is told why they may not do it.
    """
    seen = visible_workspaces(principal)
    if action is not Action.VIEW:
        seen |= visible_workspaces(principal, action)
    found = Workspace.objects.filter(slug=slug, pk__in=seen).first()
    if found is None:
        raise NotFound(f"There is no workspace {slug}, or you have no role on it.")
    return workspace_row(found)


def workspace(workspace_id: int) -> WorkspaceRow:
    """Any workspace by id, for code that has already decided who may see it."""
    found = Workspace.objects.filter(pk=workspace_id).first()
    if found is None:
        raise NotFound("There is no such workspace.")
    return workspace_row(found)


def workspace_names(ids: Iterable[int]) -> dict[int, str]:
    """The short names of these workspaces, disconnected ones too."""
    return dict(Workspace.objects.filter(pk__in=set(ids)).values_list("pk", "slug"))


def workspaces(principal: Principal) -> list[WorkspaceRow]:
    """The workspaces that this principal may see, by slug."""
    return _workspace_rows(Workspace.objects.filter(pk__in=visible_workspaces(principal)))


def workspace_id_by_slug(slug: str) -> int:
    """The workspace with this short name, for the command line."""
    found = Workspace.objects.filter(slug=slug).first()
    if found is None:
        raise NotFound(f"There is no workspace {slug}.")
    return found.pk


def all_workspaces(principal: Principal) -> list[WorkspaceRow]:
    """Every workspace, for those who connect them; their contents stay closed."""
    require(principal, Action.ACCESS_VIEW)
    return _workspace_rows(Workspace.objects.all())


def connected_workspaces() -> list[WorkspaceRow]:
    """What is to be synced."""
    return _workspace_rows(Workspace.objects.filter(disconnected_at__isnull=True))


def _workspace_rows(found: QuerySet[Workspace]) -> list[WorkspaceRow]:
    return [workspace_row(row) for row in found.order_by("slug")]


def workspace_row(row: Workspace) -> WorkspaceRow:
    """A workspace as the other rooms know it."""
    return WorkspaceRow(
        id=row.pk,
        slug=row.slug,
        name=row.name,
        arm_id=row.arm_id,
        subscription_id=row.subscription_id,
        resource_group=row.resource_group,
        region=row.region,
        environment=row.environment,
        connected_at=row.connected_at,
        disconnected_at=row.disconnected_at,
    )
