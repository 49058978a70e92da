"""Rolling back: what it may order, what it supersedes, and that asking twice is asking once."""

from __future__ import annotations

import pytest

from endpoints.changes.models import Change, ChangeRevision, Lease
from endpoints.changes.selectors import rollback_offer
from endpoints.core.errors import Conflict, Invalid, NotFound, Refused
from tests.changes.desk import ALL_BLUE, ALL_GREEN, HALF, history, ledger, rows
from tests.support.people import make_endpoint, make_person, principal


def completed(desk, split):
    """A change that reached Azure and was read back."""
    change_id = desk.started(split)
    desk.azure_shows(split)
    desk.finish(change_id, "succeeded")
    Lease.objects.update(goal=None)
    return change_id


def target(change_id):
    return ChangeRevision.objects.get(change_id=change_id).plan[-1]["split"]


def offer(desk):
    return rollback_offer(principal(desk.operator), desk.endpoint_id, desk.workspace.pk)


def test_rollback__of_the_change_at_work__supersedes_it_in_the_same_breath(desk):
    change_id = desk.started()
    receipt = desk.roll_back()
    rollback = desk.change(receipt.change_id)
    assert (rollback.kind, rollback.state, rollback.reverts_id) == ("rollback", "applying", change_id)
    assert target(rollback.pk) == ALL_BLUE
    assert desk.state(change_id) == "superseded"
    assert ledger(change_id)[-1] == "change.superseded"
    assert ledger(rollback.pk) == ["change.requested.rollback"]


def test_rollback__takes_the_goal__so_that_older_decisions_are_void(desk):
    desk.started()
    before = Lease.objects.get().generation
    receipt = desk.roll_back()
    lease = Lease.objects.get()
    assert (lease.generation, lease.goal_id) == (before + 1, receipt.change_id)


def test_rollback__after_completion__needs_no_approval_and_names_what_it_undoes(desk):
    change_id = completed(desk, ALL_GREEN)
    receipt = desk.roll_back()
    assert desk.change(receipt.change_id).reverts_id == change_id
    assert desk.state(change_id) == "succeeded"


def test_rollback__of_a_drifted_change__supersedes_it(desk):
    change_id = desk.started()
    Change.objects.filter(pk=change_id).update(state="drifted")
    desk.roll_back()
    assert desk.state(change_id) == "superseded"


def test_rollback__asked_again_while_it_runs__is_the_same(desk):
    desk.started()
    first = desk.roll_back()
    again = desk.roll_back(by=principal(desk.reviewer))
    assert (first.created, again.created) == (True, False)
    assert first.change_id == again.change_id


def test_rollback__asked_again_when_it_is_done__is_the_same(desk):
    completed(desk, ALL_GREEN)
    first = desk.roll_back()
    desk.azure_shows(ALL_BLUE)
    desk.finish(first.change_id, "succeeded")
    assert desk.roll_back().change_id == first.change_id


def test_rollback__to_another_target_than_the_running_one__supersedes_that(desk):
    completed(desk, HALF)
    first = desk.roll_back()
    second = desk.roll_back(ALL_GREEN)
    assert desk.state(first.change_id) == "superseded"
    assert target(second.change_id) == ALL_GREEN


def test_rollback__second_person_after_the_rescue__is_not_led_back_into_the_fire(desk):
    completed(desk, ALL_GREEN)
    first = desk.roll_back()
    desk.azure_shows(ALL_BLUE)
    desk.finish(first.change_id, "succeeded")
    found = offer(desk)
    assert found.preselected is None
    fled = next(each for each in found.targets if each.split == ALL_GREEN)
    assert "rolled back from" in fled.warning


def test_rollback__to_a_split_that_nobody_issued__is_refused_and_stores_nothing(desk):
    desk.started()
    before = rows()
    with pytest.raises(Conflict, match="Nothing was sent to Azure"):
        desk.roll_back({"blue": 1, "green": 99})
    assert rows() == before


def test_rollback__to_a_deployment_that_is_gone__is_refused_and_another_is_offered(desk):
    completed(desk, ALL_GREEN)
    desk.azure_shows(ALL_GREEN, deployments=["green", "red"])
    with pytest.raises(Conflict, match="no longer exists"):
        desk.roll_back(ALL_BLUE)
    assert [each.split for each in offer(desk).targets if each.eligible] == [{"red": 100}]


def test_rollback__of_an_endpoint_that_can_not_be_read_any_more__is_taken_all_the_same(desk):
    completed(desk, ALL_GREEN)
    type(make_endpoint(desk.workspace, traffic=ALL_GREEN)).objects.update(provisioning_state="Updating")
    assert desk.roll_back().created


def test_rollback__by_the_author_of_what_it_undoes__is_allowed_and_of_another_is_not(desk):
    desk.started()
    stranger = make_person("rolf", {desk.workspace.slug: ["requester"]})
    with pytest.raises(Refused):
        desk.roll_back(by=principal(stranger))
    assert desk.roll_back(by=principal(desk.requester)).created


def test_rollback__from_another_tenant__finds_nothing(desk, outsider):
    desk.started()
    with pytest.raises(NotFound):
        desk.roll_back(by=principal(outsider))


def test_rollback__same_key_twice__is_one(desk):
    desk.started()
    first = desk.roll_back(idempotency_key="k")
    assert desk.roll_back(idempotency_key="k").change_id == first.change_id


def test_rollback__key_of_another_order__is_refused_instead_of_looking_done(desk):
    other = make_endpoint(desk.workspace, "photo-triage", traffic=ALL_GREEN).pk
    desk.request(endpoint_id=other, split=HALF, by=principal(desk.operator), idempotency_key="k")
    desk.started()
    with pytest.raises(Conflict, match="another order"):
        desk.roll_back(idempotency_key="k")
    first = desk.roll_back(idempotency_key="r")
    with pytest.raises(Conflict, match="another order"):
        desk.roll_back(ALL_GREEN, idempotency_key="r")
    assert desk.state(first.change_id) == "applying"


def test_rollback__far_too_long_a_comment__is_refused_and_none_is_needed(desk):
    desk.started()
    with pytest.raises(Invalid):
        desk.roll_back(comment="x" * 2001)
    assert desk.roll_back(comment="  ").created


def test_rollback__reason_that_nobody_knows__counts_as_another_one(desk):
    desk.started()
    assert desk.change(desk.roll_back(reason="because").change_id).cause == "other"


def test_request__while_a_rollback_runs__is_held(desk):
    completed(desk, ALL_GREEN)
    desk.roll_back()
    assert desk.state(desk.request(HALF)) == "check_failed"


def test_start__while_a_rollback_runs__is_refused(desk):
    completed(desk, ALL_GREEN)
    change_id = desk.approved(HALF)
    desk.roll_back()
    with pytest.raises(Conflict):
        desk.start(change_id)
    assert desk.state(change_id) == "approved"
    assert history(change_id)[-1] == "approved"
