"""Channels by form: made, tried, ended; what became of every message is told; no secret in an address."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from endpoints.access.models import User, Workspace
from endpoints.notices import services
from endpoints.notices.models import Channel, Delivery
from tests.notices.conftest import ada, post_office, reachable, receiver
from tests.notices.support import hook_channel, kept_channel, mail_channel, tell
from tests.support.people import INSTALLATION, browser, make_person, principal
from tests.support.receivers import Hook, Mailbox
from tests.web.reading import read, words

__all__ = ["ada", "post_office", "reachable", "receiver"]
PAGE = "/settings/notices"
RIGHT: dict[str, Any] = {
    "do": "add",
    "name": "Case desk",
    "kind": "mail",
    "address": "desk@example.org",
    "workspace": "",
    "topics": ["case.raised", "case.due"],
}


@pytest.fixture
def client(ada: User) -> Iterator[Client]:
    yield browser(ada)


def main(client: Client, address: str = PAGE) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return words(read(answer.content).one("main").text)


def test_page__has_a_heading_that_its_title_repeats_and_a_label_for_every_field(client: Client) -> None:
    page = read(client.get(PAGE).content)
    assert page.one("h1").text == "Notices"
    assert page.one("title").text.startswith("Notices")
    labels = {label.attributes.get("for") for label in page.all("label")}
    fields = [one for tag in ("input", "select") for one in page.all(tag) if "main" in one.inside]
    typed = [one for one in fields if one.attributes.get("type") not in ("hidden", "checkbox")]
    assert len(typed) == 5
    assert {one.attributes["id"] for one in typed} <= labels
    assert not page.all("style")


def test_page__before_anything_is_sent__says_that_nothing_leaves_the_house(client: Client) -> None:
    shown = main(client)
    assert "Nothing is sent anywhere" in shown
    assert "no checkpoint of the audit ledger reaches a mailbox" in shown
    assert "Webhooks may go to 127.0.0.1, *.hooks.example.org." in shown


def test_channel__by_form__is_made_tried_and_ended(client: Client, post_office: Mailbox) -> None:
    answer = client.post(PAGE, RIGHT)
    assert (answer.status_code, answer["Location"]) == (302, PAGE)
    made = Channel.objects.get()
    assert (made.address, made.topics) == ("desk@example.org", ["case.raised", "case.due"])
    assert "mail to desk@example.org, of everything: a challenge case was raised;" in main(client)
    assert "Nothing was sent yet" in main(client)
    assert client.post(PAGE, {"do": "test", "channel": made.pk}).status_code == 302
    assert "1 not sent yet" in main(client)
    services.deliver_due()
    shown = main(client)
    assert "All sent" in shown
    assert "A test of this channel" in shown
    assert len(post_office.mails) == 1
    assert client.post(PAGE, {"do": "end", "channel": made.pk, "reason": "Moved."}).status_code == 302
    assert "Nothing is sent anywhere" in main(client)
    assert "ended by Ada" in main(client, f"{PAGE}?show=ended")


def test_webhook__by_form__shows_its_key_in_the_answer_alone(
    client: Client, ada: User, receiver: Hook
) -> None:
    url = receiver.url("/services/abcdefgh1234")
    answer = client.post(PAGE, RIGHT | {"kind": "webhook", "address": url})
    assert answer.status_code == 200
    made = Channel.objects.get()
    key = services.signing_key(principal=principal(ada), channel_id=made.pk)
    assert key in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    listed = client.get(PAGE).content.decode()
    assert key not in listed
    assert "abcdefgh" not in listed
    again = client.post(PAGE, {"do": "key", "channel": made.pk})
    assert (again.status_code, key in again.content.decode()) == (200, True)


@pytest.mark.parametrize(
    ("wrong", "field", "says"),
    [
        ({"name": " "}, "name", "Give it a name"),
        ({"kind": "pigeon"}, "kind", "mail or webhook"),
        ({"address": "desk"}, "address", "one mail address"),
        ({"kind": "webhook", "address": "https://evil.example.org/"}, "address", "not among"),
        ({"topics": []}, "topics", "at least one"),
        ({"topics": ["case.gone"]}, "topics", "no kind of message"),
        ({"workspace": "no-such"}, "workspace", "no such workspace"),
    ],
)
def test_channel__that_can_not_be__is_refused_beside_the_field(
    client: Client, wrong: dict[str, Any], field: str, says: str
) -> None:
    answer = client.post(PAGE, RIGHT | wrong)
    page = read(answer.content)
    assert answer.status_code == 422
    assert says in page.one("p", id=f"f-{field}-error").text
    if "name" not in wrong:
        assert page.one("input", id="f-name").attributes["value"] == "Case desk"
    assert not Channel.objects.exists()


@pytest.mark.parametrize(
    "order",
    [{}, {"do": "burn"}, {"do": "test"}, {"do": "test", "channel": "x"}, {"do": "end", "channel": "9" * 30}],
)
def test_order__that_means_nothing__is_refused(client: Client, order: dict[str, str]) -> None:
    assert client.post(PAGE, order).status_code in (409, 422)


def test_address__used_already__is_a_conflict(client: Client) -> None:
    client.post(PAGE, RIGHT)
    answer = client.post(PAGE, RIGHT)
    assert (answer.status_code, Channel.objects.count()) == (409, 1)
    assert "already" in answer.content.decode()


def test_auditor_of_the_installation__sees_and_may_not_touch(ada: User, reachable: None) -> None:
    number = mail_channel(ada)
    client = browser(make_person("alan", {INSTALLATION: ["auditor"]}))
    shown = main(client)
    assert "mail to team@example.org, of everything" in shown
    assert "Send a test" not in shown
    assert "New channel" not in shown
    for order in (RIGHT, *({"do": verb, "channel": number} for verb in ("test", "end", "key"))):
        assert client.post(PAGE, order).status_code == 403
    assert (Channel.objects.count(), Delivery.objects.count()) == (1, 0)


def test_navigation__names_the_page_only_to_those_who_may_open_it(
    client: Client, workspace: Workspace
) -> None:
    insider = browser(make_person("rita", {workspace.slug: ["reviewer"]}))
    assert read(client.get("/settings/profile").content).all("a", href=PAGE)
    assert not read(insider.get("/settings/profile").content).all("a", href=PAGE)


def test_failure__is_told_with_its_reason_and_when_it_is_tried_again(
    client: Client, ada: User, receiver: Hook
) -> None:
    hook_channel(ada, receiver)
    receiver.answer = b"HTTP/1.1 503 SECRET\r\nContent-Length: 6\r\n\r\nSECRET"
    tell()
    services.deliver_due()
    shown = main(client, f"{PAGE}?state=failing")
    assert "Failed, is tried again 127.0.0.1 answered 503." in shown
    assert "1 not sent: it fails" in shown
    assert "SECRET" not in shown
    assert "case:7 was raised" not in main(client, f"{PAGE}?state=sent")


def test_lists__longer_than_a_page__go_on_each_by_itself(client: Client, ada: User) -> None:
    number = kept_channel()
    for _ in range(55):
        services.test_channel(principal=principal(ada), channel_id=number)
    for count in range(50):
        mail_channel(ada, to=f"t{count}@example.org")
    first = read(client.get(PAGE).content)
    following = [one.attributes["href"] for one in first.all("a", rel="next")]
    assert len(following) == 2
    second = words(read(client.get(following[0]).content).one("main").text)
    assert "1 channel on this page" in second
    rest = words(read(client.get(following[1]).content).one("main").text)
    assert "5 deliveries on this page" in rest


def test_page__with_many_rows__asks_no_more_queries(
    client: Client, ada: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for count in range(20):
        mail_channel(ada, to=f"t{count}@example.org")
    tell()
    with django_assert_max_num_queries(14):
        assert client.get(PAGE).status_code == 200


@pytest.mark.parametrize(
    "query", ["begin=x", "before=-1", f"before={'9' * 30}", "state=gone", "show=x&state=sent"]
)
def test_page__asked_with_nonsense__answers(client: Client, query: str) -> None:
    assert client.get(f"{PAGE}?{query}").status_code == 200
