"""A change at a moment: what it said, where it stood, who had spoken, and who could have approved it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from endpoints.access.models import Grant, User
from endpoints.access.selectors import people_then
from endpoints.access.services import end_grant
from endpoints.changes import services
from endpoints.changes.selectors import ChangeThen, active_then, change_then
from endpoints.core.errors import Invalid, NotFound
from endpoints.dispatch import db_now
from tests.changes.desk import ALL_GREEN, HALF, Desk
from tests.support.people import make_person, principal


def seen(desk: Desk, change_id: int, at: Any) -> ChangeThen:
    return change_then(principal(desk.operator), change_id, at)


def test_change_then__before_an_edit__is_what_it_said_and_what_was_decided_on(desk: Desk) -> None:
    change_id = desk.approved(HALF)
    before = db_now()
    desk.edit(change_id, ALL_GREEN)
    after = db_now()

    old, new = seen(desk, change_id, before), seen(desk, change_id, after)

    assert (old.after, old.state, old.revision) == (HALF, "approved", 1)
    assert (new.after, new.state, new.revision) == (ALL_GREEN, "in_review", 2)
    assert [one.current for one in old.decided] == [True]
    assert [one.current for one in new.decided] == [False]
    assert (old.quorum and old.quorum.met, new.quorum and new.quorum.met) == (True, False)
    assert [one.text for one in old.said] == ["version 24 is better"]
    assert old.checks


def test_change_then__before_it_was_asked_for__is_invalid_and_says_so(desk: Desk) -> None:
    before = db_now()
    change_id = desk.request()
    with pytest.raises(Invalid, match="did not exist then"):
        seen(desk, change_id, before)


def test_change_then__of_another_workspace__is_not_found(desk: Desk, outsider: User) -> None:
    change_id = desk.request()
    with pytest.raises(NotFound):
        change_then(principal(outsider), change_id, db_now())


def test_change_then__while_at_work__is_the_active_one_and_has_no_end(desk: Desk) -> None:
    change_id = desk.approved()
    waiting = db_now()
    desk.start(change_id)
    working = db_now()

    assert active_then([desk.endpoint_id], waiting) == {}
    assert active_then([desk.endpoint_id], working)[desk.endpoint_id].number == f"CR-{change_id}"
    assert seen(desk, change_id, waiting).started_at is None
    assert seen(desk, change_id, working).started_at is not None


def test_roles_then__of_a_reviewer_who_lost_the_role_since__are_those_of_then(
    desk: Desk, admin: User
) -> None:
    change_id = desk.request()
    before = db_now()
    grant = Grant.objects.get(user=desk.reviewer, until=None)
    end_grant(principal=principal(admin), grant_id=grant.pk)
    after = db_now()

    def could(at: Any) -> dict[str, str]:
        return {one.name: one.reason for one in seen(desk, change_id, at).could_approve}

    assert could(before) == {"Vera": "", "Rosa": "wrote it", "Omar": "was no release reviewer"}
    assert could(after) == {"Rosa": "wrote it", "Omar": "was no release reviewer"}


def test_roles_then__given_to_oneself_lately__could_not_approve_yet(desk: Desk) -> None:
    eve = make_person("eve")
    Grant.objects.create(
        user=eve, workspace=desk.workspace, role="reviewer", since=db_now(), granted_by=eve, reason="I can"
    )
    change_id = desk.request()

    told = {one.name: one.reason for one in seen(desk, change_id, db_now()).could_approve}

    assert told["Eve"] == "had taken the role themselves less than 24 hours before"


def test_roles_then__of_a_disabled_account__are_left_out_from_then_on(desk: Desk) -> None:
    before = db_now()
    User.objects.filter(pk=desk.reviewer.pk).update(
        is_active=False, disabled_at=before + timedelta(seconds=1)
    )

    def names(at: Any) -> set[str]:
        return {one.name for one in people_then(desk.workspace.pk, at)}

    assert "Vera" in names(before)
    assert "Vera" not in names(before + timedelta(seconds=2))


def test_quorum_then__of_a_rule_made_later__is_not_asked_for(desk: Desk, admin: User) -> None:
    change_id = desk.request()
    before = db_now()
    boss = make_person("boss", {desk.workspace.slug: ["reviewer"]})
    make_person("other", {desk.workspace.slug: ["reviewer"]})
    made = services.propose_rule(
        principal=principal(boss),
        workspace_id=desk.workspace.pk,
        draft=services.RuleDraft("Two for risk", "checkout-*", required=2),
        reason="After the incident of May.",
    )
    proposed = db_now()
    services.decide_rule(principal=principal(admin), rule_id=made.rule_id, accept=True)
    after = db_now()

    needed = [
        quorum.needed for at in (before, proposed, after) if (quorum := seen(desk, change_id, at).quorum)
    ]

    assert needed == [1, 1, 2]


def test_quorum_then__of_an_approval_that_lost_its_power_later__stood_before(desk: Desk, admin: User) -> None:
    change_id = desk.approved()
    before = db_now()
    end_grant(principal=principal(admin), grant_id=Grant.objects.get(user=desk.reviewer).pk)

    old, new = seen(desk, change_id, before).quorum, seen(desk, change_id, db_now()).quorum

    assert old is not None and new is not None
    assert (old.given, old.met) == (1, True)
    assert (new.given, new.met) == (0, False)
