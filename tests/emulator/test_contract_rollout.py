"""The real clients ask for sizes, usages, the activity log and a score, over HTTPS with the emulator's own CA."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from emulator.launch import Emulator, launch
from tests.emulator.arm import CHECKOUT, PROD

pytestmark = [
    pytest.mark.processes,
    # The SDK's own imports warn; that is not ours to fix.
    pytest.mark.filterwarnings("ignore"),
]


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with launch(tmp_path_factory.mktemp("rollout")) as started:
        started.admin.settings(activity_delay_min=0, activity_delay_max=0, behaviour={"usage_page_size": 10})
        yield started


@pytest.fixture(scope="module")
def credential(emulator: Emulator) -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in emulator.environment().items():
            patch.setenv(name, value)
        patch.setenv("AZUREML_CURRENT_CLOUD", "AzureCloud")  # the SDK writes it; this puts it back
        from azure.identity import ManagedIdentityCredential

        yield ManagedIdentityCredential()


@pytest.fixture(scope="module")
def client(emulator: Emulator, credential: Any) -> Any:
    from azure.ai.ml import MLClient

    return MLClient(
        credential,
        PROD,
        "rg-ml-prod",
        "mlw-prod-weu",
        cloud=f"Rollout{emulator.where['ports']['arm']}",
        cloud_metadata=emulator.cloud_metadata(),
        show_progress=False,
        enable_telemetry=False,
    )


@pytest.fixture(scope="module")
def monitor(emulator: Emulator, credential: Any) -> Any:
    from azure.mgmt.monitor import MonitorManagementClient

    return MonitorManagementClient(
        credential, PROD, base_url=emulator.arm, credential_scopes=[f"{emulator.arm}/.default"]
    )


def test_sdk__sizes_of_a_region__are_read(client: Any) -> None:
    every = {item.name: item for item in client.compute.list_sizes(location="westeurope")}
    for_endpoints = {
        item.name for item in client.compute.list_sizes(location="westeurope", compute_type="mir")
    }

    # This version of the SDK leaves v_cp_us and memory_gb empty and keeps them under their names on the wire.
    told = vars(every["Standard_DS3_v2"])
    assert (told["vCPUs"], told["memoryGB"], told["family"]) == (4, 14.0, "standardDSv2Family")
    assert told["estimatedVMPrices"]["billingCurrency"] == "USD"
    assert every["Standard_NC4as_T4_v3"].gpus == 1
    assert set(every) - for_endpoints == {"Standard_DS1_v2", "Standard_M64s"}


def test_sdk__usages_of_a_region__are_read_over_all_pages(emulator: Emulator, client: Any) -> None:
    before = len(emulator.admin.requests())
    found = list(client.compute.list_usage())
    pages = [item for item in emulator.admin.requests()[before:] if item["path"].endswith("/usages")]

    families = {item.name["value"]: item for item in found if item.type.endswith("/vmFamily/usages")}
    dsv2 = families["Standard DSv2 Family Cluster Dedicated vCPUs"]
    assert (vars(dsv2)["currentValue"], dsv2.limit, dsv2.unit) == (76, 100_000, "Count")
    assert len(pages) == -(-len(found) // 10) > 1


def test_sdk__activity_log__is_read_over_all_pages_by_resource(emulator: Emulator, monitor: Any) -> None:
    emulator.admin.settings(behaviour={"activity_page_size": 3})
    since = datetime.now(UTC) - timedelta(minutes=1)
    for i in range(4):
        emulator.admin.foreign(CHECKOUT, who=f"az ml (Person {i})", tags={"n": str(i)})

    wanted = f"eventTimestamp ge '{since.isoformat()}' and resourceUri eq '{CHECKOUT}'"
    found = list(monitor.activity_logs.list(filter=wanted))

    ended = [item for item in found if item.status.value == "Succeeded"]
    assert [item.caller for item in ended] == [f"person.{i}@contoso.example" for i in (3, 2, 1, 0)]
    assert {item.operation_name.value for item in found} == {
        "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/write"
    }
    assert all(since <= item.event_timestamp <= item.submission_timestamp for item in found)
    assert {item.http_request.method for item in found} == {"PUT"}
    assert len(found) == 8


def test_sdk__activity_log__refused_question_is_an_error_with_its_words(monitor: Any) -> None:
    from azure.core.exceptions import HttpResponseError

    with pytest.raises(HttpResponseError, match="must hold a start") as refused:
        list(monitor.activity_logs.list(filter="resourceUri eq '/a'"))
    assert refused.value.status_code == 400


def test_credential__for_the_vault_and_for_scoring__is_let_in(emulator: Emulator, credential: Any) -> None:
    secret = _fetch(
        emulator,
        f"{emulator.vault}/secrets/checkout-risk-key?api-version=7.4",
        credential.get_token("https://vault.azure.net/.default").token,
    )
    key = json.loads(secret[1])["value"]
    scoring = f"{emulator.arm}/scoring"
    by_key = _fetch(emulator, f"{scoring}/westeurope/checkout-risk/score", key, b"{}", deployment="green")
    entra = credential.get_token("https://ml.azure.com/.default").token
    by_token = _fetch(emulator, f"{scoring}/northeurope/home-recs/score", entra, b"{}", deployment="b")
    unknown = _fetch(emulator, f"{scoring}/northeurope/home-recs/score", entra, b"{}", deployment="c")

    assert [item[0] for item in (secret, by_key, by_token, unknown)] == [200, 200, 200, 404]
    assert [item[2]["azureml-model-deployment"] for item in (by_key, by_token)] == ["green", "b"]


def test_capacity__by_the_generated_client__is_patched_and_held_to_the_quota(
    emulator: Emulator, client: Any
) -> None:
    from azure.ai.ml._restclient.arm_ml_service.models import PartialMinimalTrackedResourceWithSku, PartialSku
    from azure.core.exceptions import HttpResponseError

    def scale(capacity: int) -> Any:
        body = PartialMinimalTrackedResourceWithSku(sku=PartialSku(name="Default", capacity=capacity))
        client_of_sdk = client.online_deployments._online_deployment
        where = ("rg-ml-prod", "mlw-prod-weu", "checkout-risk", "green")
        return client_of_sdk.begin_update(*where, body, polling_interval=0.1).result(timeout=20)

    scaled = scale(3)
    emulator.admin.settings(quota_cores=90)
    with pytest.raises(HttpResponseError, match="Not enough quota") as failed:
        scale(40)
    emulator.admin.settings(quota_cores=100_000)

    assert (scaled.sku.capacity, scaled.properties.provisioning_state) == (3, "Succeeded")
    assert failed.value.error.code == "OutOfQuota"
    found = emulator.admin.resource(f"{CHECKOUT}/deployments/green")
    assert (found["state"], found["document"]["sku"]["capacity"]) == ("Failed", 3)


def _fetch(
    emulator: Emulator, url: str, bearer: str, body: bytes | None = None, *, deployment: str | None = None
) -> tuple[int, bytes, Any]:
    headers = {"Authorization": f"Bearer {bearer}", "Content-Type": "application/json"}
    if deployment is not None:
        headers["azureml-model-deployment"] = deployment
    request = urllib.request.Request(url, body, headers)
    context = ssl.create_default_context(cafile=str(emulator.ca_file))
    try:
        with urllib.request.urlopen(request, timeout=10, context=context) as answer:
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read(), refused.headers
