"""Forged forms: nothing that changes something works without the page's own token, signed in or not."""

from __future__ import annotations

import pytest
from django.test import Client

from endpoints.access.models import LoginAttempts, User
from endpoints.audit.models import Entry
from tests.access_matrix.addresses import addresses
from tests.security.test_bad_input import case as case
from tests.security.test_bad_input import path, stored
from tests.support.people import PASSWORD, browser
from tests.web.conftest import Stage

FORMS = [one for one in addresses() if one.method == "POST" and not one.route.startswith("/api/")]
UNSAFE_API = [
    one for one in addresses() if one.method in ("POST", "PUT", "DELETE") and one.route.startswith("/api/")
]
ELSEWHERE = {"Origin": "https://evil.example", "Referer": "https://evil.example/"}


@pytest.mark.parametrize("headers", [{}, ELSEWHERE], ids=["no origin", "another origin"])
def test_every_form__without_the_pages_token__changes_nothing(
    headers: dict[str, str], asked: Stage, powerful: User
) -> None:
    client = browser(powerful, enforce_csrf_checks=True)
    before, entries = stored(), Entry.objects.count()
    for address in FORMS:
        answer = client.post(path(address, asked), {"decision": "approve"}, headers=headers)
        assert answer.status_code == 403, address.row
        assert b"Nothing was changed" in answer.content
    assert (stored(), Entry.objects.count()) == (before, entries)


def test_every_api_call_by_session__without_the_pages_token__changes_nothing(
    asked: Stage, powerful: User
) -> None:
    client = browser(powerful, enforce_csrf_checks=True)
    before, entries = stored(), Entry.objects.count()
    for address in UNSAFE_API:
        answer = client.generic(address.method, path(address, asked), "{}", content_type="application/json")
        assert answer.status_code == 403, address.row
    assert (stored(), Entry.objects.count()) == (before, entries)


def test_form__with_the_token_of_somebody_elses_browser__is_refused(asked: Stage, powerful: User) -> None:
    other = Client()
    other.get("/login")
    client = browser(powerful, enforce_csrf_checks=True)
    client.get("/fleet")
    told = {"csrfmiddlewaretoken": other.cookies["csrftoken"].value}
    assert client.post(f"/changes/CR-{asked.number}/withdraw", told).status_code == 403


def test_sign_in__forged_by_another_site__signs_nobody_in(requester: User) -> None:
    """Else a victim would work in the attacker's account without knowing."""
    client = Client(enforce_csrf_checks=True)
    client.get("/login")
    told = {"username": requester.username, "password": PASSWORD}
    assert client.post("/login", told, headers=ELSEWHERE).status_code == 403
    assert "sessionid" not in client.cookies
    assert not LoginAttempts.objects.exists()


def test_sign_in__takes_another_token_afterwards(requester: User) -> None:
    client = Client()
    client.get("/login")
    before = client.cookies["csrftoken"].value
    client.post("/login", {"username": requester.username, "password": PASSWORD})
    assert client.cookies["csrftoken"].value != before


AWAY = [
    "https://evil.example", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example",
    "/\t/evil.example", "\t//evil.example", "http:evil.example", "javascript:alert(1)", "https:evil.example",
    "//testserver@evil.example", "/%09/evil.example", "//evil.example/%2f..", "\u3002evil.example", "",
]  # fmt: skip


@pytest.mark.parametrize("form", ["/login", "/settings/zone", "/settings/workspaces/mlw-prod-weu/sync"])
def test_form__told_to_go_on_elsewhere__stays_here(form: str, requester: User) -> None:
    for target in AWAY:
        client = Client() if form == "/login" else browser(requester)
        told = {"next": target, "username": requester.username, "password": PASSWORD, "zone": "utc"}
        answer = client.post(form, told)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/"), target
        assert not answer["Location"].startswith(("//", "/\\")), target
        assert not set(answer["Location"]) & set("\t\r\n\\"), target


def test_sign_in_page__for_somebody_signed_in__does_not_lead_elsewhere(requester: User) -> None:
    assert browser(requester).get("/login?next=//evil.example")["Location"] == "/"


def test_every_page__by_a_method_that_it_does_not_take__says_so(asked: Stage, powerful: User) -> None:
    before, client = stored(), browser(powerful)
    for address in FORMS:
        for method in ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"):
            answer = client.generic(method, path(address, asked))
            assert answer.status_code == 405, (method, address.row)
            assert "POST" in answer["Allow"]
            assert "no-store" in answer["Cache-Control"]
            assert b"Nothing was changed" in answer.content
    assert stored() == before
