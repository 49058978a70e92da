"""Everything that changes accounts, grants, tokens and workspaces. Each verb records itself in the ledger.

A verb that takes a `principal` asks the policy first. Its `add_…` twin takes an `actor` and asks nobody: it
is for the command line, which is how the first administrator comes to be, and for seeding a demo.
"""

from endpoints.access.services.accounts import (
    add_user,
    change_password,
    create_user,
    disable_user,
    enable_user,
    give_password,
    update_preferences,
)
from endpoints.access.services.grants import add_grant, end_grant, grant_role
from endpoints.access.services.login import prove_password, sign_in, sign_out
from endpoints.access.services.refusals import About, record_refusal
from endpoints.access.services.tokens import authenticate_token, create_token, revoke_token
from endpoints.access.services.workspaces import add_workspace, connect_workspace, disconnect_workspace

__all__ = [
    "About",
    "add_grant",
    "add_user",
    "add_workspace",
    "authenticate_token",
    "change_password",
    "connect_workspace",
    "create_token",
    "create_user",
    "disable_user",
    "disconnect_workspace",
    "enable_user",
    "end_grant",
    "give_password",
    "grant_role",
    "prove_password",
    "record_refusal",
    "revoke_token",
    "sign_in",
    "sign_out",
    "update_preferences",
]
