"""What acts really saved, by mirror and price list: verified, nothing saved, not known, rebounded, taken back."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count

import pytest

from endpoints.access.models import Workspace
from endpoints.audit.models import Entry
from endpoints.capacity.models import Finding, FindingEvent, Saving
from endpoints.capacity.selectors.savings import saving_of, savings
from endpoints.capacity.selectors.standing import realised
from endpoints.capacity.services import judge_savings
from endpoints.capacity.services.follow_changes import follow_changes
from endpoints.changes.lifecycle import Kind, State
from endpoints.changes.models import Change
from endpoints.core.money import Money
from endpoints.dispatch import db_now
from endpoints.inventory.models import Deployment, DeploymentRevision, SyncRun, SyncTarget
from tests.capacity.fleet import DAY, HOUR, SKU, deployment, endpoint, priced, scaled, workspace
from tests.capacity.found import found
from tests.support.people import make_person

pytestmark = pytest.mark.django_db
CLAIMED = Money(Decimal("200"), "USD")
_numbers = count(1)
INSTANCE_MONTH = Decimal("0.293") * 730


@pytest.fixture
def place() -> Workspace:
    place = workspace()
    priced(place, "0.293", db_now() - 90 * DAY)
    return place


def read(place: Workspace, at: datetime) -> None:
    """The mirror knows the workspace up to this moment."""
    run = SyncRun.objects.create(
        workspace=place, trigger="due", outcome="whole", started_at=at, ended_at=at, reads_began=at,
        reads_ended=at, cadence_seconds=30,
    )  # fmt: skip
    SyncTarget.objects.update_or_create(workspace=place, defaults={"due_at": at, "covered_by": run})


def stands(place: Workspace, name: str = "blue", **more: object) -> Deployment:
    """For two months, with four instances."""
    row = endpoint(place, created=db_now() - 60 * DAY)
    return deployment(row, name, created=row.first_seen_at, instances=4, **more)  # type: ignore[arg-type]


def acted(row: Deployment, at: datetime, kind: str = "shrink") -> Finding:
    """A change for a finding succeeded then."""
    change = Change.objects.create(
        endpoint=row.endpoint, workspace=row.endpoint.workspace, kind=Kind.CAPACITY, state=State.SUCCEEDED,
        author=make_person(f"operator-{next(_numbers)}"), created_at=at, started_at=at, ended_at=at,
    )  # fmt: skip
    return found(row, kind=kind, state="acted", high=CLAIMED, change=change)


def gone(row: Deployment, at: datetime) -> None:
    DeploymentRevision.objects.create(
        deployment=row, latest=at, known_at=at, state_hash="", state={}, deleted=True
    )
    Deployment.objects.filter(pk=row.pk).update(deleted_at=at)


def kinds(finding: Finding) -> list[str]:
    return list(
        FindingEvent.objects.filter(finding=finding).order_by("version").values_list("kind", flat=True)
    )


def state(finding: Finding) -> str:
    finding.refresh_from_db()
    return finding.state


def judged(place: Workspace, at: datetime | None = None) -> None:
    now = at or db_now()
    read(place, now)
    judge_savings(now=now)


def test_a_saving__of_two_instances_fewer__is_verified_after_a_week_with_what_they_cost(
    place: Workspace,
) -> None:
    row, act = stands(place), db_now() - 8 * DAY
    scaled(row, act, 2)
    finding = acted(row, act)
    judged(place)
    assert (state(finding), kinds(finding)) == ("verified", ["verified"])
    told = saving_of(finding.pk)
    assert told is not None and told.monthly is not None
    assert (told.state, told.claimed) == ("verified", CLAIMED)
    assert told.monthly.amount == pytest.approx(2 * INSTANCE_MONTH)
    assert told.before_seconds == pytest.approx(2 * told.after_seconds, abs=2)  # both ends are rounded
    assert (told.unknown_hours, told.deployment) == (0, "blue")
    assert savings([place.pk]).sums == realised([place.pk]) == {"USD": told.monthly.amount}
    body = Entry.objects.order_by("-seq").values_list("body", flat=True).first()
    assert b"finding.verified" in bytes(body or b"")


def test_a_saving__before_its_week_is_over__is_measured_and_says_what_so_far(place: Workspace) -> None:
    row, act = stands(place), db_now() - 2 * DAY
    scaled(row, act, 2)
    finding = acted(row, act)
    judged(place)
    told = saving_of(finding.pk)
    assert told is not None
    assert (state(finding), told.state) == ("acted", "measuring")
    assert told.saved is not None and told.saved.amount > 0
    assert realised([place.pk]) == {}


def test_a_saving__of_a_deleted_deployment__is_all_that_it_cost(place: Workspace) -> None:
    row, act = stands(place), db_now() - 8 * DAY
    gone(row, act)
    finding = acted(row, act, "delete")
    judged(place)
    told = saving_of(finding.pk)
    assert told is not None and told.monthly is not None
    assert (state(finding), told.after_seconds) == ("verified", 0)
    assert told.monthly.amount == pytest.approx(4 * INSTANCE_MONTH)


def test_a_saving__where_one_of_that_name_was_made_anew__is_none(place: Workspace) -> None:
    row, act = stands(place), db_now() - 8 * DAY
    gone(row, act)
    deployment(row.endpoint, created=act + HOUR, instances=4)
    finding = acted(row, act, "delete")
    judged(place)
    # It opens again, for the hour in which it was gone is nothing of a month.
    told = saving_of(finding.pk)
    assert told is not None and told.monthly is not None
    assert told.monthly.amount < INSTANCE_MONTH / 10


def test_a_saving__after_which_as_much_is_paid__opens_the_finding_again(place: Workspace) -> None:
    finding = acted(stands(place), db_now() - 8 * DAY)
    judged(place)
    assert (state(finding), kinds(finding)) == ("open", ["nothing saved"])
    assert finding.change is None
    assert realised([place.pk]) == {}


def test_a_saving__where_nothing_was_there_a_week_before__can_not_be_told(place: Workspace) -> None:
    act = db_now() - 8 * DAY
    row = endpoint(place, created=act - DAY)
    new = deployment(row, created=act - DAY, instances=4)
    scaled(new, act, 2)
    finding = acted(new, act)
    judged(place)
    told = saving_of(finding.pk)
    assert told is not None
    assert (state(finding), told.state) == ("acted", "cannot_say")
    assert told.unknown_hours > told.hours


def test_a_saving__without_a_price__can_not_be_told_in_money() -> None:
    place = workspace()
    row, act = stands(place), db_now() - 8 * DAY
    scaled(row, act, 2)
    finding = acted(row, act)
    judged(place)
    told = saving_of(finding.pk)
    assert told is not None
    assert (told.state, told.saved, told.monthly) == ("cannot_say", None, None)
    assert "no price" in told.words


def test_a_new_price__after_the_act__saves_nothing(place: Workspace) -> None:
    row, act = stands(place), db_now() - 8 * DAY
    priced(place, "0.100", act + HOUR, sku=SKU)
    finding = acted(row, act)
    judged(place)
    assert kinds(finding) == ["nothing saved"]


def test_a_saving__that_does_not_last__rebounds_and_opens_the_finding(place: Workspace) -> None:
    row, act = stands(place), db_now() - 10 * DAY
    scaled(row, act, 2)
    finding = acted(row, act)
    judged(place, act + 8 * DAY)
    assert state(finding) == "verified"
    scaled(row, act + 8 * DAY, 4)
    judged(place, act + 8 * DAY + 2 * HOUR)
    assert state(finding) == "verified"  # 2 of 24 hours, and none of the last hour's judgement is due again
    judged(place, act + 9 * DAY + HOUR)
    assert (state(finding), kinds(finding)) == ("open", ["verified", "rebounded"])
    told = saving_of(finding.pk)
    assert told is not None
    assert told.state == "rebounded"
    assert realised([place.pk]) == {}


def test_a_saving__that_lasts_for_months_and_then_does_not__rebounds(place: Workspace) -> None:
    row, act = stands(place), db_now() - 50 * DAY
    scaled(row, act, 2)
    finding = acted(row, act)
    judged(place, act + 8 * DAY)
    judged(place, act + 45 * DAY)
    assert state(finding) == "verified"
    scaled(row, act + 46 * DAY, 4)
    judged(place, act + 48 * DAY)
    assert (state(finding), kinds(finding)) == ("open", ["verified", "rebounded"])


def test_a_saving__that_lasts_ninety_days__is_done(place: Workspace) -> None:
    row, act = stands(place), db_now() - 8 * DAY
    scaled(row, act, 2)
    finding = acted(row, act)
    judged(place)
    judged(place, act + 91 * DAY)
    assert (state(finding), kinds(finding)) == ("done", ["verified", "done"])
    assert realised([place.pk]) != {}


def test_a_saving__whose_change_was_rolled_back__is_in_no_sum(place: Workspace) -> None:
    row, act = stands(place), db_now() - 8 * DAY
    scaled(row, act, 2)
    finding = acted(row, act)
    judged(place)
    assert finding.change is not None
    Change.objects.create(
        endpoint=row.endpoint, workspace=place, kind=Kind.ROLLBACK, state=State.SUCCEEDED, reverts=finding.change,
        created_at=db_now(), ended_at=db_now(),
    )  # fmt: skip
    assert follow_changes() == 1
    judge_savings(now=db_now() + 2 * HOUR)
    told = saving_of(finding.pk)
    assert told is not None
    assert (state(finding), told.state) == ("open", "undone")
    assert realised([place.pk]) == {}


def test_a_saving__of_a_second_act__is_measured_from_that_act(place: Workspace) -> None:
    row, act = stands(place), db_now() - 16 * DAY
    finding = acted(row, act)
    judged(place, act + 8 * DAY)
    assert state(finding) == "open"
    later = act + 8 * DAY
    scaled(row, later, 2)
    again = acted_again(finding, row, later)
    judged(place, later + timedelta(days=7, hours=1))
    told = saving_of(again.pk)
    assert told is not None
    assert (state(again), told.acted_at, Saving.objects.count()) == ("verified", later, 1)


def acted_again(finding: Finding, row: Deployment, at: datetime) -> Finding:
    change = Change.objects.create(
        endpoint=row.endpoint, workspace=row.endpoint.workspace, kind=Kind.CAPACITY, state=State.SUCCEEDED,
        author=make_person(f"operator-{next(_numbers)}"), created_at=at, started_at=at, ended_at=at,
    )  # fmt: skip
    Finding.objects.filter(pk=finding.pk).update(state="acted", change=change)
    finding.refresh_from_db()
    return finding


def test_a_saving__of_what_the_mirror_read_last_before_the_act__is_not_judged_by_it(place: Workspace) -> None:
    row, act = stands(place), db_now() - 8 * DAY
    finding = acted(row, act)
    read(place, act - HOUR)
    judge_savings()
    told = saving_of(finding.pk)
    assert told is not None
    assert (state(finding), told.state, told.hours) == ("acted", "measuring", 0)


def test_savings__by_pages__come_newest_act_first_and_only_of_the_asked_workspaces(place: Workspace) -> None:
    row = endpoint(place, created=db_now() - 60 * DAY)
    for number in range(3):
        one = deployment(row, f"d{number}", created=row.first_seen_at, instances=4)
        acted(one, db_now() - (8 + number) * DAY)
    judged(place)
    first = savings([place.pk], limit=2)
    second = savings([place.pk], limit=2, cursor=first.next_cursor)
    assert [one.deployment for one in (*first.rows, *second.rows)] == ["d0", "d1", "d2"]
    assert (first.count, second.next_cursor) == (3, "")
    assert savings([]).rows == ()
    assert savings([place.pk], states=["verified"]).rows == ()
