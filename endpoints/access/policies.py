"""Who may do what, and why not. Pure: data in, a decision and its sentence out.

The table is `matrix.TABLE`. Powers come from grants; a token can only narrow its owner's. Nobody approves
what they wrote or edited, whatever their roles. An author not known counts against.
"""

from __future__ import annotations

from dataclasses import dataclass

from endpoints.access.matrix import TABLE, Action, Place, Reach, Rule, Scope
from endpoints.access.principals import ANONYMOUS, Principal
from endpoints.access.roles import TITLES, Role, any_of
from endpoints.core.errors import Refused

__all__ = [
    "ANONYMOUS",
    "Action",
    "AuditReach",
    "Decision",
    "Principal",
    "Scope",
    "audit_reach",
    "decide",
    "may_anywhere",
    "require",
    "visible_workspaces",
]


@dataclass(frozen=True, slots=True)
class Decision:
    """`reason` is a sentence for the person, empty when allowed."""

    allowed: bool
    reason: str = ""

    def __bool__(self) -> bool:
        return self.allowed


@dataclass(frozen=True, slots=True)
class AuditReach:
    """What of the ledger a principal may read: everything, whole workspaces, and their own acts in others."""

    everything: bool
    workspaces: frozenset[int]
    own_in: frozenset[int]


_YES = Decision(True)


def decide(
    principal: Principal,
    action: Action,
    *,
    workspace_id: int | None = None,
    workspace: str = "",
    own: bool | None = None,
    involved: bool = False,
) -> Decision:
    """Whether `principal` may do `action`.

    `own`: they wrote the object (None: not known; in `traffic.create` a new one, in `audit.read` the list).
    `involved`: they wrote or edited it. `workspace` is its slug, for the reason.
    """
    rule = TABLE[action]
    refusal = _not_signed_in(principal) or _token_refusal(principal, rule, workspace_id, workspace)
    if refusal:
        return Decision(False, refusal)
    if rule.everybody:
        return _YES
    if rule.persons_only and (refusal := _person_refusal(principal)):
        return Decision(False, refusal)
    if own is None and rule.new_is_own:
        own = True
    return _by_roles(principal, rule, workspace_id, workspace, own, involved)


def require(
    principal: Principal,
    action: Action,
    *,
    workspace_id: int | None = None,
    workspace: str = "",
    own: bool | None = None,
    involved: bool = False,
) -> None:
    """`decide`, raising Refused with the reason."""
    decision = decide(
        principal, action, workspace_id=workspace_id, workspace=workspace, own=own, involved=involved
    )
    if not decision.allowed:
        raise Refused(decision.reason)


def visible_workspaces(principal: Principal, action: Action = Action.VIEW) -> frozenset[int]:
    """The workspaces whose contents this principal may see; all others do not exist for it.

    With an `action`, those in which it may do that.
    """
    return frozenset(
        workspace_id
        for workspace_id in principal.roles
        if decide(principal, action, workspace_id=workspace_id).allowed
    )


def may_anywhere(principal: Principal, action: Action) -> bool:
    """Whether the action could be allowed on some workspace and some object: for menus."""
    return any(
        decide(principal, action, workspace_id=workspace_id, own=own).allowed
        for workspace_id in [None, *principal.roles]
        for own in (False, True)
    )


def audit_reach(principal: Principal) -> AuditReach:
    """The part of the ledger that `audit.read` opens; entries of no workspace need an auditor of all."""
    readable = {
        workspace_id: decide(principal, Action.AUDIT_READ, workspace_id=workspace_id, own=False).allowed
        for workspace_id in principal.roles
    }
    own_in = frozenset(
        workspace_id
        for workspace_id, whole in readable.items()
        if not whole and decide(principal, Action.AUDIT_READ, workspace_id=workspace_id, own=True).allowed
    )
    everything = (
        Role.AUDITOR in principal.installation
        and principal.token_workspaces is None
        and decide(principal, Action.AUDIT_READ).allowed
    )
    return AuditReach(everything, frozenset(w for w, whole in readable.items() if whole), own_in)


def _not_signed_in(principal: Principal) -> str:
    return "Sign in to do this." if principal.is_anonymous else ""


def _token_refusal(principal: Principal, rule: Rule, workspace_id: int | None, workspace: str) -> str:
    """Why the token, whatever its owner may do, does not carry this."""
    if principal.scopes is None:
        return ""
    if rule.scope is None:
        return f"An API token cannot {rule.says}; sign in to do this."
    if rule.scope not in principal.scopes:
        return f"This token lacks the scope {rule.scope}."
    limited = principal.token_workspaces is not None
    if limited and rule.place is Place.INSTALLATION:
        return "This token is limited to some workspaces; this concerns the whole installation."
    if limited and workspace_id is not None and workspace_id not in (principal.token_workspaces or ()):
        return f"This token does not reach {_label(workspace)}."
    return ""


def _person_refusal(principal: Principal) -> str:
    if principal.kind != "person":
        return f"This needs a person; {principal.display_name or 'this account'} is a service account."
    return principal.held_back


def _by_roles(
    principal: Principal,
    rule: Rule,
    workspace_id: int | None,
    workspace: str,
    own: bool | None,
    involved: bool,
) -> Decision:
    refusal = ""
    for role, place in _held(principal, rule, workspace_id):
        refusal = _object_refusal(rule.roles[role], own, involved, rule.thing) or _fresh_refusal(
            principal, rule, role, place, workspace
        )
        if not refusal:
            return _YES
    return Decision(False, refusal or _missing_role(rule, workspace))


def _held(principal: Principal, rule: Rule, workspace_id: int | None) -> list[tuple[Role, int | None]]:
    """The principal's roles that the rule knows, each with the workspace it counts on."""
    held: set[tuple[Role, int | None]]
    if rule.place is Place.INSTALLATION:
        held = {(role, None) for role in principal.installation}
    elif workspace_id is not None:
        held = {(role, workspace_id) for role in principal.roles_on(workspace_id)}
    elif rule.place is Place.EITHER:
        held = {(role, w) for w in _reached(principal) for role in principal.roles[w]}
        held |= {(role, None) for role in principal.installation}
    else:
        held = set()  # a workspace's action without a workspace: nobody holds a role on "none"
    return sorted(
        ((role, w) for role, w in held if role in rule.roles), key=lambda pair: (pair[0], pair[1] or 0)
    )


def _reached(principal: Principal) -> frozenset[int]:
    everywhere = frozenset(principal.roles)
    return everywhere if principal.token_workspaces is None else everywhere & principal.token_workspaces


def _object_refusal(reach: Reach, own: bool | None, involved: bool, thing: str) -> str:
    if reach is Reach.YES:
        return ""
    if reach is Reach.OWN:
        return "" if own else "Your role lets you do this with your own changes and entries only."
    if own is None:
        return "It is not known who wrote this, so it cannot be allowed."
    if own:
        verb = "approve or reject" if reach is Reach.UNINVOLVED else "start or advance"
        return f"You wrote this {thing}, so you cannot {verb} it."
    if involved and reach is Reach.UNINVOLVED:
        return f"You edited this {thing}, so you cannot approve or reject it."
    return ""


def _fresh_refusal(principal: Principal, rule: Rule, role: Role, place: int | None, workspace: str) -> str:
    """An administrator who made themselves a reviewer waits a day: long enough for somebody to see it."""
    if rule.roles[role] is not Reach.UNINVOLVED or (place, role) not in principal.fresh_self_grants:
        return ""
    return (
        f"You gave yourself the role {TITLES[role]} on {_label(workspace)} less than 24 hours ago, "
        "so you cannot approve there yet."
    )


def _missing_role(rule: Rule, workspace: str) -> str:
    where = "the whole installation" if rule.place is Place.INSTALLATION else _label(workspace)
    return f"Needs the role {any_of(set(rule.roles))} on {where}."


def _label(workspace: str) -> str:
    return workspace or "this workspace"
