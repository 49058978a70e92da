"""What holds an endpoint at a moment, who lets it past, and when the way is free again."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from pytest_django import DjangoAssertNumQueries

from endpoints.access.models import User, Workspace
from endpoints.audit.actors import SYSTEM_COMMAND
from endpoints.audit.models import Entry
from endpoints.core.errors import Conflict, Invalid, NotFound, Refused
from endpoints.dispatch import db_now
from endpoints.holds.calendar import Schedule
from endpoints.holds.models import Override, Protection, Stop
from endpoints.holds.scope import Scope
from endpoints.holds.selectors import (
    Hold,
    Kind,
    holds_for_many,
    in_force,
    lifted_stops,
    next_window,
    overrides_of,
    standing_stops,
    stop_row,
)
from endpoints.holds.services import (
    end_freeze,
    lift_stop,
    override,
    protect,
    stop_the_line,
    unprotect,
)
from endpoints.inventory.models import Endpoint
from tests.holds.support import ahead, around, freeze, last_entry, shown, stop, utc
from tests.support.people import make_endpoint, make_person, principal

CHANGE = "change:42"


@pytest.fixture
def endpoint(workspace: Workspace) -> Endpoint:
    return make_endpoint(workspace, "fraud-score", tags={"owner": "team-risk", "tier": "1"})


@pytest.fixture
def flagged(workspace: Workspace) -> User:
    return make_person("olaf", {workspace.slug: ["operator", "overrider"]})


def refs(holds: tuple[Hold, ...]) -> list[str]:
    return [hold.ref for hold in holds]


def held(endpoint: Endpoint, at: datetime | None = None, subject: str = "") -> list[str]:
    return refs(in_force(endpoint.pk, at or db_now(), subject=subject))


def let_past(user: User, endpoint: Endpoint, hold: str, subject: str = CHANGE) -> None:
    override(
        principal=principal(user),
        endpoint_id=endpoint.pk,
        hold=hold,
        subject=subject,
        reason="It mends the fault.",
    )


def test_nothing__holds_an_endpoint_that_nobody_froze(endpoint: Endpoint) -> None:
    assert in_force(endpoint.pk, db_now()) == ()
    at = db_now()
    window = next_window(endpoint.pk, at)
    assert (window.opens_at, window.closes_at, window.held_by) == (at, None, ())


def test_endpoint__that_nobody_knows__is_not_found_rather_than_free(db: None) -> None:
    with pytest.raises(NotFound):
        in_force(999, db_now())
    with pytest.raises(NotFound):
        next_window(999, db_now())
    assert holds_for_many([999], db_now()) == {}


@pytest.mark.parametrize(
    ("narrowed", "holds"),
    [
        ({}, True),
        ({"name_pattern": "fraud-*"}, True),
        ({"name_pattern": "rank-*"}, False),
        ({"owner": "TEAM-RISK"}, True),
        ({"owner": "team-rank"}, False),
        ({"tag": "tier=1"}, True),
        ({"tag": "tier=2"}, False),
    ],
)
def test_freeze__by_its_scope__holds_or_not(
    operator: User, endpoint: Endpoint, narrowed: dict[str, str], holds: bool
) -> None:
    made = freeze(operator, Scope(endpoint.workspace_id, **narrowed))
    assert held(endpoint) == ([f"freeze:{made.pk}"] if holds else [])


def test_freeze__of_another_workspace__holds_nothing_here(
    endpoint: Endpoint, outsider: User, other_workspace: Workspace
) -> None:
    freeze(outsider, Scope(other_workspace.pk))
    assert held(endpoint) == []


def test_freeze__in_force__says_all_that_a_person_needs(operator: User, endpoint: Endpoint) -> None:
    made = freeze(operator, Scope(endpoint.workspace_id))
    (hold,) = in_force(endpoint.pk, db_now())
    assert (hold.kind, hold.title, hold.reason) == (Kind.FREEZE, "Holidays", "Nobody is here.")
    assert (hold.until, hold.cause, hold.overridable) == (made.over_at, f"user:{operator.pk}", True)
    assert hold.since == made.made_at


def test_freeze__before_after_and_once_ended__holds_nothing_and_its_past_stays(
    operator: User, endpoint: Endpoint
) -> None:
    made = freeze(operator, Scope(endpoint.workspace_id))
    at, name = db_now(), [f"freeze:{made.pk}"]
    assert made.over_at is not None
    assert held(endpoint, made.over_at) == []
    assert held(endpoint, made.over_at - timedelta(seconds=1)) == name
    # It held nobody before it was made, though its stretch began earlier.
    assert held(endpoint, made.made_at - timedelta(seconds=1)) == []
    end_freeze(principal=principal(operator), freeze_id=made.pk, reason="Back.")
    assert held(endpoint) == []
    assert held(endpoint, at) == name


def test_weekly_freeze__through_the_change_of_the_clock__holds_to_the_same_time_of_day(
    operator: User, endpoint: Endpoint
) -> None:
    weekend = Schedule(
        "Europe/Zurich", shown("2027-10-29T16:00"), shown("2027-11-01T08:00"), "FREQ=WEEKLY;BYDAY=FR"
    )
    made = freeze(operator, Scope(endpoint.workspace_id), weekend)
    name = [f"freeze:{made.pk}"]
    assert held(endpoint, utc("2027-11-01T06:59:59")) == name
    assert held(endpoint, utc("2027-11-01T07:00")) == []
    window = next_window(endpoint.pk, utc("2027-10-30T12:00"))
    assert (window.opens_at, window.closes_at) == (utc("2027-11-01T07:00"), utc("2027-11-05T15:00"))
    assert refs(window.held_by) == name


def test_window__after_freezes_that_follow_each_other__opens_when_the_last_ends(
    operator: User, endpoint: Endpoint
) -> None:
    here = Scope(endpoint.workspace_id)
    first, second = freeze(operator, here, around(1, 2)), freeze(operator, here, around(-1, 5))
    third = freeze(operator, here, around(-9, 10))
    window = next_window(endpoint.pk, db_now())
    assert refs(window.held_by) == [f"freeze:{first.pk}"]
    assert (window.opens_at, window.closes_at) == (second.over_at, third.starts_at)


def test_window__while_the_line_is_stopped__opens_at_a_time_that_nobody_knows(
    operator: User, endpoint: Endpoint
) -> None:
    number = stop(operator, endpoint_id=endpoint.pk)
    window = next_window(endpoint.pk, db_now())
    assert (window.opens_at, window.closes_at, refs(window.held_by)) == (None, None, [f"stop:{number}"])


def test_window__of_endless_freezes_in_a_row__is_not_looked_for_for_ever(
    operator: User, endpoint: Endpoint
) -> None:
    midnight = db_now().replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
    for begin in (0, 12):
        first = midnight + timedelta(hours=begin - 24)
        half = Schedule("UTC", first, first + timedelta(hours=12), "FREQ=DAILY")
        freeze(operator, Scope(endpoint.workspace_id), half)
    window = next_window(endpoint.pk, db_now())
    assert window.opens_at is None
    assert len(window.held_by) == 1


@pytest.mark.parametrize("where", ["everything", "workspace", "endpoint"])
def test_stop__of_each_scope__holds_until_it_is_lifted(
    admin: User, endpoint: Endpoint, workspace: Workspace, where: str
) -> None:
    other = make_endpoint(workspace, "rank-home")
    scope = {
        "everything": {},
        "workspace": {"workspace_id": workspace.pk},
        "endpoint": {"endpoint_id": endpoint.pk},
    }
    number = stop(admin, **scope[where])
    (hold,) = in_force(endpoint.pk, db_now())
    assert (hold.ref, hold.kind, hold.until, hold.reason) == (f"stop:{number}", Kind.STOP, None, "It burns.")
    assert (held(other) == []) is (where == "endpoint")
    lift_stop(principal=principal(admin), stop_id=number, reason="It is out.")
    assert held(endpoint) == []
    row = stop_row([workspace.pk], number)
    assert (row.lifted_by, row.lift_reason) == (f"user:{admin.pk}", "It is out.")
    assert [last_entry(name).subject for name in ("line.stopped", "line.released")] == [f"stop:{number}"] * 2


def test_stop__of_another_workspace_or_endpoint__holds_nothing_here(
    endpoint: Endpoint, outsider: User, other_workspace: Workspace
) -> None:
    stop(outsider, workspace_id=other_workspace.pk)
    assert held(endpoint) == []


def test_stop__a_second_time__is_the_first(operator: User, reviewer: User, endpoint: Endpoint) -> None:
    where = {"workspace_id": endpoint.workspace_id}
    made = stop_the_line(principal=principal(operator), reason="It burns.", **where)
    again = stop_the_line(principal=principal(reviewer), reason="I see it too.", **where)
    assert (made.is_new, again.is_new, again.stop_id) == (True, False, made.stop_id)
    assert Entry.objects.filter(action="line.stopped").count() == 1


def test_stop__by_who_may_not_or_without_a_reason__stops_nothing(
    operator: User, requester: User, outsider: User, endpoint: Endpoint
) -> None:
    with pytest.raises(Refused):
        stop(requester, workspace_id=endpoint.workspace_id)
    with pytest.raises(NotFound):
        stop(outsider, endpoint_id=endpoint.pk)
    with pytest.raises(Invalid):
        stop_the_line(principal=principal(operator), reason="", endpoint_id=endpoint.pk)
    assert not Stop.objects.exists()


def test_lift__by_who_may_not__a_second_time_or_of_nothing__lifts_nothing(
    operator: User, requester: User, outsider: User, endpoint: Endpoint
) -> None:
    number = stop(operator, endpoint_id=endpoint.pk)
    for user, error in ((requester, Refused), (outsider, NotFound)):
        with pytest.raises(error):
            lift_stop(principal=principal(user), stop_id=number, reason="Why not.")
    with pytest.raises(NotFound):
        lift_stop(principal=principal(operator), stop_id=number + 1, reason="Why not.")
    lift_stop(principal=principal(operator), stop_id=number, reason="It is out.")
    with pytest.raises(Conflict):
        lift_stop(principal=principal(operator), stop_id=number, reason="It is out.")


def test_lists__of_stops__hold_those_of_everything_and_of_what_one_sees(
    admin: User, operator: User, endpoint: Endpoint, other_workspace: Workspace
) -> None:
    narrow = stop(operator, endpoint_id=endpoint.pk)
    elsewhere = stop(admin, workspace_id=other_workspace.pk)
    everything = stop(admin)
    assert [row.id for row in standing_stops([endpoint.workspace_id])] == [everything, narrow]
    assert standing_stops([]) == ()
    with pytest.raises(NotFound):
        stop_row([endpoint.workspace_id], elsewhere)
    for number in (narrow, everything):
        lift_stop(principal=principal(admin), stop_id=number, reason="Out.")
    rows, before = lifted_stops([endpoint.workspace_id], limit=1)
    assert [row.id for row in rows] == [everything]
    assert [row.id for row in lifted_stops([endpoint.workspace_id], before=before)[0]] == [narrow]


def test_protection__of_a_deployment__names_it_and_its_cause_until_it_ends(endpoint: Endpoint) -> None:
    number = protect(
        actor=SYSTEM_COMMAND, endpoint_id=endpoint.pk, deployment="Blue", cause="case:7", reason="Evidence."
    )
    (hold,) = in_force(endpoint.pk, db_now())
    assert (hold.kind, hold.ref, hold.cause, hold.deployment, hold.overridable) == (
        Kind.PROTECTION,
        f"protection:{number}",
        "case:7",
        "blue",
        False,
    )
    assert next_window(endpoint.pk, db_now()).held_by == ()
    done = unprotect(actor=SYSTEM_COMMAND, cause="case:7", endpoint_id=endpoint.pk, reason="Closed.")
    assert (done, held(endpoint)) == (1, [])
    assert unprotect(actor=SYSTEM_COMMAND, cause="case:7", endpoint_id=endpoint.pk, reason="Closed.") == 0
    assert Entry.objects.filter(action="protection.ended").count() == 1


def test_protection__asked_for_again__stands_or_is_replaced_by_another_time(endpoint: Endpoint) -> None:
    def ask(until: datetime | None) -> int:
        return protect(
            actor=SYSTEM_COMMAND, endpoint_id=endpoint.pk, cause="case:7", reason="Evidence.", until=until
        )

    first, until = ask(None), db_now() + timedelta(hours=1)
    assert ask(None) == first
    second = ask(until)
    assert second != first
    assert held(endpoint) == [f"protection:{second}"]
    assert held(endpoint, until) == []
    with pytest.raises(Invalid):
        ask(db_now() - timedelta(hours=1))


def test_override__of_a_freeze__lets_one_subject_past_until_that_freeze_ends(
    operator: User, flagged: User, endpoint: Endpoint
) -> None:
    made = freeze(operator, Scope(endpoint.workspace_id), around(1, 1, "FREQ=WEEKLY"))
    name = f"freeze:{made.pk}"
    let_past(flagged, endpoint, name)
    assert held(endpoint, subject=CHANGE) == []
    assert held(endpoint, subject="change:43") == [name]
    assert held(endpoint) == [name]
    # A week later it holds again.
    assert held(endpoint, db_now() + timedelta(days=7), CHANGE) == [name]
    assert next_window(endpoint.pk, db_now(), subject=CHANGE).held_by == ()
    entry = last_entry("hold.overridden")
    assert (entry.subject, entry.endpoint) == (CHANGE, f"endpoint:{endpoint.pk}")
    (row,) = overrides_of(CHANGE)
    assert (row.hold, row.reason, row.overridden_by) == (name, "It mends the fault.", f"user:{flagged.pk}")


def test_override__of_a_stop__lasts_as_long_as_the_stop_and_not_for_the_next(
    operator: User, flagged: User, endpoint: Endpoint
) -> None:
    number = stop(operator, workspace_id=endpoint.workspace_id)
    let_past(flagged, endpoint, f"stop:{number}")
    assert held(endpoint, subject=CHANGE) == []
    lift_stop(principal=principal(operator), stop_id=number, reason="Out.")
    again = stop(operator, workspace_id=endpoint.workspace_id)
    assert held(endpoint, subject=CHANGE) == [f"stop:{again}"]


def test_override__twice__is_one(operator: User, flagged: User, endpoint: Endpoint) -> None:
    number = stop(operator, endpoint_id=endpoint.pk)
    let_past(flagged, endpoint, f"stop:{number}")
    let_past(flagged, endpoint, f"stop:{number}")
    assert Override.objects.count() == 1
    assert Entry.objects.filter(action="hold.overridden").count() == 1


def test_override__by_an_operator_without_that_grant__is_refused(operator: User, endpoint: Endpoint) -> None:
    number = stop(operator, endpoint_id=endpoint.pk)
    with pytest.raises(Refused, match="freeze overrider"):
        let_past(operator, endpoint, f"stop:{number}")


def test_override__of_what_does_not_hold_now_or_of_a_protection__overrides_nothing(
    operator: User, flagged: User, endpoint: Endpoint
) -> None:
    coming = freeze(operator, Scope(endpoint.workspace_id), ahead())
    number = protect(actor=SYSTEM_COMMAND, endpoint_id=endpoint.pk, cause="case:7", reason="Evidence.")
    for hold in (f"freeze:{coming.pk}", f"protection:{number}", "stop:1"):
        with pytest.raises(Conflict, match="Nothing was overridden"):
            let_past(flagged, endpoint, hold)
    assert not Override.objects.exists()


def test_holds__of_many_endpoints__take_four_queries(
    admin: User, workspace: Workspace, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    ids = [make_endpoint(workspace, f"endpoint-{number}").pk for number in range(5)]
    made = [freeze(admin, Scope(workspace.pk, f"endpoint-{number}")) for number in range(3)]
    number = stop(admin, endpoint_id=ids[0])
    at = db_now()
    with django_assert_num_queries(4):
        found = holds_for_many(ids, at)
    assert [refs(found[endpoint_id]) for endpoint_id in ids] == [
        [f"stop:{number}", f"freeze:{made[0].pk}"],
        [f"freeze:{made[1].pk}"],
        [f"freeze:{made[2].pk}"],
        [],
        [],
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM holds_stop",
        "UPDATE holds_stop SET reason = 'other'",
        "DELETE FROM holds_protection",
        "UPDATE holds_protection SET until = now()",
    ],
)
def test_history_of_stops_and_protections__whoever_writes__stays(
    admin: User, endpoint: Endpoint, statement: str
) -> None:
    stop(admin, endpoint_id=endpoint.pk)
    protect(actor=SYSTEM_COMMAND, endpoint_id=endpoint.pk, cause="case:7", reason="Evidence.")
    assert Protection.objects.exists()
    with (
        pytest.raises(IntegrityError, match="is history"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
