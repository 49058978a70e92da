"""What a look does with findings: those that are open follow, a person's word holds, and no instance counts twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as some

from endpoints.access.models import Workspace
from endpoints.audit.models import Entry
from endpoints.capacity.life import Kind, State, after
from endpoints.capacity.looking import Found, Key, Living, Silent, plan
from endpoints.capacity.models import Finding, Idle, LeftAlone, Looked, RuleSet
from endpoints.capacity.selectors.findings import Query, finding, findings, left_alone
from endpoints.capacity.services.look import look_due, look_for_findings
from endpoints.capacity.services.roll_up import roll_up_day
from endpoints.dispatch import db_now
from endpoints.holds.models import Protection
from endpoints.inventory.models import Deployment, Endpoint, EndpointRevision, SyncTarget
from tests.capacity.test_roll_up import deployed, place, yesterday
from tests.capacity.test_subjects import standing
from tests.capacity.used import asked_again, used

__all__ = ["place"]
TODAY = date(2026, 11, 26)
FOUND = Found("delete", "f", 100, 100, "USD", "", "", {"now_instances": 2})
ROW = Living(7, (1, 2), "delete", State.OPEN, "f", 100, "USD", None, 2)


@pytest.mark.parametrize(
    ("row", "now", "silent", "moves", "new"),
    [
        ({}, {}, None, [], 0),
        ({}, {"high": 300}, None, [], 0),
        ({}, {"kind": "shrink"}, None, [Kind.GONE], 1),
        ({}, None, Silent.NOTHING, [Kind.GONE], 0),
        ({}, None, Silent.KEPT, [Kind.GONE], 0),
        ({}, None, Silent.WHOLE, [Kind.GONE], 0),
        ({}, None, Silent.UNSURE, [], 0),
        ({}, None, None, [Kind.GONE], 0),
        ({"state": State.CLAIMED}, {"kind": "shrink"}, None, [], 0),
        ({"state": State.CLAIMED}, None, Silent.KEPT, [], 0),
        ({"state": State.CLAIMED}, None, Silent.NOTHING, [Kind.GONE], 0),
        ({"state": State.FILED}, None, None, [], 0),
        ({"state": State.FILED}, {"facts": "g"}, None, [], 0),
        ({"state": State.ACTED}, {"kind": "shrink"}, None, [], 0),
        ({"state": State.VERIFIED}, {}, None, [], 0),
        ({"state": State.VERIFIED}, {"kind": "shrink"}, None, [Kind.DONE], 1),
        ({"state": State.VERIFIED}, {"advice": {"now_instances": 1}}, None, [Kind.DONE], 1),
        ({"state": State.DISMISSED}, {}, None, [], 0),
        ({"state": State.DISMISSED}, {"high": 120}, None, [], 0),
        ({"state": State.DISMISSED}, {"high": 121}, None, [Kind.FACTS_CHANGED], 0),
        ({"state": State.DISMISSED}, {"high": 121, "steady": False}, None, [], 0),
        ({"state": State.DISMISSED}, {"high": None}, None, [Kind.FACTS_CHANGED], 0),
        ({"state": State.DISMISSED}, {"currency": "EUR", "high": 101}, None, [Kind.FACTS_CHANGED], 0),
        ({"state": State.DISMISSED}, {"facts": "g"}, None, [Kind.FACTS_CHANGED], 0),
        ({"state": State.DISMISSED}, None, Silent.NOTHING, [], 0),
        ({"state": State.DISMISSED}, None, None, [Kind.GONE], 0),
        ({"state": State.POSTPONED, "until": TODAY}, {}, None, [Kind.DUE], 0),
        ({"state": State.POSTPONED, "until": TODAY + timedelta(1)}, {}, None, [], 0),
        (
            {"state": State.POSTPONED, "until": TODAY + timedelta(1)},
            {"facts": "g"},
            None,
            [Kind.FACTS_CHANGED],
            0,
        ),
        ({"state": State.POSTPONED, "until": TODAY}, None, Silent.NOTHING, [Kind.GONE], 0),
        ({"state": State.POSTPONED, "until": TODAY}, None, Silent.UNSURE, [Kind.DUE], 0),
        ({"state": State.POSTPONED, "until": TODAY + timedelta(1)}, None, Silent.NOTHING, [], 0),
    ],
)
def test_plan__for_one_finding__is_this(
    row: dict[str, Any], now: dict[str, Any] | None, silent: Silent | None, moves: list[Kind], new: int
) -> None:
    found = {} if now is None else {ROW.key: replace(FOUND, **now)}
    made = plan([replace(ROW, **row)], found, {ROW.key: silent} if silent else {}, TODAY)
    assert ([one.kind for one in made.moves], len(made.new)) == (moves, new)


def test_plan__for_a_claimed_one_whose_facts_moved__flags_it() -> None:
    made = plan([replace(ROW, state=State.CLAIMED)], {ROW.key: replace(FOUND, facts="g")}, {}, TODAY)
    assert (made.flagged, made.moves) == ([7], [])


keys = some.tuples(some.integers(1, 3), some.none() | some.integers(1, 4))
rows = some.dictionaries(
    keys, some.builds(
        lambda state, kind, facts, until: replace(ROW, state=state, kind=kind, facts=facts, until=until),
        some.sampled_from([one for one in State if one not in (State.GONE, State.DONE)]),
        some.sampled_from(["delete", "shrink"]), some.sampled_from("fg"), some.none() | some.just(TODAY),
    )
)  # fmt: skip
founds = some.dictionaries(
    keys, some.builds(lambda kind, facts: replace(FOUND, kind=kind, facts=facts),
                      some.sampled_from(["delete", "shrink"]), some.sampled_from("fg"))
)  # fmt: skip


@given(rows, founds, some.sampled_from(Silent))
def test_plan__whatever_lives_and_is_found__makes_legal_moves_and_one_living_finding_of_a_subject(
    living: dict[Key, Living], found: dict[Key, Found], silent: Silent
) -> None:
    there = [replace(row, id=number, key=key) for number, (key, row) in enumerate(living.items())]
    made = plan(there, found, dict.fromkeys({*living} - {*found}, silent), TODAY)
    states = {row.id: row.state for row in there}
    for move in made.moves:
        to = after(states[move.id], move.kind)
        assert to is not None
        states[move.id] = to
    assert len(made.moves) == len({move.id for move in made.moves})
    alive = [row.key for row in there if states[row.id] not in (State.GONE, State.DONE)]
    alive += [key for key, _ in made.new]
    assert len(alive) == len(set(alive))
    assert all(states[number] is State.OPEN for number, _ in made.follow)
    assert set(found) <= set(alive)


def look(place: Workspace) -> dict[str, Finding]:
    """By deployment, "" is an endpoint's."""
    assert look_for_findings(workspace_id=place.pk) == 1
    return {
        row.deployment.name if row.deployment else "": row
        for row in Finding.objects.filter(ended_at=None).select_related("deployment")
    }


def beside(place: Workspace, first: Deployment, name: str, *, weight: int) -> Deployment:
    """Another deployment of the same endpoint."""
    row = standing(place, name, endpoint=first.endpoint)
    traffic = {**first.endpoint.traffic, name: weight}
    EndpointRevision.objects.create(
        endpoint=first.endpoint, latest=yesterday() - timedelta(days=30), known_at=yesterday(), state_hash="t",
        state={"traffic": traffic},
    )  # fmt: skip
    Endpoint.objects.filter(pk=first.endpoint_id).update(traffic=traffic)
    first.endpoint.refresh_from_db()
    return row


def idle_beside_one_that_serves(place: Workspace) -> Deployment:
    blue = standing(place, "blue")
    used(blue.pk, requests=36_000)
    green = beside(place, blue, "green", weight=0)
    used(green.pk)
    return green


@pytest.mark.django_db
def test_look__at_an_idle_deployment__finds_it_once_with_cause_formula_and_one_entry(
    place: Workspace,
) -> None:
    green = idle_beside_one_that_serves(place)
    roll_up_day(workspace_id=place.pk, day=yesterday().date())
    found = look(place)
    assert found.keys() == {"green"}
    row = finding([place.pk], found["green"].pk).row
    assert (row.kind, row.state, row.cause) == ("delete", "open", "forgotten-canary")
    assert row.why == "Canary that nobody finished: no request in at least 31 days."
    assert row.high is not None and row.high.amount == Decimal("0.293") * 2 * 730
    assert "2 instances x 730 h x 0.293 USD" in row.told.formula
    assert row.told.price_date is not None
    assert [event.kind for event in finding([place.pk], row.id).happened] == ["found"]
    assert list(Entry.objects.values_list("action", flat=True)) == ["finding.looked"]
    again = look(place)
    assert again["green"].pk == row.id and Finding.objects.count() == 1
    assert Entry.objects.count() == 1
    assert Looked.objects.get(pk=place.pk).deployments == 2
    assert green.pk == again["green"].deployment_id


@pytest.mark.django_db
def test_look__where_the_ledger_does_not_say_why__tells_why_it_is_idle_now(place: Workspace) -> None:
    idle_beside_one_that_serves(place)
    assert not Idle.objects.exists()
    row = look(place)["green"]
    assert (row.cause, row.cause_ref) == ("forgotten-canary", "")
    assert finding([place.pk], row.pk).row.why.startswith("Canary that nobody finished: no request in")


@pytest.mark.django_db
def test_look__at_an_endpoint_that_nobody_calls__finds_the_endpoint_and_saves_nothing_twice(
    place: Workspace,
) -> None:
    blue = standing(place, "blue", weight=100)
    green = beside(place, blue, "green", weight=0)
    for row in (blue, green):
        used(row.pk)
    found = look(place)
    assert found.keys() == {""} and found[""].kind == "delete-endpoint"
    page = findings(Query([place.pk], states=("open",)))
    assert page.sums == {"USD": Decimal("0.293") * 4 * 730}
    assert page.sums["USD"] == sum(row.high.amount for row in page.rows if row.high)


@pytest.mark.django_db
def test_look__when_a_request_came_again__ends_the_finding_and_says_why(place: Workspace) -> None:
    green = idle_beside_one_that_serves(place)
    row = look(place)["green"]
    asked_again(green.pk)
    assert look(place) == {}
    row.refresh_from_db()
    assert (row.state, row.ended_at is not None) == ("gone", True)
    event = row.events.order_by("version").last()
    assert event is not None
    assert event.data == {"because": "it is needed as it is"}  # somebody names it by header
    (alone,) = left_alone([place.pk]).rows
    assert (alone.deployment, alone.kind) == ("green", "batch")
    assert "by header" in alone.reasons[0]
    assert "finding.gone" in Entry.objects.values_list("action", flat=True)


@pytest.mark.django_db
def test_look__at_what_a_case_needs__leaves_it_alone_with_the_reason(place: Workspace) -> None:
    green = idle_beside_one_that_serves(place)
    Protection.objects.create(
        endpoint=green.endpoint,
        deployment="green",
        cause="case:3",
        reason="x",
        since=yesterday(),
        made_by="user:1",
    )
    assert look(place) == {}
    (alone,) = left_alone([place.pk]).rows
    assert alone.reasons == ("CH-3 still needs it.",)
    assert alone.high is not None and alone.high.amount == Decimal("0.293") * 2 * 730
    Protection.objects.update(ended_at=db_now())
    assert look(place).keys() == {"green"}
    assert not LeftAlone.objects.exists()


@pytest.mark.django_db
def test_look__after_a_dismissal__opens_it_again_when_the_facts_changed_and_not_before(
    place: Workspace,
) -> None:
    green = idle_beside_one_that_serves(place)
    row = look(place)["green"]
    Finding.objects.filter(pk=row.pk).update(state="dismissed", version=2)
    assert look(place)["green"].state == "dismissed"
    Deployment.objects.filter(pk=green.pk).update(instance_count=5)
    opened = look(place)["green"]
    assert (opened.pk, opened.state, opened.version) == (row.pk, "open", 3)
    assert opened.high_nanos == Decimal("0.293") * 5 * 730 * 10**9
    assert "finding.facts_changed" in Entry.objects.values_list("action", flat=True)


@pytest.mark.django_db
def test_look__after_a_date_is_over__opens_what_was_postponed(place: Workspace) -> None:
    idle_beside_one_that_serves(place)
    row = look(place)["green"]
    today = db_now().astimezone(UTC).date()
    Finding.objects.filter(pk=row.pk).update(state="postponed", until=today + timedelta(days=1), version=2)
    assert look(place)["green"].state == "postponed"
    Finding.objects.filter(pk=row.pk).update(until=today)
    opened = look(place)["green"]
    assert (opened.state, opened.until) == ("open", None)


@pytest.mark.django_db
def test_look__at_a_claimed_one__keeps_its_content_and_flags_other_facts(place: Workspace) -> None:
    green = idle_beside_one_that_serves(place)
    row = look(place)["green"]
    Finding.objects.filter(pk=row.pk).update(state="claimed", version=2)
    Deployment.objects.filter(pk=green.pk).update(instance_count=5)
    claimed = look(place)["green"]
    detail = finding([place.pk], claimed.pk)
    assert (detail.row.high, detail.facts_changed) == (finding([place.pk], row.pk).row.high, True)
    assert claimed.high_nanos == row.high_nanos
    Deployment.objects.filter(pk=green.pk).update(instance_count=2)
    look(place)
    assert not finding([place.pk], claimed.pk).facts_changed


@pytest.mark.django_db
def test_look__at_an_endpoint_of_which_somebody_claimed_a_part__does_not_propose_the_whole(
    place: Workspace,
) -> None:
    blue = standing(place, "blue")
    used(blue.pk)
    green = beside(place, blue, "green", weight=0)
    used(green.pk)
    asked_again(blue.pk)
    row = look(place)["green"]
    Finding.objects.filter(pk=row.pk).update(state="claimed", version=2)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE metrics_hour SET requests = 0 WHERE deployment_id = %s", [blue.pk])
    assert look(place).keys() == {"green"}


@pytest.mark.django_db
def test_look__at_what_is_not_known_any_more__lets_findings_stand(place: Workspace) -> None:
    green = idle_beside_one_that_serves(place)
    row = look(place)["green"]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE metrics_hour SET requests = NULL, request_minutes = 0, idle_minutes = 0 WHERE deployment_id = %s",
            [green.pk],
        )
    assert look(place)["green"].pk == row.pk
    Endpoint.objects.filter(pk=green.endpoint_id).update(unreadable_since=db_now())
    assert look(place)["green"].pk == row.pk


@pytest.mark.django_db
def test_look__without_a_price__finds_it_with_a_saving_that_is_not_known(place: Workspace) -> None:
    idle_beside_one_that_serves(place)
    Deployment.objects.update(instance_type="Standard_Unheard_Of")
    look(place)
    page = findings(Query([place.pk]))
    assert (page.sums, page.unpriced, page.rows[0].high) == ({}, 1, None)


@pytest.mark.django_db
def test_look__by_a_workspaces_own_days__finds_what_the_usual_ones_would_not(place: Workspace) -> None:
    blue = standing(place, "blue")
    used(blue.pk, requests=36_000)
    green = beside(place, blue, "green", weight=0)
    used(green.pk, days=10)
    Deployment.objects.filter(pk=green.pk).update(
        azure_created_at=yesterday() - timedelta(days=9), first_seen_at=yesterday()
    )
    assert look(place) == {}
    RuleSet.objects.create(
        workspace=place, number=1, document={"idle_days": 7}, reason="", made_by="user:1", made_at=db_now()
    )
    assert look(place)["green"].rule_set == 1


@pytest.mark.django_db
def test_look__at_a_mirror_that_is_a_day_old__proposes_nothing_and_says_so(place: Workspace) -> None:
    idle_beside_one_that_serves(place)
    SyncTarget.objects.create(workspace=place, due_at=db_now())
    assert look_for_findings() == 0
    assert "never read" in Looked.objects.get(pk=place.pk).failed
    assert not Finding.objects.exists()


@pytest.mark.django_db
def test_due__before_the_ledger_was_begun__looks_at_nothing_and_then_at_each_once(place: Workspace) -> None:
    deployed(place)
    assert look_due() == 0
    roll_up_day(workspace_id=place.pk, day=yesterday().date())
    assert (look_due(), look_due()) == (1, 0)
    Looked.objects.update(at=db_now() - timedelta(minutes=3))
    assert look_due() == 1
    Looked.objects.update(at=db_now() - timedelta(minutes=3), seconds=60.0)
    assert look_due() == 0


@pytest.mark.django_db
def test_look__at_more_deployments__takes_no_more_statements(place: Workspace) -> None:
    def count() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            look_for_findings(workspace_id=place.pk)
        return len(queries)

    idle_beside_one_that_serves(place)
    count()
    before = count()
    for name in ("a", "b", "c"):
        standing(place, name)
    assert count() == before
    assert not Idle.objects.exists()
