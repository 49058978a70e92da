"""The page of one request: one record, several, none, another tenant's; as known then; and the day's coverage."""

from __future__ import annotations

from hashlib import sha256
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pydantic import SecretStr

from endpoints.access.models import User, Workspace
from endpoints.audit.models import Entry
from endpoints.challenges import fingerprint
from endpoints.challenges.recorded import Source
from endpoints.challenges.services import take
from tests.challenges.past import Past
from tests.challenges.recording import guid, said
from tests.support.people import make_endpoint
from tests.web.conftest import SignIn
from tests.web.reading import read, words

MOST_QUERIES = 70


@pytest.fixture
def past(workspace: Workspace) -> Past:
    made = Past(workspace)
    made.split({"blue": 90, "green": 10}, earliest=None, latest=0)
    made.deployment("blue", 7)
    made.deployment("green", 8)
    made.read(1, 3, 120)
    return made


def test_record__that_the_log_names__is_answered_on_one_page(
    sign_in: SignIn, supervisor: User, past: Past
) -> None:
    row = past.request(
        30,
        source=Source.LOG,
        request_id=guid(5),
        client_id="order-5",
        deployment="green",
        status=200,
        confidence=0.62,
    )
    client = sign_in(supervisor)
    for asked in (guid(5).upper(), "{" + guid(5) + "}", "order-5"):
        page = read(client.get(f"/r/{quote(asked)}").content)
        main = words(page.one("main").text)
        assert "green answered, with risk:8, certain." in main
        assert "blue 90 %, green 10 %" in main
        assert "not stored" in main
        assert "Raise a case" in main
    assert any(f"/challenges/new?cid={guid(5)}" in one.attributes.get("href", "") for one in page.all("a"))
    (entry,) = Entry.objects.filter(action="evidence.read")
    assert (entry.subject, entry.actor) == (row.ref, f"user:{supervisor.pk}")


def test_record__of_several_requests__lists_them_and_shows_the_chosen_one(
    sign_in: SignIn, supervisor: User, past: Past
) -> None:
    first = past.request(
        30, source=Source.LOG, request_id=guid(1), client_id="order-7", deployment="blue", status=424
    )
    past.request(
        31, source=Source.LOG, request_id=guid(2), client_id="order-7", deployment="green", status=200
    )
    client = sign_in(supervisor)
    page = read(client.get("/r/order-7").content)
    assert "2 requests have this id" in words(page.one("main").text)
    assert "Which model said this?" not in words(page.one("main").text)
    links = [one.attributes["href"] for one in page.all("a") if "record=" in one.attributes.get("href", "")]
    assert len(links) == 2
    chosen = next(link for link in links if quote(first.ref, safe="") in link)
    assert "blue answered, with risk:7, certain." in words(read(client.get(chosen).content).one("main").text)


def test_record__that_is_not_there__says_what_was_looked_at(
    sign_in: SignIn, supervisor: User, past: Past
) -> None:
    answer = sign_in(supervisor).get("/r/order-404")
    main = words(read(answer.content).one("main").text)
    assert answer.status_code == 404
    assert "No record for this id" in main
    assert "it is none: that would be a GUID" in main
    assert "mlw-prod-weu" in main
    assert "days, by whole months" in main
    assert not Entry.objects.filter(action="evidence.read").exists()


def test_record__of_another_tenant__is_not_found_and_names_nothing(
    sign_in: SignIn, outsider: User, past: Past
) -> None:
    past.request(30, request_id=guid(1), deployment="blue")
    answer = sign_in(outsider).get(f"/r/{guid(1)}")
    assert answer.status_code == 404
    assert b"checkout-risk" not in answer.content
    assert b"mlw-prod-weu" not in answer.content


def test_record__as_known_then__lists_what_is_known_better(
    sign_in: SignIn, supervisor: User, past: Past
) -> None:
    past.request(30, source=Source.LOG, request_id=guid(1), deployment="green")
    client = sign_in(supervisor)
    page = read(client.get(f"/r/{guid(1)}?known={past.at(60):%Y-%m-%dT%H:%M:%SZ}").content)
    main = words(page.one("main").text)
    assert "As known then" in main
    assert "Deployment that answered: cannot say then, green now." in main
    assert "One of several" in main or "Cannot say" in main


@pytest.mark.parametrize(
    ("known", "told"),
    [("yesterday", "is no time"), ("2999-01-01T00:00", "has not come"), ("9" * 400, "is no time")],
)
def test_record__as_known_at_no_time__says_so_and_shows_what_is_known_now(
    known: str, told: str, sign_in: SignIn, supervisor: User, past: Past
) -> None:
    past.request(30, source=Source.LOG, request_id=guid(1), deployment="green")
    answer = sign_in(supervisor).get(f"/r/{guid(1)}", {"known": known})
    main = words(read(answer.content).one("main").text)
    assert answer.status_code == 422
    assert told in main
    assert "green answered, with risk:8, certain." in main


@pytest.mark.parametrize("asked", ["<script>", "' OR 1=1", "%", "x" * 2000, "\u202egnp", "é" * 50])
def test_record__of_a_strange_id__is_just_not_there(
    asked: str, sign_in: SignIn, supervisor: User, past: Past
) -> None:
    answer = sign_in(supervisor).get(f"/r/{quote(asked, safe='')}")
    assert answer.status_code == 404
    assert b"<script>" not in answer.content


def test_search__for_an_id__goes_to_its_record_and_names_of_endpoints_come_first(
    sign_in: SignIn, supervisor: User, past: Past
) -> None:
    past.request(30, request_id=guid(1), client_id="order-9")
    past.request(31, request_id=guid(2), client_id="checkout-risk")
    client = sign_in(supervisor)
    assert client.get("/search", {"q": "order-9"})["Location"] == "/r/order-9"
    assert client.get("/search", {"q": guid(1)})["Location"] == f"/r/{guid(1)}"
    assert client.get("/search", {"q": guid(404)})["Location"] == f"/r/{guid(404)}"
    assert client.get("/search", {"q": "checkout-risk"})["Location"] == "/w/mlw-prod-weu/e/checkout-risk/"
    assert client.get("/search", {"q": "order-404"}).status_code == 200


def test_search__for_an_id_of_another_tenant__finds_nothing(
    sign_in: SignIn, outsider: User, past: Past
) -> None:
    past.request(30, client_id="order-9")
    assert sign_in(outsider).get("/search", {"q": "order-9"}).status_code == 200


def test_coverage__of_a_day__is_told_in_words_and_tables(
    sign_in: SignIn, supervisor: User, past: Past
) -> None:
    past.split({"green": 100}, earliest=99, latest=101)
    past.read(121, 123)
    client = sign_in(supervisor)
    told = ""
    for day in {past.at(minute).date() for minute in (0, 130)}:
        page = read(client.get(f"/w/mlw-prod-weu/e/checkout-risk/coverage?day={day}").content)
        assert len(page.all("table")) == 4
        told += words(page.one("main").text)
    assert "One of several: the split was being switched." in told
    assert "Certain: one deployment had all traffic." in told
    assert "Cannot say: the split is not known." in told


@pytest.mark.parametrize("day", ["2999-01-01", "yesterday", "0001-01-01", "2026-02-30"])
def test_coverage__of_no_day__is_todays_with_the_mistake_said(
    day: str, sign_in: SignIn, supervisor: User, past: Past
) -> None:
    answer = sign_in(supervisor).get("/w/mlw-prod-weu/e/checkout-risk/coverage", {"day": day})
    assert answer.status_code == 422
    assert "Shown is today." in words(read(answer.content).one("main").text)


def test_record__with_a_long_past__takes_no_more_queries(
    sign_in: SignIn, supervisor: User, past: Past
) -> None:
    past.request(30.2, source=Source.LOG, request_id=guid(1), deployment="green", confidence=0.6)
    client = sign_in(supervisor)
    client.get(f"/r/{guid(1)}")
    before = queries(client)
    for number in range(40):
        tags = {"n": str(number)}
        past.split({"blue": 90, "green": 10}, earliest=10 + number, latest=10.4 + number, tags=tags)
        past.deployment(f"old-{number}", number)
    many = [
        said(past.endpoint.pk, past.at(20 + n / 60), client_id=f"c-{n}", confidence=0.5) for n in range(50)
    ]
    take(many, source=Source.CALLER)
    # Where a split came from, and when it went, is looked for in ever larger steps.
    assert queries(client) <= before + 2 <= MOST_QUERIES


def queries(client: Client) -> int:
    with CaptureQueriesContext(connection) as found:
        assert client.get(f"/r/{guid(1)}").status_code == 200
    return len(found)


def test_coverage__is_linked_from_the_endpoint_for_those_who_may_see_it(
    sign_in: SignIn, supervisor: User, finops: User, workspace: Workspace
) -> None:
    make_endpoint(workspace)
    for user, expected in ((supervisor, True), (finops, False)):
        page = read(sign_in(user).get("/w/mlw-prod-weu/e/checkout-risk/").content)
        links = [one.attributes.get("href", "") for one in page.all("a")]
        assert any(link.endswith("/coverage") for link in links) is expected


def test_record__and_a_hash_of_its_body__says_whether_it_is_the_one(
    sign_in: SignIn, supervisor: User, past: Past, settings: Any
) -> None:
    settings.OPSPORTAL = settings.OPSPORTAL.model_copy(update={"fingerprint_key": SecretStr("k" * 40)})
    body, other = sha256(b"{}").hexdigest(), sha256(b"{ }").hexdigest()
    past.request(
        30, source=Source.CALLER, client_id="mine", fingerprint=fingerprint.keyed(b"k" * 40, body), status=200
    )
    past.request(31, source=Source.CALLER, client_id="unproved", status=200)
    client = sign_in(supervisor)

    def said_of(asked: str, given: str) -> str:
        return words(read(client.get(f"/r/{asked}?body_sha256={given}").content).one("main").text)

    assert "The same A body with this hash is the body of this request." in said_of("mine", body.upper())
    assert "Another one" in said_of("mine", other)
    assert "Nobody sent a fingerprint" in said_of("unproved", body)
    assert "64 hexadecimal digits" in said_of("mine", "not-a-hash")
    settings.OPSPORTAL = settings.OPSPORTAL.model_copy(update={"fingerprint_key": SecretStr("")})
    assert "Nothing can be proved with it" in said_of("mine", body)
