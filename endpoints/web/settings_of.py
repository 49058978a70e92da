"""Settings of one workspace for whoever may see them: administrators too, who see nothing else of it."""

from __future__ import annotations

from endpoints.access import selectors as access
from endpoints.access.policies import Action, Principal, decide
from endpoints.access.rows import WorkspaceRow
from endpoints.core.errors import NotFound


def workspace_of(me: Principal, slug: str) -> WorkspaceRow:
    """The workspace; for outsiders in the same words as one that never was."""
    hidden = NotFound(f"There is no workspace {slug}, or you have no role on it.")
    try:
        found = access.workspace(access.workspace_id_by_slug(slug))
    except NotFound as error:
        raise hidden from error
    if not decide(me, Action.RULES_VIEW, workspace_id=found.id, workspace=slug):
        raise hidden
    return found


def workspaces_of(me: Principal) -> list[WorkspaceRow]:
    """All that this person may open the settings of."""
    known = access.all_workspaces(me) if decide(me, Action.ACCESS_VIEW) else access.workspaces(me)
    return [
        one
        for one in known
        if one.disconnected_at is None and decide(me, Action.RULES_VIEW, workspace_id=one.id)
    ]


def number_typed(text: str) -> int:
    """A row's number out of a form or an address; 0, which is nobody's, for what is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0
