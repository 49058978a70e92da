"""A start at a given time: refused early where it can't be, and validated anew when it is due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from endpoints.access.models import User
from endpoints.audit.models import Entry
from endpoints.changes import services
from endpoints.changes.models import Change, Lease
from endpoints.core.errors import Conflict, Invalid, Refused
from endpoints.dispatch import db_now
from endpoints.holds.models import Freeze
from tests.changes.approving import let_past, lose_roles, person, reviewer, rule, stop
from tests.changes.desk import ALL_GREEN, history, ledger, rows
from tests.support.people import make_endpoint, principal


def last_entry(change_id):
    return Entry.objects.filter(subject=f"change:{change_id}").order_by("-seq").first()


def freeze(desk, begin, end):
    return Freeze.objects.create(
        workspace=desk.workspace,
        title="Black Friday",
        reason="sales",
        zone="UTC",
        first_start=f"{begin:%Y-%m-%dT%H:%M}",
        first_end=f"{end:%Y-%m-%dT%H:%M}",
        starts_at=begin,
        over_at=end,
        source="page",
        made_by="user:1",
        made_at=db_now() - timedelta(days=1),
    )


def suspended(desk, change_id, match):
    """Not started, back among the approved ones, with the reason for people."""
    assert services.start_due() == 0
    change = desk.change(change_id)
    assert (change.state, change.start_at, change.scheduled_by_id) == ("approved", None, None)
    assert match in change.attention
    assert change.waiting_for == change.attention
    assert ledger(change_id)[-1] == "change.suspended"
    assert Lease.objects.get(endpoint_id=desk.endpoint_id).goal_id is None


def test_schedule__approved__waits_for_its_time(desk):
    change_id = desk.schedule(desk.approved())
    change = desk.change(change_id)
    assert change.scheduled_by_id == desk.operator.pk
    assert change.start_at is not None
    assert ledger(change_id)[-1] == "change.scheduled"
    assert services.start_due() == 0
    assert desk.state(change_id) == "scheduled"


def test_start_due__its_time_has_come__belongs_to_the_executor_on_behalf_of_who_scheduled(desk):
    change_id = desk.schedule(desk.approved())
    desk.due_now(change_id)
    assert services.start_due() == 1
    change = desk.change(change_id)
    assert (change.state, change.started_by_id) == ("applying", desk.operator.pk)
    assert Lease.objects.get().goal_id == change_id
    entry = last_entry(change_id)
    assert entry.actor == "system:executor"
    assert entry.on_behalf == f"user:{desk.operator.pk}"
    assert services.start_due() == 0


@pytest.mark.parametrize("ahead", [timedelta(seconds=-1), timedelta(days=30, hours=1)])
def test_schedule__at_a_time_that_can_not_be__is_refused(desk, ahead):
    change_id = desk.approved()
    before = rows()
    with pytest.raises(Invalid, match="at most 30 days ahead"):
        desk.schedule(change_id, ahead=ahead)
    assert rows() == before


def test_schedule__at_a_time_without_a_zone__is_refused(desk):
    change_id = desk.approved()
    with pytest.raises(Invalid, match="zone"):
        services.schedule_change(
            principal=principal(desk.operator),
            change_id=change_id,
            seen_hash=desk.hash(change_id),
            start_at=datetime.now(UTC).replace(tzinfo=None) + timedelta(hours=1),
        )


def test_schedule__after_the_approval_has_expired_by_then__is_refused(desk):
    change_id = desk.approved()
    with pytest.raises(Conflict, match="which is before that time"):
        desk.schedule(change_id, ahead=timedelta(days=2))
    assert desk.state(change_id) == "approved"


def test_schedule__into_a_freeze__is_refused_unless_overridden(desk):
    change_id = desk.approved()
    now = db_now()
    found = freeze(desk, now + timedelta(minutes=30), now + timedelta(hours=3))
    with pytest.raises(Conflict, match="In force at that time: Black Friday"):
        desk.schedule(change_id)
    let_past(change_id, f"freeze:{found.pk}")
    desk.schedule(change_id)
    assert desk.state(change_id) == "scheduled"


def test_schedule__while_the_line_is_stopped__is_allowed_and_held_when_it_is_due(desk):
    change_id = desk.approved()
    stop(desk)
    desk.schedule(change_id)
    desk.due_now(change_id)
    suspended(desk, change_id, "The line is stopped")


def test_schedule__not_approved__is_refused(desk):
    change_id = desk.request()
    with pytest.raises(Conflict):
        desk.schedule(change_id)


def test_schedule__by_an_author_who_is_only_a_reviewer__is_refused(desk):
    author = person(desk, "alma", "reviewer", "requester")
    change_id = desk.request(by=principal(author))
    desk.approve(change_id)
    with pytest.raises(Refused, match="You wrote this change"):
        desk.schedule(change_id, by=principal(author))


def test_schedule__twice__is_a_conflict(desk):
    change_id = desk.schedule(desk.approved())
    with pytest.raises(Conflict, match="scheduled by now"):
        desk.schedule(change_id)


def test_unschedule__is_approved_as_before_and_never_starts(desk):
    change_id = desk.schedule(desk.approved())
    services.unschedule_change(principal=principal(desk.operator), change_id=change_id)
    change = desk.change(change_id)
    assert (change.state, change.start_at) == ("approved", None)
    assert services.start_due() == 0
    desk.start(change_id)


def test_start__of_a_scheduled_change_by_a_person__starts_it_now(desk):
    change_id = desk.start(desk.schedule(desk.approved()))
    assert history(change_id)[-2:] == ["scheduled", "applying"]


def test_start_due__who_scheduled_it_lost_the_role__is_suspended(desk):
    change_id = desk.schedule(desk.approved())
    lose_roles(desk.operator)
    desk.due_now(change_id)
    suspended(desk, change_id, "was to start at")


def test_start_due__the_reviewer_lost_the_role__is_suspended(desk):
    change_id = desk.schedule(desk.approved())
    lose_roles(desk.reviewer)
    desk.due_now(change_id)
    suspended(desk, change_id, "No approval of")


def test_start_due__a_rule_asks_for_more_people_by_now__is_suspended(desk):
    change_id = desk.schedule(desk.approved())
    rule(desk, 2)
    desk.due_now(change_id)
    suspended(desk, change_id, "needs one more approval")


def test_start_due__who_scheduled_it_is_disabled__is_suspended(desk):
    change_id = desk.schedule(desk.approved())
    User.objects.filter(pk=desk.operator.pk).update(is_active=False, disabled_at=db_now())
    desk.due_now(change_id)
    suspended(desk, change_id, "was to start at")


def test_start_due__deployment_failed_meanwhile__is_suspended(desk):
    change_id = desk.schedule(desk.approved())
    desk.azure_shows({"blue": 100}, deployments={"blue": {}, "green": {"provisioningState": "Failed"}})
    desk.due_now(change_id)
    suspended(desk, change_id, "green is Failed")


def test_start_due__long_after_its_time__is_suspended(desk):
    change_id = desk.schedule(desk.approved())
    desk.due_now(change_id, since=timedelta(hours=2))
    suspended(desk, change_id, "Nobody was there")


def test_start_due__traffic_moved__is_drifted(desk):
    change_id = desk.schedule(desk.approved())
    desk.azure_shows({"blue": 70, "green": 30})
    desk.due_now(change_id)
    assert services.start_due() == 0
    assert history(change_id)[-1] == "drifted"
    assert last_entry(change_id).actor == "system:executor"


def test_start_due__approval_expired__is_no_start_and_then_expires(desk):
    change_id = desk.schedule(desk.approved())
    desk.due_now(change_id)
    desk.expire_now(change_id)
    assert services.expire_due() == 1
    assert services.start_due() == 0
    assert desk.state(change_id) == "expired"


def test_start_due__one_is_refused__the_other_starts(desk):
    first = desk.schedule(desk.approved())
    lose_roles(desk.operator)
    second_operator = person(desk, "olga", "operator")
    other = make_endpoint(desk.workspace, "photo-triage").pk
    second = desk.schedule(desk.approve(desk.request(endpoint_id=other)), by=principal(second_operator))
    desk.due_now(first, since=timedelta(seconds=2))
    desk.due_now(second)
    assert services.start_due() == 1
    assert (desk.state(first), desk.state(second)) == ("approved", "applying")


def test_start_due__row_that_can_not_even_be_read__is_set_aside_and_the_others_start(desk):
    broken = desk.schedule(desk.approved())
    other = make_endpoint(desk.workspace, "photo-triage").pk
    second = desk.schedule(desk.approve(desk.request(endpoint_id=other)))
    # A revision that is not there: no rule and no refusal, a fault.
    Change.objects.filter(pk=broken).update(revision=9, start_at=db_now() - timedelta(seconds=2))
    desk.due_now(second)
    assert services.start_due() == 1
    assert desk.state(second) == "applying"
    assert desk.state(broken) == "approved"
    assert "a fault of the portal" in desk.change(broken).attention


def test_edit__of_a_scheduled_change__is_reviewed_again_and_never_starts_at_that_time(desk):
    change_id = desk.schedule(desk.approved())
    desk.edit(change_id, ALL_GREEN)
    change = desk.change(change_id)
    assert (change.state, change.start_at, change.scheduled_by_id) == ("in_review", None, None)
    assert services.start_due() == 0


def test_start__after_a_suspension__forgets_the_reason(desk):
    change_id = desk.schedule(desk.approved())
    desk.due_now(change_id, since=timedelta(hours=2))
    services.start_due()
    desk.start(change_id, by=reviewer(desk, "vito"))
    change = desk.change(change_id)
    assert (change.waiting_for, change.attention) == ("", "")
