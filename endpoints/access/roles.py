"""The roles, and their names for people. Overrider is a flag: it adds one power to whoever has another role."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """A role is granted on one workspace; INSTALLATION_ROLES may be granted on the whole installation."""

    REQUESTER = "requester"
    REVIEWER = "reviewer"
    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    FINOPS = "finops"
    AUDITOR = "auditor"
    ADMIN = "admin"
    OVERRIDER = "overrider"


TITLES: dict[Role, str] = {
    Role.REQUESTER: "requester",
    Role.REVIEWER: "release reviewer",
    Role.OPERATOR: "operator",
    Role.SUPERVISOR: "supervisor",
    Role.FINOPS: "FinOps",
    Role.AUDITOR: "auditor",
    Role.ADMIN: "platform administrator",
    Role.OVERRIDER: "freeze overrider",
}

INSTALLATION_ROLES = frozenset({Role.AUDITOR, Role.ADMIN})
WORKSPACE_ROLES = frozenset(Role) - {Role.ADMIN}


def any_of(roles: frozenset[Role] | set[Role]) -> str:
    """ "requester, release reviewer or operator", in the order of the roles above."""
    titles = [TITLES[role] for role in Role if role in roles]
    return " or ".join(filter(None, [", ".join(titles[:-1]), titles[-1]]))
