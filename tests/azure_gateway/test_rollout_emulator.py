"""What rollouts ask of Azure, against a cloud of its own: sizes, quota, activity, secrets, probes, capacity."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.request import urlopen

import pytest
import pytest_asyncio

from emulator.launch import Emulator, launch
from endpoints.azure_gateway import errors
from endpoints.azure_gateway.client import Azure, connect
from endpoints.azure_gateway.credentials import TokenCache
from endpoints.azure_gateway.limiter import Buckets
from endpoints.azure_gateway.permissions import OF_SUBSCRIPTION, judge
from endpoints.azure_gateway.records import ActivityRecord, EntraCredential, KeyFrom
from endpoints.azure_gateway.settings import CloudSettings, GatewaySettings
from tests.azure_gateway.test_emulator import CHECKOUT, PROD, READER, TEST, finished

pytestmark = [pytest.mark.processes, pytest.mark.asyncio]

SUBSCRIPTION = PROD.split("/")[2]
BLUE, GREEN = f"{CHECKOUT}/deployments/blue", f"{CHECKOUT}/deployments/green"
RECS = f"{TEST}/onlineEndpoints/home-recs"
WRITE = "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/write"
BODY = b'{"input_data": [[1, 2, 3]]}'


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with launch(Path(tmp_path_factory.mktemp("emulator")), scenario="small", keep_state=False) as emulator:
        yield emulator


@pytest.fixture
def settings(cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[GatewaySettings]:
    monkeypatch.setenv("IDENTITY_ENDPOINT", cloud.identity_endpoint)
    monkeypatch.setenv("IDENTITY_HEADER", cloud.identity_header)
    trusted = ssl.create_default_context(cafile=str(cloud.ca_file))
    with urlopen(f"{cloud.arm}/metadata/endpoints", timeout=10, context=trusted) as answer:
        document = json.load(answer)[0]
    yield GatewaySettings(cloud=CloudSettings.from_metadata(document, ca_bundle=str(cloud.ca_file)))
    cloud.admin.clear_faults()


@pytest_asyncio.fixture
async def azure(settings: GatewaySettings) -> AsyncIterator[Azure]:
    async with connect(settings, tokens=TokenCache(), buckets=Buckets(settings.rates)) as connection:
        yield connection


@pytest_asyncio.fixture
async def reader(settings: GatewaySettings) -> AsyncIterator[Azure]:
    """A connection of an identity that may read the resource manager and nothing else."""
    own = replace(settings, client_id=READER)
    async with connect(own, tokens=TokenCache(), buckets=Buckets(own.rates)) as connection:
        yield connection


async def scoring_uri(azure: Azure, endpoint: str) -> str:
    return (await azure.get_endpoint(endpoint)).value.scoring_uri


async def events(
    azure: Azure, resource_id: str, *, client_request_id: str, count: int = 1
) -> list[ActivityRecord]:
    """The events of one call, once there are as many as expected: they come late."""
    since = datetime.now(UTC) - timedelta(minutes=5)
    async with asyncio.timeout(20):
        while True:
            until = datetime.now(UTC) + timedelta(minutes=1)
            listing = await azure.list_activity(
                SUBSCRIPTION, since=since, until=until, resource_id=resource_id
            )
            assert listing.unreadable == ()
            found = [item for item in listing if item.client_request_id == client_request_id]
            if len(found) >= count:
                return found
            await asyncio.sleep(0.2)


async def test_sizes__of_a_region__have_prices_where_azure_tells_them(azure: Azure) -> None:
    listing = await azure.list_vm_sizes(SUBSCRIPTION, "West Europe")
    assert listing.unreadable == ()
    sizes = {size.name.lower(): size for size in listing}
    for name in ("standard_ds3_v2", "standard_nc4as_t4_v3"):
        size = sizes[name]
        assert size.for_endpoints
        assert [price.currency for price in size.prices if (price.os, price.tier) == ("Linux", "Standard")]
        assert all(price.amount > 0 and price.unit == "OneHour" for price in size.prices)
    assert sizes["standard_nc4as_t4_v3"].gpus == 1
    assert sizes["standard_ds3_v2"].gpus == 0
    assert any(not size.for_endpoints for size in listing)


async def test_usages__of_the_region__count_the_family_of_what_stands(azure: Azure) -> None:
    sizes = {item.name.lower(): item for item in await azure.list_vm_sizes(SUBSCRIPTION, "westeurope")}
    listing = await azure.list_usages(SUBSCRIPTION, "westeurope")
    assert listing.unreadable == ()
    families = [usage.family for usage in listing if usage.family]
    assert len(families) == len(set(families))
    (usage,) = (item for item in listing if item.family == sizes["standard_ds3_v2"].family)
    assert usage.limit is not None
    assert 0 < usage.used < usage.limit


async def test_activity__after_a_write_of_ours__names_us_and_the_attempt(azure: Azure) -> None:
    document = (await azure.get_endpoint(CHECKOUT)).value.raw
    accepted = await azure.put_endpoint_split(document, traffic={"blue": 100}, request_id="attempt-1")
    assert (await finished(azure, accepted)).succeeded
    found = await events(azure, CHECKOUT, client_request_id="attempt-1", count=2)
    assert {item.status for item in found} == {"Started", "Succeeded"}
    assert {item.correlation_id for item in found} == {accepted.correlation_id}
    assert {item.resource_id for item in found} == {CHECKOUT.lower()}
    assert {item.operation.lower() for item in found} == {WRITE.lower()}
    assert {item.object_id for item in found} == {"11111111-0000-4000-8000-0000000000a1"}
    assert all(accepted.request_began - timedelta(seconds=5) < item.at for item in found)


async def test_activity__after_a_write_of_somebody_else__names_them(azure: Azure, cloud: Emulator) -> None:
    since = datetime.now(UTC) - timedelta(seconds=1)
    cloud.admin.foreign(CHECKOUT, who="az ml (M. Silva)", tags={"touched": "yes"})
    async with asyncio.timeout(20):
        while True:
            until = datetime.now(UTC) + timedelta(minutes=1)
            listing = await azure.list_activity(
                SUBSCRIPTION, since=since, until=until, operations=[WRITE.upper()]
            )
            callers = {item.caller for item in listing if item.resource_id == CHECKOUT.lower()}
            if "m.silva@contoso.example" in callers:
                break
            await asyncio.sleep(0.2)


async def test_capacity__within_the_quota__is_changed_and_read_back(azure: Azure) -> None:
    accepted = await azure.patch_deployment_capacity(GREEN, 5, request_id="attempt-2")
    assert accepted.operation_uri
    assert accepted.client_request_id == "attempt-2"
    assert (await finished(azure, accepted)).succeeded
    record = (await azure.get_deployment(GREEN, urgent=True)).value
    assert (record.instance_count, record.provisioning_state) == (5, "Succeeded")
    listed = {item.name: item for item in await azure.list_deployments(CHECKOUT)}
    assert (listed["green"].instance_count, listed["green"].instance_type) == (5, "Standard_DS3_v2")
    assert listed["green"].max_concurrent_requests is not None


async def test_capacity__beyond_the_quota__fails_with_azures_reason_and_changes_nothing(
    azure: Azure, cloud: Emulator
) -> None:
    before = (await azure.get_deployment(BLUE)).value.instance_count
    cloud.admin.settings(quota_cores=1)
    try:
        status = await finished(azure, await azure.patch_deployment_capacity(BLUE, 40))
    finally:
        cloud.admin.settings(quota_cores=100_000)
    assert (status.succeeded, status.error_code) == (False, "OutOfQuota")
    assert (await azure.get_deployment(BLUE)).value.instance_count == before


@pytest.mark.parametrize("name", ["blue", "green"])
async def test_probe__with_a_key_from_a_vault__is_answered_by_the_deployment_that_was_named(
    azure: Azure, cloud: Emulator, name: str
) -> None:
    uri, key = await scoring_uri(azure, CHECKOUT), KeyFrom(f"{cloud.vault}/secrets/checkout-risk-key")
    answer = await azure.probe(uri, name, BODY, credential=key)
    assert (answer.status, answer.error, answer.deployment) == (200, "", name)
    assert answer.request_id
    assert answer.body
    assert 0 < answer.seconds < 10


async def test_probe__with_the_portals_own_identity__is_answered(azure: Azure) -> None:
    answer = await azure.probe(await scoring_uri(azure, RECS), "b", BODY, credential=EntraCredential())
    assert (answer.status, answer.deployment) == (200, "b")


async def test_probe__by_who_may_not_score__says_so(azure: Azure, reader: Azure) -> None:
    uri = await scoring_uri(azure, RECS)
    answer = await reader.probe(uri, "b", BODY, credential=EntraCredential())
    assert answer.status in (401, 403)
    assert answer.error


async def test_probe__with_a_key_that_is_none__says_so(azure: Azure, cloud: Emulator) -> None:
    key = KeyFrom(f"{cloud.vault}/secrets/checkout-risk-old")
    answer = await azure.probe(await scoring_uri(azure, CHECKOUT), "green", BODY, credential=key)
    assert answer.status == 401


async def test_probe__of_a_deployment_that_is_not_there__says_so(azure: Azure, cloud: Emulator) -> None:
    key = KeyFrom(f"{cloud.vault}/secrets/checkout-risk-key")
    answer = await azure.probe(await scoring_uri(azure, CHECKOUT), "red", BODY, credential=key)
    assert answer.status in (400, 404)
    assert answer.deployment == ""


async def test_secret__that_is_missing_or_disabled__is_an_error_of_its_kind(
    azure: Azure, cloud: Emulator
) -> None:
    with pytest.raises(errors.NotFoundInAzure):
        await azure.read_secret(f"{cloud.vault}/secrets/nothing-here")
    with pytest.raises(errors.Forbidden):
        await azure.read_secret(f"{cloud.vault}/secrets/retired")


async def test_secret__by_who_may_not_read_it__names_the_missing_action(
    reader: Azure, cloud: Emulator
) -> None:
    with pytest.raises(errors.Forbidden) as caught:
        await reader.read_secret(f"{cloud.vault}/secrets/checkout-risk-key")
    assert caught.value.action == "Microsoft.KeyVault/vaults/secrets/getSecret/action"


async def test_permissions__of_the_subscription__can_be_told(azure: Azure) -> None:
    granted = await azure.list_permissions(f"/subscriptions/{SUBSCRIPTION}")
    assert judge(granted, required=OF_SUBSCRIPTION, unwanted=()).missing == ()
