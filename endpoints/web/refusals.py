"""Orders that a page refused, on record: who tried it, on what, and why it was refused."""

from __future__ import annotations

from django.http import HttpRequest

from endpoints.access import selectors as access
from endpoints.access.policies import Principal
from endpoints.access.services import About, record_refusal
from endpoints.changes.selectors import change_rows
from endpoints.core.errors import NotFound, OpsportalError, Refused
from endpoints.core.ids import ref
from endpoints.inventory.selectors import endpoint_id_by_name


def recorded(request: HttpRequest, refusal: Refused) -> OpsportalError:
    """The refusal, once it is in the ledger; what kept it out otherwise."""
    principal: Principal | None = getattr(request, "principal", None)
    if principal is None or principal.is_anonymous:
        return refusal
    try:
        record_refusal(principal, _about(request, principal), refusal.message)
    except OpsportalError as error:
        return error
    return refusal


def _about(request: HttpRequest, principal: Principal) -> About:
    """What the address names. Only things that the person may see are named in the entry."""
    named = request.resolver_match.kwargs if request.resolver_match else {}
    try:
        if "number" in named and "changes/" in request.path:
            return _change(principal, named["number"])
        if "ws" in named:
            return _place(principal, named["ws"], named.get("name", ""))
    except NotFound:
        pass
    return About()


def _change(principal: Principal, number: int) -> About:
    row = next(iter(change_rows(principal, before=number + 1, limit=1).rows), None)
    if row is None or row.id != number:
        return About()
    return About(ref("change", row.id), row.workspace_id, ref("endpoint", row.endpoint_id))


def _place(principal: Principal, slug: str, name: str) -> About:
    workspace = access.workspace_by_slug(principal, slug)
    if not name:
        return About(ref("workspace", workspace.id), workspace.id)
    endpoint = ref("endpoint", endpoint_id_by_name(workspace.id, name))
    return About(endpoint, workspace.id, endpoint)
