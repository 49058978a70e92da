"""API tokens: shown once, stored hashed, never stronger than their owner, dead when they should be."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from endpoints.access.models import ApiToken
from endpoints.access.policies import Action, Principal, decide, visible_workspaces
from endpoints.access.roles import Role
from endpoints.access.selectors import own_tokens, principal_for_token, principal_now, tokens
from endpoints.access.services import (
    authenticate_token,
    create_token,
    create_user,
    disable_user,
    end_grant,
    revoke_token,
)
from endpoints.audit.models import Entry
from endpoints.core.errors import Conflict, Invalid, NotFound, Refused
from endpoints.dispatch import db_now
from tests.access.support import admin, give, new_user, new_workspace, someone

pytestmark = pytest.mark.django_db


def raw_token(owner: Principal, *scopes: str, places: tuple[int, ...] = ()) -> str:
    return create_token(
        principal=owner, name="ci", scopes=scopes or ("read",), days=30, workspace_ids=places
    )[1]


def test_create_token__own__stores_a_hash_only_and_is_recorded() -> None:
    dana = someone("dana", Role.REQUESTER, new_workspace())
    row, raw = create_token(principal=dana, name="ci", scopes=["change", "read"], days=90)
    kind, prefix, secret = raw.split("_", 2)
    assert (kind, prefix, len(secret)) == ("opt", row.prefix, 43)
    stored = ApiToken.objects.get()
    assert stored.digest == sha256(raw.encode()).hexdigest()
    assert secret not in repr(ApiToken.objects.values())
    assert stored.expires_at - stored.created_at == timedelta(days=90)
    entry = Entry.objects.order_by("-seq")[0]
    assert (entry.action, entry.subject) == ("token.created", f"token:{row.id}")
    assert entry.after["scopes"] == ["change", "read"]
    assert secret not in bytes(entry.body).decode()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"days": 91}, "days"),
        ({"days": 0}, "days"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["everything"]}, "scopes"),
        ({"name": " "}, "name"),
        ({"workspace_ids": [99]}, "workspace_ids"),
    ],
)
def test_create_token__bad_input__names_the_field(given: dict[str, object], field: str) -> None:
    dana = someone("dana", Role.REQUESTER, new_workspace())
    values: dict[str, object] = {"name": "ci", "scopes": ["read"], "days": 1} | given
    with pytest.raises(Invalid) as refused:
        create_token(principal=dana, **values)
    assert list(refused.value.fields) == [field]
    assert not ApiToken.objects.exists()


def test_authenticate_token__live__is_its_owner_narrowed() -> None:
    one, two = new_workspace(1), new_workspace(2)
    dana = new_user("dana")
    give(dana, Role.REVIEWER, one)
    give(dana, Role.REVIEWER, two)
    raw = raw_token(principal_now(dana), "read", "approve", places=(one,))
    found = authenticate_token(raw, ip="192.0.2.1")
    assert (found.user_id, found.auth, found.ip) == (dana, f"token:{ApiToken.objects.get().pk}", "192.0.2.1")
    assert visible_workspaces(found) == {one}
    assert decide(found, Action.APPROVE, workspace_id=one, own=False)
    assert not decide(found, Action.APPROVE, workspace_id=two, own=False)
    assert not decide(found, Action.ROLL_BACK, workspace_id=one, own=False)
    assert not decide(found, Action.APPROVE, workspace_id=one, own=True)
    assert found.actor.auth == found.auth


def test_authenticate_token__owner_loses_the_role__token_loses_it_too() -> None:
    place, ana = new_workspace(), admin()
    dana = new_user("dana")
    grant = give(dana, Role.REVIEWER, place)
    raw = raw_token(principal_now(dana), "approve")
    end_grant(principal=ana, grant_id=grant)
    assert not decide(authenticate_token(raw), Action.APPROVE, workspace_id=place, own=False)


@pytest.mark.parametrize(
    "raw", ["", "opt_", "opt__", "opt_abc", "opt_abc_def", "ghp_abc", "x" * 500, "opt_ü_x"]
)
def test_authenticate_token__nonsense__is_refused(raw: str) -> None:
    assert principal_for_token(raw) is None
    with pytest.raises(Refused, match="unknown, expired or revoked"):
        authenticate_token(raw)


def test_authenticate_token__right_prefix_wrong_secret__is_refused() -> None:
    raw = raw_token(someone("dana", Role.REQUESTER, new_workspace()))
    assert principal_for_token(raw) is not None
    assert principal_for_token(raw[:-1] + ("a" if raw[-1] != "a" else "b")) is None


def test_authenticate_token__expired_revoked_or_owner_disabled__is_refused() -> None:
    ana, place = admin(), new_workspace()
    dana = someone("dana", Role.REQUESTER, place)
    expired, revoked, orphaned = (raw_token(dana) for _ in range(3))
    by_prefix = {token.prefix: token for token in ApiToken.objects.all()}
    ApiToken.objects.filter(prefix=expired.split("_")[1]).update(expires_at=db_now())
    revoke_token(principal=dana, token_id=by_prefix[revoked.split("_")[1]].pk)
    assert principal_for_token(orphaned) is not None
    disable_user(principal=ana, user_id=dana.user_id or 0)
    assert [principal_for_token(raw) for raw in (expired, revoked, orphaned)] == [None, None, None]


def test_authenticate_token__used_often__writes_its_last_use_once_a_minute() -> None:
    raw = raw_token(someone("dana", Role.REQUESTER, new_workspace()))
    authenticate_token(raw)
    first = ApiToken.objects.get().last_used_at
    assert first is not None
    with CaptureQueriesContext(
        connection,
    ) as queries:
        authenticate_token(raw)
    assert not [query for query in queries if query["sql"].startswith("UPDATE")]
    ApiToken.objects.update(last_used_at=first - timedelta(seconds=61))
    authenticate_token(raw)
    assert ApiToken.objects.get().last_used_at > first


def test_token__manages_no_tokens() -> None:
    ana = admin()
    raw = raw_token(ana, "read", "change", "approve", "rollback", "audit", "admin")
    program = authenticate_token(raw)
    for attempt in (
        lambda: raw_token(program),
        lambda: own_tokens(program),
        lambda: tokens(program),
        lambda: revoke_token(principal=program, token_id=ApiToken.objects.get().pk),
    ):
        with pytest.raises(Refused, match="An API token cannot"):
            attempt()
    assert [row.name for row in tokens(ana)] == [row.name for row in own_tokens(ana)] == ["ci"]


def test_revoke_token__somebody_elses__needs_an_administrator() -> None:
    place, ana = new_workspace(), admin()
    dana, eve = someone("dana", Role.REQUESTER, place), someone("eve", Role.OPERATOR, place)
    raw_token(dana)
    token = ApiToken.objects.get().pk
    with pytest.raises(NotFound, match="no such token among yours"):
        revoke_token(principal=eve, token_id=token)
    revoke_token(principal=ana, token_id=token)
    assert ApiToken.objects.get().revoked_by_id == ana.user_id
    with pytest.raises(Conflict, match="revoked already"):
        revoke_token(principal=dana, token_id=token)


def test_create_token__for_somebody_else__is_for_service_accounts_only() -> None:
    ana, place = admin(), new_workspace()
    dana = someone("dana", Role.OPERATOR, place)
    robot = create_user(principal=ana, username="bot", display_name="Bot", kind="service")
    give(robot, Role.REVIEWER, place)
    with pytest.raises(Refused, match="Persons create their own tokens"):
        create_token(principal=ana, name="x", scopes=["read"], days=1, owner_id=dana.user_id)
    with pytest.raises(Refused, match="platform administrator"):
        create_token(principal=dana, name="x", scopes=["read"], days=1, owner_id=robot)
    with pytest.raises(Invalid, match="service account cannot approve"):
        create_token(principal=ana, name="x", scopes=["approve"], days=1, owner_id=robot)
    raw = create_token(principal=ana, name="x", scopes=["read", "change"], days=1, owner_id=robot)[1]
    program = authenticate_token(raw)
    assert (program.kind, program.user_id) == ("service", robot)
    assert decide(program, Action.CREATE_TRAFFIC, workspace_id=place)
    assert not decide(program, Action.APPROVE, workspace_id=place, own=False)
