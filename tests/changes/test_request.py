"""Asking for a change: what is stored, what is held, what is refused."""

from __future__ import annotations

import pytest

from endpoints.changes import services
from endpoints.changes.models import Change, Check, Note
from endpoints.core.errors import Conflict, Invalid, NotFound, Refused
from tests.changes.desk import ALL_BLUE, ALL_GREEN, HALF, history, ledger, rows
from tests.support.people import make_endpoint, make_person, principal


def test_request__legal_split__waits_for_review_with_its_checks_and_words(desk):
    change_id = desk.request()
    assert history(change_id) == ["checking", "in_review"]
    assert ledger(change_id) == ["change.requested.traffic", "change.in_review"]
    assert Check.objects.filter(change_id=change_id).exclude(outcome="pass").count() == 0
    assert Note.objects.get(change_id=change_id).text == "version 24 is better"


def test_request__endpoint_is_busy__is_held_by_its_checks(desk):
    desk.azure_shows(ALL_BLUE, provisioningState="Updating")
    assert desk.state(desk.request()) == "check_failed"


@pytest.mark.parametrize(
    "split",
    [{"blue": 90}, {"red": 100}, {"blue": 150, "green": -50}, {"blue": 100}, {"Blue": 100, "green": 0}],
)
def test_request__split_that_can_not_be_or_changes_nothing__stores_nothing(desk, split):
    before = rows()
    with pytest.raises(Invalid):
        desk.request(split)
    assert rows() == before


@pytest.mark.parametrize("reason", ["", "  \n", "x" * 2001])
def test_request__without_a_usable_reason__stores_nothing(desk, reason):
    before = rows()
    with pytest.raises(Invalid):
        desk.request(reason=reason)
    assert rows() == before


def test_request__from_another_tenant__finds_nothing(desk, outsider):
    with pytest.raises(NotFound):
        desk.request(by=principal(outsider))


def test_request__without_the_role__is_refused(desk, supervisor):
    with pytest.raises(Refused):
        desk.request(by=principal(supervisor))


def test_request__same_key_twice__is_one_change(desk):
    first = desk.request(idempotency_key="k")
    assert desk.request(idempotency_key="k") == first
    assert Change.objects.count() == 1


def test_request__same_key_after_it_is_in_force__is_still_answered(desk):
    first = desk.request(idempotency_key="k")
    desk.finish(first, "succeeded")
    desk.azure_shows(HALF)
    assert desk.request(idempotency_key="k") == first


def test_request__key_of_another_split_or_endpoint__is_refused(desk):
    desk.request(idempotency_key="k")
    other = make_endpoint(desk.workspace, "photo-triage").pk
    before = rows()
    with pytest.raises(Conflict, match="another order"):
        desk.request(ALL_GREEN, idempotency_key="k")
    with pytest.raises(Conflict, match="another order"):
        desk.request(endpoint_id=other, idempotency_key="k")
    assert rows() == before


def test_request__same_key_of_another_person__is_another_change(desk):
    first = desk.request(idempotency_key="k")
    desk.withdraw(first)
    other = make_person("rolf", {desk.workspace.slug: ["requester"]})
    assert desk.request(by=principal(other), idempotency_key="k") != first


def test_request__second_one_on_the_endpoint__is_held_and_does_not_stop_the_first(desk):
    first, second = desk.request(), desk.request(ALL_GREEN)
    assert desk.state(second) == "check_failed"
    desk.approve(first)
    assert desk.state(first) == "approved"


def test_edit__held_change_after_the_other_ended__goes_to_review(desk):
    first, second = desk.request(), desk.request(ALL_GREEN)
    desk.withdraw(first)
    desk.edit(second)
    assert history(second) == ["checking", "check_failed", "checking", "in_review"]


def test_withdraw__before_it_starts__ends_it(desk):
    change_id = desk.approved()
    desk.withdraw(change_id)
    assert history(change_id)[-1] == "withdrawn"


def test_withdraw__somebody_elses__is_refused(desk):
    change_id = desk.request()
    with pytest.raises(Refused):
        desk.withdraw(change_id, by=principal(desk.reviewer))


def test_withdraw__at_work__is_refused(desk):
    change_id = desk.started()
    with pytest.raises(Conflict):
        desk.withdraw(change_id)
    assert desk.state(change_id) == "applying"


def test_expiry__nobody_used_it_in_time__ends_it(desk):
    change_id = desk.request()
    desk.expire_now(change_id)
    assert services.expire_due() == 1
    assert ledger(change_id)[-1] == "change.expired"


def test_expiry__approval_in_time_or_change_at_work__stays(desk):
    desk.started()
    assert services.expire_due() == 0
