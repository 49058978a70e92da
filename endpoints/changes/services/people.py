"""Who acts, and on what they may lay hands at all."""

from __future__ import annotations

from endpoints.access.policies import Principal, visible_workspaces
from endpoints.access.selectors import workspace
from endpoints.core.errors import NotFound, Refused
from endpoints.inventory.selectors import EndpointFacts


def person_id(principal: Principal) -> int:
    """The account behind the principal; nobody anonymous writes."""
    if principal.user_id is None:
        raise Refused("Sign in to do this.")
    return principal.user_id


def workspace_slug(workspace_id: int) -> str:
    """The workspace's name for sentences."""
    return workspace(workspace_id).slug


def visible_endpoint(principal: Principal, endpoint: EndpointFacts) -> None:
    """NotFound unless the endpoint stands and the principal may see its workspace."""
    if endpoint.workspace_id not in visible_workspaces(principal) or endpoint.deleted_at is not None:
        raise NotFound("There is no such endpoint, or not for you.")
