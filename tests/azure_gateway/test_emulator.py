"""The gateway against a cloud of its own: real tokens, real TLS, real operations, faults."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from emulator.launch import Emulator, launch
from endpoints.azure_gateway import errors
from endpoints.azure_gateway.client import Azure, connect
from endpoints.azure_gateway.credentials import TokenCache
from endpoints.azure_gateway.fleet import read_workspace
from endpoints.azure_gateway.limiter import Buckets
from endpoints.azure_gateway.permissions import judge
from endpoints.azure_gateway.records import Accepted, OperationStatus
from endpoints.azure_gateway.settings import CloudSettings, GatewaySettings
from endpoints.core import traffic

pytestmark = [pytest.mark.processes, pytest.mark.asyncio]

READER = "11111111-0000-4000-8000-000000000002"


def arm_id(group: str, subscription: str, workspace: str, endpoint: str = "") -> str:
    head = (
        f"/subscriptions/5b0a1c52-0000-4000-8000-00000000000{subscription}/resourceGroups/{group}"
        f"/providers/Microsoft.MachineLearningServices/workspaces/{workspace}"
    )
    return f"{head}/onlineEndpoints/{endpoint}" if endpoint else head


PROD = arm_id("rg-ml-prod", "1", "mlw-prod-weu")
TEST = arm_id("rg-ml-test", "2", "mlw-test-neu")
CHECKOUT = f"{PROD}/onlineEndpoints/checkout-risk"
TRIAGE = f"{PROD}/onlineEndpoints/photo-triage"
SHADOWED = f"{PROD}/onlineEndpoints/shadowed"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with launch(Path(tmp_path_factory.mktemp("emulator")), scenario="small", keep_state=False) as emulator:
        yield emulator


@pytest.fixture
def settings(cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[GatewaySettings]:
    monkeypatch.setenv("IDENTITY_ENDPOINT", cloud.identity_endpoint)
    monkeypatch.setenv("IDENTITY_HEADER", cloud.identity_header)
    own = CloudSettings(name="EmulatedCloud", resource_manager=cloud.arm, ca_bundle=str(cloud.ca_file))
    yield GatewaySettings(cloud=own)
    cloud.admin.clear_faults()


@pytest_asyncio.fixture
async def azure(settings: GatewaySettings) -> Any:
    async with connect(settings, tokens=TokenCache(), buckets=Buckets(settings.rates)) as connection:
        yield connection


async def finished(azure: Azure, accepted: Accepted) -> OperationStatus:
    async with asyncio.timeout(10):
        while not (status := await azure.get_operation(accepted.operation_uri)).ended:
            await asyncio.sleep(0.05)
    return status


async def change(azure: Azure, endpoint: str, split: dict[str, int], **more: Any) -> OperationStatus:
    document = (await azure.get_endpoint(endpoint)).value.raw
    return await finished(azure, await azure.put_endpoint_split(document, traffic=split, **more))


async def test_fleet__of_both_workspaces__is_read_whole(azure: Azure) -> None:
    prod, test = await asyncio.gather(read_workspace(azure, PROD), read_workspace(azure, TEST))
    assert sorted(item.endpoint.name for item in prod.endpoints) == [
        "checkout-risk",
        "photo-triage",
        "shadowed",
    ]
    assert sorted(item.endpoint.name for item in test.endpoints) == ["checkout-risk", "empty", "home-recs"]
    assert (prod.unreadable, test.unreadable) == ((), ())
    triage = next(item for item in prod.endpoints if item.endpoint.name == "photo-triage")
    assert triage.deployments is not None
    states = {item.name: item.provisioning_state for item in triage.deployments}
    assert states == {"main": "Succeeded", "next": "Succeeded", "broken": "Failed"}
    assert prod.calls == 4


async def test_workspaces__of_a_subscription__are_listed(azure: Azure) -> None:
    listing = await azure.list_workspaces("5b0a1c52-0000-4000-8000-000000000001")
    assert [item.name for item in listing] == ["mlw-prod-weu"]
    assert (await azure.get_workspace(PROD)).value.location == "westeurope"


async def test_split__changed__keeps_tags_identity_properties_mirror_and_all_else(
    azure: Azure, cloud: Emulator
) -> None:
    cloud.admin.foreign(
        SHADOWED,
        tags={"owner": "search@example.com", "cost": "42"},
        properties={"properties": {"team": "search"}},
    )
    before = cloud.admin.resource(SHADOWED)
    reading = await azure.get_endpoint(SHADOWED)
    assert reading.value.mirror_traffic == {"shadow": 10}

    status = await change(azure, SHADOWED, {"live": 0})

    assert status.succeeded
    after = cloud.admin.resource(SHADOWED)
    assert changed_paths(before, after) == {"document.properties.traffic.live", "modified_at", "modified_by"}
    now = (await azure.get_endpoint(SHADOWED)).value
    assert now.traffic == {}
    assert (now.mirror_traffic, now.tags) == ({"shadow": 10}, {"owner": "search@example.com", "cost": "42"})
    assert now.properties["team"] == "search"
    old = reading.value
    assert (now.identity, now.auth_mode, now.description) == (old.identity, old.auth_mode, old.description)
    assert now.public_network_access == old.public_network_access
    assert now.created_at == old.created_at
    assert (await change(azure, SHADOWED, {"live": 100})).succeeded


def changed_paths(before: Any, after: Any, where: str = "") -> set[str]:
    if isinstance(before, dict) and isinstance(after, dict):
        names = before.keys() | after.keys()
        return set().union(
            *(changed_paths(before.get(n), after.get(n), f"{where}.{n}".lstrip(".")) for n in names)
        )
    return set() if before == after else {where}


async def test_split__with_a_mirror__moves_both(azure: Azure) -> None:
    status = await change(azure, CHECKOUT, {"blue": 100}, mirror_traffic={"green": 20})
    assert status.succeeded
    assert (await azure.get_endpoint(CHECKOUT)).value.mirror_traffic == {"green": 20}
    assert (await change(azure, CHECKOUT, {"blue": 90, "green": 10}, mirror_traffic={})).succeeded
    now = (await azure.get_endpoint(CHECKOUT)).value
    assert (now.traffic, now.mirror_traffic) == ({"blue": 90, "green": 10}, {})
    assert (await change(azure, CHECKOUT, {"blue": 100})).succeeded


async def test_split__request_id_given__is_the_one_that_azure_saw(azure: Azure, cloud: Emulator) -> None:
    before = len(cloud.admin.requests())
    document = (await azure.get_endpoint(TRIAGE)).value.raw
    accepted = await azure.put_endpoint_split(document, traffic={"main": 100}, request_id="attempt-77")
    await finished(azure, accepted)
    puts = [entry for entry in cloud.admin.requests()[before:] if entry["method"] == "PUT"]
    assert [entry["client_request_id"] for entry in puts] == ["attempt-77"]
    assert accepted.azure_request_id
    assert (await change(azure, TRIAGE, {"main": 90, "next": 10})).succeeded


@pytest.mark.parametrize("split", [{"main": 90}, {"main": 50, "nobody": 50}])
async def test_split__that_azure_forbids__is_rejected_and_nothing_changes(
    azure: Azure, cloud: Emulator, split: dict[str, int]
) -> None:
    document = (await azure.get_endpoint(TRIAGE)).value.raw
    with pytest.raises(errors.Rejected) as caught:
        await azure.put_endpoint_split(document, traffic=split)
    assert not caught.value.applied_unknown
    assert caught.value.code
    assert traffic.same((await azure.get_endpoint(TRIAGE)).value.traffic, {"main": 90, "next": 10})


async def test_split__while_another_operation_runs__is_busy(azure: Azure) -> None:
    document = (await azure.get_endpoint(TRIAGE)).value.raw
    accepted = await azure.put_endpoint_split(document, traffic={"main": 80, "next": 20})
    with pytest.raises(errors.Busy):
        await azure.put_endpoint_split(document, traffic={"main": 70, "next": 30})
    assert (await finished(azure, accepted)).succeeded
    assert (await change(azure, TRIAGE, {"main": 90, "next": 10})).succeeded


async def test_operation__that_fails__says_why(azure: Azure, cloud: Emulator) -> None:
    cloud.admin.fault(
        "failed_operation", method="PUT", times=1, code="InternalServerError", message="no luck"
    )
    status = await change(azure, TRIAGE, {"main": 100})
    assert (status.status, status.error_code) == ("Failed", "InternalServerError")
    assert "no luck" in status.error_message
    assert (await change(azure, TRIAGE, {"main": 90, "next": 10})).succeeded


async def test_capacity__patched__changes_the_count_only(azure: Azure, cloud: Emulator) -> None:
    deployment = f"{CHECKOUT}/deployments/green"
    before = (await azure.get_deployment(deployment)).value
    await finished(azure, await azure.patch_deployment_capacity(deployment, 7))
    after = (await azure.get_deployment(deployment)).value
    assert (before.instance_count, after.instance_count) == (4, 7)
    volatile = {
        "raw": {},
        "operation_uri": "",
        "last_modified_at": None,
        "last_modified_by": "",
        "instance_count": 0,
    }
    assert replace(before, **volatile) == replace(after, **volatile)


async def test_put__answer_lost_after_applying__is_sent_once_and_its_fate_unknown(
    azure: Azure, cloud: Emulator
) -> None:
    document = (await azure.get_endpoint(TRIAGE)).value.raw
    before = len(cloud.admin.requests())
    cloud.admin.fault("reset_after", method="PUT")
    with pytest.raises(errors.Unreachable) as caught:
        await azure.put_endpoint_split(document, traffic={"main": 100})
    assert caught.value.applied_unknown
    cloud.admin.clear_faults()
    puts = [entry for entry in cloud.admin.requests()[before:] if entry["method"] == "PUT"]
    assert len(puts) == 1
    await asyncio.sleep(0.4)
    assert (await azure.get_endpoint(TRIAGE)).value.traffic == {"main": 100}
    assert (await change(azure, TRIAGE, {"main": 90, "next": 10})).succeeded


@pytest.mark.parametrize("kind", ["half_open", "drip"])
async def test_read__that_never_ends__is_cut_at_the_deadline(
    settings: GatewaySettings, cloud: Emulator, kind: str
) -> None:
    cloud.admin.fault(kind, method="GET", path="photo-triage$")
    short = replace(settings, deadline=0.5)
    async with connect(short, tokens=TokenCache(), buckets=Buckets(short.rates)) as azure:
        with pytest.raises(errors.Unreachable, match=r"0\.5 s"):
            await azure.get_endpoint(TRIAGE)


async def test_identity__that_may_only_read__is_forbidden_to_write_and_told_the_action(
    settings: GatewaySettings,
) -> None:
    reader = replace(settings, client_id=READER)
    async with connect(reader, tokens=TokenCache(), buckets=Buckets(reader.rates)) as azure:
        document = (await azure.get_endpoint(TRIAGE)).value.raw
        with pytest.raises(errors.Forbidden) as caught:
            await azure.put_endpoint_split(document, traffic={"main": 100})
        verdict = judge(await azure.list_permissions(PROD))
    assert caught.value.action == "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/write"
    assert not verdict.sufficient
    assert caught.value.action in [action.name for action in verdict.missing]


async def test_identity__that_may_do_all__is_told_what_it_does_not_need(azure: Azure) -> None:
    verdict = judge(await azure.list_permissions(PROD))
    assert verdict.sufficient
    assert "onlineEndpoints/listKeys/action" in verdict.sentences()[0]


async def test_workspace__that_is_not_there__is_not_found(azure: Azure) -> None:
    with pytest.raises(errors.NotFoundInAzure):
        await azure.get_workspace(PROD.replace("mlw-prod-weu", "mlw-missing"))


async def test_reads__beyond_arms_bucket__are_held_back_until_they_fit(
    settings: GatewaySettings, cloud: Emulator
) -> None:
    cloud.admin.settings(arm_buckets=True)
    before = len(cloud.admin.requests(plane="arm"))
    async with connect(settings, tokens=TokenCache(), buckets=Buckets(settings.rates)) as azure:
        await asyncio.gather(*(azure.get_endpoint(CHECKOUT) for _ in range(300)))
    cloud.admin.settings(arm_buckets=False)
    statuses = [entry["status"] for entry in cloud.admin.requests(plane="arm")[before:]]
    assert statuses.count(200) == 300
    assert statuses.count(429) == 0
