"""The emergency start: what it passes, what it does not, and the review that must follow."""

from __future__ import annotations

from datetime import timedelta

import pytest

from endpoints.access.models import User
from endpoints.access.selectors import principal_for_token
from endpoints.audit.models import Entry
from endpoints.changes import services
from endpoints.changes.checks import run
from endpoints.changes.models import AfterReview, Change, Check, Lease, Note
from endpoints.changes.selectors import after_review_of, unreviewed
from endpoints.changes.selectors.situation import situation_of
from endpoints.changes.selectors.waiting import pulse, waiting_ids
from endpoints.changes.services.break_glass import HARD
from endpoints.core.errors import Conflict, Invalid, NotFound, Refused
from endpoints.dispatch import db_now
from tests.changes.approving import person, protect, reviewer, stop
from tests.changes.desk import history, ledger, rows
from tests.support.people import make_endpoint, principal, token_for


def test_break_glass__nobody_approved__starts_marked_as_an_emergency(desk):
    change_id = desk.break_glass(desk.request())
    change = desk.change(change_id)
    assert (change.state, change.emergency, change.started_by_id) == ("applying", True, desk.operator.pk)
    assert Lease.objects.get().goal_id == change_id
    assert ledger(change_id)[-2:] == ["change.applying", "change.review_after.due"]
    review = AfterReview.objects.get()
    assert timedelta(hours=23) < review.due_at - db_now() <= timedelta(hours=24)
    assert Note.objects.get(kind="emergency").author_id == desk.operator.pk


@pytest.mark.parametrize("before", ["approved", "scheduled", "held by a check"])
def test_break_glass__from_every_state_before_the_start(desk, before):
    change_id = desk.approved() if before != "held by a check" else desk.request()
    if before == "scheduled":
        desk.schedule(change_id)
    if before == "held by a check":
        Change.objects.filter(pk=change_id).update(state="check_failed")
    desk.break_glass(change_id)
    assert history(change_id)[-1] == "applying"


def test_break_glass__freeze_or_stop_in_force__passes_and_says_so(desk):
    hold = stop(desk)
    change_id = desk.break_glass(desk.request())
    entry = Entry.objects.get(subject=f"change:{change_id}", action="change.applying")
    assert entry.after["overridden"] == [hold]
    assert entry.after["emergency"] is True


def test_break_glass__protected_evidence__is_refused(desk):
    change_id = desk.request()
    protect(desk)
    with pytest.raises(Conflict, match="An emergency does not pass that"):
        desk.break_glass(change_id)
    assert desk.state(change_id) == "in_review"


def test_break_glass__soft_checks_do_not_pass__is_started_and_they_are_recorded(desk):
    change_id = desk.request(endpoint_id=make_endpoint(desk.workspace, "photo-triage").pk)
    unknown = desk.warnings(change_id)
    assert unknown  # nothing was measured of that endpoint
    desk.break_glass(change_id)
    entry = Entry.objects.get(subject=f"change:{change_id}", action="change.applying")
    assert entry.after["not_passed"] == unknown
    assert Check.objects.filter(change=change_id, moment="emergency").exists()


def test_break_glass__hard_checks__are_among_those_that_run(desk):
    names = {verdict.name for verdict in run(situation_of(desk.change(desk.request())))}
    assert names >= HARD


def test_break_glass__traffic_moved__is_refused(desk):
    change_id = desk.request()
    desk.azure_shows({"blue": 70, "green": 30})
    before = rows()
    with pytest.raises(Conflict, match="Live traffic is as it was"):
        desk.break_glass(change_id)
    assert rows() == before


def test_break_glass__deployment_is_not_ready__is_refused(desk):
    change_id = desk.request()
    desk.azure_shows({"blue": 100}, deployments={"blue": {}, "green": {"provisioningState": "Failed"}})
    with pytest.raises(Conflict, match="green is Failed"):
        desk.break_glass(change_id)


def test_break_glass__another_change_is_at_work__is_refused(desk):
    change_id = desk.request()
    desk.roll_back({"green": 100})
    with pytest.raises(Conflict, match="Another change is at work"):
        desk.break_glass(change_id)
    assert not AfterReview.objects.exists()


@pytest.mark.parametrize("age", [None, timedelta(minutes=5, seconds=1), timedelta(minutes=-1)])
def test_break_glass__password_was_not_just_proved__is_refused(desk, age):
    change_id = desk.request()
    before = rows()
    with pytest.raises(Refused, match="Give your password again"):
        desk.break_glass(change_id, proved_at=None if age is None else db_now() - age)
    assert rows() == before


def test_break_glass__without_a_reason__is_refused(desk):
    change_id = desk.request()
    with pytest.raises(Invalid):
        desk.break_glass(change_id, reason="  ")
    assert desk.state(change_id) == "in_review"


def test_break_glass__by_others_than_operators_or_by_a_token__is_refused(desk, outsider):
    change_id = desk.request()
    for user in (desk.reviewer, desk.requester):
        with pytest.raises(Refused):
            desk.break_glass(change_id, by=principal(user))
    token = token_for(desk.operator, "read", "change", "approve", "rollback")
    with pytest.raises(Refused, match="token"):
        desk.break_glass(change_id, by=principal_for_token(token))
    with pytest.raises(NotFound):
        desk.break_glass(change_id, by=principal(outsider))


def test_break_glass__of_what_was_edited_meanwhile__is_a_conflict(desk):
    change_id = desk.request()
    seen = desk.hash(change_id)
    desk.edit(change_id)
    with pytest.raises(Conflict, match="edited after you opened it"):
        desk.break_glass(change_id, seen_hash=seen)


def test_break_glass__of_an_earlier_emergency_that_drifted__is_refused(desk):
    change_id = desk.break_glass(desk.request())
    Change.objects.filter(pk=change_id).update(state="drifted")
    desk.edit(change_id)
    with pytest.raises(Conflict, match="an emergency before"):
        desk.break_glass(change_id)


def review(change_id, by, *, sound=True, words="rightly done"):
    services.review_after(principal=by, change_id=change_id, sound=sound, words=words)


def test_after_review__by_a_reviewer_without_a_part_in_it__closes_it(desk):
    change_id = desk.break_glass(desk.request())
    review(change_id, principal(desk.reviewer), sound=False, words="a rollback would have done")
    found = after_review_of(change_id)
    assert found is not None
    assert (found.sound, found.reviewer_id, found.overdue) == (False, desk.reviewer.pk, False)
    assert ledger(change_id)[-1] == "change.reviewed_after"
    with pytest.raises(Conflict, match="reviewed by now"):
        review(change_id, principal(desk.reviewer))


def test_after_review__of_an_ended_change__is_stored(desk):
    change_id = desk.break_glass(desk.request())
    desk.finish(change_id, "succeeded")
    review(change_id, principal(desk.reviewer))
    assert AfterReview.objects.get().sound is True


@pytest.mark.parametrize("road", ["starter", "author", "starter's second account", "author's second account"])
def test_after_review__by_who_had_a_part_in_it__is_refused(desk, road):
    starter, author = (
        person(desk, "olga", "operator", "reviewer"),
        person(desk, "alma", "requester", "reviewer"),
    )
    change_id = desk.break_glass(desk.request(by=principal(author)), by=principal(starter))
    who = {"starter": starter, "author": author}.get(road)
    if who is None:
        who = person(desk, "two", "reviewer")
        User.objects.filter(pk=who.pk).update(second_account_of=starter if "starter" in road else author)
    with pytest.raises(Refused):
        review(change_id, principal(who))
    assert waiting_ids(principal(who)) == []
    assert waiting_ids(principal(desk.reviewer)) == [change_id]


def test_after_review__started_again_by_another_person__is_still_not_for_who_broke_the_glass(desk):
    breaker = person(desk, "olga", "operator", "reviewer")
    change_id = desk.break_glass(desk.request(), by=principal(breaker))
    Change.objects.filter(pk=change_id).update(state="drifted")
    desk.edit(change_id)
    desk.start(desk.approve(change_id))
    assert not desk.change(change_id).emergency
    with pytest.raises(Refused, match="You started this change"):
        review(change_id, principal(breaker))


def test_after_review__without_words__is_refused(desk):
    change_id = desk.break_glass(desk.request())
    with pytest.raises(Invalid):
        review(change_id, principal(desk.reviewer), words=" ")
    assert AfterReview.objects.get().at is None


def test_after_review__of_what_was_approved__is_a_conflict(desk):
    change_id = desk.started()
    with pytest.raises(Conflict, match="not started in an emergency"):
        review(change_id, reviewer(desk, "vito"))


def test_after_review__by_an_operator_or_an_outsider__is_refused(desk, outsider):
    change_id = desk.break_glass(desk.request())
    with pytest.raises(Refused):
        review(change_id, principal(person(desk, "olga", "operator")))
    with pytest.raises(NotFound):
        review(change_id, principal(outsider))


def test_after_review__too_late__is_overdue_and_said_so(desk):
    change_id = desk.break_glass(desk.request())
    AfterReview.objects.update(due_at=db_now() - timedelta(seconds=1))
    page = unreviewed(principal(desk.reviewer))
    assert [(row.change_id, row.overdue) for row in page.rows] == [(change_id, True)]
    review(change_id, principal(desk.reviewer))
    assert unreviewed(principal(desk.reviewer)).rows == ()
    entry = Entry.objects.get(subject=f"change:{change_id}", action="change.reviewed_after")
    assert entry.after == {"sound": True, "late": True}


def test_waiting__an_emergency__counts_for_reviewers_until_it_is_reviewed(desk):
    change_id = desk.break_glass(desk.request())
    assert pulse(principal(desk.reviewer)).waiting == 1
    desk.finish(change_id, "succeeded")
    assert waiting_ids(principal(desk.reviewer)) == [change_id]
    review(change_id, principal(desk.reviewer))
    assert waiting_ids(principal(desk.reviewer)) == []


def test_unreviewed__many__come_in_pages(desk, outsider):
    numbers = []
    for _ in range(3):
        numbers.append(desk.break_glass(desk.request()))
        desk.finish(numbers[-1], "failed")
        Lease.objects.update(goal=None)
    first = unreviewed(principal(desk.reviewer), limit=2)
    assert [row.change_id for row in first.rows] == numbers[:2]
    second = unreviewed(principal(desk.reviewer), after=first.after or 0, limit=2)
    assert ([row.change_id for row in second.rows], second.after) == (numbers[2:], None)
    assert unreviewed(principal(outsider)).rows == ()
