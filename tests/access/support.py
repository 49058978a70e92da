"""People and workspaces for this room's tests."""

from __future__ import annotations

from endpoints.access.principals import Principal
from endpoints.access.roles import Role
from endpoints.access.selectors import principal_now
from endpoints.access.services import add_grant, add_user, add_workspace
from endpoints.audit.actors import SYSTEM_COMMAND

PASSWORD = "correct horse battery"
ARM = (
    "/subscriptions/00000000-0000-0000-0000-00000000000{}/resourceGroups/Rg"
    "/providers/Microsoft.MachineLearningServices/workspaces/mlw-{}"
)


def new_user(username: str, *, kind: str = "person", second_account_of: int | None = None) -> int:
    return add_user(
        actor=SYSTEM_COMMAND,
        username=username,
        display_name=username.title(),
        password=PASSWORD if kind == "person" else "",
        kind=kind,
        second_account_of=second_account_of,
    )


def new_workspace(number: int = 1) -> int:
    return add_workspace(
        actor=SYSTEM_COMMAND,
        arm_id=ARM.format(number, number),
        slug=f"mlw-{number}",
        environment="production",
        region="westeurope",
    )


def give(user_id: int, role: Role, workspace_id: int | None = None) -> int:
    return add_grant(actor=SYSTEM_COMMAND, user_id=user_id, role=role, workspace_id=workspace_id)


def someone(username: str, role: Role, workspace_id: int | None = None) -> Principal:
    """A new account with one role."""
    user_id = new_user(username)
    give(user_id, role, workspace_id)
    return principal_now(user_id)


def admin() -> Principal:
    return someone("ana", Role.ADMIN)
