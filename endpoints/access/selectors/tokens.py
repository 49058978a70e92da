"""API tokens without their secrets. A token lists none."""

from __future__ import annotations

from django.db.models import F, QuerySet

from endpoints.access.models import ApiToken
from endpoints.access.policies import Action, Principal, require
from endpoints.access.rows import TokenRow
from endpoints.core.errors import Refused


def own_tokens(principal: Principal) -> list[TokenRow]:
    """The principal's own tokens, newest first. A token lists none."""
    require(principal, Action.OWN_TOKENS)
    return _token_rows(ApiToken.objects.filter(owner_id=principal.user_id))


def tokens(principal: Principal) -> list[TokenRow]:
    """Everybody's tokens, newest first, for those who manage access. A token lists none."""
    if principal.is_token:
        raise Refused("An API token cannot list tokens; sign in to do this.")
    require(principal, Action.ACCESS_VIEW)
    return _token_rows(ApiToken.objects.all())


def _token_rows(found: QuerySet[ApiToken]) -> list[TokenRow]:
    rows = found.annotate(owner_name=F("owner__display_name")).order_by("-created_at", "-pk")
    return [token_row(row, row.owner_name) for row in rows]


def token_row(row: ApiToken, owner: str) -> TokenRow:
    return TokenRow(
        id=row.pk,
        owner_id=row.owner_id,
        owner=owner,
        name=row.name,
        prefix=row.prefix,
        scopes=tuple(row.scopes),
        workspaces=tuple(row.workspaces),
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )
