"""The page of an endpoint's sample request: set, refused with every mistake beside its field, ended, asked now."""

from __future__ import annotations

import pytest
from django.test import Client

from endpoints.access.models import User, Workspace
from endpoints.changes.models import Probe, Sample
from endpoints.changes.verdict import Outcome
from endpoints.dispatch import db_now
from endpoints.inventory.models import Endpoint
from tests.support.people import make_endpoint
from tests.web.conftest import SignIn
from tests.web.reading import read, words

ADDRESS = "/w/mlw-prod-weu/e/checkout-risk/probe"
GOOD = {"do": "set", "body": '{"amount": 12}', "synthetic": "yes"}


@pytest.fixture
def endpoint(workspace: Workspace) -> Endpoint:
    return make_endpoint(workspace)


@pytest.fixture
def client(sign_in: SignIn, endpoint: Endpoint, requester: User) -> Client:
    return sign_in(requester)


def test_sample__made_up_and_said_so__is_stored_and_shown(client: Client) -> None:
    assert client.post(ADDRESS, GOOD)["Location"] == ADDRESS
    assert Sample.objects.get().body == '{"amount": 12}'
    page = read(client.get(ADDRESS).content)
    assert '{"amount": 12}' in page.one("textarea", name="body").text
    assert "Set by Rosa" in words(page.one("main").text)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"body": "not json"}, "body"),
        ({"body": " "}, "body"),
        ({"synthetic": ""}, "synthetic"),
        ({"secret_uri": "a password"}, "secret_uri"),
        ({"answer_schema": "[1]"}, "answer_schema"),
        ({"answer_schema": "{"}, "answer_schema"),
    ],
)
def test_sample__with_a_mistake__is_named_beside_its_field_and_nothing_stored(
    client: Client, wrong: dict[str, str], field: str
) -> None:
    answer = client.post(ADDRESS, GOOD | wrong)
    assert answer.status_code == 422
    page = read(answer.content)
    assert page.one("p", id=f"f-{field}-error").text.strip()
    assert words(page.one("title").text).startswith("Error: ")
    assert not Sample.objects.exists()


def test_sample__ended__is_asked_no_more_and_stays_on_record(client: Client) -> None:
    client.post(ADDRESS, GOOD)
    assert client.post(ADDRESS, {"do": "end"}).status_code == 302
    assert Sample.objects.count() == 2
    text = words(read(client.get(ADDRESS).content).one("main").text)
    assert "None is set." in text


def test_probe_now__without_a_sample__says_that_nobody_was_asked(client: Client) -> None:
    answer = client.post(ADDRESS, {"do": "probe"})
    assert answer.status_code == 409
    assert "Nobody was asked." in answer.content.decode()


def test_probe_now__with_a_sample__is_asked_for(client: Client) -> None:
    client.post(ADDRESS, GOOD)
    assert client.post(ADDRESS, {"do": "probe"}).status_code == 302


def test_probes__more_than_a_page__are_paged_newest_first(client: Client, endpoint: Endpoint) -> None:
    for number in range(30):
        Probe.objects.create(
            endpoint=endpoint, deployment="blue", outcome=Outcome.PASS, status=200, seconds=0.1,
            reason=f"number {number}", at=db_now(),
        )  # fmt: skip
    page = read(client.get(ADDRESS).content)
    assert "number 29" in page.one("main").text
    assert "number 2" not in words(page.one("main").text).split()
    older = read(client.get(page.one("a", rel="next").attributes["href"]).content)
    assert "number 0" in older.one("main").text


def test_probe_page__for_somebody_who_may_only_look__has_no_form_but_the_reason(
    sign_in: SignIn, endpoint: Endpoint, auditor: User
) -> None:
    page = read(sign_in(auditor).get(ADDRESS).content)
    assert not page.all("textarea")
    assert "sample request" in words(page.one("main").text)
