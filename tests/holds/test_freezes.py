"""Freezes: who makes and ends them, what the ledger keeps, and what the database refuses."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from endpoints.access.models import User, Workspace
from endpoints.access.policies import Principal
from endpoints.audit.models import Entry
from endpoints.core.errors import Conflict, Invalid, NotFound, Refused
from endpoints.dispatch import db_now
from endpoints.holds.calendar import Schedule
from endpoints.holds.models import Freeze
from endpoints.holds.scope import Scope
from endpoints.holds.selectors import (
    FreezeState,
    freeze_row,
    past_freezes,
    reach,
    standing_freezes,
    workspace_in_reach,
)
from endpoints.holds.services import end_freeze, freezes
from tests.holds.support import ahead, around, freeze, last_entry, shown
from tests.support.people import INSTALLATION, make_person, principal


def end(user: User, made: Freeze, reason: str = "They are back.") -> None:
    end_freeze(principal=principal(user), freeze_id=made.pk, reason=reason)


def test_freeze__by_an_operator__stands_with_who_when_and_why(operator: User, workspace: Workspace) -> None:
    made = freeze(operator, Scope(workspace.pk, "Fraud-*", "team-risk", "tier=1"), ahead())
    row = freeze_row([workspace.pk], made.pk, db_now())
    assert row.scope == Scope(workspace.pk, "fraud-*", "team-risk", "tier=1")
    assert (row.title, row.reason, row.made_by) == ("Holidays", "Nobody is here.", f"user:{operator.pk}")
    assert (row.state, row.now) == (FreezeState.COMING, None)
    assert row.next is not None
    assert row.next.start == row.starts_at


def test_freeze__made_and_ended__is_on_record_without_names_of_teams(
    operator: User, workspace: Workspace
) -> None:
    made = freeze(operator, Scope(workspace.pk, "", "team-risk", "tier=secret"))
    entry = last_entry("freeze.made")
    assert (entry.subject, entry.workspace_id) == (f"freeze:{made.pk}", workspace.pk)
    text = bytes(entry.body).decode()
    assert '"by_owner":true' in text
    assert '"tag":"tier"' in text
    assert all(word not in text for word in ("team-risk", "secret", "Holidays", "Nobody"))
    end(operator, made)
    assert last_entry("freeze.ended").subject == f"freeze:{made.pk}"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": " "}, "title"),
        ({"title": "x" * 121}, "title"),
        ({"reason": ""}, "reason"),
        ({"reason": "x" * 2001}, "reason"),
        ({"scope": Scope(None, "[")}, "name_pattern"),
        ({"schedule": Schedule("Nowhere", shown("2026-01-01"), shown("2026-01-02"))}, "zone"),
        ({"schedule": Schedule("UTC", shown("2026-01-02"), shown("2026-01-01"))}, "ends"),
        ({"schedule": Schedule("UTC", shown("2020-01-01"), shown("2020-01-02"))}, "ends"),
        ({"schedule": Schedule("UTC", shown("2030-01-01"), shown("2030-01-02"), "FREQ=DAILY")}, "rule"),
    ],
)
def test_freeze__that_can_not_be__is_refused_by_field_and_leaves_nothing(
    admin: User, workspace: Workspace, change: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as caught:
        freeze(admin, **change)
    assert list(caught.value.fields) == [field]
    assert not Freeze.objects.exists()
    assert not Entry.objects.filter(action="freeze.made").exists()


@pytest.mark.parametrize("role", ["requester", "reviewer", "supervisor", "finops", "auditor"])
def test_freeze__by_who_may_not__is_refused(role: str, workspace: Workspace) -> None:
    with pytest.raises(Refused, match="operator or platform administrator"):
        freeze(make_person("anna", {workspace.slug: [role]}), Scope(workspace.pk))


def test_freeze_of_everything__by_an_operator_of_one_workspace__is_refused_naming_no_other(
    operator: User, other_workspace: Workspace
) -> None:
    with pytest.raises(Refused) as caught:
        freeze(operator)
    assert other_workspace.slug not in caught.value.message


def test_freeze_of_everything__by_who_may_on_all_workspaces__is_made(
    admin: User, workspace: Workspace, other_workspace: Workspace
) -> None:
    both = make_person("olga", {one.slug: ["operator"] for one in (workspace, other_workspace)})
    assert freeze(both).workspace_id is None
    assert freeze(admin).workspace_id is None


def test_freeze_of_everything__where_nothing_is_connected__freezes_nothing(admin: User, db: None) -> None:
    with pytest.raises(Conflict, match="No workspace is connected"):
        freeze(admin)


def test_freeze__by_a_token_of_another_workspace__is_refused(
    workspace: Workspace, other_workspace: Workspace
) -> None:
    both = principal(make_person("olga", {one.slug: ["operator"] for one in (workspace, other_workspace)}))
    narrowed = Principal(
        user_id=both.user_id,
        ref=both.ref,
        kind=both.kind,
        roles=both.roles,
        scopes=frozenset({"read", "change"}),
        token_workspaces=frozenset({workspace.pk}),
    )
    assert reach(narrowed) == {workspace.pk}
    with pytest.raises(Refused):
        freezes.make_freeze(
            principal=narrowed, scope=Scope(), schedule=ahead(), title="All", reason="All of it."
        )


def test_end__of_a_freeze__happens_once_and_stays_on_record(operator: User, workspace: Workspace) -> None:
    made = freeze(operator, Scope(workspace.pk))
    end(operator, made)
    row = freeze_row([workspace.pk], made.pk, db_now())
    assert (row.state, row.ended_by, row.end_reason) == (
        FreezeState.ENDED,
        f"user:{operator.pk}",
        "They are back.",
    )
    with pytest.raises(Conflict, match="Somebody ended"):
        end(operator, made)
    assert Entry.objects.filter(action="freeze.ended").count() == 1


def test_end__without_a_reason_or_a_role__ends_nothing(
    operator: User, reviewer: User, outsider: User, workspace: Workspace
) -> None:
    made = freeze(operator, Scope(workspace.pk))
    with pytest.raises(Invalid):
        end(operator, made, " ")
    with pytest.raises(Refused):
        end(reviewer, made)
    with pytest.raises(NotFound):
        end(outsider, made)
    assert Freeze.objects.get(pk=made.pk).ended_at is None


def test_end__of_what_is_over_by_itself__says_so(operator: User, workspace: Workspace) -> None:
    made = freeze(operator, Scope(workspace.pk))
    now = db_now()
    over = freezes.stored(
        principal(operator),
        Scope(workspace.pk),
        around(5, -4),
        "Past",
        "It was.",
        source="page",
        uid="",
        now=now,
    )
    over.save()
    with pytest.raises(Conflict, match="over by itself"):
        end(operator, over)
    end(operator, made)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM holds_freeze",
        "UPDATE holds_freeze SET title = 'other'",
        "UPDATE holds_freeze SET ended_at = now(), over_at = now()",
        "UPDATE holds_freeze SET end_reason = 'never'",
    ],
)
def test_history_of_a_freeze__whoever_writes__stays(
    operator: User, workspace: Workspace, statement: str
) -> None:
    made = freeze(operator, Scope(workspace.pk))
    if "never" in statement:
        end(operator, made)
    with (
        pytest.raises(IntegrityError, match="is history"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_freezes__beyond_what_anybody_oversees__are_refused(
    operator: User, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(freezes, "MOST_ALIVE", 2)
    first = freeze(operator, Scope(workspace.pk))
    freeze(operator, Scope(workspace.pk))
    with pytest.raises(Conflict, match="at most 2"):
        freeze(operator, Scope(workspace.pk))
    end(operator, first)
    freeze(operator, Scope(workspace.pk))


def test_lists__of_freezes__page_by_what_comes_next_and_by_what_was_made_last(
    admin: User, workspace: Workspace, other_workspace: Workspace
) -> None:
    late, soon = freeze(admin, schedule=ahead(48)), freeze(admin, Scope(workspace.pk), ahead(2))
    now = freeze(admin, Scope(workspace.pk))
    elsewhere = freeze(admin, Scope(other_workspace.pk))
    ended = [freeze(admin, Scope(workspace.pk)) for _ in range(3)]
    for made in ended:
        end(admin, made)
    at = db_now()
    first = standing_freezes([workspace.pk], at, limit=2)
    assert [row.id for row in first.rows] == [now.pk, soon.pk]
    assert (first.next, first.frozen, first.coming) == (2, 1, 2)
    second = standing_freezes([workspace.pk], at, begin=2, limit=2)
    assert ([row.id for row in second.rows], second.next) == ([late.pk], None)
    past, before = past_freezes([workspace.pk], at, limit=2)
    assert [row.id for row in past] == [ended[2].pk, ended[1].pk]
    assert [row.id for row in past_freezes([workspace.pk], at, before=before)[0]] == [ended[0].pk]
    assert standing_freezes([], at).rows == ()
    assert [row.id for row in standing_freezes([other_workspace.pk], at).rows] == [elsewhere.pk, late.pk]
    with pytest.raises(NotFound):
        freeze_row([workspace.pk], elsewhere.pk, at)


def test_list__after_years_of_a_rule__is_made_of_what_is_left(operator: User, workspace: Workspace) -> None:
    made = freeze(operator, Scope(workspace.pk), around(25, -24, "FREQ=DAILY"))
    (row,) = standing_freezes([workspace.pk], db_now()).rows
    assert (row.id, row.over_at) == (made.pk, None)
    spans = [span for span in (row.now, row.next) if span]
    assert spans[-1].end - spans[-1].start == timedelta(hours=1)


def test_reach__of_each__is_where_they_have_a_role(
    admin: User, operator: User, outsider: User, workspace: Workspace, other_workspace: Workspace
) -> None:
    nobody = make_person("nora")
    flagged = make_person("olaf", {workspace.slug: ["overrider"]})
    found = [reach(principal(user)) for user in (admin, operator, outsider, nobody, flagged)]
    assert found == [
        {workspace.pk, other_workspace.pk},
        {workspace.pk},
        {other_workspace.pk},
        frozenset(),
        frozenset(),
    ]
    said = []
    for slug in (other_workspace.slug, "no-such"):
        with pytest.raises(NotFound) as caught:
            workspace_in_reach(principal(operator), slug)
        said.append(caught.value.message.replace(slug, "?"))
    assert said[0] == said[1]


def test_installation_role__alone__reaches_every_workspace(workspace: Workspace) -> None:
    auditor = make_person("alma", {INSTALLATION: ["auditor"]})
    assert reach(principal(auditor)) == {workspace.pk}
