"""Principals: an account with the powers of this moment, out of its rows."""

from __future__ import annotations

import hmac
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypedDict, cast

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce, JSONObject, Now

from endpoints.access.models import ApiToken, User, Workspace
from endpoints.access.policies import ANONYMOUS, Principal, audit_reach
from endpoints.access.roles import Role
from endpoints.access.selectors.grants import active_grants
from endpoints.audit.selectors import Scope as AuditScope
from endpoints.core.ids import ref

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

HELD_BACK = timedelta(hours=24)
"""How long a role that one gave oneself, or a password that somebody else set, does not allow approving."""


class _Powers(TypedDict):
    """What comes with an account: see `with_powers`."""

    powers_at: datetime
    powers_grants: list[dict[str, Any]]
    powers_accounts: list[int]
    powers_everywhere: list[int]


def with_powers(accounts: QuerySet[User]) -> QuerySet[WithAnnotations[User, _Powers]]:
    """Accounts and, in the same query, what they may do at this moment.

    `powers_grants` are the grants in force, `powers_accounts` all accounts that the same human can act as,
    `powers_everywhere` every workspace for who audits the installation, none for others.
    """
    held = active_grants().filter(user=OuterRef("pk"))
    audits = Exists(
        active_grants().filter(user=OuterRef(OuterRef("pk")), workspace=None, role=Role.AUDITOR.value)
    )
    told = JSONObject(workspace="workspace_id", role="role", by="granted_by_id", since="since")
    return accounts.annotate(
        powers_at=Now(),
        powers_grants=ArraySubquery(held.values(told=told)),
        powers_accounts=ArraySubquery(_same_human().values("pk")),
        powers_everywhere=ArraySubquery(Workspace.objects.filter(audits).values("pk")),
    )


def principal_for_user(user: User | None, *, ip: str = "") -> Principal:
    """The session's principal, with the grants of this moment. No user, or a disabled one: ANONYMOUS.

    An account that did not come `with_powers` is read again.
    """
    if user is None or user.pk is None or not user.is_active:
        return ANONYMOUS
    if not hasattr(user, "powers_at"):
        return principal_for_user(with_powers(User.objects.filter(pk=user.pk)).first(), ip=ip)
    return _principal(cast("WithAnnotations[User, _Powers]", user), ip)


def _principal(user: WithAnnotations[User, _Powers], ip: str) -> Principal:
    roles, installation, fresh = _roles(user)
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
        same_person=frozenset(user.powers_accounts) | {user.pk},
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


_Roles = tuple[dict[int, frozenset[Role]], frozenset[Role], frozenset[tuple[int | None, Role]]]


def _roles(user: WithAnnotations[User, _Powers]) -> _Roles:
    held: dict[int | None, set[Role]] = {}
    old: set[tuple[int | None, Role]] = set()
    fresh: set[tuple[int | None, Role]] = set()
    mine = {user.pk, user.second_account_of_id}
    for grant in user.powers_grants:
        place, role = grant["workspace"], Role(grant["role"])
        held.setdefault(place, set()).add(role)
        self_given = grant["by"] is not None and grant["by"] in mine
        is_young = datetime.fromisoformat(grant["since"]) > user.powers_at - HELD_BACK
        (fresh if self_given and is_young else old).add((place, role))
    installation = frozenset(held.pop(None, set()))
    for workspace_id in user.powers_everywhere:  # also those without a grant of its own
        held.setdefault(workspace_id, set()).add(Role.AUDITOR)
    roles = {
        workspace_id: frozenset(found) for workspace_id, found in held.items() if workspace_id is not None
    }
    return roles, installation, frozenset(fresh - old)


def _held_back(user: WithAnnotations[User, _Powers]) -> str:
    if user.password_given_at is None or user.password_given_at <= user.powers_at - HELD_BACK:
        return ""
    return "Somebody else set your password less than 24 hours ago, so you cannot approve yet."


def _same_human() -> QuerySet[User]:
    """The outer account, second accounts of the same human, and service accounts whose token he issued."""
    root = Coalesce(OuterRef("second_account_of_id"), OuterRef("pk"))
    return User.objects.filter(
        Q(pk=root)
        | Q(second_account_of_id=root)
        | Q(tokens__created_by_id=root)
        | Q(tokens__created_by__second_account_of_id=root)
    ).distinct()


def audit_scope(principal: Principal) -> AuditScope:
    """What of the ledger this principal may read, in the ledger's own terms."""
    reach = audit_reach(principal)
    return AuditScope(
        everything=reach.everything,
        workspaces=reach.workspaces,
        own_refs=frozenset({principal.ref}) if principal.user_id else frozenset(),
        own_in=reach.own_in,
    )
