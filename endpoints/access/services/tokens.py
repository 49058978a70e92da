"""API tokens: made once, shown once, checked on every call, revoked for good."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import timedelta
from hashlib import sha256

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from endpoints.access.models import ApiToken, User
from endpoints.access.policies import Action, Principal, Scope, decide, require, visible_workspaces
from endpoints.access.rows import TokenRow
from endpoints.access.selectors import live_token, principal_of, token_row
from endpoints.audit.services import record
from endpoints.core.errors import Conflict, Invalid, NotFound, Refused
from endpoints.core.ids import ref
from endpoints.dispatch import db_now

LONGEST_DAYS = 90
_PREFIX_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"


def create_token(
    *,
    principal: Principal,
    name: str,
    scopes: Iterable[str],
    days: int,
    workspace_ids: Iterable[int] = (),
    owner_id: int | None = None,
) -> tuple[TokenRow, str]:
    """Make a token and return its row and its secret, which nobody can read again.

    It is one's own, or, for those who may manage others' tokens, a service account's. No `workspace_ids`: all
    that the owner may see. A token never does more than its owner may at the moment of use.
    """
    require(principal, Action.OWN_TOKENS)
    assert principal.user_id is not None  # whoever has tokens is signed in
    owner = _owner(principal, owner_id or principal.user_id)
    wanted, places = sorted(set(scopes)), sorted(set(workspace_ids))
    _check(principal, owner, name.strip(), wanted, places, days)
    prefix = "".join(secrets.choice(_PREFIX_LETTERS) for _ in range(10))
    raw = f"opt_{prefix}_{secrets.token_urlsafe(32)}"
    now = db_now()
    token = ApiToken(
        owner=owner,
        created_by_id=principal.user_id,
        name=name.strip(),
        prefix=prefix,
        digest=sha256(raw.encode()).hexdigest(),
        scopes=wanted,
        workspaces=places,
        created_at=now,
        expires_at=now + timedelta(days=days),
    )
    _save(principal, token)
    return token_row(token, owner.display_name), raw


def _owner(principal: Principal, owner_id: int) -> User:
    owner = User.objects.filter(pk=owner_id, is_active=True).first()
    if owner is None:
        raise NotFound("There is no such account, or it is disabled; no token was created.")
    if owner.pk != principal.user_id:
        require(principal, Action.OTHERS_TOKENS)
        if owner.kind != User.Kind.SERVICE:
            raise Refused("Persons create their own tokens; yours to create are a service account's.")
    return owner


def _check(
    principal: Principal, owner: User, name: str, scopes: list[str], places: list[int], days: int
) -> None:
    problems: dict[str, list[str]] = {}
    if not name or len(name) > 80 or not name.isprintable():
        problems["name"] = ["Give the token a name of at most 80 characters that says what uses it."]
    if not scopes or not set(scopes) <= set(Scope):
        problems["scopes"] = [f"Choose among {', '.join(Scope)}."]
    if not 1 <= days <= LONGEST_DAYS:
        problems["days"] = [f"A token lives 1 to {LONGEST_DAYS} days."]
    if owner.pk == principal.user_id and not set(places) <= visible_workspaces(principal):
        problems["workspace_ids"] = ["You have no role on one of these workspaces."]
    if Scope.APPROVE in scopes and owner.kind != User.Kind.PERSON:
        problems["scopes"] = ["A service account cannot approve, so its token cannot have the scope approve."]
    if problems:
        raise Invalid(problems)


@transaction.atomic
def _save(principal: Principal, token: ApiToken) -> None:
    token.save(force_insert=True)
    record(
        actor=principal.actor,
        action="token.created",
        subject=ref("token", token.pk),
        after={
            "owner": ref("user", token.owner_id),
            "scopes": list(token.scopes),
            "workspaces": list(token.workspaces),
            "expires_at": token.expires_at.isoformat(),
        },
        personal={"name": token.name},
    )


@transaction.atomic
def revoke_token(*, principal: Principal, token_id: int) -> None:
    """End a token at once: one's own, or anybody's for those who may."""
    require(principal, Action.OWN_TOKENS)
    token = ApiToken.objects.select_for_update().filter(pk=token_id).first()
    if token is None or (token.owner_id != principal.user_id and not _may_revoke_others(principal)):
        raise NotFound("There is no such token among yours; nothing was revoked.")
    if token.revoked_at is not None:
        raise Conflict("This token was revoked already.")
    ApiToken.objects.filter(pk=token_id).update(revoked_at=db_now(), revoked_by_id=principal.user_id)
    record(
        actor=principal.actor,
        action="token.revoked",
        subject=ref("token", token_id),
        after={"owner": ref("user", token.owner_id)},
    )


def _may_revoke_others(principal: Principal) -> bool:
    return decide(principal, Action.OTHERS_TOKENS).allowed


def authenticate_token(raw: str, *, ip: str = "") -> Principal:
    """The principal that a call's token stands for; Refused, in one wording for every cause, otherwise.

    The use is noted at most once a minute: a busy client must not turn every read into a write.
    """
    token = live_token(raw)
    principal = None if token is None else principal_of(token, ip=ip)
    if token is None or principal is None:
        raise Refused("This API token is unknown, expired or revoked.")
    stale = Q(last_used_at__isnull=True) | Q(last_used_at__lt=Now() - timedelta(minutes=1))
    if token.last_used_at is None or token.last_used_at < db_now() - timedelta(minutes=1):
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=Now())
    return principal
