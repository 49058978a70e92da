"""What every verb of this room asks first: may this person do it there, and did they say why."""

from __future__ import annotations

from endpoints.access.policies import Action, Principal, decide, require
from endpoints.access.selectors import connected_workspaces, workspace
from endpoints.core.errors import Conflict, Invalid, Refused

REASON_LIMIT = 2000
TITLE_LIMIT = 120


def permit(principal: Principal, action: Action, workspace_id: int | None) -> None:
    """Refused unless the person may do this on the workspace; None: on each that is connected."""
    if workspace_id is not None:
        slug = workspace(workspace_id).slug
        require(principal, action, workspace_id=workspace_id, workspace=slug)
        return
    connected = connected_workspaces()
    if not connected:
        raise Conflict("No workspace is connected, so there is nothing to hold. Nothing was done.")
    for each in connected:
        decision = decide(principal, action, workspace_id=each.id, workspace=each.slug)
        if not decision:
            # Which workspaces there are is nobody's business who has no role there.
            raise Refused("This would hold every workspace, and you may not do that on all of them.")


def said(text: str, field: str = "reason", *, limit: int = REASON_LIMIT) -> str:
    """What a person must give in words. Invalid for the field when it is missing or too long."""
    words = text.strip()
    if not words:
        raise Invalid({field: [_MISSING.get(field, _WHY)]})
    if len(words) > limit:
        raise Invalid({field: [f"At most {limit} characters; these are {len(words)}."]})
    return words


_WHY = "Say why: whoever is held by it, and whoever looks back, needs it."
_MISSING = {"title": "Give it a title: it is what people read who are held by it."}
