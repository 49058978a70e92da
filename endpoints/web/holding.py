"""What an endpoint's page says of the freezes and protections in force, and its way to stop the line."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode

from django.urls import reverse

from endpoints.access.policies import Action, Principal, decide
from endpoints.access.rows import WorkspaceRow
from endpoints.holds.selectors import Hold, Kind, in_force
from endpoints.web.wording import clock


def holds_on(endpoint_id: int, at: datetime) -> list[tuple[Hold, str]]:
    """Each with its end in words, "" for none. Stops are left out: every page says them at its top."""
    return [
        (hold, clock(hold.until, seconds=False) if hold.until else "")
        for hold in in_force(endpoint_id, at)
        if hold.kind is not Kind.STOP
    ]


def stop_href(me: Principal, workspace: WorkspaceRow, name: str) -> str:
    """Where the line of this endpoint is stopped; "" for who may not."""
    if not decide(me, Action.STOP_LINE, workspace_id=workspace.id, workspace=workspace.slug):
        return ""
    return f"{reverse('web:stop_line')}?{urlencode({'ws': workspace.slug, 'name': name})}"
