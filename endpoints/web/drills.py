"""Whether a rollback would work here, and how the practised ones went."""

from __future__ import annotations

from django.http import HttpResponseBase

from endpoints.access.policies import Action
from endpoints.access.rows import WorkspaceRow
from endpoints.inventory import selectors as inventory
from endpoints.web.pages import PageRequest, on_workspace, page, render
from endpoints.web.readiness import looked_at_now


@page(on_workspace(Action.VIEW))
def drills(request: PageRequest, *, workspace: WorkspaceRow, name: str) -> HttpResponseBase:
    """The light with every reason, as of now."""
    endpoint_id = inventory.endpoint_id_by_name(workspace.id, name)
    context = {"workspace": workspace, "name": name, "ready": looked_at_now(endpoint_id)}
    return render(request, "endpoint/drills.html", context, section="fleet")
