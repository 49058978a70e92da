"""azure-ai-ml as the oracle: for every field that its entities carry, our records say the same."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from emulator.launch import Emulator, launch
from endpoints.azure_gateway import errors, sdk
from endpoints.azure_gateway.client import connect
from endpoints.azure_gateway.credentials import TokenCache
from endpoints.azure_gateway.fleet import WorkspaceReading, read_workspace
from endpoints.azure_gateway.limiter import Buckets
from endpoints.azure_gateway.records import Listing, UsageRecord, VmSizeRecord
from endpoints.azure_gateway.settings import CloudSettings, GatewaySettings
from endpoints.core import traffic
from tests.azure_gateway.test_emulator import CHECKOUT, PROD, TEST, TRIAGE

pytestmark = [
    pytest.mark.processes,
    # The SDK's own: it pins marshmallow 3 and uses what 4 removes.
    pytest.mark.filterwarnings("ignore::marshmallow.warnings.RemovedInMarshmallow4Warning"),
]

ROOT = Path(__file__).parents[2]
# What the SDK changes on its way: it adds these to the properties that people set.
ADDED_BY_SDK = {"createdBy", "createdAt", "lastModifiedAt"}


@pytest.fixture(scope="module", autouse=True)
def _loaded_sdk() -> None:
    """Its import warns of its own dependencies' future, which is nothing of ours."""
    with warnings.catch_warnings(action="ignore"):
        import azure.ai.ml  # noqa: F401


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with launch(Path(tmp_path_factory.mktemp("emulator")), scenario="small", keep_state=False) as emulator:
        yield emulator


@pytest.fixture
def settings(cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[GatewaySettings]:
    monkeypatch.setenv("IDENTITY_ENDPOINT", cloud.identity_endpoint)
    monkeypatch.setenv("IDENTITY_HEADER", cloud.identity_header)
    # The SDK writes this one whenever a client is made; setting it here puts it back afterwards.
    monkeypatch.setenv("AZUREML_CURRENT_CLOUD", "AzureCloud")
    own = CloudSettings(name="EmulatedCloud", resource_manager=cloud.arm, ca_bundle=str(cloud.ca_file))
    yield GatewaySettings(cloud=own)
    cloud.admin.clear_faults()


def read(settings: GatewaySettings, workspace: str) -> WorkspaceReading:
    async def job() -> WorkspaceReading:
        async with connect(settings, tokens=TokenCache(), buckets=Buckets(settings.rates)) as azure:
            return await read_workspace(azure, workspace)

    return asyncio.run(job())


def lower(value: Any) -> str:
    """A word in whatever case, dash or enumeration the SDK writes it."""
    return str(getattr(value, "value", value) or "").replace("_", "").lower()


def last_part(value: Any) -> str:
    """`azureml:NAME:7` and `/…/NAME/versions/7` as `name/7`."""
    text = str(value or "").removeprefix("azureml:").lower()
    parts = text.split("/")
    return f"{parts[-3]}/{parts[-1]}" if len(parts) > 3 else text.replace(":", "/")


@pytest.mark.parametrize("workspace", [PROD, TEST], ids=["prod", "test"])
def test_endpoint_records__beside_the_sdks_entities__agree_in_every_field(
    settings: GatewaySettings, workspace: str
) -> None:
    client = sdk.open_client(settings, workspace, tokens=TokenCache())
    entities = {entity.name: entity for entity in client.online_endpoints.list()}
    records = {item.endpoint.name: item.endpoint for item in read(settings, workspace).endpoints}
    assert records.keys() == entities.keys()
    for name, record in records.items():
        entity = entities[name]
        assert record.arm_id == entity.id
        assert record.traffic == traffic.normalise(entity.traffic)
        assert record.mirror_traffic == traffic.normalise(entity.mirror_traffic)
        assert lower(record.auth_mode) == lower(entity.auth_mode)
        assert record.provisioning_state == entity.provisioning_state
        assert (record.scoring_uri, record.swagger_uri) == (entity.scoring_uri, entity.openapi_uri)
        assert lower(record.public_network_access) == lower(entity.public_network_access)
        assert record.tags == (entity.tags or {})
        assert record.description == (entity.description or "")
        assert record.location == entity.location
        assert lower(record.kind) == lower(entity.kind)
        assert record.identity is not None
        assert lower(record.identity.type) == lower(entity.identity.type)
        assert record.identity.principal_id == entity.identity.principal_id
        assert record.identity.tenant_id == entity.identity.tenant_id
        custom = {key: value for key, value in entity.properties.items() if key not in ADDED_BY_SDK}
        assert {**record.properties, "AzureAsyncOperationUri": record.operation_uri} == custom
        assert record.created_by == entity.properties["createdBy"]
        assert record.created_at is not None
        assert record.created_at.strftime("%Y-%m-%dT%H:%M:%S.%f%z") == entity.properties["createdAt"]


@pytest.mark.parametrize("endpoint", ["checkout-risk", "photo-triage", "shadowed"])
def test_deployment_records__beside_the_sdks_entities__agree_in_every_field(
    settings: GatewaySettings, endpoint: str
) -> None:
    client = sdk.open_client(settings, PROD, tokens=TokenCache())
    entities = {entity.name: entity for entity in client.online_deployments.list(endpoint)}
    readings = {item.endpoint.name: item for item in read(settings, PROD).endpoints}
    listing = readings[endpoint].deployments
    assert listing is not None
    assert {record.name for record in listing} == entities.keys()
    for record in listing:
        entity = entities[record.name]
        assert record.arm_id == entity.id
        assert record.endpoint_arm_id.rsplit("/", 1)[-1] == entity.endpoint_name
        assert last_part(record.model) == last_part(entity.model)
        assert last_part(record.environment) == last_part(entity.environment)
        assert last_part(record.code_id) == last_part(entity.code_configuration.code)
        assert record.scoring_script == entity.code_configuration.scoring_script
        assert set(record.environment_variable_names) == set(entity.environment_variables or {})
        assert record.instance_type == entity.instance_type
        assert record.instance_count == entity.instance_count
        assert record.provisioning_state == entity.provisioning_state
        assert record.app_insights_enabled == entity.app_insights_enabled
        assert lower(record.egress_public_network_access) == lower(entity.egress_public_network_access)
        assert lower(record.scale_settings["scaleType"]) == lower(entity.scale_settings.type)
        assert record.tags == (entity.tags or {})
        assert record.description == (entity.description or "")
        assert record.request_settings["maxConcurrentRequestsPerInstance"] == (
            entity.request_settings.max_concurrent_requests_per_instance
        )
        for ours, theirs in (
            (record.liveness_probe, entity.liveness_probe),
            (record.readiness_probe, entity.readiness_probe),
        ):
            assert ours["failureThreshold"] == theirs.failure_threshold
            assert ours["successThreshold"] == theirs.success_threshold
            assert ours["period"] == f"PT{theirs.period}S"


def job(settings: GatewaySettings, call: Any, *arguments: Any, **options: Any) -> Any:
    return asyncio.run(call(settings, *arguments, tokens=TokenCache(), **options))


def test_connection__of_the_sdk__sees_the_workspace(settings: GatewaySettings) -> None:
    found = job(settings, sdk.try_connection, PROD)
    assert (found.workspace, found.location, found.endpoint_count) == ("mlw-prod-weu", "westeurope", 3)


def test_connection__to_a_missing_workspace__is_not_found(settings: GatewaySettings) -> None:
    with pytest.raises(errors.NotFoundInAzure):
        job(settings, sdk.try_connection, PROD.replace("mlw-prod-weu", "mlw-missing"))


def test_connection__half_open__ends_at_the_deadline(cloud: Emulator, settings: GatewaySettings) -> None:
    cloud.admin.fault("half_open", method="GET", path="onlineEndpoints$")
    short = replace(settings, deadline=1.0, read_timeout=1.5)
    with pytest.raises(errors.Unreachable):
        job(short, sdk.try_connection, PROD)


def test_yaml__of_an_endpoint__has_its_split(settings: GatewaySettings) -> None:
    text = job(settings, sdk.endpoint_yaml, TRIAGE)
    assert "name: photo-triage" in text
    assert "main: 90" in text


def test_yaml__of_a_deployment__hides_the_values_of_its_variables(
    cloud: Emulator, settings: GatewaySettings
) -> None:
    variables = {"API_TOKEN": "very-secret"}
    cloud.admin.foreign(f"{CHECKOUT}/deployments/blue", properties={"environmentVariables": variables})
    text = job(settings, sdk.deployment_yaml, f"{CHECKOUT}/deployments/blue")
    assert "name: blue" in text
    assert "instance_count: 4" in text
    assert "API_TOKEN: (hidden)" in text
    assert "very-secret" not in text


def compute(settings: GatewaySettings) -> tuple[Listing[VmSizeRecord], Listing[UsageRecord]]:
    """The sizes and the quota of the workspace's region."""

    async def both() -> tuple[Listing[VmSizeRecord], Listing[UsageRecord]]:
        async with connect(settings, tokens=TokenCache(), buckets=Buckets(settings.rates)) as azure:
            subscription = PROD.split("/")[2]
            return (
                await azure.list_vm_sizes(subscription, "westeurope"),
                await azure.list_usages(subscription, "westeurope"),
            )

    return asyncio.run(both())


def test_size_and_usage_records__beside_the_sdks_entities__agree(settings: GatewaySettings) -> None:
    client = sdk.open_client(settings, PROD, tokens=TokenCache())
    sizes, usages = compute(settings)
    told = {item["name"]: item for item in map(vars, client.compute.list_sizes(location="westeurope"))}
    assert [size.name for size in sizes] == list(told)
    for size in sizes:
        entity = told[size.name]
        assert (size.vcpus, size.gpus, size.memory_gb) == (
            entity["vCPUs"],
            entity["gpus"],
            entity["memoryGB"],
        )
        assert size.family == entity["family"].lower().replace("_", "")
        assert size.for_endpoints == ("MIR" in entity["supportedComputeTypes"])
    counted = {
        (item["name"]["localizedValue"], item["currentValue"], item["limit"])
        for item in map(vars, client.compute.list_usage(location="westeurope"))
        if "/workspaces/" not in item["id"]
    }
    assert {
        (usage.label, usage.used, -1 if usage.limit is None else usage.limit) for usage in usages
    } == counted


def test_logs__of_a_deployment__are_its_last_lines(settings: GatewaySettings) -> None:
    assert job(settings, sdk.deployment_logs, f"{CHECKOUT}/deployments/blue", lines=5)


def test_sdk__at_work__speaks_to_azure_and_the_identity_endpoint_only(
    cloud: Emulator, settings: GatewaySettings, tmp_path: Path
) -> None:
    """azure-ai-ml brings a telemetry package along: an audit hook sees every connection that is opened."""
    script = tmp_path / "job.py"
    script.write_text(
        "import asyncio, sys\n"
        "seen = set()\n"
        "sys.addaudithook(lambda name, told: name == 'socket.connect' and seen.add(told[1]))\n"
        "from endpoints.azure_gateway import sdk\n"
        "from endpoints.azure_gateway.settings import CloudSettings, GatewaySettings\n"
        f"cloud = CloudSettings(name='E', resource_manager={cloud.arm!r}, ca_bundle={str(cloud.ca_file)!r})\n"
        f"asyncio.run(sdk.try_connection(GatewaySettings(cloud=cloud), {PROD!r}))\n"
        "print(sorted(port for _, port in seen))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, str(script)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    allowed = sorted(urlsplit(url).port or 0 for url in (cloud.arm, cloud.identity_endpoint))
    assert done.stdout.strip() == str(allowed)
