"""Nobody approves what they wrote: every road that one person could take, by page and by API."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from django.http import HttpResponse
from django.test import Client

from endpoints.access import services as access
from endpoints.access.models import ApiToken, Grant, User
from endpoints.access.roles import WORKSPACE_ROLES, Role
from endpoints.audit.actors import SYSTEM_COMMAND
from endpoints.audit.models import Entry
from endpoints.changes import services
from endpoints.changes.models import Change, ChangeRevision, Decision
from tests.support.people import INSTALLATION, PASSWORD, browser, make_person, principal, token_for
from tests.web.conftest import Stage

Road = Callable[[User, Stage], Client]


def give(user: User, stage: Stage, role: Role = Role.REVIEWER) -> None:
    access.add_grant(actor=SYSTEM_COMMAND, user_id=user.pk, role=role, workspace_id=stage.workspace.pk)


def bearer(raw: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {raw}"})


def the_author_as_reviewer(author: User, stage: Stage) -> Client:
    give(author, stage)
    return browser(author)


def the_authors_token(author: User, stage: Stage) -> Client:
    give(author, stage)
    return bearer(token_for(author, "read", "change", "approve"))


def the_author_as_administrator(author: User, stage: Stage) -> Client:
    access.add_grant(actor=SYSTEM_COMMAND, user_id=author.pk, role=Role.ADMIN)
    access.grant_role(
        principal=principal(author), user_id=author.pk, role=Role.REVIEWER, workspace_id=stage.workspace.pk
    )
    return browser(author)


def the_authors_second_account(author: User, stage: Stage) -> Client:
    second = make_person("rosa-2", {stage.workspace.slug: [Role.REVIEWER]})
    User.objects.filter(pk=second.pk).update(second_account_of=author)
    return browser(second)


def the_second_accounts_token(author: User, stage: Stage) -> Client:
    second = make_person("rosa-2", {stage.workspace.slug: [Role.REVIEWER]})
    User.objects.filter(pk=second.pk).update(second_account_of=author)
    return bearer(token_for(second, "read", "approve"))


def a_service_account(author: User, stage: Stage) -> Client:
    robot = make_person("robot", {stage.workspace.slug: [Role.REVIEWER]}, kind=User.Kind.SERVICE)
    raw = token_for(robot, "read", "change")
    ApiToken.objects.filter(owner=robot).update(scopes=["read", "change", "approve"])
    return bearer(raw)


def an_administrator_who_just_became_reviewer(author: User, stage: Stage) -> Client:
    ada = make_person("ada", {INSTALLATION: [Role.ADMIN]})
    access.grant_role(
        principal=principal(ada), user_id=ada.pk, role=Role.REVIEWER, workspace_id=stage.workspace.pk
    )
    return browser(ada)


def an_account_whose_password_an_administrator_set(author: User, stage: Stage) -> Client:
    ada = make_person("ada", {INSTALLATION: [Role.ADMIN]})
    vera = make_person("vera", {stage.workspace.slug: [Role.REVIEWER]})
    access.give_password(principal=principal(ada), user_id=vera.pk, password="a phrase of the admin's")
    client = Client()
    client.post("/login", {"username": "vera", "password": "a phrase of the admin's"})
    return client


def an_account_that_an_administrator_just_made(author: User, stage: Stage) -> Client:
    ada = make_person("ada", {INSTALLATION: [Role.ADMIN]})
    made = access.create_user(principal=principal(ada), username="eve", display_name="Eve", password=PASSWORD)
    access.grant_role(
        principal=principal(ada), user_id=made, role=Role.REVIEWER, workspace_id=stage.workspace.pk
    )
    return browser(User.objects.get(pk=made))


def somebody_who_edited_it(author: User, stage: Stage) -> Client:
    give(author, stage, Role.OPERATOR)
    editor = make_person("emil", {stage.workspace.slug: sorted(WORKSPACE_ROLES)})
    revision = ChangeRevision.objects.get(change=stage.number, number=1)
    ChangeRevision.objects.create(
        change=revision.change,
        number=2,
        editor=editor,
        plan=revision.plan,
        base=revision.base,
        content_hash=revision.content_hash,
        **{
            field.attname: getattr(revision, field.attname)
            for field in ChangeRevision._meta.concrete_fields
            if field.attname not in ("id", "change_id", "number", "editor_id", "plan", "base", "content_hash")
        },
    )
    Change.objects.filter(pk=stage.number).update(revision=2)
    return browser(editor)


ROADS = [
    the_author_as_reviewer,
    the_authors_token,
    the_author_as_administrator,
    the_authors_second_account,
    the_second_accounts_token,
    a_service_account,
    an_administrator_who_just_became_reviewer,
    an_account_whose_password_an_administrator_set,
    an_account_that_an_administrator_just_made,
    somebody_who_edited_it,
]


def content_of(stage: Stage) -> str:
    change = Change.objects.get(pk=stage.number)
    return ChangeRevision.objects.get(change=change, number=change.revision).content_hash


def by_api(client: Client, stage: Stage, seen: str, verb: str = "approve") -> HttpResponse:
    """With the session's own token against forgery, or none beside a bearer token."""
    return client.post(
        f"/api/v1/changes/{stage.number}/{verb}",
        json.dumps({"comment": "fine"}),
        content_type="application/json",
        headers={"If-Match": f'"{seen}"'},
    )


def by_page(client: Client, stage: Stage, seen: str, verb: str = "approve") -> HttpResponse:
    told = {"decision": verb, "seen": seen, "comment": "fine"}
    return client.post(f"/changes/CR-{stage.number}/decide", told)


@pytest.mark.parametrize("verb", ["approve", "reject"])
@pytest.mark.parametrize("road", ROADS, ids=lambda one: one.__name__)
def test_change__decided_by_its_author_on_any_road__stays_in_review(
    road: Road, verb: str, asked: Stage, requester: User
) -> None:
    client = road(requester, asked)
    is_token = "HTTP_AUTHORIZATION" in client.defaults or bool(getattr(client, "headers", None))
    seen = content_of(asked)
    answers = [by_api(client, asked, seen, verb)]
    if not is_token:
        answers.append(by_page(client, asked, seen, verb))
    assert [answer.status_code for answer in answers] == [403] * len(answers)
    assert Change.objects.get(pk=asked.number).state == "in_review"
    assert not Decision.objects.exists()
    assert Entry.objects.filter(action="order.refused", subject=f"change:{asked.number}").exists()


def test_change__decided_by_a_token_with_the_page__is_not_signed_in(asked: Stage, reviewer: User) -> None:
    """Tokens are the API's; a page takes a session or nobody."""
    client = bearer(token_for(reviewer, "read", "approve"))
    assert by_page(client, asked, content_of(asked)).status_code == 401
    assert not Decision.objects.exists()


def test_approval__sent_again_after_an_edit__is_not_for_the_new_content(
    asked: Stage, requester: User, reviewer: User
) -> None:
    old = content_of(asked)
    client = browser(reviewer)
    assert by_page(client, asked, old).status_code == 302
    services.edit_change(
        principal=principal(requester), change_id=asked.number, seen_hash=old, split={"green": 50, "blue": 50},
        reason="Half of it", mirror=None,
    )  # fmt: skip
    assert by_page(client, asked, old).status_code == 409
    assert by_api(client, asked, old).status_code == 412
    assert Change.objects.get(pk=asked.number).state == "in_review"


@pytest.mark.parametrize("seen", ["", "*", "0" * 64, "null", "' OR ''='"])
def test_approval__of_no_content_or_another__is_not_stored(seen: str, asked: Stage, reviewer: User) -> None:
    client = browser(reviewer)
    assert by_page(client, asked, seen).status_code == 409
    assert by_api(client, asked, seen).status_code in (412, 428)
    assert not Decision.objects.exists()


def test_approval__by_a_session_whose_role_has_ended__is_refused(
    asked: Stage, reviewer: User, admin: User
) -> None:
    client, raw = browser(reviewer), token_for(reviewer, "read", "approve")
    seen = content_of(asked)
    for grant in Grant.objects.filter(user=reviewer):
        access.end_grant(principal=principal(admin), grant_id=grant.pk)
    assert by_page(client, asked, seen).status_code == 404
    assert by_api(client, asked, seen).status_code == 404
    assert by_api(bearer(raw), asked, seen).status_code == 404
    assert not Decision.objects.exists()


def test_start__after_the_approver_turned_out_to_be_the_author__is_refused(
    approved: Stage, requester: User, reviewer: User, operator: User
) -> None:
    """The rule is asked again at the moment of use, with what is known then."""
    User.objects.filter(pk=reviewer.pk).update(second_account_of=requester)
    answer = browser(operator).post(f"/changes/CR-{approved.number}/start", {"seen": content_of(approved)})
    assert answer.status_code == 409
    assert Change.objects.get(pk=approved.number).started_at is None


@pytest.mark.parametrize(
    "field", ["state", "approved", "author", "author_id", "reviewer", "approvals", "kind"]
)
def test_request__with_fields_that_are_the_portals__is_refused(
    field: str, asked: Stage, requester: User
) -> None:
    body = {"workspace": asked.workspace.slug, "endpoint": asked.endpoint.name, "split": {"blue": 100},
            "reason": "x", field: "approved"}  # fmt: skip
    answer = browser(requester).post("/api/v1/changes", json.dumps(body), content_type="application/json")
    assert answer.status_code == 422
    assert Change.objects.count() == 1
