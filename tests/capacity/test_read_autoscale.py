"""Autoscale settings on their way into the tables: versions, faults, and what is not known."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync

from emulator.launch import Emulator
from endpoints.access.models import Workspace
from endpoints.azure_gateway.client import connect as real
from endpoints.azure_gateway.errors import Forbidden, Throttled
from endpoints.azure_gateway.records import AutoscaleRecord, Listing
from endpoints.azure_gateway.settings import GatewaySettings
from endpoints.capacity.models import AutoscaleReading, AutoscaleSetting
from endpoints.capacity.selectors import Autoscale, Scaled, autoscale_of
from endpoints.capacity.services import read_autoscale
from endpoints.core.clock import Clock
from endpoints.core.ids import arm_key
from endpoints.dispatch import db_now
from endpoints.inventory.connection import gateway_settings
from endpoints.inventory.models import Deployment, Endpoint
from opsportal.celery import TIMETABLE
from opsportal.celery import app as celery_app
from tests.capacity.test_autoscale import IN, OUT, document, rule
from tests.inventory.conftest import azure as azure
from tests.inventory.support import make_workspace
from tests.inventory.test_sync_flow import connect, sync
from tests.prices.support import listing

pytestmark = pytest.mark.django_db
WRONG = rule("LessThan", "Increase")


class FakeAzure:
    """Answers with a list by resource group ("" is the subscription), or an error to raise."""

    def __init__(self, **told: Any) -> None:
        self.told = {group.replace("_", "-"): answer for group, answer in told.items()}
        self.asked: list[str] = []

    @asynccontextmanager
    async def connect(self, settings: GatewaySettings, *, clock: Clock) -> AsyncIterator[FakeAzure]:
        yield self

    async def list_autoscale(self, subscription: str, group: str = "") -> Listing[AutoscaleRecord]:
        self.asked.append(group)
        answer = self.told[group or "all"]
        if isinstance(answer, Exception):
            raise answer
        found: Listing[AutoscaleRecord] = answer
        return found


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace("mlw-prod-weu")


@pytest.fixture
def blue(workspace: Workspace) -> Deployment:
    now = db_now() - timedelta(days=1)
    times = {"first_seen_at": now, "last_read_began": now, "last_read_ended": now}
    head = f"{workspace.arm_id}/onlineEndpoints/risk"
    endpoint = Endpoint.objects.create(
        workspace=workspace, name="risk", name_key="risk", arm_id=head, arm_key=arm_key(head), **times
    )
    arm_id = f"{head}/deployments/blue"
    return Deployment.objects.create(
        endpoint=endpoint, name="blue", name_key="blue", arm_id=arm_id, arm_key=arm_key(arm_id), **times
    )


def record(
    target: Deployment, *rules: Any, name: str = "as-blue", group: str = "rg", **more: Any
) -> AutoscaleRecord:
    head = "/".join(target.arm_id.split("/")[:3])
    arm_id = f"{head}/resourceGroups/{group}/providers/microsoft.insights/autoscalesettings/{name}"
    raw = {"id": arm_id, "properties": document(*rules, targetResourceUri=target.arm_id.upper(), **more)}
    return AutoscaleRecord(arm_id, name, "westeurope", target.arm_id.upper(), True, raw)


def read(**told: Any) -> dict[str, bool]:
    AutoscaleReading.objects.update(due_at=db_now())
    return read_autoscale(settings=gateway_settings(), connecting=FakeAzure(**told).connect)


def of(row: Deployment) -> Autoscale:
    return autoscale_of([row.pk])[row.pk]


def test_a_setting__read_twice_and_then_changed__has_a_version_for_each_that_is_new(blue: Deployment) -> None:
    read(all=listing([record(blue, OUT, IN)]))
    read(all=listing([record(blue, OUT, IN)]))
    first = of(blue)
    read(all=listing([record(blue, OUT, WRONG)]))
    second = of(blue)

    old, new = AutoscaleSetting.objects.order_by("read_at")
    assert (first.state, first.faults, first.readable) == (Scaled.SET, (), True)
    assert (
        len(second.faults) == 1 and "under little CpuUtilizationPercentage it scales out" in second.faults[0]
    )
    assert (old.earliest, old.ended_at) == (None, new.read_at)
    assert new.earliest is not None and old.read_at < new.earliest < new.read_at
    assert new.ended_at is None


def test_a_setting__that_is_gone__ends_and_the_deployment_has_none(blue: Deployment) -> None:
    read(all=listing([record(blue, OUT, IN)]))
    read(all=listing())
    assert of(blue).state is Scaled.NONE
    assert AutoscaleSetting.objects.get().ended_at is not None


def test_a_list__with_an_item_that_nobody_understands__ends_nothing_and_leaves_others_unknown(
    blue: Deployment,
) -> None:
    read(all=listing(unreadable=["item 1"]))
    assert of(blue).state is Scaled.UNKNOWN
    assert "item 1" in of(blue).reason
    read(all=listing([record(blue, OUT, IN)]))
    read(all=listing(unreadable=["item 1"]))
    assert of(blue).state is Scaled.SET


def test_two_settings__of_one_deployment__leave_open_which_one_holds(blue: Deployment) -> None:
    read(all=listing([record(blue, OUT, IN), record(blue, OUT, name="other")]))
    assert of(blue).state is Scaled.UNKNOWN
    assert "two settings" in of(blue).reason
    assert not AutoscaleSetting.objects.exists()


def test_a_subscription__that_only_shows_its_groups__is_read_by_group_and_the_rest_is_unknown(
    workspace: Workspace, blue: Deployment
) -> None:
    group = workspace.resource_group.lower()
    read(all=listing([record(blue, OUT, IN, group="elsewhere")]))
    told = {"all": Forbidden("No."), group: listing()}
    assert read(**told) == {workspace.subscription_id.lower(): True}
    assert of(blue).state is Scaled.SET, "a setting in a group that was not listed is not gone"
    AutoscaleSetting.objects.update(ended_at=db_now())

    assert of(blue).state is Scaled.UNKNOWN
    assert group in of(blue).reason
    read(**{"all": Forbidden("No."), group: listing([record(blue, OUT, IN, group=group)])})
    assert of(blue).state is Scaled.SET


def test_a_reading__that_is_refused__says_why_and_keeps_what_was_known(blue: Deployment) -> None:
    assert of(blue).state is Scaled.UNKNOWN
    read(all=listing([record(blue, OUT, IN)]))
    assert list(read(all=Throttled("Slower.", retry_after=7200.0)).values()) == [False]

    row, told = AutoscaleReading.objects.get(), of(blue)
    assert (told.state, told.reason) == (Scaled.SET, "Slower.")
    assert timedelta(minutes=119) < row.due_at - db_now() < timedelta(minutes=121)
    assert read_autoscale(settings=gateway_settings(), connecting=FakeAzure().connect) == {}


def test_an_answer__older_than_what_is_on_record__is_not_taken_in(blue: Deployment) -> None:
    read(all=listing([record(blue, OUT, IN)]))
    late = listing([record(blue, OUT, WRONG)], ended=db_now() - timedelta(hours=1))
    assert list(read(all=late).values()) == [False]
    assert of(blue).faults == ()


def test_a_deployment__that_came_after_the_reading__is_unknown(blue: Deployment) -> None:
    read(all=listing())
    assert of(blue).state is Scaled.NONE
    Deployment.objects.update(first_seen_at=db_now())
    assert of(blue).state is Scaled.UNKNOWN


def test_the_task__of_the_timetable__is_one_that_there_is() -> None:
    celery_app.loader.import_default_modules()
    assert "capacity.read_autoscale" in {line["task"] for line in TIMETABLE.values()} & set(celery_app.tasks)


@pytest.mark.processes
def test_a_setting__that_somebody_wrote_in_azure__is_on_record_with_its_fault(azure: Emulator) -> None:
    workspace = connect(azure, "mlw-prod-weu")
    sync(workspace)
    target = Deployment.objects.get(
        name="blue", endpoint__name="checkout-risk", endpoint__workspace=workspace
    )
    _put(workspace, target, "as-checkout-blue")

    assert read_autoscale() == {workspace.subscription_id.lower(): True}

    told = of(target)
    assert told.state is Scaled.SET and told.document is not None
    assert told.document["name"] == "as-checkout-blue"
    assert len(told.faults) == 1 and "scales out" in told.faults[0]
    green = Deployment.objects.get(name="green", endpoint=target.endpoint)
    assert of(green).state is Scaled.NONE


def _put(workspace: Workspace, target: Deployment, name: str) -> None:
    wanted = record(target, group=workspace.resource_group, name=name)
    rules = [_whole(one, target) for one in (OUT, WRONG)]
    raw = {**wanted.raw, "location": "westeurope"}
    raw["properties"] = document(*rules, targetResourceUri=target.arm_id)

    async def send() -> int:
        async with real(gateway_settings()) as gateway:
            accepted = await gateway.put_autoscale(wanted.arm_id, raw)
        await asyncio.sleep(0.05)  # the loop ends here: let it close what a write opened
        return accepted.status

    assert async_to_sync(send)() == 201


def _whole(one: dict[str, Any], target: Deployment) -> dict[str, Any]:
    times = {"timeGrain": "PT1M", "statistic": "Average", "timeWindow": "PT5M", "timeAggregation": "Average"}
    return {**one, "metricTrigger": {**one["metricTrigger"], **times, "metricResourceUri": target.arm_id}}
