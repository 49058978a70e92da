"""The workspaces whose holds somebody may see. Holds of all workspaces are seen by whoever sees one."""

from __future__ import annotations

from endpoints.access.policies import Action, Principal, decide
from endpoints.access.rows import WorkspaceRow
from endpoints.access.selectors import connected_workspaces, workspace, workspace_id_by_slug
from endpoints.core.errors import NotFound


def reach(principal: Principal) -> frozenset[int]:
    """The ids of these workspaces; empty: no hold exists for this principal."""
    known = {row.id for row in connected_workspaces()} | set(principal.roles)
    return frozenset(workspace_id for workspace_id in known if reaches(principal, workspace_id))


def reaches(principal: Principal, workspace_id: int | None) -> bool:
    """Whether holds of this workspace (None: of all) exist for the principal."""
    if workspace_id is None:
        return bool(reach(principal))
    return bool(decide(principal, Action.HOLDS_VIEW, workspace_id=workspace_id))


def workspace_in_reach(principal: Principal, slug: str) -> WorkspaceRow:
    """The workspace by its short name; NotFound in the same words whether there is none or it can't be seen."""
    hidden = NotFound(f"There is no workspace {slug}, or you have no role on it.")
    try:
        found = workspace(workspace_id_by_slug(slug))
    except NotFound as error:
        raise hidden from error
    if not reaches(principal, found.id):
        raise hidden
    return found
