"""Who gets in: every address has a rule, nobody anonymous passes one, and strangers find nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, reverse

from endpoints.access.models import User
from endpoints.access.services import end_grant
from endpoints.web import urls
from endpoints.web.pages import Rule, Scope
from tests.support.people import principal
from tests.web.conftest import SignIn, Stage

UNKNOWN = 999_999


def patterns() -> Iterator[URLPattern]:
    for pattern in urls.urlpatterns:
        if pattern.name != "home":  # redirects to the fleet and shows nothing
            yield pattern


def rule_of(pattern: URLPattern) -> Rule | None:
    return getattr(pattern.callback, "rule", None)


def address_of(name: str, stage: Stage) -> str:
    known = {
        "ws": stage.workspace.slug,
        "name": stage.endpoint.name,
        "number": stage.number,
        "seq": 1,
        "token_id": UNKNOWN,
        "deployment": "blue",
        "chart": "latency",
        "asked": "no-such-request",
        "form": "csv",
        "file": "endpoint",
        "evidence": 1,
        "day": "2026-11-25",
    }
    pattern = next(one for one in urls.urlpatterns if one.name == name)
    return reverse(
        f"web:{name}",
        kwargs={key: value for key, value in known.items() if key in pattern.pattern.converters},
    )


NAMES = [str(pattern.name) for pattern in patterns()]
GUARDED = [str(one.name) for one in patterns() if (rule := rule_of(one)) and rule.scope is not Scope.PUBLIC]
TENANTS = [
    str(one.name)
    for one in patterns()
    if (rule := rule_of(one)) and rule.scope in (Scope.WORKSPACE, Scope.OBJECT)
]


# What an administrator sets, and therefore sees, on workspaces whose endpoints they do not see.
OF_ADMINISTRATORS = ("budget", "rules", "templates", "case_policy")


def method_of(name: str) -> str:
    pattern = next(one for one in urls.urlpatterns if one.name == name)
    return "get" if "GET" in getattr(pattern.callback, "methods", ()) else "post"


@pytest.mark.parametrize("name", NAMES)
def test_address__has_a_rule(name: str) -> None:
    pattern = next(one for one in urls.urlpatterns if one.name == name)
    assert isinstance(rule_of(pattern), Rule)


def test_only_signing_in__is_public() -> None:
    assert [name for name in NAMES if name not in GUARDED] == ["login"]


@pytest.mark.parametrize("name", GUARDED)
def test_address__for_somebody_who_is_not_signed_in__shows_nothing(name: str, asked: Stage) -> None:
    answer = getattr(Client(), method_of(name))(address_of(name, asked))
    if method_of(name) == "get":
        assert answer.status_code == 302
        assert answer["Location"].startswith("/login?next=")
    else:
        assert answer.status_code == 401
        assert b"Nothing was done" in answer.content
    assert asked.endpoint.name.encode() not in answer.content


@pytest.mark.parametrize("name", TENANTS)
def test_address__for_an_outsider__is_not_found(
    name: str, sign_in: SignIn, outsider: User, asked: Stage
) -> None:
    client = sign_in(outsider)
    for method in ("get", "post"):
        answer = getattr(client, method)(address_of(name, asked))
        assert answer.status_code in (404, 405), (method, answer.status_code)
        assert asked.endpoint.name.encode() not in answer.content


@pytest.mark.parametrize("name", [name for name in TENANTS if name not in OF_ADMINISTRATORS])
def test_address__for_an_administrator_without_a_grant__is_not_found(
    name: str, sign_in: SignIn, admin: User, asked: Stage
) -> None:
    answer = getattr(sign_in(admin), method_of(name))(address_of(name, asked))
    assert answer.status_code == 404


def test_budget__for_an_administrator__is_there_though_the_endpoint_is_not(
    sign_in: SignIn, admin: User, asked: Stage
) -> None:
    client = sign_in(admin)
    assert client.get(f"{asked.home}budget").status_code == 200
    assert client.get(asked.home).status_code == 404


@pytest.mark.parametrize("name", ["rules", "templates"])
def test_settings_of_a_workspace__for_an_administrator__are_there_and_for_an_outsider_not(
    name: str, sign_in: SignIn, admin: User, outsider: User, asked: Stage
) -> None:
    assert sign_in(admin).get(address_of(name, asked)).status_code == 200
    hidden = sign_in(outsider).get(address_of(name, asked))
    assert hidden.status_code == 404
    assert b"There is no workspace mlw-prod-weu, or you have no role on it." in hidden.content


@pytest.mark.parametrize(
    "where", ["/fleet", "/search?q=checkout", "/changes?state=open", "/audit?type=change.", "/telemetry"]
)
def test_list__for_an_outsider__has_none_of_it(
    where: str, sign_in: SignIn, outsider: User, asked: Stage
) -> None:
    for accept in ("", "&format=csv" if "?" in where else "?format=csv"):
        answer = sign_in(outsider).get(where + accept)
        assert answer.status_code == 200
        assert b"checkout-risk" not in answer.content


def test_page__after_the_role_ended__is_not_found_at_once(
    sign_in: SignIn, requester: User, admin: User, asked: Stage
) -> None:
    client = sign_in(requester)
    assert client.get(asked.home).status_code == 200
    for grant in requester.grants.all():
        end_grant(principal=principal(admin), grant_id=grant.pk, reason="left the team")
    assert client.get(asked.home).status_code == 404


def test_page__after_the_account_was_disabled__asks_to_sign_in(
    sign_in: SignIn, requester: User, asked: Stage
) -> None:
    client = sign_in(requester)
    User.objects.filter(pk=requester.pk).update(is_active=False)
    assert client.get(asked.home).status_code == 302


@pytest.mark.parametrize("name", [one for one in NAMES if method_of(one) == "post"])
def test_address_that_changes_something__refuses_to_be_followed_as_a_link(
    name: str, sign_in: SignIn, requester: User, asked: Stage
) -> None:
    assert sign_in(requester).get(address_of(name, asked)).status_code == 405
