"""Findings filed as changes: what is asked for, what is refused, and that nothing is asked for twice."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

import pytest

from emulator.autoscale.documents import Plan, planned
from endpoints.access.models import User, Workspace
from endpoints.capacity.models import AutoscaleReading, AutoscaleSetting, Finding, RuleSet
from endpoints.capacity.services.file_finding import file_finding
from endpoints.capacity.services.finding_life import dismiss
from endpoints.capacity.services.follow_changes import follow_changes
from endpoints.changes import services as changes
from endpoints.changes.models import Change, ChangeRevision
from endpoints.changes.plan import Step, steps_from_json
from endpoints.core.errors import Conflict, Invalid, Refused
from endpoints.dispatch import db_now
from endpoints.inventory.models import Deployment, Endpoint
from tests.capacity.found import found, told
from tests.changes.desk import ALL_GREEN, Desk
from tests.support.people import principal

pytestmark = pytest.mark.django_db
READ = {"subscription": "00000000-0000-4000-8000-000000000001"}


@pytest.fixture
def desk(workspace: Workspace, requester: User, reviewer: User, operator: User) -> Desk:
    return Desk(workspace, requester, reviewer, operator)


def deployment(desk: Desk, name: str) -> Deployment:
    return Deployment.objects.get(endpoint_id=desk.endpoint_id, name=name)


def finding(desk: Desk, name: str = "blue", **more: Any) -> Finding:
    return found(deployment(desk, name), **{"advice": told(instances=1, now_instances=2)} | more)


def steps(number: int | None) -> tuple[Step, ...]:
    return steps_from_json(ChangeRevision.objects.get(change=number).plan)


def read_autoscale(desk: Desk, document: dict[str, Any] | None = None, name: str = "blue") -> None:
    """The subscription's settings were read, and this is the deployment's."""
    now = db_now() + timedelta(seconds=1)
    AutoscaleReading.objects.create(**READ, due_at=now, read_at=now)
    if document is not None:
        AutoscaleSetting.objects.create(
            deployment_id=deployment(desk, name).pk, arm_id=document["id"], document=document, read_at=now
        )


def setting(desk: Desk, **more: Any) -> dict[str, Any]:
    target = deployment(desk, "blue").arm_id
    return {"id": "/subscriptions/s/x/y", **planned(Plan(1, 4, 1, **more), target, "westeurope")}


def test_file__of_a_shrink__asks_for_the_instances_and_names_the_finding(desk: Desk, finops: User) -> None:
    row = finding(desk)
    number = file_finding(principal=principal(finops), finding_id=row.pk, seen=1)
    (step,) = steps(number)
    assert (step.verb, step.deployment, step.instances) == ("patch_capacity", "blue", 1)
    change = Change.objects.get(pk=number)
    assert (change.origin, change.author_id) == (f"finding:{row.pk}", finops.pk)
    row.refresh_from_db()
    assert (row.state, row.change_id, row.claimed_by_id) == ("filed", number, finops.pk)


def test_file__of_a_delete__goes_by_the_scream_test_of_the_rules(desk: Desk, finops: User) -> None:
    RuleSet.objects.create(
        workspace=desk.workspace, number=1, document={"scream_hours": 2}, reason="", made_by="user:1", made_at=db_now()
    )  # fmt: skip
    row = finding(desk, "green", kind="delete")
    with pytest.raises(Invalid) as wrong:
        file_finding(principal=principal(finops), finding_id=row.pk, typed="blue")
    assert wrong.value.fields.keys() == {"typed"}
    number = file_finding(
        principal=principal(finops), finding_id=row.pk, typed="green", reason="Nobody calls it."
    )
    first, last = steps(number)
    assert (first.verb, first.bake, last.verb, last.deployment) == (
        "put_split",
        7200,
        "delete_deployment",
        "green",
    )


def test_file__of_an_endpoint__asks_to_delete_it(desk: Desk, finops: User) -> None:
    row = found(endpoint=Endpoint.objects.get(pk=desk.endpoint_id), kind="delete-endpoint")
    number = file_finding(principal=principal(finops), finding_id=row.pk, typed="checkout-risk")
    assert [step.verb for step in steps(number)] == ["put_split", "delete_endpoint"]


def test_file__of_a_schedule__makes_a_setting_where_there_is_none(desk: Desk, finops: User) -> None:
    read_autoscale(desk)
    row = finding(desk, kind="schedule")
    (step,) = steps(file_finding(principal=principal(finops), finding_id=row.pk))
    assert step.verb == "put_autoscale"
    assert step.setting.endswith("/autoscalesettings/as-checkout-risk-blue")
    assert step.previous is None and step.document is not None
    names = [profile["capacity"]["default"] for profile in step.document["properties"]["profiles"]]
    assert names == ["2", "1"]


def test_file__of_a_wrong_rule__turns_it_and_keeps_the_rest(desk: Desk, finops: User) -> None:
    wrong = setting(desk, scales_in=False)
    read_autoscale(desk, wrong)
    (step,) = steps(
        file_finding(principal=principal(finops), finding_id=finding(desk, kind="fix-autoscale").pk)
    )
    assert step.document == setting(desk)
    assert (step.previous, step.setting) == (wrong, wrong["id"])


@pytest.mark.parametrize(
    ("kind", "said"),
    [("schedule", "What scales it is not known"), ("fix-autoscale", "What scales it is not known")],
)
def test_file__of_what_scales_when_that_is_not_known__is_refused(
    desk: Desk, finops: User, kind: str, said: str
) -> None:
    with pytest.raises(Conflict, match=said):
        file_finding(principal=principal(finops), finding_id=finding(desk, kind=kind).pk)
    assert not Change.objects.exists()


def test_file__when_the_facts_moved__is_refused_and_nothing_is_asked(desk: Desk, finops: User) -> None:
    row = finding(desk, advice=told(instances=2, now_instances=4))
    with pytest.raises(Conflict, match="has 2 instances by now, not 4"):
        file_finding(principal=principal(finops), finding_id=row.pk)
    read_autoscale(desk, setting(desk))
    Finding.objects.filter(pk=row.pk).update(state="gone", ended_at=db_now())
    with pytest.raises(Conflict, match="scaled by rules"):
        file_finding(principal=principal(finops), finding_id=finding(desk).pk)
    assert not Change.objects.exists()


def test_file__of_work_that_no_change_does__is_the_persons_with_a_date(desk: Desk, finops: User) -> None:
    row = finding(desk, kind="resize")
    assert file_finding(principal=principal(finops), finding_id=row.pk) is None
    row.refresh_from_db()
    due = db_now().astimezone(UTC).date() + timedelta(days=30)
    assert (row.state, row.claimed_by_id, row.due) == ("claimed", finops.pk, due)


def test_file__twice__is_one_change_by_key_and_a_conflict_without(desk: Desk, finops: User) -> None:
    row, by = finding(desk), principal(finops)
    first = file_finding(principal=by, finding_id=row.pk, seen=1, idempotency_key="k1")
    assert file_finding(principal=by, finding_id=row.pk, seen=1, idempotency_key="k1") == first
    with pytest.raises(Conflict, match="filed by now"):
        file_finding(principal=by, finding_id=row.pk)
    assert Change.objects.count() == 1


def test_file__of_what_was_dismissed_or_by_an_operator__is_refused(
    desk: Desk, finops: User, operator: User
) -> None:
    row = finding(desk)
    with pytest.raises(Refused):
        file_finding(principal=principal(operator), finding_id=row.pk)
    dismiss(principal=principal(finops), finding_id=row.pk, reason="It is needed.")
    with pytest.raises(Conflict, match="dismissed by now"):
        file_finding(principal=principal(finops), finding_id=row.pk)


def test_follow__of_a_change_that_was_withdrawn__opens_the_finding_with_the_reason(
    desk: Desk, finops: User
) -> None:
    row = finding(desk)
    number = file_finding(principal=principal(finops), finding_id=row.pk)
    assert number is not None
    assert follow_changes() == 0
    changes.withdraw_change(principal=principal(finops), change_id=number)
    assert (follow_changes(), follow_changes()) == (1, 0)
    row.refresh_from_db()
    assert (row.state, row.change_id, row.claimed_by_id) == ("open", None, None)
    event = row.events.order_by("version").last()
    assert event is not None
    assert (event.kind, event.actor) == ("came to nothing", "system:capacity")
    assert event.data == {"change": f"change:{number}", "change_state": "withdrawn"}


def test_follow__of_a_change_that_succeeded_and_was_rolled_back__acts_and_opens(
    desk: Desk, finops: User
) -> None:
    row = finding(desk)
    number = file_finding(principal=principal(finops), finding_id=row.pk)
    Change.objects.filter(pk=number).update(state="succeeded", started_at=db_now(), ended_at=db_now())
    assert follow_changes() == 1
    row.refresh_from_db()
    assert row.state == "acted"
    back = desk.request(ALL_GREEN)
    Change.objects.filter(pk=back).update(
        state="succeeded", kind="rollback", reverts=number, started_at=db_now(), ended_at=db_now()
    )
    assert follow_changes() == 1
    row.refresh_from_db()
    assert row.state == "open"


def test_file__of_a_setting_that_nobody_else_can_put_right__becomes_work_with_a_date(
    desk: Desk, finops: User
) -> None:
    stuck = setting(desk)
    stuck["properties"]["profiles"][0]["capacity"] = {"minimum": "4", "maximum": "4", "default": "4"}
    read_autoscale(desk, stuck)
    row = finding(desk, kind="fix-autoscale")
    assert file_finding(principal=principal(finops), finding_id=row.pk) is None
    row.refresh_from_db()
    assert (row.state, row.claimed_by_id, row.due is not None) == ("claimed", finops.pk, True)
    assert not Change.objects.exists()
