"""Several people in the same moment, on committed rows: one legal outcome, and nobody waits for ever."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import pytest

from endpoints.audit.chain import Verification
from endpoints.audit.verification import verify_stored
from endpoints.changes.models import Change, Decision, Lease, Transition
from endpoints.core.errors import Conflict, OpsportalError
from tests.changes.crowd import refused, together
from tests.changes.desk import ALL_BLUE, ALL_GREEN, HALF
from tests.support.people import make_endpoint, make_person, principal

pytestmark = pytest.mark.usefixtures("committed_db")
ROUNDS = 12


def is_whole() -> bool:
    found: Verification = verify_stored()
    return found.ok


def crowd_of(desk, count, role="reviewer"):
    return [
        principal(make_person(f"{role}{number}", {desk.workspace.slug: [role]})) for number in range(count)
    ]


def test_rollback__twenty_clicks_by_two_people__is_one(committed_desk):
    desk = committed_desk
    desk.started()
    people = [principal(desk.operator), principal(desk.reviewer)]
    receipts = together([partial(desk.roll_back, by=people[number % 2]) for number in range(20)])
    assert len({receipt.change_id for receipt in receipts}) == 1
    assert sum(receipt.created for receipt in receipts) == 1
    assert Change.objects.filter(kind="rollback").count() == 1
    assert is_whole()


def test_rollback__to_different_targets_at_once__ends_with_one_goal(committed_desk):
    desk = committed_desk
    desk.started()
    by = principal(desk.operator)
    receipts = together([partial(desk.roll_back, [ALL_BLUE, ALL_GREEN][n % 2], by=by) for n in range(8)])
    assert not refused(receipts)
    active = Change.objects.get(started_at__isnull=False, ended_at=None)
    assert Lease.objects.get().goal_id == active.pk


def test_review__two_approve_one_rejects_and_the_author_edits__has_one_legal_outcome(committed_desk):
    desk = committed_desk
    first, second, third = crowd_of(desk, 3)
    author = principal(desk.requester)
    for _ in range(ROUNDS):
        change_id = desk.request()
        read = desk.hash(change_id)
        together(
            [
                partial(desk.approve, change_id, by=first, seen_hash=read),
                partial(desk.approve, change_id, by=second, seen_hash=read),
                partial(desk.reject, change_id, by=third),
                partial(desk.edit, change_id, by=author),
            ]
        )
        change = desk.change(change_id)
        standing = Decision.objects.filter(change=change, revision=change.revision, approved=True)
        if change.state == "approved":
            assert {one.content_hash for one in standing} == {desk.hash(change_id)}
        elif change.state == "in_review":
            assert change.revision == 2
            assert not standing.exists()
        else:
            assert change.state == "rejected"
        path = Transition.objects.filter(change=change).order_by("version").values_list("before", "after")
        assert all(later[0] == earlier[1] for earlier, later in pairwise(path))
        if change.state != "rejected":
            desk.withdraw(change_id, by=author)


def test_approval__while_the_author_edits__is_never_used_for_what_was_not_read(committed_desk):
    desk = committed_desk
    author, reviewer, operator = (principal(p) for p in (desk.requester, desk.reviewer, desk.operator))
    for number in range(ROUNDS):
        change_id = desk.request()
        read = desk.hash(change_id)
        together(
            [
                partial(desk.edit, change_id, by=author),
                partial(desk.approve, change_id, by=reviewer, seen_hash=read),
                partial(desk.start, change_id, by=operator, seen_hash=read),
            ]
        )
        change = desk.change(change_id)
        if change.started_at is not None:
            assert desk.hash(change_id) == read, f"round {number}"
            desk.finish(change_id, "failed")
            Lease.objects.update(goal=None)
        else:
            desk.withdraw(change_id, by=author)


def test_start__while_somebody_rolls_back__leaves_one_at_work(committed_desk):
    desk = committed_desk
    operator, reviewer = principal(desk.operator), principal(desk.reviewer)
    for _ in range(ROUNDS):
        change_id = desk.approved()
        results = together(
            [
                partial(desk.start, change_id, by=operator),
                partial(desk.roll_back, ALL_GREEN, by=reviewer),
            ]
        )
        active = Change.objects.get(started_at__isnull=False, ended_at=None)
        assert active.kind == "rollback"
        assert Lease.objects.get().goal_id == active.pk
        assert desk.state(change_id) == ("approved" if refused(results) else "superseded")
        desk.finish(active.pk, "failed")
        if desk.state(change_id) == "approved":
            desk.withdraw(change_id)


def test_request__one_key_ten_times_at_once__is_one_change(committed_desk):
    desk = committed_desk
    by = principal(desk.requester)
    numbers = together([partial(desk.request, HALF, by=by, idempotency_key="k") for _ in range(10)])
    assert len(set(numbers)) == 1
    assert Change.objects.count() == 1


def test_key__used_for_two_endpoints_at_once__serves_one_and_refuses_the_other(committed_desk):
    desk = committed_desk
    other = make_endpoint(desk.workspace, "photo-triage").pk
    by = principal(desk.operator)
    results = together(
        [
            partial(desk.roll_back, ALL_GREEN, by=by, idempotency_key="k"),
            partial(desk.request, HALF, by=by, endpoint_id=other, idempotency_key="k"),
        ]
    )
    assert [type(refusal) for refusal in refused(results)] == [Conflict]
    assert Change.objects.count() == 1


def test_everything__while_the_mirror_reads__comes_to_no_deadlock(committed_desk):
    """Rollbacks hold the ledger and refer to the endpoint; readings hold the endpoint and want the ledger."""
    desk = committed_desk
    people = [principal(desk.operator), principal(desk.reviewer)]
    for number in range(ROUNDS):
        split = {"blue": 100 - number - 1, "green": number + 1}
        results = together(
            [
                partial(make_endpoint, desk.workspace, "checkout-risk", split),
                partial(desk.roll_back, ALL_GREEN, by=people[0]),
                partial(desk.roll_back, ALL_BLUE, by=people[1]),
                partial(desk.request, HALF, by=principal(desk.requester)),
            ]
        )
        assert all(isinstance(result, OpsportalError) for result in refused(results))
    assert is_whole()
