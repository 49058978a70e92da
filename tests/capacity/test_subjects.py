"""What is known of a deployment, out of real rows: and what is not known is not made up."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from endpoints.access.models import Workspace
from endpoints.capacity.models import AutoscaleReading, AutoscaleSetting
from endpoints.capacity.proposals import Subject
from endpoints.capacity.ruleset import USUAL, Rules
from endpoints.capacity.selectors.subjects import Placed, subjects, window_of
from endpoints.changes.models import Change, ChangeRevision
from endpoints.dispatch import db_now
from endpoints.holds.models import Protection
from endpoints.inventory.models import Deployment, DeploymentRevision, Endpoint, EndpointRevision
from endpoints.prices.catalogue import SOURCE
from endpoints.prices.models import SkuPrice, SkuSize
from tests.capacity.test_roll_up import SKU, deployed, place, yesterday
from tests.capacity.used import asked_again, this_hour, used
from tests.support.people import make_person

pytestmark = pytest.mark.django_db
__all__ = ["place"]
MONTH = timedelta(days=60)


def alone(workspace: Workspace, rules: Rules = USUAL) -> Subject:
    (found,) = every(workspace, rules)
    return found.subject


def every(workspace: Workspace, rules: Rules = USUAL) -> list[Placed]:
    now = db_now()
    return subjects(workspace.pk, rules, window_of(rules, now), now)


def standing(
    place: Workspace, name: str = "blue", *, state: dict[str, Any] | None = None, **more: Any
) -> Deployment:
    """There for two months, as the mirror has it now."""
    row = deployed(place, name, since=yesterday() - MONTH, **more)
    newest = DeploymentRevision.objects.get(deployment=row)
    if state:
        newest = DeploymentRevision.objects.create(
            deployment=row, latest=newest.latest, known_at=newest.known_at, state=newest.state | state, state_hash="z"
        )  # fmt: skip
    Deployment.objects.filter(pk=row.pk).update(
        latest_revision=newest, instance_type=SKU, instance_count=more.get("instances", 2)
    )
    Endpoint.objects.filter(pk=row.endpoint_id).update(traffic={name: more.get("weight", 100)})
    row.refresh_from_db()
    return row


def test_subject__that_serves__is_known_with_price_weight_and_load(place: Workspace) -> None:
    row = standing(place, state={"request_settings": {"maxConcurrentRequestsPerInstance": 4}})
    used(row.pk, requests=36_000, asleep=(0, 1, 2, 3))
    found = alone(place)
    assert (found.instances, found.weight, found.mirrored, found.days) == (2, 100, 0, 30)
    assert found.per_hour is not None and found.per_hour.amount == Decimal("0.293")
    assert found.known_share == 1.0
    assert found.served_share == pytest.approx(20 / 24, abs=0.01)
    assert found.off_hours_idle is not None and 0 < found.off_hours_idle < 1
    assert (found.cpu, found.memory, found.gpu) == (0.4, 0.4, True)  # no size says that it has none
    assert (found.need.instances, found.need.bound) == (2, "use")  # 300 each at 40 %, so 600 at 80 %
    assert found.autoscaled is None


def test_subject__that_nobody_calls__is_idle_until_the_first_request(place: Workspace) -> None:
    row = standing(place, weight=0)
    used(row.pk)
    assert (alone(place).requests, alone(place).served_share, alone(place).weight) == (0.0, 0.0, 0)
    asked_again(row.pk)
    assert alone(place).requests == 1.0


@pytest.mark.parametrize(("ago", "quiet"), [(0, True), (3, False)])
def test_subject__that_lost_its_traffic__is_quiet_since_then_unless_requests_came_later(
    place: Workspace, ago: int, quiet: bool
) -> None:
    row = standing(place)
    used(row.pk, requests=60)
    moved = this_hour() - timedelta(hours=ago)
    EndpointRevision.objects.create(
        endpoint=row.endpoint, latest=moved, known_at=moved, state={"traffic": {}}, state_hash="moved"
    )
    Endpoint.objects.filter(pk=row.endpoint_id).update(traffic={})
    assert (alone(place).weight, alone(place).quiet_since) == (0, moved if quiet else None)


def test_subject__of_which_nothing_was_measured__is_not_known_and_not_idle(place: Workspace) -> None:
    standing(place)
    found = alone(place)
    assert (found.requests, found.served_share, found.off_hours_idle, found.cpu) == (None, None, None, None)
    assert (found.known_share, found.need.instances) == (0.0, None)


def test_subject__that_cannot_be_read_now__has_neither_weight_nor_instances(place: Workspace) -> None:
    row = standing(place)
    Endpoint.objects.filter(pk=row.endpoint_id).update(unreadable_since=db_now())
    Deployment.objects.filter(pk=row.pk).update(unreadable_since=db_now())
    assert (alone(place).weight, alone(place).mirrored, alone(place).instances) == (None, None, None)


def test_subject__younger_than_what_is_looked_at__was_there_for_its_days_alone(place: Workspace) -> None:
    row = standing(place)
    Deployment.objects.filter(pk=row.pk).update(
        azure_created_at=yesterday() - timedelta(days=4), first_seen_at=db_now()
    )
    used(row.pk, days=4)
    assert alone(place).days == 5 - (db_now().hour < yesterday().hour)
    assert alone(place).known_share > 0.7


def test_subject__by_the_workspaces_rules__rests_when_they_say_and_is_left_out(place: Workspace) -> None:
    row = standing(place, state={"tags": {"keep": "yes"}})
    used(row.pk, requests=600)
    never = Rules(day_begins=0, day_ends=24, weekend=frozenset())
    assert (alone(place, never).off_hours_share, alone(place, never).off_hours_idle) == (0.0, None)
    left = Rules(excluded_tags=(("keep", "yes"),))
    assert alone(place, left).excluded == "the tag keep=yes"


def test_subject__that_changes_and_cases_need__is_kept_by_their_numbers(place: Workspace) -> None:
    requester = make_person("rosa")
    row = standing(place, weight=0)
    green = standing(place, "green")
    now = db_now()
    for number, (state, warm, split) in enumerate(
        [
            ("succeeded", now + timedelta(days=1), {"other": 100}),
            ("in_review", None, {"blue": 50, "other": 50}),
        ]
    ):
        change = Change.objects.create(
            endpoint_id=row.endpoint_id, workspace=place, kind="traffic", state=state, author=requester,
            created_at=now, started_at=now if warm else None, ended_at=now if warm else None, warm_until=warm,
        )  # fmt: skip
        ChangeRevision.objects.create(
            change=change, number=1, content_hash=str(number), created_at=now, editor=requester,
            base={"split": {"blue": 100}, "mirror": {}, "state_hash": "x"},
            plan=[{"verb": "put_split", "split": split, "mirror": {}}],
        )  # fmt: skip
    for deployment, cause, ended in (("", "case:7", None), ("blue", "user:1", None), ("blue", "case:8", now)):
        Protection.objects.create(
            endpoint_id=row.endpoint_id, deployment=deployment, cause=cause, reason="The audit needs it.",
            since=now - timedelta(hours=1), made_by="user:1", ended_at=ended,
        )  # fmt: skip
    found = {one.at.name: one.subject.keeps for one in every(place)}
    warm, active = Change.objects.order_by("pk")
    assert found["blue"].warm_for == f"CR-{warm.pk}"
    assert found["blue"].active_change == f"CR-{active.pk}"
    assert (found["blue"].cases, found["blue"].protected) == (("CH-7",), ("The audit needs it.",))
    assert found["green"] == type(found["green"])()
    assert green.endpoint_id != row.endpoint_id


def test_subject__with_smaller_sizes_beside_it__knows_what_they_cost(place: Workspace) -> None:
    standing(place)
    now = db_now() - timedelta(days=1)
    here = {"subscription": place.subscription_id.lower(), "region": "westeurope", "seen_at": now}
    for name, cores, memory, gpus, price in (
        (SKU, 4, 14.0, 0, None), ("Standard_DS2_v2", 2, 7.0, 0, "0.146"), ("Standard_F2", 2, 4.0, 0, None),
        ("Standard_NC1", 1, 7.0, 1, "0.1"), ("Standard_DS4_v2", 8, 28.0, 0, "0.6"),
    ):  # fmt: skip
        SkuSize.objects.create(
            **here,
            name=name.lower(),
            label=name,
            vcpus=cores,
            memory_gb=memory,
            gpus=gpus,
            for_endpoints=True,
        )
        if price:
            SkuPrice.objects.create(
                **here, sku=name.lower(), amount=Decimal(price), currency="USD", source=SOURCE
            )
    found = alone(place)
    assert [(one.sku, one.cores, one.memory, one.per_hour.amount) for one in found.smaller] == [
        ("Standard_DS2_v2", 0.5, 0.5, Decimal("0.146"))
    ]
    assert not found.gpu


@pytest.mark.parametrize(
    ("enabled", "read", "autoscaled"),
    [(True, True, True), (False, True, False), (None, True, False), (None, False, None)],
)
def test_subject__with_an_autoscale_setting__is_scaled_when_it_is_on_and_unknown_when_not_read(
    place: Workspace, enabled: bool | None, read: bool, autoscaled: bool | None
) -> None:
    row = standing(place)
    if read:
        AutoscaleReading.objects.create(
            subscription=place.subscription_id.lower(), due_at=db_now(), read_at=db_now()
        )
    if enabled is not None:
        AutoscaleSetting.objects.create(
            deployment_id=row.pk, arm_id="a", document={"properties": {"enabled": enabled, "profiles": []}},
            read_at=db_now(), faults=["It scales out."],
        )  # fmt: skip
    assert alone(place).autoscaled is autoscaled
