"""Role actions: may this identity do this here? Wildcards and notActions as in Azure's role definitions."""

from __future__ import annotations

from fnmatch import fnmatchcase

from emulator.errors import ArmError
from emulator.tokens import Identity
from emulator.values import Json


def allows(identity: Identity, action: str, scope: str) -> bool:
    wanted = action.lower()
    return (
        _in_scope(identity, scope)
        and any(fnmatchcase(wanted, pattern.lower()) for pattern in identity.actions)
        and not any(fnmatchcase(wanted, pattern.lower()) for pattern in identity.not_actions)
    )


def check(identity: Identity, action: str, scope: str) -> None:
    """Raise ARM's 403, which names the action that is missing."""
    if allows(identity, action, scope):
        return
    raise ArmError(
        403,
        "AuthorizationFailed",
        f"The client '{identity.client_id}' with object id '{identity.object_id}' does not have authorization"
        f" to perform action '{action}' over scope '{scope}' or the scope is invalid. If access was recently"
        " granted, please refresh your credentials.",
    )


def listed(identity: Identity, scope: str) -> Json:
    """The answer of Microsoft.Authorization/permissions for this scope."""
    if not _in_scope(identity, scope):
        return {"value": []}
    return {
        "value": [
            {
                "actions": list(identity.actions),
                "notActions": list(identity.not_actions),
                "dataActions": [],
                "notDataActions": [],
            }
        ]
    }


def _in_scope(identity: Identity, scope: str) -> bool:
    wanted = scope.lower().rstrip("/") + "/"
    return any(wanted.startswith(held.lower().rstrip("/") + "/") for held in identity.scopes)
