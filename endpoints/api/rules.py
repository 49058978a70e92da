"""Where an operation's permission is decided, and by which action of the policy."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from endpoints.access.matrix import TABLE
from endpoints.access.policies import Action, Principal
from endpoints.core.errors import Refused


class Scope(StrEnum):
    """`SIGNED_IN`: being known is enough, and what is answered is narrowed to the caller. `INSTALLATION` and
    `WORKSPACE` are decided at the door, `OBJECT` by the room's selector or service.
    """

    SIGNED_IN = "signed_in"
    INSTALLATION = "installation"
    WORKSPACE = "workspace"
    OBJECT = "object"


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may call an operation. `action` None: nothing is asked of the policy.

    `then` is asked by the room, for the object, after the door has let in.
    """

    scope: Scope
    action: Action | None = None
    then: Action | None = None


SIGNED_IN = Rule(Scope.SIGNED_IN)


def narrowed_to(action: Action) -> Rule:
    """Everybody signed in may ask, and gets what `action` opens to them, if only nothing."""
    return Rule(Scope.SIGNED_IN, action)


def on_installation(action: Action) -> Rule:
    """Decided on the whole installation."""
    return Rule(Scope.INSTALLATION, action)


def on_workspace(action: Action, *, then: Action | None = None) -> Rule:
    """Decided on the workspace that the address names; outsiders get 404."""
    return Rule(Scope.WORKSPACE, action, then)


def on_object(action: Action) -> Rule:
    """Decided by the room for the object that address or body name; outsiders get 404."""
    return Rule(Scope.OBJECT, action)


def check_token(principal: Principal, rule: Rule) -> None:
    """Refused, in words, when a token's scopes can't carry the operation whatever its object.

    Without this a token that lacks `read` would find an empty fleet, and take it for the truth.
    """
    if principal.scopes is None:
        return
    for action in _asked(rule):
        row = TABLE[action]
        if row.scope is None:
            raise Refused(f"An API token cannot {row.says}; sign in to do this.")
        if row.scope not in principal.scopes:
            raise Refused(f"This token lacks the scope {row.scope}.")


def _asked(rule: Rule) -> list[Action]:
    """Whoever acts on an object must be able to see it."""
    seen = [Action.VIEW] if rule.scope is Scope.OBJECT else []
    return [*seen, *(action for action in (rule.action, rule.then) if action is not None)]
