"""Accounts, grants, workspaces and what of them is recorded."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import Error, connection, transaction

from endpoints.access import services
from endpoints.access.models import Grant, User, Workspace
from endpoints.access.policies import Action, Principal, decide
from endpoints.access.roles import Role
from endpoints.access.selectors import (
    all_workspaces,
    audit_scope,
    display_names,
    grants,
    holders,
    people,
    principal_for_user,
    principal_now,
    workspace_by_slug,
    workspaces,
)
from endpoints.audit.models import Entry, Personal
from endpoints.core.errors import Conflict, Invalid, NotFound, Refused
from endpoints.dispatch import db_now
from tests.access.support import ARM, PASSWORD, admin, give, new_user, new_workspace, someone

pytestmark = pytest.mark.django_db


def last_entry() -> Entry:
    return Entry.objects.order_by("-seq")[0]


def test_create_user__by_an_administrator__is_recorded_without_a_name_in_the_chain() -> None:
    ana = admin()
    user_id = services.create_user(
        principal=ana, username=" Dana.O ", display_name="Dana Okafor", password=PASSWORD
    )
    assert User.objects.get(pk=user_id).username == "dana.o"
    row = last_entry()
    assert (row.action, row.subject, row.actor, row.auth) == (
        "user.created",
        f"user:{user_id}",
        ana.ref,
        "session",
    )
    assert b"ana" not in bytes(row.body).lower()
    assert Personal.objects.get(entry_id=row.seq, field="name").text == "dana.o (Dana Okafor)"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"username": "a b"}, "username"),
        ({"username": ""}, "username"),
        ({"display_name": " "}, "display_name"),
        ({"display_name": "x\x00"}, "display_name"),
        ({"kind": "robot"}, "kind"),
        ({"password": "short"}, "password"),
        ({"password": "password12345"}, "password"),
        ({"password": "x" * 257}, "password"),
    ],
)
def test_create_user__bad_input__names_the_field_and_creates_nothing(
    given: dict[str, str], field: str
) -> None:
    ana = admin()
    values = {"username": "dana", "display_name": "Dana", "password": PASSWORD} | given
    with pytest.raises(Invalid) as refused:
        services.create_user(principal=ana, **values)
    assert list(refused.value.fields) == [field]
    assert User.objects.count() == 1


def test_create_user__name_taken_in_other_case__is_a_conflict() -> None:
    ana = admin()
    with pytest.raises(Conflict, match="already an account ana"):
        services.create_user(principal=ana, username="ANA", display_name="Other", password=PASSWORD)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
def test_services__anybody_but_an_administrator__is_refused_everywhere(role: Role) -> None:
    place = new_workspace()
    eve = someone("eve", role, place)
    grant = Grant.objects.get()
    before = Entry.objects.count()
    for attempt in (
        lambda: services.create_user(principal=eve, username="x2", display_name="X", password=PASSWORD),
        lambda: services.grant_role(principal=eve, user_id=eve.user_id or 0, role=Role.ADMIN),
        lambda: services.end_grant(principal=eve, grant_id=grant.pk),
        lambda: services.disable_user(principal=eve, user_id=eve.user_id or 0),
        lambda: services.enable_user(principal=eve, user_id=eve.user_id or 0),
        lambda: services.give_password(principal=eve, user_id=1, password=PASSWORD),
        lambda: services.disconnect_workspace(principal=eve, workspace_id=place),
        lambda: services.connect_workspace(
            principal=eve, arm_id=ARM.format(2, 2), slug="mlw-2", environment="test"
        ),
        lambda: people(eve),
        lambda: all_workspaces(eve),
        lambda: grants(eve),
    ):
        with pytest.raises(
            Refused, match=r"Needs the role .*platform administrator on the whole installation"
        ):
            attempt()
    assert Entry.objects.count() == before


def test_grant_role__given__counts_at_once_and_is_recorded() -> None:
    ana, place, dana = admin(), new_workspace(), new_user("dana")
    services.grant_role(
        principal=ana, user_id=dana, role=Role.REVIEWER, workspace_id=place, reason="joins Dana"
    )
    assert principal_now(dana).roles == {place: frozenset({Role.REVIEWER})}
    row = last_entry()
    assert (row.action, row.subject, row.workspace_id) == ("grant.given", f"user:{dana}", place)
    assert (row.after["role"], row.after["until"]) == ("reviewer", None)
    assert Personal.objects.get(entry_id=row.seq, field="reason").text == "joins Dana"
    assert [row.display_name for row in holders(place, Role.REVIEWER)] == ["Dana"]


def test_grant_role__ended__stops_at_once_and_stays_on_record() -> None:
    ana, place, dana = admin(), new_workspace(), new_user("dana")
    grant = services.grant_role(principal=ana, user_id=dana, role=Role.REVIEWER, workspace_id=place)
    during = db_now()
    services.end_grant(principal=ana, grant_id=grant)
    assert principal_now(dana).roles == {}
    assert grants(principal_now(dana), user_id=dana) == []
    assert [row.role for row in grants(ana, user_id=dana, at=during)] == [Role.REVIEWER]
    assert last_entry().action == "grant.ended"
    with pytest.raises(Conflict, match="ended already"):
        services.end_grant(principal=ana, grant_id=grant)


def test_grant_role__with_an_end__ends_by_itself() -> None:
    place, dana = new_workspace(), new_user("dana")
    now = db_now()
    Grant.objects.create(
        user_id=dana, workspace_id=place, role=Role.OPERATOR, since=now - timedelta(hours=2), until=now
    )
    assert principal_now(dana).roles == {}


@pytest.mark.parametrize(
    ("role", "everywhere"), [(Role.ADMIN, False), (Role.REVIEWER, True), (Role.REQUESTER, True)]
)
def test_grant_role__in_the_wrong_place__is_refused_by_service_and_database(
    role: Role, everywhere: bool
) -> None:
    place, dana = new_workspace(), new_user("dana")
    where = None if everywhere else place
    with pytest.raises(Invalid):
        give(dana, role, where)
    with pytest.raises(Error, match="access_grant_place"), transaction.atomic():
        Grant.objects.create(user_id=dana, workspace_id=where, role=role, since=db_now())


def test_grant_role__twice__is_a_conflict() -> None:
    dana = new_user("dana")
    give(dana, Role.AUDITOR)
    with pytest.raises(Conflict, match="already has the role auditor"):
        give(dana, Role.AUDITOR)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM access_grant",
        "UPDATE access_grant SET role = 'operator'",
        "UPDATE access_grant SET since = since - interval '1 day'",
        "UPDATE access_grant SET until = NULL",
        "UPDATE access_grant SET granted_by_id = user_id",
    ],
)
def test_grants__rewritten_by_the_runtime_role__are_refused_by_the_database(statement: str) -> None:
    give(new_user("dana"), Role.REVIEWER, new_workspace())
    with connection.cursor() as cursor, pytest.raises(Error, match="grant"), transaction.atomic():
        cursor.execute(statement)


def may_approve(asks: Principal, place: int) -> bool:
    return decide(asks, Action.APPROVE, workspace_id=place, own=False).allowed


def test_grant_to_oneself__is_recorded_as_such_and_does_not_approve_for_a_day() -> None:
    ana, place = admin(), new_workspace()
    services.grant_role(principal=ana, user_id=ana.user_id or 0, role=Role.REVIEWER, workspace_id=place)
    assert last_entry().action == "grant.given_to_self"
    now = principal_now(ana.user_id or 0)
    assert Role.REVIEWER in now.roles[place]
    assert not may_approve(now, place)
    assert decide(now, Action.START, workspace_id=place, own=False)


@pytest.mark.parametrize(("hours", "allowed"), [(23, False), (25, True)])
def test_grant_to_oneself__a_day_later__approves(hours: int, allowed: bool) -> None:
    place, dana = new_workspace(), new_user("dana")
    since = db_now() - timedelta(hours=hours)
    Grant.objects.create(
        user_id=dana, workspace_id=place, role=Role.REVIEWER, since=since, granted_by_id=dana
    )
    assert may_approve(principal_now(dana), place) is allowed


def test_grant_to_ones_second_account__counts_as_given_to_oneself() -> None:
    ana, place = admin(), new_workspace()
    second = new_user("ana2", second_account_of=ana.user_id)
    services.grant_role(
        principal=principal_now(ana.user_id or 0), user_id=second, role=Role.REVIEWER, workspace_id=place
    )
    assert last_entry().action == "grant.given_to_self"
    assert not may_approve(principal_now(second), place)


def test_password_set_by_somebody_else__account_does_not_approve_for_a_day() -> None:
    ana, place = admin(), new_workspace()
    dana = someone("dana", Role.REVIEWER, place)
    assert may_approve(dana, place)
    services.give_password(principal=ana, user_id=dana.user_id or 0, password="another long password")
    now = principal_now(dana.user_id or 0)
    assert not may_approve(now, place)
    services.change_password(principal=now, current="another long password", new="a third long password")
    assert not may_approve(principal_now(dana.user_id or 0), place)
    User.objects.filter(pk=dana.user_id).update(password_given_at=db_now() - timedelta(hours=25))
    assert may_approve(principal_now(dana.user_id or 0), place)


def test_second_accounts_and_services__are_the_same_person() -> None:
    ana, dana = admin(), new_user("dana")
    second = new_user("dana2", second_account_of=dana)
    third = new_user("dana3", second_account_of=second)
    robot = services.create_user(principal=ana, username="bot", display_name="Bot", kind="service")
    assert principal_now(dana).same_person == {dana, second, third}
    assert principal_now(third).same_person == {dana, second, third}
    assert principal_now(ana.user_id or 0).is_any_of([robot])
    give(dana, Role.ADMIN)
    services.create_token(principal=principal_now(dana), name="ci", scopes=["read"], days=1, owner_id=robot)
    assert principal_now(second).is_any_of([robot])


def test_disable_user__ends_powers_and_sessions_at_once() -> None:
    ana, place = admin(), new_workspace()
    dana = someone("dana", Role.REVIEWER, place)
    before = User.objects.get(pk=dana.user_id).get_session_auth_hash()
    services.disable_user(principal=ana, user_id=dana.user_id or 0)
    user = User.objects.get(pk=dana.user_id)
    assert user.get_session_auth_hash() != before
    assert user.disabled_at is not None
    assert principal_for_user(user).is_anonymous
    assert holders(place, Role.REVIEWER) == []
    assert (last_entry().action, last_entry().after) == ("user.disabled", {"active": False})
    with pytest.raises(Conflict, match="already disabled"):
        services.disable_user(principal=ana, user_id=dana.user_id or 0)
    services.enable_user(principal=ana, user_id=dana.user_id or 0)
    assert principal_now(dana.user_id or 0).roles == dana.roles


def test_disable_user__oneself__is_refused() -> None:
    ana = admin()
    with pytest.raises(Refused, match="your own account"):
        services.disable_user(principal=ana, user_id=ana.user_id or 0)


def test_change_password__wrong_current_one__changes_nothing() -> None:
    dana = principal_now(new_user("dana"))
    with pytest.raises(Invalid, match="not your password"):
        services.change_password(principal=dana, current="no", new="another long password")
    services.change_password(principal=dana, current=PASSWORD, new="another long password")
    assert User.objects.get(pk=dana.user_id).check_password("another long password")
    assert last_entry().action == "user.password_changed"


def test_update_preferences__unknown_zone__is_refused() -> None:
    dana = principal_now(new_user("dana"))
    with pytest.raises(Invalid, match="no time zone Mars/Phobos"):
        services.update_preferences(principal=dana, time_zone="Mars/Phobos", shortcuts_enabled=True)
    services.update_preferences(principal=dana, time_zone="Europe/Berlin", shortcuts_enabled=False)
    now = principal_now(dana.user_id or 0)
    assert (now.time_zone, now.shortcuts_enabled) == ("Europe/Berlin", False)


def test_connect_workspace__by_arm_id__keeps_its_parts_and_is_recorded() -> None:
    ana = admin()
    arm_id = ARM.format(1, 1)
    place = services.connect_workspace(
        principal=ana, arm_id=arm_id + "/", slug="mlw-1", environment="production", region="westeurope"
    )
    row = Workspace.objects.get(pk=place)
    assert (row.arm_id, row.arm_key, row.name, row.resource_group) == (arm_id, arm_id.lower(), "mlw-1", "Rg")
    assert (last_entry().action, last_entry().workspace_id) == ("workspace.connected", place)
    with pytest.raises(Conflict, match="connected already, as mlw-1"):
        services.connect_workspace(principal=ana, arm_id=arm_id.upper(), slug="other", environment="test")
    with pytest.raises(Conflict, match="short name mlw-1 is taken"):
        services.connect_workspace(principal=ana, arm_id=ARM.format(2, 2), slug="mlw-1", environment="test")


def test_connect_workspace__bad_input__names_every_field() -> None:
    with pytest.raises(Invalid) as refused:
        services.connect_workspace(principal=admin(), arm_id="mlw", slug="A!", environment="staging")
    assert set(refused.value.fields) == {"arm_id", "slug", "environment"}
    assert not Workspace.objects.exists()


def test_disconnect_workspace__and_connect_again__keeps_the_same_workspace() -> None:
    ana, place = admin(), new_workspace()
    services.disconnect_workspace(principal=ana, workspace_id=place, reason="moved")
    assert all_workspaces(ana)[0].disconnected_at is not None
    with pytest.raises(Conflict, match="disconnected already"):
        services.disconnect_workspace(principal=ana, workspace_id=place)
    assert new_workspace() == place


def test_workspaces__without_a_role__do_not_exist() -> None:
    one, two = new_workspace(1), new_workspace(2)
    dana = someone("dana", Role.FINOPS, one)
    assert [row.slug for row in workspaces(dana)] == ["mlw-1"]
    assert workspace_by_slug(dana, "mlw-1").id == one
    for slug in ("mlw-2", "mlw-3"):
        with pytest.raises(NotFound, match=f"There is no workspace {slug}, or you have no role on it."):
            workspace_by_slug(dana, slug)
    assert workspaces(admin()) == []
    assert [row.id for row in workspaces(someone("otto", Role.AUDITOR))] == [one, two]


def test_audit_scope__by_role__follows_the_matrix() -> None:
    one, two = new_workspace(1), new_workspace(2)
    dana = new_user("dana")
    give(dana, Role.REVIEWER, one)
    give(dana, Role.REQUESTER, two)
    scope = audit_scope(principal_now(dana))
    assert (scope.everything, scope.workspaces, scope.own_in) == (False, {one}, {two})
    assert scope.own_refs == {f"user:{dana}"}
    assert audit_scope(someone("otto", Role.AUDITOR)).everything
    nothing = audit_scope(admin())
    assert (nothing.everything, nothing.workspaces, nothing.own_in) == (False, frozenset(), frozenset())


def test_display_names__refs__become_names_where_known() -> None:
    dana = new_user("dana")
    refs = [f"user:{dana}", "user:9999", "user:x", "system:executor", "change:3"]
    assert display_names(refs) == {
        f"user:{dana}": "Dana",
        "user:9999": "user:9999",
        "user:x": "user:x",
        "system:executor": "opsportal executor",
        "change:3": "change:3",
    }


def test_ledger_of_access__any_entry__holds_no_name_or_address() -> None:
    ana, place = admin(), new_workspace()
    services.create_user(principal=ana, username="zebedee", display_name="Zebedee", password=PASSWORD)
    services.grant_role(
        principal=ana, user_id=ana.user_id or 0, role=Role.OPERATOR, workspace_id=place, reason="Zebedee left"
    )
    for row in Entry.objects.all():
        body = bytes(row.body).decode().lower()
        assert "zebedee" not in body
        assert json.loads(body)["actor"].split(":")[0] in ("user", "system")
