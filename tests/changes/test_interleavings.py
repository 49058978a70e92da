"""Approve, edit, expire, lose the role, withdraw, reject, start, schedule, break the glass: in any order.

No approval is ever used for what it was not given for, and nobody approves their own by any road. In the suite some
dozen orders; OPSPORTAL_INTERLEAVINGS asks for more, OPSPORTAL_SEED for others.
"""

from __future__ import annotations

import os
from collections import Counter
from functools import partial

import pytest

from endpoints.changes import services
from endpoints.changes.models import AfterReview, Decision, Lease
from tests.changes.approving import administrator, give_role, lose_roles, person, rule
from tests.changes.crowd import refused, together
from tests.changes.desk import history
from tests.changes.interleaving import Play, cast_of, clear
from tests.support.people import principal

ORDERS = int(os.environ.get("OPSPORTAL_INTERLEAVINGS", "60"))
SEED = int(os.environ.get("OPSPORTAL_SEED", "0"))
ACTS = 12
ROUNDS = 12


def test_interleavings__any_order__uses_no_stale_approval_and_no_ones_own(desk):
    cast = cast_of(desk)
    allowed: Counter[str] = Counter()
    for number in range(ORDERS):
        play = Play(cast, SEED + number)
        allowed.update(play.play(ACTS))
        clear(play)
    # None of it would say anything if it had not happened.
    for act in ("approve", "edit", "start", "schedule", "start_due", "break_glass", "review_after", "reject"):
        assert allowed[act], f"{act} was never allowed in {ORDERS} orders: {dict(allowed)}"


def test_interleavings__second_opinion__notices_a_start_that_nobody_approved(desk):
    """The opinion itself is held against a start past the rules."""
    play = Play(cast_of(desk), 1)
    play.change_id = desk.request()
    before = play._now()
    play.done.append("request")
    desk.approve(play.change_id)  # of which the book knows nothing
    desk.start(play.change_id)
    play.seen = play._now()
    with pytest.raises(AssertionError, match="too few people"):
        play._judge(before, "start")


@pytest.mark.usefixtures("committed_db")
def test_everybody__in_the_same_moment__leaves_one_legal_outcome(committed_desk):
    desk = committed_desk
    rule(desk, 2, by=administrator())
    author, operator = principal(desk.requester), principal(desk.operator)
    reviewers = [person(desk, f"reviewer{number}", "reviewer") for number in range(3)]
    for number in range(ROUNDS):
        change_id = desk.request()
        read, accept = desk.hash(change_id), desk.warnings(change_id)
        victim = reviewers[number % 3]
        acts = [
            *(
                partial(desk.approve, change_id, by=principal(one), seen_hash=read, accept=accept)
                for one in reviewers
            ),
            partial(desk.start, change_id, by=operator, seen_hash=read),
            partial(lose_roles, victim),
            [
                partial(desk.edit, change_id, by=author),
                partial(desk.withdraw, change_id, by=author),
                partial(desk.reject, change_id, by=principal(desk.reviewer)),
                services.expire_due,
            ][number % 4],
        ]
        together(acts)
        _is_legal(desk, change_id, read, victim)
        give_role(desk, victim, "reviewer")
        if desk.change(change_id).ended_at is None:
            desk.finish(change_id, "failed")
            Lease.objects.update(goal=None)


def _is_legal(desk, change_id, read, victim):
    change = desk.change(change_id)
    approved = Decision.objects.filter(change=change, approved=True, content_hash=desk.hash(change_id))
    people = set(approved.values_list("reviewer_id", flat=True))
    if change.started_at is not None:
        assert desk.hash(change_id) == read
        assert len(people) >= 2
    elif change.state == "approved":
        assert len(people) >= 2
    assert desk.requester.pk not in people
    assert desk.operator.pk not in people


@pytest.mark.usefixtures("committed_db")
def test_start_due__by_several_processes_and_a_person_at_once__is_one_start(committed_desk):
    desk = committed_desk
    operator = principal(desk.operator)
    for _ in range(ROUNDS):
        change_id = desk.schedule(desk.approved())
        desk.due_now(change_id)
        *due, by_hand = together(
            [services.start_due, services.start_due, partial(desk.start, change_id, by=operator)]
        )
        assert sum(due) + (by_hand == change_id) == 1
        assert Lease.objects.get(endpoint_id=desk.endpoint_id).goal_id == change_id
        assert history(change_id).count("applying") == 1
        desk.finish(change_id, "failed")
        Lease.objects.update(goal=None)


@pytest.mark.usefixtures("committed_db")
def test_emergency__reviewed_by_two_at_once__has_one_review(committed_desk):
    desk = committed_desk
    reviewers = [principal(person(desk, f"reviewer{number}", "reviewer")) for number in range(4)]
    change_id = desk.break_glass(desk.request())
    results = together(
        [
            partial(services.review_after, principal=one, change_id=change_id, sound=True, words="seen")
            for one in reviewers
        ]
    )
    assert len(refused(results)) == 3
    assert AfterReview.objects.get().sound
