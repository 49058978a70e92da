"""Decisions on the review page, by forms alone: warnings by name, quorum, time, comments, freezes, emergencies."""

from __future__ import annotations

from datetime import timedelta

import pytest

from endpoints.access.models import User, Workspace
from endpoints.changes.draft import walk
from endpoints.changes.gatespec import gate
from endpoints.changes.lifecycle import State
from endpoints.changes.models import AfterReview, Change, Decision, Note, Readiness
from endpoints.changes.selectors import change_detail
from endpoints.changes.services.approve import approve_change
from endpoints.changes.services.edit import edit_change
from endpoints.changes.services.request import request_change
from endpoints.changes.services.rules import RuleDraft, decide_rule, propose_rule
from endpoints.changes.terms import Terms
from endpoints.dispatch import db_now
from endpoints.holds.models import Override
from endpoints.holds.services import stop_the_line
from tests.support.people import PASSWORD, make_endpoint, make_person, principal
from tests.web.conftest import SignIn, Stage
from tests.web.reading import Page, read, words

TERMS = Terms((gate("errors"), gate("p95_vs_stable", dry_run=True)), 1800, 6 * 3600, 24)
STEPS = ((10, 600, False), (50, 1200, True), (100, 0, False))


@pytest.fixture
def planned(workspace: Workspace, requester: User) -> Stage:
    """A plan of three steps with two gates, that waits for review."""
    endpoint = make_endpoint(workspace)
    number = request_change(
        principal=principal(requester),
        endpoint_id=endpoint.pk,
        draft=walk({"blue": 100}, "green", STEPS, TERMS),
        reason="Green is better",
    )
    return Stage(workspace, endpoint, number)


@pytest.fixture
def second(workspace: Workspace) -> User:
    return make_person("wim", {workspace.slug: ["reviewer"]})


def home(stage: Stage) -> str:
    return f"/changes/CR-{stage.number}"


def state(stage: Stage) -> str:
    return Change.objects.get(pk=stage.number).state


def to_accept(stage: Stage, user: User) -> list[str]:
    return [one.name for one in change_detail(principal(user), stage.number).checks if one.needs_acceptance]


def approve(stage: Stage, user: User) -> None:
    approve_change(
        principal=principal(user),
        change_id=stage.number,
        seen_hash=stage.seen(user),
        accept=to_accept(stage, user),
    )


def shown(sign_in: SignIn, user: User, stage: Stage, suffix: str = "") -> Page:
    answer = sign_in(user).get(home(stage) + suffix)
    assert answer.status_code == 200
    return read(answer.content)


def text(page: Page) -> str:
    return words(page.one("main").text)


def test_review__of_a_plan__shows_steps_gates_terms_and_what_is_not_known(
    sign_in: SignIn, reviewer: User, planned: Stage
) -> None:
    found = text(shown(sign_in, reviewer, planned))
    for said in (
        "blue 90 %, green 10 %", "bakes 10 min", "bakes 20 min, then a person clicks", "then 30 min of watching",
        "Errors: at most 1 % of requests, from 200 requests on", "dry run, it never stops anything",
        "A failed gate rolls back at once.", "longer than 6 h", "kept for 24 h", "requests: not known",
        "Approve plan of 3 steps",
    ):  # fmt: skip
        assert said in found, said


def test_warning__that_needs_acceptance__has_one_box_each_in_the_decisions_form(
    sign_in: SignIn, reviewer: User, planned: Stage
) -> None:
    names = to_accept(planned, reviewer)
    assert names
    page = shown(sign_in, reviewer, planned)
    boxes = page.all("input", name="accept")
    assert sorted(one.attributes["value"] for one in boxes) == sorted(names)
    assert {one.attributes["form"] for one in boxes} == {"decision"}


def test_approval__without_a_warning_accepted__is_not_stored_and_keeps_what_was_ticked(
    sign_in: SignIn, reviewer: User, planned: Stage
) -> None:
    names = to_accept(planned, reviewer)
    sent = {"decision": "approve", "seen": planned.seen(reviewer), "comment": "Fine"}
    answer = sign_in(reviewer).post(
        f"{home(planned)}/decide", sent | {"accept": names[1:] or ["none of them"]}
    )
    assert answer.status_code == 409
    page = read(answer.content)
    assert names[0] in text(page)
    ticked = [
        one.attributes["value"] for one in page.all("input", name="accept") if "checked" in one.attributes
    ]
    assert ticked == names[1:]
    assert "Fine" in page.one("textarea", id="comment").text
    assert not Decision.objects.exists()


def test_approval__with_all_warnings_accepted__is_stored_with_their_names(
    sign_in: SignIn, reviewer: User, planned: Stage
) -> None:
    names = to_accept(planned, reviewer)
    sent = {"decision": "approve", "seen": planned.seen(reviewer), "accept": names}
    assert sign_in(reviewer).post(f"{home(planned)}/decide", sent).status_code == 302
    assert state(planned) == State.APPROVED
    assert Decision.objects.get().accepted == sorted(names)
    assert names[0] in text(shown(sign_in, reviewer, planned))


def test_quorum__of_two__shows_who_is_missing_until_both_approved(
    sign_in: SignIn, reviewer: User, second: User, operator: User, admin: User, planned: Stage
) -> None:
    made = propose_rule(
        principal=principal(operator),
        workspace_id=planned.workspace.pk,
        draft=RuleDraft("Risk needs two", "checkout-*", required=2),
        reason="Money",
    )
    decide_rule(principal=principal(admin), rule_id=made.rule_id, accept=True)
    page = shown(sign_in, reviewer, planned)
    assert "Approvals, 0 of 2" in text(page)
    assert "The rule “Risk needs two” needs 2 more approvals." in text(page)
    approve(planned, reviewer)
    assert state(planned) == State.IN_REVIEW
    page = shown(sign_in, reviewer, planned)
    assert not page.all("button", name="decision")
    assert "You have decided on this version." in text(page)
    page = shown(sign_in, second, planned)
    assert "Approvals, 1 of 2" in text(page)
    assert page.all("button", name="decision")
    approve(planned, second)
    assert state(planned) == State.APPROVED


def test_decision__on_an_edited_plan__shows_what_is_new(
    sign_in: SignIn, requester: User, reviewer: User, planned: Stage
) -> None:
    seen = planned.seen(reviewer)
    edit_change(
        principal=principal(requester),
        change_id=planned.number,
        seen_hash=seen,
        draft=walk({"blue": 100}, "green", ((25, 600, False), (100, 0, False)), TERMS),
        reason="Faster",
    )
    answer = sign_in(reviewer).post(f"{home(planned)}/decide", {"decision": "approve", "seen": seen})
    assert answer.status_code == 409
    page = read(answer.content)
    assert "Edited since you opened it" in text(page)
    assert "green 10 % (bakes 10 min)" in text(page)
    assert "green 25 % (bakes 10 min)" in text(page)
    assert not Decision.objects.exists()


def test_approved_plan__is_scheduled_in_the_zone_that_is_shown_and_called_off(
    sign_in: SignIn, reviewer: User, operator: User, planned: Stage
) -> None:
    approve(planned, reviewer)
    User.objects.filter(pk=operator.pk).update(time_zone="Asia/Tokyo")
    client = sign_in(operator)
    client.cookies["zone"] = "home"
    assert "(Asia/Tokyo)" in text(read(client.get(home(planned)).content))
    start = db_now() + timedelta(hours=2)
    wall = f"{start + timedelta(hours=9):%Y-%m-%dT%H:%M}"
    sent = {"seen": planned.seen(operator), "start_at": wall}
    assert client.post(f"{home(planned)}/schedule", sent).status_code == 302
    change = Change.objects.get(pk=planned.number)
    assert change.state == State.SCHEDULED
    assert change.start_at == start.replace(second=0, microsecond=0)
    assert "Everything is checked again then." in text(read(client.get(home(planned)).content))
    assert client.post(f"{home(planned)}/unschedule").status_code == 302
    assert state(planned) == State.APPROVED


@pytest.mark.parametrize(
    "given", ["", "tomorrow", "2000-01-01T00:00", "9999-12-31T23:59", "2026-99-01T00:00"]
)
def test_schedule__for_no_time_to_come__is_refused_and_keeps_what_was_typed(
    given: str, sign_in: SignIn, reviewer: User, operator: User, planned: Stage
) -> None:
    approve(planned, reviewer)
    sent = {"seen": planned.seen(operator), "start_at": given}
    answer = sign_in(operator).post(f"{home(planned)}/schedule", sent)
    assert answer.status_code == 422
    assert "The change was not scheduled." in text(read(answer.content))
    assert state(planned) == State.APPROVED


def test_comment__is_shown_as_text_and_an_empty_one_is_not_stored(
    sign_in: SignIn, supervisor: User, planned: Stage
) -> None:
    client, said = sign_in(supervisor), "<b>Why</b> tonight?"
    assert client.post(f"{home(planned)}/comment", {"comment": said}).status_code == 302
    assert said in text(shown(sign_in, supervisor, planned))
    assert client.post(f"{home(planned)}/comment", {"comment": "  "}).status_code == 422
    assert Note.objects.filter(kind="comment").count() == 1


def test_stop_in_force__is_shown_and_passed_only_by_who_may(
    sign_in: SignIn, reviewer: User, operator: User, planned: Stage
) -> None:
    stop_the_line(principal=principal(operator), endpoint_id=planned.endpoint.pk, reason="Incident 7")
    page = shown(sign_in, operator, planned)
    assert "Held at the moment" in text(page)
    assert "Incident 7" in text(page)
    assert not page.all("input", name="hold")
    past = make_person("olga", {planned.workspace.slug: ["operator", "overrider"]})
    page = shown(sign_in, past, planned)
    hold = page.one("input", name="hold").attributes["value"]
    client = sign_in(past)
    assert (
        client.post(f"{home(planned)}/past-hold", {"hold": hold, "reason": "Fix of the incident"}).status_code
        == 302
    )
    assert Override.objects.get().subject == f"change:{planned.number}"
    assert "Held at the moment" not in text(shown(sign_in, past, planned))
    assert client.post(f"{home(planned)}/past-hold", {"hold": "stop:999", "reason": "x"}).status_code == 409


def test_emergency__needs_reason_and_password_and_is_marked_for_good(
    sign_in: SignIn, operator: User, reviewer: User, planned: Stage
) -> None:
    client, where = sign_in(operator), f"{home(planned)}/break-glass"
    page = read(client.get(where).content)
    assert "What it skips" in text(page)
    assert "What follows" in text(page)
    sent = {
        "seen": page.one("input", name="seen").attributes["value"],
        "reason": "Fraud wave",
        "password": PASSWORD,
    }
    wrong = client.post(where, sent | {"reason": " ", "password": ""})
    assert wrong.status_code == 422
    assert {one.attributes["href"] for one in read(wrong.content).all("a")} >= {"#f-reason", "#f-password"}
    refused = client.post(where, sent | {"password": "not it"})
    assert refused.status_code == 422
    assert b"Nothing was started." in refused.content
    assert b"Fraud wave" in refused.content
    assert state(planned) == State.IN_REVIEW
    assert client.post(where, sent)["Location"] == f"{home(planned)}/live"
    assert state(planned) == State.APPLYING
    for address in (home(planned), "/changes?state=open", planned.home):
        assert "Break-glass" in text(read(client.get(address).content)), address
    assert b"can&#39;t be started in an emergency" in client.get(where).content


def test_emergency__is_looked_back_at_by_somebody_else_alone(
    sign_in: SignIn, operator: User, reviewer: User, planned: Stage
) -> None:
    client, where = sign_in(operator), f"{home(planned)}/break-glass"
    client.post(where, {"seen": planned.seen(operator), "reason": "Fraud", "password": PASSWORD})
    assert not shown(sign_in, operator, planned).all("input", name="sound")
    back, sent = f"{home(planned)}/after-review", {"sound": "no", "comment": "It could have waited"}
    assert client.post(back, sent).status_code == 403
    page = shown(sign_in, reviewer, planned)
    assert len(page.all("input", name="sound")) == 2
    other = sign_in(reviewer)
    assert other.post(back, {"sound": "maybe", "comment": "x"}).status_code == 422
    assert other.post(back, sent).status_code == 302
    assert AfterReview.objects.get().sound is False
    assert "found it not sound" in text(shown(sign_in, operator, planned))


def test_break_glass__by_who_may_not__shows_the_reason_and_never_asks_for_a_password(
    sign_in: SignIn, requester: User, planned: Stage
) -> None:
    client, where = sign_in(requester), f"{home(planned)}/break-glass"
    page = read(client.get(where).content)
    assert not page.all("input", type="password")
    assert "Needs the role operator" in text(page)
    sent = {"seen": planned.seen(requester), "reason": "x", "password": "not it"}
    answer = client.post(where, sent)
    assert answer.status_code == 403
    assert b"password" not in answer.content.lower().replace(b'type="password"', b"")


def test_readiness__as_it_was_looked_at_last__says_what_stands_against_a_rollback(
    sign_in: SignIn, reviewer: User, planned: Stage
) -> None:
    assert "Would a rollback work?" not in text(shown(sign_in, reviewer, planned))
    against = {
        "name": "There is a target",
        "outcome": "fail",
        "reason": "Nowhere to go.",
        "acceptable": False,
    }
    Readiness.objects.create(
        endpoint_id=planned.endpoint.pk, outcome="fail", reasons=[against], at=db_now() - timedelta(minutes=3)
    )
    found = text(shown(sign_in, reviewer, planned))
    assert "Would a rollback work?" in found
    assert "There is a target: Nowhere to go. Looked at 3 min ago." in found
