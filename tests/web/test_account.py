"""Signing in and out, sessions, profile, tokens."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client

from endpoints.access.models import ApiToken, User
from endpoints.audit.models import Entry
from tests.support.people import PASSWORD
from tests.web.conftest import SignIn, Stage
from tests.web.reading import read, words


def test_sign_in__with_the_right_password__leads_to_where_one_wanted_to_go(requester: User) -> None:
    answer = Client().post(
        "/login", {"username": "rosa", "password": PASSWORD, "next": "/changes?state=open"}
    )
    assert (answer.status_code, answer["Location"]) == (302, "/changes?state=open")
    assert Entry.objects.filter(action="session.started", subject=f"user:{requester.pk}").exists()


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "fleet"]
)
def test_sign_in__never_leads_to_another_host(requester: User, target: str) -> None:
    answer = Client().post("/login", {"username": "rosa", "password": PASSWORD, "next": target})
    assert answer["Location"] == "/"


@pytest.mark.parametrize(("name", "password"), [("rosa", "wrong"), ("nobody", PASSWORD), ("", "")])
def test_sign_in__that_fails__says_the_same_whatever_was_wrong(
    requester: User, name: str, password: str
) -> None:
    answer = Client().post("/login", {"username": name, "password": password})
    assert answer.status_code == 403
    page = read(answer.content)
    assert "The user name or the password is not right." in words(page.one("main").text)
    assert page.one("title").text.startswith("Error: ")
    assert "sessionid" not in answer.cookies


def test_sign_in__tried_too_often__has_to_wait(requester: User) -> None:
    client = Client()
    answers = [client.post("/login", {"username": "rosa", "password": "wrong"}) for _ in range(6)]
    assert b"Too many attempts" in answers[-1].content
    assert b"Too many attempts" in client.post("/login", {"username": "rosa", "password": PASSWORD}).content


def test_sign_in__begins_a_session_with_another_key(requester: User) -> None:
    client = Client()
    client.get("/login")
    before = client.session.session_key
    client.post("/login", {"username": "rosa", "password": PASSWORD})
    assert client.session.session_key != before


def test_sign_out__ends_the_session_and_is_recorded(sign_in: SignIn, requester: User) -> None:
    client = sign_in(requester)
    assert client.post("/logout")["Location"] == "/login"
    assert client.get("/fleet").status_code == 302
    assert Entry.objects.filter(action="session.ended").count() == 1


def test_session__that_nobody_used_for_half_an_hour__is_over(sign_in: SignIn, requester: User) -> None:
    client = sign_in(requester)
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=29), tick=True):
        assert client.get("/help").status_code == 200
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=31), tick=True):
        assert client.get("/help").status_code == 200
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=62), tick=True):
        assert client.get("/help").status_code == 302


def test_session__of_a_page_that_only_refreshes_itself__ends_too(sign_in: SignIn, requester: User) -> None:
    client = sign_in(requester)
    refresh = {"HTTP_HX_REQUEST": "true"}
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=29), tick=True):
        assert client.get("/changes", **refresh).status_code == 200
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=31), tick=True):
        answer = client.get("/changes", **refresh)
    assert answer.status_code == 401
    assert b"You are signed out" in answer.content
    assert b"<html" not in answer.content


def test_form__sent_after_the_session_ended__gives_back_what_was_typed(asked: Stage) -> None:
    answer = Client().post(
        f"/changes/CR-{asked.number}/decide", {"decision": "reject", "comment": "Latency <is> not known"}
    )
    assert answer.status_code == 401
    assert b"Latency &lt;is&gt; not known" in answer.content
    assert b"Nothing was done" in answer.content


def test_form__without_the_token_against_forgery__is_refused_with_a_way_out(requester: User) -> None:
    client = Client(enforce_csrf_checks=True)
    answer = client.post("/login", {"username": "rosa", "password": PASSWORD})
    assert answer.status_code == 403
    assert b"reload the page" in answer.content
    assert b"Nothing was changed." in answer.content


def test_profile__with_a_zone_that_does_not_exist__changes_nothing(sign_in: SignIn, requester: User) -> None:
    answer = sign_in(requester).post("/settings/profile", {"form": "display", "time_zone": "Mars/Olympus"})
    assert answer.status_code == 422
    assert b"There is no time zone Mars/Olympus" in answer.content
    requester.refresh_from_db()
    assert requester.time_zone == "UTC"


def test_profile__with_shortcuts_off__tells_the_pages(sign_in: SignIn, requester: User) -> None:
    client = sign_in(requester)
    client.post("/settings/profile", {"form": "display", "time_zone": "UTC"})
    assert read(client.get("/help").content).one("html").attributes["data-shortcuts"] == "off"


def test_password__changed__keeps_this_session_and_ends_the_others(sign_in: SignIn, requester: User) -> None:
    here, there = sign_in(requester), sign_in(requester)
    new = "another long enough phrase"
    answer = here.post("/settings/profile", {"form": "password", "current": PASSWORD, "password": new})
    assert answer.status_code == 302
    assert here.get("/help").status_code == 200
    assert there.get("/help").status_code == 302


@pytest.mark.parametrize(("current", "new"), [("wrong", "another long enough phrase"), (PASSWORD, "short")])
def test_password__that_can_not_be_changed__says_why(
    sign_in: SignIn, requester: User, current: str, new: str
) -> None:
    client = sign_in(requester)
    answer = client.post("/settings/profile", {"form": "password", "current": current, "password": new})
    assert answer.status_code in (403, 422)
    assert read(answer.content).all("p", **{"class": "error"})
    assert client.post("/login", {"username": "rosa", "password": PASSWORD}).status_code == 302


def test_token__is_shown_once_and_can_be_revoked(sign_in: SignIn, requester: User) -> None:
    client = sign_in(requester)
    made = client.post("/settings/tokens", {"name": "nightly", "scopes": ["read"], "days": "7"})
    secret = re.search(rb"opt_[a-z0-9]+_[\w-]{40,}", made.content)
    assert secret is not None
    assert secret[0] not in client.get("/settings/tokens").content
    token = ApiToken.objects.get()
    assert client.post(f"/settings/tokens/{token.pk}/revoke")["Location"] == "/settings/tokens"
    token.refresh_from_db()
    assert token.revoked_at is not None


@pytest.mark.parametrize(
    "wrong", [{"name": ""}, {"days": "91"}, {"days": "never"}, {"scopes": ["everything"]}, {"scopes": []}]
)
def test_token__asked_for_wrongly__is_not_made(
    sign_in: SignIn, requester: User, wrong: dict[str, object]
) -> None:
    asked = {"name": "nightly", "scopes": ["read"], "days": "7"} | wrong
    answer = sign_in(requester).post("/settings/tokens", asked)
    assert answer.status_code == 422
    assert b"No token was created." in answer.content
    assert not ApiToken.objects.exists()


def test_token_of_somebody_else__is_not_found(sign_in: SignIn, requester: User, reviewer: User) -> None:
    client = sign_in(reviewer)
    client.post("/settings/tokens", {"name": "mine", "scopes": ["read"], "days": "7"})
    token = ApiToken.objects.get()
    assert sign_in(requester).post(f"/settings/tokens/{token.pk}/revoke").status_code == 404
