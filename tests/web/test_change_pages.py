"""Asking, reviewing, starting, rolling back: by forms alone, as it works without script."""

from __future__ import annotations

import pytest
from django.test import Client

from endpoints.access.models import User
from endpoints.changes.lifecycle import Kind, State
from endpoints.changes.models import Change, Decision
from tests.support.people import make_endpoint
from tests.web.conftest import SignIn, Stage
from tests.web.reading import Page, read, words


def state_of(number: int) -> str:
    return Change.objects.get(pk=number).state


def page_of(client: Client, address: str) -> Page:
    answer = client.get(address)
    assert answer.status_code == 200
    return read(answer.content)


def form_of(page: Page, action: str) -> dict[str, str]:
    """The hidden fields of the form that goes to `action`, as a browser would send them."""
    start = next(
        place
        for place, one in enumerate(page.elements)
        if one.tag == "form" and one.attributes.get("action") == action
    )
    after = page.elements[start + 1 :]
    end = next((place for place, one in enumerate(after) if one.tag == "form"), len(after))
    hidden = [one for one in after[:end] if one.tag == "input" and one.attributes.get("type") == "hidden"]
    return {one.attributes["name"]: one.attributes.get("value", "") for one in hidden}


def test_request__with_a_legal_split_and_a_reason__waits_for_review(
    sign_in: SignIn, requester: User, workspace: object
) -> None:
    endpoint = make_endpoint(workspace)  # type: ignore[arg-type]
    client = sign_in(requester)
    address = f"/w/mlw-prod-weu/e/{endpoint.name}/change/new"
    key = page_of(client, address).one("input", name="key").attributes["value"]
    sent = {"w:blue": "90", "w:green": "10", "reason": "Try green", "key": key}
    first, second = client.post(address, sent), client.post(address, sent)
    assert first["Location"] == second["Location"]
    number = int(first["Location"].rpartition("-")[2])
    assert state_of(number) == State.IN_REVIEW
    assert Change.objects.count() == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"w:blue": "90"}, "The weights sum to 190 %"),
        ({"w:blue": "-5"}, "The weight of blue is not a whole number from 0 to 100."),
        ({"w:blue": "12.5"}, "The weight of blue is not a whole number from 0 to 100."),
        ({"w:blue": "9" * 5000}, "The weight of blue is not a whole number from 0 to 100."),
        ({"w:blue": "100", "w:green": "0"}, "Nothing would change."),
        ({"w:purple": "0", "w:green": "0", "w:blue": "0", "w:red": "100"}, "red is not a deployment"),
        ({"reason": "   "}, "Say why"),
        ({"reason": "x" * 2001}, "At most 2000 characters"),
    ],
)
def test_request__that_can_not_be__says_what_is_wrong_and_stores_nothing(
    sign_in: SignIn, requester: User, workspace: object, wrong: dict[str, str], said: str
) -> None:
    endpoint = make_endpoint(workspace)  # type: ignore[arg-type]
    sent = {"w:blue": "0", "w:green": "100", "reason": "Try green", "key": "k"} | wrong
    answer = sign_in(requester).post(f"/w/mlw-prod-weu/e/{endpoint.name}/change/new", sent)
    assert answer.status_code == 422
    page = read(answer.content)
    assert said in words(page.one("main").text)
    assert "Nothing was stored." in words(page.one("main").text)
    assert page.one("title").text.startswith("Error: ")
    assert not Change.objects.exists()


def test_request__by_somebody_who_may_not__shows_why_instead_of_a_form(
    sign_in: SignIn, supervisor: User, workspace: object
) -> None:
    endpoint = make_endpoint(workspace)  # type: ignore[arg-type]
    client, address = sign_in(supervisor), f"/w/mlw-prod-weu/e/{endpoint.name}/change/new"
    page = page_of(client, address)
    assert "Needs the role requester, release reviewer or operator on mlw-prod-weu." in words(
        page.one("main").text
    )
    assert not page.all("textarea")
    answer = client.post(address, {"w:blue": "0", "w:green": "100", "reason": "x", "key": "k"})
    assert answer.status_code == 403
    assert b"Needs the role" in answer.content


def test_review__by_a_reviewer__shows_difference_checks_and_decision(
    sign_in: SignIn, reviewer: User, asked: Stage
) -> None:
    page = page_of(sign_in(reviewer), f"/changes/CR-{asked.number}")
    assert words(page.one("h1").text) == f"CR-{asked.number}: send checkout-risk traffic to green 100 %"
    was, will = ([words(one.text) for one in page.all(tag)] for tag in ("del", "ins"))
    assert (was, will) == (["blue 100 %", "risk:7"], ["green 100 %", "risk:8"])
    assert "Waiting for your review" in page.one("main").text
    assert [one.attributes["value"] for one in page.all("button", name="decision")] == ["reject", "approve"]


def test_review__by_the_author__says_why_there_is_no_button(
    sign_in: SignIn, requester: User, asked: Stage
) -> None:
    page = page_of(sign_in(requester), f"/changes/CR-{asked.number}")
    assert not page.all("button", name="decision")
    assert "Rosa wrote it and cannot approve it." in page.one("main").text


def test_approval_of_ones_own_change__forged__is_refused_and_nothing_is_stored(
    sign_in: SignIn, asked: Stage, requester: User
) -> None:
    sent = {"decision": "approve", "seen": asked.seen(requester)}
    answer = sign_in(requester).post(f"/changes/CR-{asked.number}/decide", sent)
    assert answer.status_code == 403
    assert state_of(asked.number) == State.IN_REVIEW
    assert not Decision.objects.exists()


def test_change__approved_then_started__goes_to_the_live_page(
    sign_in: SignIn, reviewer: User, operator: User, asked: Stage
) -> None:
    client, home = sign_in(reviewer), f"/changes/CR-{asked.number}"
    sent = form_of(page_of(client, home), f"{home}/decide") | {"decision": "approve"}
    assert client.post(f"{home}/decide", sent)["Location"] == home
    assert state_of(asked.number) == State.APPROVED
    other = sign_in(operator)
    started = other.post(f"{home}/start", form_of(page_of(other, home), f"{home}/start"))
    assert started["Location"] == f"{home}/live"
    assert state_of(asked.number) == State.APPLYING


def test_rejection__without_a_comment__is_not_stored(sign_in: SignIn, reviewer: User, asked: Stage) -> None:
    home = f"/changes/CR-{asked.number}"
    sent = {"decision": "reject", "seen": asked.seen(reviewer), "comment": " "}
    answer = sign_in(reviewer).post(f"{home}/decide", sent)
    assert answer.status_code == 422
    assert b"Not stored." in answer.content
    assert state_of(asked.number) == State.IN_REVIEW


def test_decision__on_a_version_that_was_edited_meanwhile__is_not_stored_and_keeps_the_comment(
    sign_in: SignIn, requester: User, reviewer: User, asked: Stage
) -> None:
    home, seen = f"/changes/CR-{asked.number}", asked.seen(reviewer)
    edited = {"w:blue": "50", "w:green": "50", "reason": "Half first", "seen": seen}
    assert sign_in(requester).post(f"{home}/edit", edited)["Location"] == home
    sent = {"decision": "reject", "seen": seen, "comment": "Too much at once"}
    answer = sign_in(reviewer).post(f"{home}/decide", sent)
    assert answer.status_code == 409
    assert b"was edited after you opened it" in answer.content
    assert b"Too much at once" in answer.content
    assert not Decision.objects.exists()


def test_decision__that_is_neither__is_not_stored(sign_in: SignIn, reviewer: User, asked: Stage) -> None:
    answer = sign_in(reviewer).post(f"/changes/CR-{asked.number}/decide", {"decision": "maybe"})
    assert answer.status_code == 422
    assert not Decision.objects.exists()


def test_review__when_live_traffic_moved__says_so_and_refuses_the_approval(
    sign_in: SignIn, reviewer: User, asked: Stage
) -> None:
    make_endpoint(asked.workspace, traffic={"blue": 60, "green": 40})
    client, home = sign_in(reviewer), f"/changes/CR-{asked.number}"
    page = page_of(client, home)
    assert "Live traffic changed after this was written." in page.one("main").text
    answer = client.post(f"{home}/decide", {"decision": "approve", "seen": asked.seen(reviewer)})
    assert answer.status_code == 409
    assert state_of(asked.number) == State.IN_REVIEW


def test_withdrawal__by_the_author__ends_the_change(sign_in: SignIn, requester: User, asked: Stage) -> None:
    client, home = sign_in(requester), f"/changes/CR-{asked.number}"
    assert client.post(f"{home}/withdraw")["Location"] == home
    assert state_of(asked.number) == State.WITHDRAWN
    again = client.post(f"{home}/withdraw")
    assert again.status_code == 409


def test_rollback__from_the_dialog_of_each_page__is_offered_with_its_target(
    sign_in: SignIn, operator: User, started: Stage
) -> None:
    client = sign_in(operator)
    for address in (started.home, f"/changes/CR-{started.number}", f"/changes/CR-{started.number}/live"):
        page = page_of(client, address)
        assert page.one("a", data_dialog="rollback").attributes["href"] == f"{started.home}rollback"
        chosen = [one for one in page.all("input", name="target") if "checked" in one.attributes]
        assert [one.attributes["data-words"] for one in chosen] == ["blue\u00a0100\u00a0%"]


def test_rollback__sent_twice_and_by_two_people__is_one(
    sign_in: SignIn, operator: User, reviewer: User, started: Stage
) -> None:
    address, sent = f"{started.home}rollback", []
    for user in (operator, reviewer):
        page = page_of(sign_in(user), address)
        target = next(one for one in page.all("input", name="target") if "checked" in one.attributes)
        key = page.one("input", name="key").attributes["value"]
        sent.append({"target": target.attributes["value"], "key": key, "reason": "errors"})
    answers = [
        sign_in(operator).post(address, sent[0]),
        sign_in(operator).post(address, sent[0]),
        sign_in(reviewer).post(address, sent[1]),
    ]
    rollback = Change.objects.get(kind=Kind.ROLLBACK)
    assert {one["Location"] for one in answers} == {f"/changes/CR-{rollback.pk}/live"}
    assert state_of(started.number) == State.SUPERSEDED


def test_rollback__to_a_target_that_the_server_did_not_issue__sends_nothing(
    sign_in: SignIn, operator: User, started: Stage
) -> None:
    answer = sign_in(operator).post(f"{started.home}rollback", {"target": "0" * 16, "key": "k"})
    assert answer.status_code == 409
    assert b"Nothing was sent to Azure." in answer.content
    assert not Change.objects.filter(kind=Kind.ROLLBACK).exists()


def test_rollback__by_somebody_who_may_not__is_refused(
    sign_in: SignIn, supervisor: User, operator: User, started: Stage
) -> None:
    page = page_of(sign_in(operator), f"{started.home}rollback")
    target = page.all("input", name="target")[0].attributes["value"]
    client = sign_in(supervisor)
    refused = client.post(f"{started.home}rollback", {"target": target, "key": "k"})
    assert refused.status_code == 403
    assert not page_of(client, f"{started.home}rollback").all("input", name="target")
    assert not Change.objects.filter(kind=Kind.ROLLBACK).exists()


def test_rollback_page__shows_the_command_that_does_it_by_hand(
    sign_in: SignIn, operator: User, started: Stage
) -> None:
    text = page_of(sign_in(operator), f"{started.home}rollback").one("main").text
    assert "az ml online-endpoint update --name checkout-risk" in text
    assert "blue=100 green=0" in text


def test_live_page__before_azure_answered__keeps_the_old_split_and_says_requested(
    sign_in: SignIn, operator: User, started: Stage
) -> None:
    page = page_of(sign_in(operator), f"/changes/CR-{started.number}/live")
    truths = [words(one.text) for one in page.all("dd") if one.inside[-2] == "dl" or "dl" in one.inside]
    assert any("green 100 %" in text and "requested, not yet seen in Azure" in text for text in truths)
    assert any(text.startswith("blue 100 %") for text in truths)
    assert words(page.one("ul", **{"class": "legend"}).text).startswith("blue 100 %")


def test_live_page__asked_for_by_htmx__is_its_middle_alone(
    sign_in: SignIn, operator: User, started: Stage
) -> None:
    answer = sign_in(operator).get(f"/changes/CR-{started.number}/live", HTTP_HX_REQUEST="true")
    assert b"<html" not in answer.content
    assert b"Progress" in answer.content
    assert "HX-Request" in answer["Vary"]


def test_list__puts_what_waits_for_me_first(
    sign_in: SignIn, reviewer: User, requester: User, asked: Stage
) -> None:
    mine = page_of(sign_in(reviewer), "/changes")
    assert [words(one.text) for one in mine.all("a", aria_current="page")] == [
        "Changes 1 waiting for you",
        "Waiting for me 1",
    ]
    assert f"CR-{asked.number}" in mine.one("main").text
    theirs = page_of(sign_in(requester), "/changes?state=waiting")
    assert "Nothing waits for you" in theirs.one("main").text


@pytest.mark.parametrize("number", [0, 999_999, 2**70])
def test_change__that_does_not_exist__is_not_found(sign_in: SignIn, requester: User, number: int) -> None:
    answer = sign_in(requester).get(f"/changes/CR-{number}")
    assert answer.status_code == 404
