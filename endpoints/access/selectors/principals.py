"""Principals: an account with the powers of this moment, out of its rows."""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from django.db import connection
from django.db.models.functions import Now

from endpoints.access.models import ApiToken, User
from endpoints.access.policies import ANONYMOUS, Principal, audit_reach
from endpoints.access.roles import Role
from endpoints.audit.selectors import Scope as AuditScope
from endpoints.core.ids import ref

HELD_BACK = timedelta(hours=24)
"""How long a role that one gave oneself, or a password that somebody else set, does not allow approving."""


@dataclass(frozen=True, slots=True)
class Powers:
    """What an account may do at `read_at`.

    `grants` are those in force, `accounts` all accounts that the same human can act as, `everywhere` every
    workspace for who audits the installation, none for others.
    """

    read_at: datetime
    grants: list[dict[str, Any]]
    accounts: list[int]
    everywhere: list[int]


# Written out, because every request begins with it: composing it anew costs more than running it.
_WITH_POWERS = """
SELECT account.*, statement_timestamp() AS powers_read_at,
  COALESCE((
    SELECT jsonb_agg(jsonb_build_object(
        'workspace', held.workspace_id, 'role', held.role, 'by', held.granted_by_id, 'since', held.since))
    FROM access_grant held WHERE held.user_id = account.id AND held.since <= statement_timestamp()
        AND (held.until IS NULL OR held.until > statement_timestamp())), '[]') AS powers_grants,
  ARRAY(
    SELECT other.id FROM access_user other
    WHERE other.id = root.id OR other.second_account_of_id = root.id
    UNION
    SELECT token.owner_id FROM access_apitoken token JOIN access_user issuer ON issuer.id = token.created_by_id
    WHERE issuer.id = root.id OR issuer.second_account_of_id = root.id) AS powers_accounts,
  ARRAY(
    SELECT place.id FROM access_workspace place WHERE EXISTS (
        SELECT FROM access_grant held WHERE held.user_id = account.id AND held.workspace_id IS NULL
            AND held.role = 'auditor' AND held.since <= statement_timestamp()
            AND (held.until IS NULL OR held.until > statement_timestamp()))) AS powers_everywhere
FROM access_user account, LATERAL (SELECT COALESCE(account.second_account_of_id, account.id) AS id) root
WHERE account.id = %s
"""


_POWERS = ("powers_read_at", "powers_grants", "powers_accounts", "powers_everywhere")


def account_with_powers(user_id: int) -> User | None:
    """An account with its powers of this moment, in one query; None when there is no such account."""
    with connection.cursor() as cursor:  # a raw queryset would run the query twice
        cursor.execute(_WITH_POWERS, [user_id])
        row = cursor.fetchone()
        names = [column.name for column in cursor.description or ()]
    if row is None:
        return None
    found = dict(zip(names, row, strict=True))
    powers = {name: found.pop(name) for name in _POWERS}
    fields = [field.attname for field in User._meta.concrete_fields]
    user = User.from_db(connection.alias, fields, [found[name] for name in fields])
    vars(user).update(powers)
    return user


def _powers(user: User) -> Powers | None:
    """What `account_with_powers` read along; None for an account that was read in another way."""
    # A request's user is a proxy that passes attributes on, but has a dictionary of its own.
    told: list[Any] = [getattr(user, name, None) for name in _POWERS]
    read_at, grants, accounts, everywhere = told
    return None if read_at is None else Powers(read_at, json.loads(grants), accounts, everywhere)


def principal_for_user(user: User | None, *, ip: str = "") -> Principal:
    """The session's principal, with the grants of this moment. No user, or a disabled one: ANONYMOUS.

    An account that did not come with its powers is read again.
    """
    if user is None or user.pk is None or not user.is_active:
        return ANONYMOUS
    powers = _powers(user)
    if powers is None:
        return principal_for_user(account_with_powers(user.pk), ip=ip)
    return _principal(user, powers, ip)


def _principal(user: User, powers: Powers, ip: str) -> Principal:
    roles, installation, fresh = _roles(user, powers)
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
        held_back=_held_back(user, powers),
        same_person=frozenset(powers.accounts) | {user.pk},
        ip=ip,
    )


def principal_now(user_id: int) -> Principal:
    """The powers of an account at this moment, for re-checks: a disabled or unknown account is ANONYMOUS."""
    return principal_for_user(account_with_powers(user_id))


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


def _roles(user: User, powers: Powers) -> _Roles:
    held: dict[int | None, set[Role]] = {}
    old: set[tuple[int | None, Role]] = set()
    fresh: set[tuple[int | None, Role]] = set()
    mine = {user.pk, user.second_account_of_id}
    for grant in powers.grants:
        place, role = grant["workspace"], Role(grant["role"])
        held.setdefault(place, set()).add(role)
        self_given = grant["by"] is not None and grant["by"] in mine
        is_young = datetime.fromisoformat(grant["since"]) > powers.read_at - HELD_BACK
        (fresh if self_given and is_young else old).add((place, role))
    installation = frozenset(held.pop(None, set()))
    for workspace_id in powers.everywhere:  # also those without a grant of its own
        held.setdefault(workspace_id, set()).add(Role.AUDITOR)
    roles = {
        workspace_id: frozenset(found) for workspace_id, found in held.items() if workspace_id is not None
    }
    return roles, installation, frozenset(fresh - old)


def _held_back(user: User, powers: Powers) -> str:
    if user.password_given_at is None or user.password_given_at <= powers.read_at - HELD_BACK:
        return ""
    return "Somebody else set your password less than 24 hours ago, so you cannot approve yet."


def audit_scope(principal: Principal) -> AuditScope:
    """What of the ledger this principal may read, in the ledger's own terms."""
    reach = audit_reach(principal)
    return AuditScope(
        everything=reach.everything,
        workspaces=reach.workspaces,
        own_refs=frozenset({principal.ref}) if principal.user_id else frozenset(),
        own_in=reach.own_in,
    )
