"""Several reviewers: partial approvals, rules that change meanwhile, warnings by name, holds at the start."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings

from endpoints.access.models import User
from endpoints.changes import services
from endpoints.changes.models import Decision, Note
from endpoints.changes.selectors import accepted_by_people, quorum_of
from endpoints.changes.selectors.waiting import waiting_ids
from endpoints.changes.services.conditions import still_true
from endpoints.changes.services.guards import current_revision
from endpoints.core.errors import Conflict, Refused
from endpoints.dispatch import db_now
from tests.changes.approving import (
    give_role,
    let_past,
    lose_roles,
    person,
    protect,
    reviewer,
    rule,
    stop,
)
from tests.changes.desk import ALL_GREEN, HALF, history, ledger, rows
from tests.support.people import make_endpoint, principal


def test_approval__short_of_the_rule__stays_in_review_and_says_what_is_missing(desk):
    rule(desk, 2)
    change_id = desk.request()
    before = desk.change(change_id)
    found = services.approve_change(
        principal=principal(desk.reviewer),
        change_id=change_id,
        seen_hash=desk.hash(change_id),
        accept=desk.warnings(change_id),
    )
    change = desk.change(change_id)
    assert (found.needed, found.given, found.met) == (2, 1, False)
    assert (change.state, change.version) == ("in_review", before.version + 1)
    assert change.approval_expires_at == before.approval_expires_at
    assert ledger(change_id)[-1] == "change.approved.partly"


def test_approval__that_meets_the_rule__approves(desk):
    rule(desk, 2)
    change_id = desk.approve(desk.request())
    desk.approve(change_id, by=reviewer(desk, "vito"))
    change = desk.change(change_id)
    assert history(change_id) == ["checking", "in_review", "in_review", "approved"]
    first = Decision.objects.order_by("pk").first()
    assert first is not None
    # As old as the oldest approval that is needed.
    longest = timedelta(hours=settings.OPSPORTAL.approval_ttl_hours)
    assert change.approval_expires_at == first.at + longest
    desk.start(change_id)


def test_approval__by_two_accounts_of_one_person__is_one(desk):
    rule(desk, 2)
    second = person(desk, "vera2", "reviewer")
    User.objects.filter(pk=second.pk).update(second_account_of=desk.reviewer)
    change_id = desk.approve(desk.request())
    with pytest.raises(Conflict, match="already decided"):
        desk.approve(change_id, by=principal(second))
    assert Decision.objects.count() == 1


def test_approval__accounts_that_turn_out_to_be_one_person__start_nothing(desk):
    rule(desk, 2)
    second = person(desk, "vito", "reviewer")
    change_id = desk.approve(desk.request())
    desk.approve(change_id, by=principal(second))
    User.objects.filter(pk=second.pk).update(second_account_of=desk.reviewer)
    with pytest.raises(Conflict, match="needs one more approval"):
        desk.start(change_id)
    assert desk.state(change_id) == "approved"


def test_approval__reviewer_turns_out_to_be_the_author__starts_nothing(desk):
    change_id = desk.approved()
    User.objects.filter(pk=desk.reviewer.pk).update(second_account_of=desk.requester)
    with pytest.raises(Conflict, match="No approval of"):
        desk.start(change_id)


def test_approval__with_the_second_account_of_the_author__is_refused(desk):
    second = person(desk, "rosa2", "reviewer")
    User.objects.filter(pk=second.pk).update(second_account_of=desk.requester)
    change_id = desk.request()
    with pytest.raises(Refused, match="You wrote this change"):
        desk.approve(change_id, by=principal(second))


def test_approval__author_is_named_by_the_rule__is_refused_all_the_same(desk):
    author = person(desk, "alma", "requester", "reviewer")
    rule(desk, 1, named=[author.pk, desk.reviewer.pk])
    change_id = desk.request(by=principal(author))
    with pytest.raises(Refused):
        desk.approve(change_id, by=principal(author))


def test_approval__by_somebody_whom_the_rule_does_not_name__is_not_enough(desk):
    rule(desk, 1, named=[person(desk, "vito", "reviewer").pk])
    change_id = desk.approve(desk.request())
    quorum = quorum_of(desk.change(change_id), current_revision(desk.change(change_id)))
    assert desk.state(change_id) == "in_review"
    assert quorum.missing == ("The rule “two eyes more” needs one more approval by Vito.",)


@pytest.mark.parametrize(("pattern", "met"), [("checkout-*", False), ("photo-*", True)])
def test_rule__for_some_endpoints__asks_only_there(desk, pattern, met):
    rule(desk, 2, endpoint_pattern=pattern)
    assert (desk.state(desk.approve(desk.request())) == "approved") is met


@pytest.mark.parametrize(("weight", "met"), [(50, False), (51, True)])
def test_rule__by_risk__asks_from_that_weight_on(desk, weight, met):
    rule(desk, 2, risk_weight=weight)
    assert (desk.state(desk.approve(desk.request(HALF))) == "approved") is met


@pytest.mark.parametrize(("value", "met"), [("team-risk", False), ("", False), ("team-photo", True)])
def test_rule__by_owner__asks_only_there(desk, value, met):
    make_endpoint(desk.workspace, tags={"Owner": "team-risk"})
    rule(desk, 2, tag="owner", tag_value=value)
    assert (desk.state(desk.approve(desk.request())) == "approved") is met


def test_rule__made_after_the_approval__is_asked_at_the_start_and_can_be_met(desk):
    change_id = desk.approved()
    rule(desk, 2)
    with pytest.raises(Conflict, match="needs one more approval"):
        desk.start(change_id)
    desk.approve(change_id, by=reviewer(desk, "vito"))
    assert ledger(change_id)[-1] == "change.approved.again"
    desk.start(change_id)
    assert desk.state(change_id) == "applying"


def test_approval__of_what_enough_people_approve__is_a_conflict(desk):
    change_id, vito = desk.approved(), reviewer(desk, "vito")
    before = rows()
    with pytest.raises(Conflict, match="approved by now"):
        desk.approve(change_id, by=vito)
    assert rows() == before


def test_approval__reviewer_has_the_role_again__counts_and_can_be_asked_again(desk):
    rule(desk, 2)
    change_id = desk.approve(desk.request())
    lose_roles(desk.reviewer)
    desk.approve(change_id, by=reviewer(desk, "vito"))
    assert desk.state(change_id) == "in_review"
    give_role(desk, desk.reviewer, "reviewer")
    desk.approve(change_id)
    assert desk.state(change_id) == "approved"
    assert Decision.objects.count() == 2


def test_approval__once_more_without_effect__is_a_conflict_and_stores_nothing(desk):
    rule(desk, 2)
    change_id = desk.approve(desk.request())
    before = rows()
    with pytest.raises(Conflict, match="already decided on this version"):
        desk.approve(change_id)
    assert rows() == before


def test_approval__of_an_expired_request__is_refused(desk):
    change_id = desk.request()
    desk.expire_now(change_id)
    with pytest.raises(Conflict, match="expired"):
        desk.approve(change_id)


def test_approval__older_than_it_may_be__does_not_count_though_the_change_is_younger(desk):
    change_id = desk.request()
    change = desk.change(change_id)
    longest = timedelta(hours=settings.OPSPORTAL.approval_ttl_hours)
    Decision.objects.create(
        change=change,
        revision=1,
        content_hash=desk.hash(change_id),
        reviewer=desk.reviewer,
        approved=True,
        at=db_now() - longest,
    )
    assert not quorum_of(change, current_revision(change)).met


def test_rejection__short_of_the_quorum__ends_it_whatever_others_said(desk):
    rule(desk, 2)
    change_id = desk.approve(desk.request())
    desk.reject(change_id, by=reviewer(desk, "vito"))
    assert desk.state(change_id) == "rejected"


def test_rejection__by_who_approved_it_before__ends_it(desk):
    change_id = desk.approved()
    desk.reject(change_id)
    assert desk.state(change_id) == "rejected"
    assert Decision.objects.get().approved
    assert Note.objects.filter(kind="rejection").get().author_id == desk.reviewer.pk


def test_rejection__of_a_scheduled_change__ends_it(desk):
    change_id = desk.schedule(desk.approved())
    desk.reject(change_id, by=reviewer(desk, "vito"))
    assert desk.state(change_id) == "rejected"


def test_waiting__who_has_approved__waits_for_others(desk):
    rule(desk, 2)
    vito = reviewer(desk, "vito")
    change_id = desk.approve(desk.request())
    assert waiting_ids(principal(desk.reviewer)) == []
    assert waiting_ids(vito) == [change_id]
    desk.edit(change_id)
    assert waiting_ids(principal(desk.reviewer)) == [change_id]


def test_edit__after_one_of_two__voids_that_one(desk):
    rule(desk, 2)
    change_id = desk.approve(desk.request())
    desk.edit(change_id, ALL_GREEN)
    desk.approve(change_id, by=reviewer(desk, "vito"))
    assert desk.state(change_id) == "in_review"


def test_start__line_is_stopped__is_refused_until_that_is_overridden(desk):
    change_id, hold = desk.approved(), stop(desk)
    with pytest.raises(Conflict, match=r"The line is stopped .*we look into it"):
        desk.start(change_id)
    let_past(change_id, hold)
    desk.start(change_id)
    assert desk.state(change_id) == "applying"


def test_start__another_deployment_is_protected__is_not_held(desk):
    make_endpoint(desk.workspace, deployments=("blue", "green", "red"))
    change_id = desk.approved()
    protect(desk, "red")
    desk.start(change_id)
    assert desk.state(change_id) == "applying"


def test_start__its_deployment_is_protected__is_held(desk):
    change_id = desk.approved()
    protect(desk, "green")
    with pytest.raises(Conflict, match="green is protected"):
        desk.start(change_id)


def test_checks__that_block__block_whatever_is_accepted(desk):
    change_id = desk.request()
    desk.azure_shows({"blue": 70, "green": 30})
    change = desk.change(change_id)
    name = "Live traffic is as it was when this was written"
    with pytest.raises(Conflict, match=name):
        still_true(change, moment="approval", doing="Not stored.", accepted=[name])


def unmeasured(desk):
    """A change of an endpoint of which nothing was measured: what replicas can carry is for people to accept."""
    change_id = desk.request(endpoint_id=make_endpoint(desk.workspace, "photo-triage").pk)
    assert desk.warnings(change_id)
    return change_id


def test_approval__warning_not_accepted_by_name__is_refused_and_stores_nothing(desk):
    change_id = unmeasured(desk)
    warnings = desk.warnings(change_id)
    before = rows()
    with pytest.raises(Conflict, match=f"Not accepted by name: {warnings[0]}"):
        desk.approve(change_id, accept=["something else"])
    assert rows() == before
    assert desk.state(desk.approve(change_id, accept=[*warnings, "something else"])) == "approved"
    assert Decision.objects.get().accepted == sorted(warnings)


def test_start__warning_that_no_approval_accepted__is_for_the_starter_to_accept(desk):
    change_id = unmeasured(desk)
    warnings = desk.warnings(change_id)
    change = desk.change(change_id)
    # As if it had come up after the approval.
    Decision.objects.create(
        change=change,
        revision=1,
        content_hash=desk.hash(change_id),
        reviewer=desk.reviewer,
        approved=True,
        at=db_now(),
    )
    type(change).objects.filter(pk=change_id).update(state="approved")
    with pytest.raises(Conflict, match="Not accepted by name"):
        desk.start(change_id)
    with pytest.raises(Conflict, match="Not accepted by name"):
        desk.schedule(change_id)
    desk.start(change_id, accept=warnings)
    assert accepted_by_people(desk.change(change_id)) == set(warnings)


def test_start_due__warning_that_was_accepted_at_scheduling__starts(desk):
    change_id = unmeasured(desk)
    warnings = desk.warnings(change_id)
    change = desk.change(change_id)
    Decision.objects.create(
        change=change,
        revision=1,
        content_hash=desk.hash(change_id),
        reviewer=desk.reviewer,
        approved=True,
        at=db_now(),
    )
    type(change).objects.filter(pk=change_id).update(state="approved")
    desk.due_now(desk.schedule(change_id, accept=warnings))
    assert services.start_due() == 1
    assert desk.state(change_id) == "applying"
