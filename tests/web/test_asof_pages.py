"""Pages as of a moment: an unmistakable banner, no button, links that keep the moment, and how sure each answer is."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from endpoints.access.models import User, Workspace
from endpoints.dispatch import db_now
from endpoints.metrics.services import propose_budget
from tests.inventory.past import began, deployment_of_then, endpoint_of_then, read_all
from tests.inventory.support import at
from tests.support.people import make_person, principal
from tests.web.conftest import SignIn, Stage
from tests.web.reading import Page, read, words

HOME = "/w/mlw-prod-weu/e/checkout-risk/"


def text_of(page: Page) -> str:
    return words(page.one("main").text)


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


@pytest.fixture
def past(workspace: Workspace) -> None:
    """blue until 40, green from 70 on, which the portal learnt at 500; read until 600."""
    endpoint = endpoint_of_then(workspace)
    began(endpoint, None, 10)
    began(endpoint, 40, 70, known=500, traffic={"green": 100})
    began(deployment_of_then(endpoint), None, 10)
    green = deployment_of_then(endpoint, "green")
    began(green, None, 10, model="azureml://registries/fraud/models/risk/versions/8")
    read_all(workspace, 90, 91)
    read_all(workspace, 600, 601)


@pytest.mark.usefixtures("past")
def test_endpoint_then__between_two_readings__shows_both_splits_and_says_that_it_was_one_of_them(
    sign_in: SignIn, requester: User
) -> None:
    page = read(sign_in(requester).get(f"{HOME}?at={iso(at(50))}").content)

    assert words(page.one("title").text).startswith("As of 2026-01-05 08:00:50 UTC: checkout-risk")
    assert "One of two" in text_of(page)
    assert "blue 100 % or green 100 %" in text_of(page)
    heads = [words(one.text) for one in page.all("th", scope="col")]
    assert heads[-2:] == ["Before the switch", "After the switch"]
    assert "risk:7" in text_of(page)


@pytest.mark.usefixtures("past")
def test_endpoint_then__as_known_before_a_correction__stands_beside_what_is_known_now(
    sign_in: SignIn, requester: User
) -> None:
    page = read(sign_in(requester).get(f"{HOME}?at={iso(at(80))}&known={iso(at(100))}").content)

    assert "Known now, something else is true of this moment." in text_of(page)
    heads = [words(one.text) for one in page.all("th", scope="col")]
    assert heads[-2:] == ["As of then", "As of then, known now"]
    rows = [words(one.text) for one in page.all("tr", **{"class": "changed"})]
    assert rows == ["trafficblue 100 %green 100 %"]


@pytest.mark.usefixtures("past")
@pytest.mark.parametrize(
    "address",
    ["/fleet", "/w/mlw-prod-weu/", HOME, f"{HOME}d/blue/"],
    ids=["fleet", "workspace", "endpoint", "d"],
)
def test_a_page_of_the_past__has_a_banner_and_nothing_to_do_and_keeps_the_moment(
    address: str, sign_in: SignIn, requester: User
) -> None:
    page = read(sign_in(requester).get(f"{address}?at={iso(at(20))}&known={iso(at(700))}").content)

    banner = words(page.one("section", **{"class": "asof-banner"}).text)
    assert banner.startswith("As of 2026-01-05 08:00:20 UTC as known 2026-01-05 08:11:40 UTC")
    forms = [one for one in page.all("form") if "main" in one.inside]
    assert all(one.attributes.get("method", "get").lower() == "get" for one in forms)
    links = [
        one.attributes["href"]
        for one in page.all("a")
        if "main" in one.inside and re.match(r"/(fleet|w/)", one.attributes.get("href", ""))
    ]
    stays = [one for one in links if "at=2026-01-05T08%3A00%3A20Z&known=" in one]
    away = [one for one in links if one not in stays]
    assert stays
    assert all(one.partition("?")[0] == address or "since=" in one for one in away)


@pytest.mark.usefixtures("past")
def test_fleet_then__before_anything_was_read__cannot_tell_and_says_why(
    sign_in: SignIn, requester: User
) -> None:
    page = read(sign_in(requester).get(f"/fleet?at={iso(at(5))}").content)

    assert "Cannot tell It was first read 2026-01-05 08:00:10 UTC" in text_of(page)
    assert "1 cannot tell" in text_of(page)


@pytest.mark.usefixtures("past")
@pytest.mark.parametrize("address", [HOME, f"{HOME}d/blue/"])
def test_a_moment__after_the_last_reading__leads_to_that_reading(
    address: str, sign_in: SignIn, requester: User
) -> None:
    client = sign_in(requester)
    page = read(client.get(f"{address}?at={iso(at(700))}").content)
    assert "No later reading bears it out: the last one began 2026-01-05 08:10:00 UTC." in text_of(page)
    link = next(one for one in page.all("a") if one.text == "As of that reading")
    assert "Certain" in text_of(read(client.get(link.attributes["href"]).content))


@pytest.mark.usefixtures("past")
def test_deployment_then__of_a_name_that_was_none__is_not_found(sign_in: SignIn, requester: User) -> None:
    answer = sign_in(requester).get(f"{HOME}d/red/?at={iso(at(20))}")

    assert answer.status_code == 404
    assert "had no deployment red at that time" in answer.content.decode()


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("at=yesterday", "is no time"),
        ("at=2999-01-01T00:00:00Z", "This moment is to come"),
        ("at=1999-01-01T00:00", "Nothing is on record of"),
        ("at=2026-01-05T08:00:00Z&known=2026-01-05T07:00:00Z", "which came later"),
        ("at=2026-01-05T08:00:00Z&known=2999-01-01T00:00:00Z", "nobody can say"),
        ("known=2026-01-05T08:00:00Z", "Say which moment is asked for"),
        ("at=0001-01-01T00:00:00%2B14:00", "is no time"),
        ("at=9999-12-31T23:59:59-14:00", "is no time"),
    ],
)
@pytest.mark.parametrize("address", ["/fleet", HOME, f"{HOME}d/blue/", "/changes/CR-1"])
def test_a_moment__that_can_not_be_shown__is_refused_in_words(
    address: str, query: str, says: str, sign_in: SignIn, requester: User
) -> None:
    answer = sign_in(requester).get(f"{address}?{query}")

    assert answer.status_code == 422
    assert says in answer.content.decode()


@pytest.mark.usefixtures("past")
def test_a_wall_clock__of_somebody_in_another_zone__is_theirs(sign_in: SignIn, requester: User) -> None:
    User.objects.filter(pk=requester.pk).update(time_zone="Europe/Berlin")
    client = sign_in(requester)
    client.cookies["zone"] = "home"

    page = read(client.get("/fleet?at=2026-01-05T09:00:50").content)

    assert "One of two" in text_of(page)
    assert page.one("input", id="asof-at").attributes["value"] == "2026-01-05T09:00:50"
    skipped = client.get("/fleet?at=2026-03-29T02:30:00")
    assert skipped.status_code == 422
    assert "clocks skipped it" in skipped.content.decode()


@pytest.mark.usefixtures("past")
def test_an_offset__whose_plus_was_not_encoded__is_understood(sign_in: SignIn, requester: User) -> None:
    page = read(sign_in(requester).get("/fleet?at=2026-01-05T09:00:50+01:00").content)
    assert "One of two" in text_of(page)


def test_endpoint_then__budget_and_change_at_work__are_those_of_then(
    sign_in: SignIn, started: Stage, operator: User
) -> None:
    owner = make_person("boss", {started.workspace.slug: ["operator", "reviewer"]})
    working = db_now()
    propose_budget(
        principal=principal(owner),
        endpoint_id=started.endpoint.pk,
        p95_ms=250,
        failure_share=None,
        reason="What was promised.",
    )

    page = read(sign_in(operator).get(f"{started.home}?at={iso(working)}").content)

    assert f"CR-{started.number}, started" in text_of(page)
    assert "None was set." in text_of(page)


def test_change_then__before_the_approval__waits_and_says_who_could(
    sign_in: SignIn, asked: Stage, operator: User, reviewer: User
) -> None:
    before = db_now()

    page = read(sign_in(operator).get(f"/changes/CR-{asked.number}?at={iso(before)}").content)

    told = text_of(page)
    assert "Waiting for review" in told
    assert "Who could approve it then Vera (release reviewer)" in told
    assert "Rosa (requester): wrote it" in told
    assert "Approvals by then, 0 of 1" in told


def test_change_then__of_another_workspace__is_not_found(
    sign_in: SignIn, asked: Stage, outsider: User
) -> None:
    answer = sign_in(outsider).get(f"/changes/CR-{asked.number}?at={iso(db_now())}")
    assert answer.status_code == 404


@pytest.mark.usefixtures("past")
def test_the_past__of_another_workspace__is_not_there(sign_in: SignIn, outsider: User) -> None:
    client = sign_in(outsider)
    assert client.get(f"{HOME}?at={iso(at(20))}").status_code == 404
    assert "checkout-risk" not in client.get(f"/fleet?at={iso(at(20))}").content.decode()


@pytest.mark.parametrize("address", ["/fleet", HOME, f"{HOME}d/blue/", "/changes/CR-{number}"])
def test_a_page_of_the_present__asks_for_a_moment_without_a_script(
    address: str, sign_in: SignIn, asked: Stage, requester: User
) -> None:
    page = read(sign_in(requester).get(address.format(number=asked.number)).content)
    field = page.one("input", id="asof-at")
    assert (field.attributes["name"], field.attributes["type"]) == ("at", "datetime-local")
