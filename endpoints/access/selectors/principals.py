"""Principals: an account with the powers of this moment, out of its rows."""

from __future__ import annotations

import hmac
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

from django.db.models import Q
from django.db.models.functions import Now

from endpoints.access.models import ApiToken, User, Workspace
from endpoints.access.policies import ANONYMOUS, Principal, audit_reach
from endpoints.access.roles import Role
from endpoints.access.selectors.grants import active_grants
from endpoints.audit.selectors import Scope as AuditScope
from endpoints.core.ids import ref
from endpoints.dispatch import db_now

HELD_BACK = timedelta(hours=24)
"""How long a role that one gave oneself, or a password that somebody else set, does not allow approving."""


def principal_for_user(user: User | None, *, ip: str = "") -> Principal:
    """The session's principal, with the grants of this moment. No user, or a disabled one: ANONYMOUS."""
    if user is None or user.pk is None or not user.is_active:
        return ANONYMOUS
    roles, installation, fresh = _powers(user)
    return Principal(
        user_id=user.pk,
        ref=ref("user", user.pk),
        kind="person" if user.kind == User.Kind.PERSON else "service",
        roles=roles,
        installation=installation,
        display_name=user.display_name,
        time_zone=user.time_zone,
        shortcuts_enabled=user.shortcuts_enabled,
        fresh_self_grants=fresh,
        held_back=_held_back(user),
        same_person=_same_person(user),
        ip=ip,
    )


def principal_now(user_id: int) -> Principal:
    """The powers of an account at this moment, for re-checks: a disabled or unknown account is ANONYMOUS."""
    return principal_for_user(User.objects.filter(pk=user_id).first())


def principal_for_token(raw: str, *, ip: str = "") -> Principal | None:
    """The principal of a live token, or None. Its last use is noted by `services.authenticate_token`."""
    token = live_token(raw)
    return None if token is None else principal_of(token, ip=ip)


def principal_of(token: ApiToken, *, ip: str = "") -> Principal | None:
    """The token's owner, narrowed to the token; None when the account is disabled."""
    owner = principal_for_user(token.owner, ip=ip)
    return None if owner.is_anonymous else _narrowed(owner, token)


def live_token(raw: str) -> ApiToken | None:
    """The row of a token that is neither expired nor revoked, with its owner."""
    kind, _, rest = raw.partition("_")
    prefix = rest.partition("_")[0]
    if kind != "opt" or not prefix or len(raw) > 200 or not raw.isascii():
        return None
    token = (
        ApiToken.objects.select_related("owner")
        .filter(prefix=prefix, revoked_at__isnull=True, expires_at__gt=Now())
        .first()
    )
    if token is None or not hmac.compare_digest(token.digest, sha256(raw.encode()).hexdigest()):
        return None
    return token


def _narrowed(owner: Principal, token: ApiToken) -> Principal:
    only = frozenset(token.workspaces) or None
    return replace(
        owner,
        roles={w: roles for w, roles in owner.roles.items() if only is None or w in only},
        scopes=frozenset(token.scopes),
        token_workspaces=only,
        auth=ref("token", token.pk),
    )


_Powers = tuple[dict[int, frozenset[Role]], frozenset[Role], frozenset[tuple[int | None, Role]]]


def _powers(user: User) -> _Powers:
    held: dict[int | None, set[Role]] = {}
    old: set[tuple[int | None, Role]] = set()
    fresh: set[tuple[int | None, Role]] = set()
    mine = {user.pk, user.second_account_of_id}
    for grant in active_grants().filter(user=user).annotate(at=Now()):
        role = Role(grant.role)
        held.setdefault(grant.workspace_id, set()).add(role)
        self_given = grant.granted_by_id is not None and grant.granted_by_id in mine
        (fresh if self_given and grant.since > grant.at - HELD_BACK else old).add((grant.workspace_id, role))
    installation = frozenset(held.pop(None, set()))
    if Role.AUDITOR in installation:  # every workspace, also those without a grant of its own
        for workspace_id in Workspace.objects.values_list("pk", flat=True):
            held.setdefault(workspace_id, set()).add(Role.AUDITOR)
    roles = {
        workspace_id: frozenset(found) for workspace_id, found in held.items() if workspace_id is not None
    }
    return roles, installation, frozenset(fresh - old)


def _held_back(user: User) -> str:
    if user.password_given_at is None or user.password_given_at <= db_now() - HELD_BACK:
        return ""
    return "Somebody else set your password less than 24 hours ago, so you cannot approve yet."


def _same_person(user: User) -> frozenset[int]:
    """All accounts this human can act as: second accounts, and service accounts whose token they issued."""
    root = user.second_account_of_id or user.pk
    found = User.objects.filter(
        Q(pk=root)
        | Q(second_account_of_id=root)
        | Q(tokens__created_by_id=root)
        | Q(tokens__created_by__second_account_of_id=root)
    ).values_list("pk", flat=True)
    return frozenset(found) | {user.pk}


def audit_scope(principal: Principal) -> AuditScope:
    """What of the ledger this principal may read, in the ledger's own terms."""
    reach = audit_reach(principal)
    return AuditScope(
        everything=reach.everything,
        workspaces=reach.workspaces,
        own_refs=frozenset({principal.ref}) if principal.user_id else frozenset(),
        own_in=reach.own_in,
    )
