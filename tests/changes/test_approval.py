"""Four eyes: who may approve what, and when an approval is worth nothing any more."""

from __future__ import annotations

import pytest

from endpoints.access.models import Grant
from endpoints.access.selectors import principal_for_token
from endpoints.changes import services
from endpoints.changes.models import Decision
from endpoints.core.errors import Conflict, Invalid, NotFound, OpsportalError, Refused
from endpoints.dispatch import db_now
from tests.changes.desk import ALL_GREEN, HALF, history, ledger, rows
from tests.support.people import INSTALLATION, make_person, principal, token_for

EVERY_ROLE = ["requester", "reviewer", "operator", "supervisor", "finops"]


def person(desk, name, *roles):
    return make_person(name, {desk.workspace.slug: roles})


def test_approval__by_somebody_else__is_sealed_to_the_content(desk):
    change_id = desk.approved()
    decision = Decision.objects.get()
    assert decision.content_hash == desk.hash(change_id)
    assert decision.reviewer_id == desk.reviewer.pk
    assert history(change_id) == ["checking", "in_review", "approved"]


def test_approval__by_the_author__is_refused_whatever_the_roles(desk):
    author = make_person("alma", {desk.workspace.slug: EVERY_ROLE, INSTALLATION: ["admin"]})
    change_id = desk.request(by=principal(author))
    before = rows()
    with pytest.raises(Refused, match="You wrote this change"):
        desk.approve(change_id, by=principal(author))
    assert rows() == before


def test_approval__by_the_author_with_a_token__is_refused(desk):
    author = person(desk, "alma", *EVERY_ROLE)
    change_id = desk.request(by=principal(author))
    with pytest.raises(Refused):
        desk.approve(change_id, by=principal_for_token(token_for(author, "read", "change", "approve")))


def test_approval__by_a_service_account__is_refused(desk):
    robot = make_person("robot", {desk.workspace.slug: ["reviewer"]}, kind="service")
    change_id = desk.request()
    with pytest.raises(Refused):
        desk.approve(change_id, by=principal(robot))


def test_approval__of_a_change_requested_by_the_authors_own_token__is_refused(desk):
    author = person(desk, "alma", *EVERY_ROLE)
    change_id = desk.request(by=principal_for_token(token_for(author, "read", "change")))
    with pytest.raises(Refused):
        desk.approve(change_id, by=principal(author))


def test_approval__without_the_role_or_the_sight__is_refused(desk, outsider):
    change_id = desk.request()
    with pytest.raises(Refused):
        desk.approve(change_id, by=principal(desk.operator))
    with pytest.raises(NotFound):
        desk.approve(change_id, by=principal(outsider))


def test_approval__of_what_was_edited_meanwhile__is_a_conflict_and_stores_nothing(desk):
    change_id = desk.request()
    read = desk.hash(change_id)
    desk.edit(change_id)
    before = rows()
    with pytest.raises(Conflict, match="edited after you opened it"):
        desk.approve(change_id, seen_hash=read)
    assert rows() == before
    assert Decision.objects.count() == 0


def test_edit__after_the_approval__voids_it(desk):
    change_id = desk.approved()
    desk.edit(change_id)
    assert desk.state(change_id) == "in_review"
    with pytest.raises(Conflict):
        desk.start(change_id)


def test_edit__back_to_what_was_approved__is_not_approved_again_by_that(desk):
    change_id = desk.approved(HALF)
    desk.edit(change_id, ALL_GREEN)
    desk.edit(change_id, HALF)
    assert desk.state(change_id) == "in_review"
    with pytest.raises(Conflict):
        desk.start(change_id)


def test_approval__traffic_moved_meanwhile__is_a_conflict_and_stores_nothing(desk):
    change_id = desk.request()
    desk.azure_shows({"blue": 70, "green": 30})
    before = rows()
    with pytest.raises(Conflict, match="Your approval was not stored"):
        desk.approve(change_id)
    assert rows() == before


def test_approval__twice_by_one_person__is_a_conflict(desk):
    change_id = desk.approved()
    with pytest.raises(Conflict):
        desk.approve(change_id)
    assert Decision.objects.count() == 1


def test_rejection__after_somebody_approved__ends_it(desk):
    change_id = desk.approved()
    desk.reject(change_id, by=principal(person(desk, "vito", "reviewer")))
    assert history(change_id)[-1] == "rejected"
    assert ledger(change_id)[-1] == "change.rejected"
    with pytest.raises(Conflict):
        desk.start(change_id)


def test_rejection__without_a_reason__is_refused(desk):
    change_id = desk.request()
    with pytest.raises(Invalid):
        desk.reject(change_id, comment=" ")
    assert desk.state(change_id) == "in_review"


def test_rejection__by_the_author__is_refused(desk):
    author = person(desk, "alma", *EVERY_ROLE)
    change_id = desk.request(by=principal(author))
    with pytest.raises(Refused):
        desk.reject(change_id, by=principal(author))


@pytest.mark.parametrize("state", ["rejected", "withdrawn", "expired", "succeeded", "failed", "superseded"])
@pytest.mark.parametrize("verb", ["approve", "reject", "edit", "start", "withdraw"])
def test_verb__on_an_ended_change__is_refused_and_stores_nothing(desk, state, verb):
    change_id = desk.request()
    desk.finish(change_id, state)
    before = rows()
    with pytest.raises(OpsportalError):
        getattr(desk, verb)(change_id)
    assert rows() == before


def test_start__approval_expired__is_refused(desk):
    change_id = desk.approved()
    desk.expire_now(change_id)
    with pytest.raises(Conflict, match="expired"):
        desk.start(change_id)
    assert desk.state(change_id) == "approved"


def test_start__approver_lost_the_role_meanwhile__is_refused(desk):
    change_id = desk.approved()
    Grant.objects.filter(user=desk.reviewer).update(until=db_now())
    with pytest.raises(Conflict, match="No approval of"):
        desk.start(change_id)
    assert desk.state(change_id) == "approved"


def test_start__approver_was_disabled_meanwhile__is_refused(desk):
    change_id = desk.approved()
    type(desk.reviewer).objects.filter(pk=desk.reviewer.pk).update(is_active=False, disabled_at=db_now())
    with pytest.raises(Conflict, match="No approval of"):
        desk.start(change_id)


def test_start__not_approved__is_refused(desk):
    change_id = desk.request()
    with pytest.raises(Conflict):
        desk.start(change_id)


def test_start__of_another_content_than_was_seen__is_refused(desk):
    change_id = desk.approved()
    with pytest.raises(Conflict, match="edited after you opened it"):
        desk.start(change_id, seen_hash="0" * 64)


def test_start__traffic_moved_since_the_approval__is_stored_as_drifted(desk):
    change_id = desk.approved()
    desk.azure_shows({"blue": 70, "green": 30})
    with pytest.raises(Conflict, match="was not started"):
        desk.start(change_id)
    assert history(change_id)[-1] == "drifted"
    assert ledger(change_id)[-1] == "change.drifted"
    assert desk.change(change_id).started_at is None


def test_edit__drifted_change__goes_onto_the_live_base_and_to_review_again(desk):
    change_id = desk.approved()
    desk.azure_shows({"blue": 70, "green": 30})
    with pytest.raises(Conflict):
        desk.start(change_id)
    desk.edit(change_id)
    assert desk.state(change_id) == "in_review"
    desk.start(desk.approve(change_id))
    assert desk.state(change_id) == "applying"


def test_start__deployment_failed_since_the_approval__is_refused(desk):
    change_id = desk.approved()
    desk.azure_shows({"blue": 100}, deployments={"blue": {}, "green": {"provisioningState": "Failed"}})
    with pytest.raises(Conflict, match="green is Failed"):
        desk.start(change_id)
    assert desk.state(change_id) == "approved"


def test_start__approved_and_true__belongs_to_the_executor(desk):
    change_id = desk.started()
    change = desk.change(change_id)
    assert change.started_by_id == desk.operator.pk
    assert ledger(change_id)[-1] == "change.applying"


def test_start__twice__is_one_start(desk):
    change_id = desk.started()
    with pytest.raises(Conflict):
        desk.start(change_id)
    assert history(change_id).count("applying") == 1


def test_expiry__of_an_approval__ends_the_change(desk):
    change_id = desk.approved()
    desk.expire_now(change_id)
    assert services.expire_due() == 1
    assert desk.state(change_id) == "expired"
