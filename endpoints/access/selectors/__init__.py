"""Reads: principals, workspaces, people, grants, tokens. What a principal may not see is not found."""

from endpoints.access.rows import GrantRow, PersonRow, TokenRow, WorkspaceRow
from endpoints.access.selectors.grants import grants
from endpoints.access.selectors.people import (
    display_names,
    holders,
    people,
    person,
    user_id_by_name,
    users_by_ids,
)
from endpoints.access.selectors.principals import (
    HELD_BACK,
    audit_scope,
    live_token,
    principal_for_token,
    principal_for_user,
    principal_now,
    principal_of,
)
from endpoints.access.selectors.then import PersonThen, people_then, principals_then
from endpoints.access.selectors.tokens import own_tokens, token_row, tokens
from endpoints.access.selectors.workspaces import (
    all_workspaces,
    connected_workspaces,
    workspace,
    workspace_by_slug,
    workspace_id_by_slug,
    workspace_names,
    workspace_row,
    workspaces,
)

__all__ = [
    "HELD_BACK",
    "GrantRow",
    "PersonRow",
    "PersonThen",
    "TokenRow",
    "WorkspaceRow",
    "all_workspaces",
    "audit_scope",
    "connected_workspaces",
    "display_names",
    "grants",
    "holders",
    "live_token",
    "own_tokens",
    "people",
    "people_then",
    "person",
    "principal_for_token",
    "principal_for_user",
    "principal_now",
    "principal_of",
    "principals_then",
    "token_row",
    "tokens",
    "user_id_by_name",
    "users_by_ids",
    "workspace",
    "workspace_by_slug",
    "workspace_id_by_slug",
    "workspace_names",
    "workspace_row",
    "workspaces",
]
