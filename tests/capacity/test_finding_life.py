"""What people do with findings, and what they are told when they can't."""

from __future__ import annotations

from datetime import UTC, date, timedelta

import pytest

from endpoints.access.models import User, Workspace
from endpoints.audit.models import Entry
from endpoints.capacity.models import Finding, RuleSet
from endpoints.capacity.ruleset import USUAL, as_json
from endpoints.capacity.selectors.findings import finding as told_of
from endpoints.capacity.selectors.rules import rules_history, rules_of
from endpoints.capacity.services.finding_life import claim, comment, dismiss, postpone, release
from endpoints.capacity.services.set_rules import set_rules
from endpoints.core.errors import Conflict, Invalid, NotFound, Refused
from endpoints.dispatch import db_now
from tests.capacity.found import found
from tests.capacity.test_roll_up import deployed
from tests.support.people import principal

pytestmark = pytest.mark.django_db


def today() -> date:
    return db_now().astimezone(UTC).date()


@pytest.fixture
def row(workspace: Workspace) -> Finding:
    return found(deployed(workspace))


def test_claim__with_a_date_and_words__is_the_persons_and_on_record(row: Finding, finops: User) -> None:
    due = today() + timedelta(days=7)
    claim(principal=principal(finops), finding_id=row.pk, seen=1, due=due, comment="Mine.")
    detail = told_of([row.workspace_id], row.pk)
    assert (detail.row.state, detail.row.claimed_by, detail.row.due) == ("claimed", finops.pk, due)
    (event,) = detail.happened
    assert (event.words, event.author_id, event.actor) == ("Mine.", finops.pk, f"user:{finops.pk}")
    entry = Entry.objects.order_by("seq").last()
    assert entry is not None
    assert "Mine." not in bytes(entry.body).decode()


def test_release__of_a_claim__opens_it_without_person_or_date(row: Finding, finops: User) -> None:
    claim(principal=principal(finops), finding_id=row.pk, due=today())
    release(principal=principal(finops), finding_id=row.pk)
    row.refresh_from_db()
    assert (row.state, row.claimed_by_id, row.due, row.version) == ("open", None, None, 3)


def test_postpone__to_a_day__keeps_it_until_then_and_says_why(row: Finding, finops: User) -> None:
    until = today() + timedelta(days=30)
    postpone(principal=principal(finops), finding_id=row.pk, until=until, reason="The campaign runs.", seen=1)
    row.refresh_from_db()
    assert (row.state, row.until) == ("postponed", until)
    for day in (today(), today() - timedelta(days=1), today() + timedelta(days=400)):
        with pytest.raises(Invalid):
            postpone(principal=principal(finops), finding_id=row.pk, until=day, reason="Again.")


def test_dismiss__without_words__is_refused(row: Finding, finops: User) -> None:
    with pytest.raises(Invalid, match="Say why"):
        dismiss(principal=principal(finops), finding_id=row.pk, reason=" ")
    with pytest.raises(Invalid, match="2000 characters"):
        dismiss(principal=principal(finops), finding_id=row.pk, reason="x" * 2001)
    dismiss(principal=principal(finops), finding_id=row.pk, reason="The law wants it.")
    row.refresh_from_db()
    assert row.state == "dismissed"


def test_act__on_what_changed_since_it_was_read__stores_nothing(row: Finding, finops: User) -> None:
    comment(principal=principal(finops), finding_id=row.pk, text="Who owns it?")
    with pytest.raises(Conflict, match="after you opened it"):
        claim(principal=principal(finops), finding_id=row.pk, seen=1)


def test_act__by_whom_policy_does_not_let__is_refused_or_finds_nothing(
    row: Finding, operator: User, requester: User, outsider: User
) -> None:
    with pytest.raises(Refused, match="FinOps"):
        claim(principal=principal(operator), finding_id=row.pk)
    for somebody in (requester, outsider):
        with pytest.raises(NotFound):
            claim(principal=principal(somebody), finding_id=row.pk)


def test_rules__set_by_finops__count_from_then_on_and_stay_on_record(
    workspace: Workspace, finops: User
) -> None:
    number = set_rules(
        principal=principal(finops),
        workspace_id=workspace.pk,
        document={"idle_days": 14},
        reason="Faster.",
        seen=0,
    )
    assert (number, rules_of(workspace.pk).rules.idle_days, rules_of(workspace.pk).number) == (1, 14, 1)
    set_rules(
        principal=principal(finops),
        workspace_id=workspace.pk,
        document=as_json(USUAL),
        reason="Back.",
        seen=1,
    )
    assert [one.number for one in rules_history(workspace.pk)] == [2, 1]
    entry = Entry.objects.order_by("seq").last()
    assert entry is not None and '"headroom":"0.2"' in bytes(entry.body).decode()


def test_rules__that_cannot_be_set__are_refused_and_nothing_is_stored(
    workspace: Workspace, finops: User, operator: User, outsider: User
) -> None:
    by, place = principal(finops), workspace.pk
    with pytest.raises(Invalid) as wrong:
        set_rules(principal=by, workspace_id=place, document={"zone": "Mars"}, reason="Mars.", seen=0)
    assert wrong.value.fields.keys() == {"zone"}
    with pytest.raises(Invalid, match="Say why"):
        set_rules(principal=by, workspace_id=place, document={"idle_days": 14}, reason="", seen=0)
    with pytest.raises(Conflict, match="after you opened them"):
        set_rules(principal=by, workspace_id=place, document={"idle_days": 14}, reason="Faster.", seen=3)
    with pytest.raises(Conflict, match="already"):
        set_rules(principal=by, workspace_id=place, document={}, reason="Nothing.", seen=0)
    with pytest.raises(Refused):
        set_rules(principal=principal(operator), workspace_id=place, document={}, reason="Mine.", seen=0)
    with pytest.raises(NotFound):
        set_rules(principal=principal(outsider), workspace_id=place, document={}, reason="Mine.", seen=0)
    assert not RuleSet.objects.exists()
