"""What lost all its traffic is kept to be rolled back to: nobody scales it, and anybody may go back to it."""

from __future__ import annotations

from datetime import timedelta

from endpoints.changes.draft import walk
from endpoints.changes.executor import outcomes
from endpoints.changes.models import Change, ChangeRevision
from endpoints.changes.plan import patch_capacity, put_split
from endpoints.changes.selectors import holds_against
from endpoints.changes.terms import Terms
from endpoints.dispatch import db_now
from endpoints.holds.models import Protection
from tests.changes.desk import ALL_BLUE, ALL_GREEN, HALF, Desk
from tests.changes.test_rollout_rows import in_force, job_of


def promoted(desk: Desk, warm: int = 48) -> int:
    number = in_force(desk, walk(ALL_BLUE, "green", [(100, 60, False)], Terms(warm=warm)))
    outcomes.stepped_over(job_of(desk))
    desk.azure_shows(ALL_GREEN)
    return number


def asked(desk: Desk, *steps: object) -> tuple[Change, ChangeRevision]:
    """A change with these steps, as if it was written."""
    change = desk.change(desk.request(HALF))
    revision = ChangeRevision.objects.get(change=change)
    revision.plan = [step.as_json() for step in steps]  # type: ignore[attr-defined]
    return change, revision


def test_promotion__with_a_warm_time__protects_what_lost_its_traffic_until_then(desk: Desk) -> None:
    number = promoted(desk)
    row = Protection.objects.get()
    assert (row.deployment, row.cause, row.until) == (
        "blue",
        f"change:{number}",
        desk.change(number).warm_until,
    )


def test_promotion__without_a_warm_time__protects_nothing(desk: Desk) -> None:
    promoted(desk, warm=0)
    assert not Protection.objects.exists()


def test_a_warm_deployment__given_traffic__is_held_by_nothing(desk: Desk) -> None:
    promoted(desk)
    assert holds_against(*asked(desk, put_split(HALF, {}))) == ()
    assert desk.state(desk.roll_back().change_id) == "applying"


def test_a_warm_deployment__to_be_scaled__is_held_until_its_time_is_over(desk: Desk) -> None:
    promoted(desk)
    change, revision = asked(desk, patch_capacity("blue", 1, ALL_GREEN, {}))
    (held,) = holds_against(change, revision)
    assert held.deployment == "blue"
    assert "rolled back to" in held.reason
    assert holds_against(change, revision, at=db_now() + timedelta(hours=49)) == ()
