"""Guessing and flooding are slowed; an emergency is not."""

from __future__ import annotations

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, RequestFactory

from endpoints.access.models import User
from endpoints.access.rate import RATE
from endpoints.changes.models import Change
from endpoints.changes.selectors import rollback_offer
from tests.support.people import PASSWORD, browser, principal
from tests.web.conftest import Stage

SYNC = "/settings/workspaces/mlw-prod-weu/sync"


def guess(password: str, number: int) -> str:
    """One attempt that claims another address each time; what the page then says."""
    told = {"username": "rosa", "password": password}
    claims = {"X-Forwarded-For": f"203.0.113.{number}", "X-Real-IP": f"203.0.113.{number}"}
    return Client().post("/login", told, headers=claims).content.decode()


def test_sign_in__guessed_from_one_address_that_claims_many__has_to_wait(requester: User) -> None:
    for number in range(5):
        assert "not right" in guess(f"guess {number}", number)
    assert "Too many attempts" in guess("one more", 6)
    assert "Too many attempts" in guess(PASSWORD, 7)


def flood(client: Client) -> None:
    for _ in range(RATE):
        assert client.post(SYNC).status_code == 302


def test_pages__sent_more_than_anybody_orders_in_a_minute__say_when_to_go_on(
    asked: Stage, operator: User
) -> None:
    client = browser(operator)
    flood(client)
    answer = client.post(SYNC)
    assert answer.status_code == 429
    assert 1 <= int(answer["Retry-After"]) <= 61
    assert b"Nothing was changed" in answer.content
    assert client.get("/fleet").status_code == 200


def test_rate__of_pages_and_api__is_one(asked: Stage, operator: User, reviewer: User) -> None:
    client = browser(operator)
    flood(client)
    path = "/api/v1/workspaces/mlw-prod-weu/sync"
    assert client.post(path, content_type="application/json").status_code == 429
    assert browser(reviewer).post(SYNC).status_code == 302


def test_rollback_and_leaving__after_a_flood__work(asked: Stage, operator: User) -> None:
    client = browser(operator)
    flood(client)
    offer = rollback_offer(principal(operator), asked.endpoint.pk, asked.workspace.pk)
    target = next(one.key for one in offer.targets if one.eligible)
    answer = client.post(f"{asked.home}rollback", {"target": target, "reason": "errors", "key": "k" * 32})
    assert answer.status_code == 302
    assert Change.objects.latest("pk").kind == "rollback"
    assert client.post("/settings/zone", {"zone": "utc"}).status_code == 302
    assert client.post("/logout").status_code == 302


def test_file__sent_to_any_page__is_not_kept() -> None:
    """It would lie in memory or on disk before anybody asked who sends it."""
    sent = {"username": "x", "upload": SimpleUploadedFile("x.bin", b"x" * 2_000_000)}
    request = RequestFactory().post("/login", sent)
    assert request.POST["username"] == "x"
    assert not request.FILES
