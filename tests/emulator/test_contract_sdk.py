"""The real SDK runs every operation against the emulator's process, and what it sends validates."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from emulator.launch import Emulator, launch
from tests.emulator.arm import PROD
from tests.emulator.contract import Contract

pytestmark = [
    pytest.mark.processes,
    # The SDK's own imports warn; that is not ours to fix.
    pytest.mark.filterwarnings("ignore"),
]
SPECIFIED = {
    ("PUT", "onlineEndpoints"): "OnlineEndpoints_CreateOrUpdate.request",
    ("PATCH", "onlineEndpoints"): "OnlineEndpoints_Update.request",
    ("POST", "regenerateKeys"): "OnlineEndpoints_RegenerateKeys.request",
    ("PUT", "deployments"): "OnlineDeployments_CreateOrUpdate.request",
    ("PATCH", "deployments"): "OnlineDeployments_Update.request",
    ("POST", "getLogs"): "OnlineDeployments_GetLogs.request",
}


@dataclass
class Journey:
    """What the SDK answered, by operation, and the requests that it sent."""

    answers: dict[str, Any] = field(default_factory=dict)
    requests: list[dict[str, Any]] = field(default_factory=list)

    def sent(self, operation: str) -> list[dict[str, Any]]:
        """Requests with a body that the specification knows as `operation`."""
        return [item for item in self.requests if specified(item) == operation]


def specified(request: dict[str, Any]) -> str | None:
    words = request["path"].split("/")
    for word in (words[-1], words[-2]):
        if (request["method"], word) in SPECIFIED:
            return SPECIFIED[request["method"], word]
    return None


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with launch(tmp_path_factory.mktemp("sdk")) as started:
        # The SDK waits 5 s between two looks at some operations: those end at once.
        started.admin.settings(
            durations={
                "deployment_create": 0,
                "deployment_update": 0,
                "deployment_delete": 0,
                "endpoint_delete": 0,
            }
        )
        yield started


@pytest.fixture(scope="module")
def client(emulator: Emulator) -> Iterator[Any]:
    """A real MLClient with a real managed identity credential, over HTTPS with the emulator's own CA."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in emulator.environment().items():
            patch.setenv(name, value)
        patch.setenv("AZUREML_CURRENT_CLOUD", "AzureCloud")  # the SDK writes it; this puts it back
        from azure.ai.ml import MLClient
        from azure.identity import ManagedIdentityCredential

        yield MLClient(
            ManagedIdentityCredential(),
            PROD,
            "rg-ml-prod",
            "mlw-prod-weu",
            cloud=f"Emulated{emulator.where['ports']['arm']}",
            cloud_metadata=emulator.cloud_metadata(),
            polling_interval=1,
            show_progress=False,
            enable_telemetry=False,
        )


@pytest.fixture(scope="module")
def journey(emulator: Emulator, client: Any, tmp_path_factory: pytest.TempPathFactory) -> Journey:
    done = Journey()
    _workspaces(client, done)
    _reads(client, done)
    _traffic(client, done)
    _keys(client, done)
    _invoke(client, done, tmp_path_factory.mktemp("payload") / "order.json")
    _deployments(client, done)
    _endpoint(client, done)
    done.requests = emulator.admin.requests()
    return done


def _workspaces(client: Any, done: Journey) -> None:
    done.answers["workspaces.get"] = client.workspaces.get("mlw-prod-weu").location
    done.answers["workspaces.list"] = [item.name for item in client.workspaces.list()]


def _reads(client: Any, done: Journey) -> None:
    done.answers["endpoints.list"] = sorted(item.name for item in client.online_endpoints.list())
    endpoint = client.online_endpoints.get("shadowed")
    done.answers["endpoints.get"] = (endpoint.traffic, endpoint.mirror_traffic, endpoint.auth_mode)
    found = client.online_deployments.list("photo-triage")
    done.answers["deployments.list"] = sorted((item.name, item.provisioning_state.lower()) for item in found)
    deployment = client.online_deployments.get("blue", "checkout-risk")
    done.answers["deployments.get"] = (deployment.instance_count, deployment.instance_type)
    done.answers["deployments.get_logs"] = client.online_deployments.get_logs(
        "blue", "checkout-risk", lines=2
    )


def _traffic(client: Any, done: Journey) -> None:
    endpoint = client.online_endpoints.get("checkout-risk")
    endpoint.traffic = {"blue": 90, "green": 10}
    changed = client.online_endpoints.begin_create_or_update(endpoint).result()
    done.answers["traffic"] = (changed.traffic, changed.tags["team"], changed.provisioning_state)


def _keys(client: Any, done: Journey) -> None:
    before = client.online_endpoints.get_keys("checkout-risk")
    client.online_endpoints.begin_regenerate_keys("checkout-risk", key_type="secondary").result()
    after = client.online_endpoints.get_keys("checkout-risk")
    done.answers["keys"] = (
        before.primary_key == after.primary_key,
        before.secondary_key == after.secondary_key,
    )
    done.answers["token"] = client.online_endpoints.get_keys("shadowed").access_token


def _invoke(client: Any, done: Journey, payload: Path) -> None:
    payload.write_text(json.dumps({"basket": 3}), encoding="utf-8")
    text = client.online_endpoints.invoke("checkout-risk", request_file=str(payload), deployment_name="green")
    done.answers["invoke"] = json.loads(text)


def _deployments(client: Any, done: Journey) -> None:
    from azure.ai.ml.entities import ManagedOnlineDeployment

    workspace = f"/subscriptions/{PROD}/resourceGroups/rg-ml-prod/providers/Microsoft.MachineLearningServices"
    assets = f"{workspace}/workspaces/mlw-prod-weu"
    red = ManagedOnlineDeployment(
        name="red",
        endpoint_name="checkout-risk",
        model=f"{assets}/models/delivery-risk/versions/25",
        environment=f"{assets}/environments/sklearn-serving/versions/12",
        instance_type="Standard_DS3_v2",
        instance_count=1,
        tags={"origin": "sdk"},
    )
    created = client.online_deployments.begin_create_or_update(red).result()
    done.answers["deployments.create"] = (created.name, created.instance_count, created.provisioning_state)
    scaled = client.online_deployments.get("red", "checkout-risk")
    scaled.instance_count = 3
    client.online_deployments.begin_create_or_update(scaled).result()
    found = client.online_deployments.get("red", "checkout-risk")
    done.answers["deployments.scale"] = (found.instance_count, found.model, found.tags)
    client.online_deployments.begin_delete("red", "checkout-risk").result()
    done.answers["deployments.delete"] = [
        item.name for item in client.online_deployments.list("checkout-risk")
    ]


def _endpoint(client: Any, done: Journey) -> None:
    from azure.ai.ml.entities import ManagedOnlineEndpoint

    fresh = ManagedOnlineEndpoint(name="made-by-sdk", auth_mode="key", tags={"a": "b"}, description="d")
    created = client.online_endpoints.begin_create_or_update(fresh).result()
    done.answers["endpoints.create"] = (created.name, created.traffic, created.scoring_uri)
    client.online_endpoints.begin_delete("made-by-sdk").result()
    done.answers["endpoints.delete"] = sorted(item.name for item in client.online_endpoints.list())


def test_sdk__workspaces__are_read(journey: Journey) -> None:
    assert journey.answers["workspaces.get"] == "westeurope"
    assert journey.answers["workspaces.list"] == ["mlw-prod-weu"]


def test_sdk__endpoints_and_deployments__are_read(journey: Journey) -> None:
    answers = journey.answers
    assert answers["endpoints.list"] == ["checkout-risk", "photo-triage", "shadowed"]
    assert answers["endpoints.get"] == ({"live": 100}, {"shadow": 10}, "aml_token")
    assert answers["deployments.list"] == [("broken", "failed"), ("main", "succeeded"), ("next", "succeeded")]
    assert answers["deployments.get"] == (4, "Standard_DS3_v2")
    assert answers["deployments.get_logs"].count("\n") == 1


def test_sdk__traffic_changed_as_documented__arrives_and_keeps_tags(journey: Journey) -> None:
    assert journey.answers["traffic"] == ({"blue": 90, "green": 10}, "payments", "Succeeded")


def test_sdk__keys_and_tokens__are_read_and_regenerated(journey: Journey) -> None:
    assert journey.answers["keys"] == (True, False)
    assert journey.answers["token"].startswith("aml.")


def test_sdk__invoke__is_answered_by_the_model(journey: Journey) -> None:
    assert set(journey.answers["invoke"]) == {"label", "confidence"}


def test_sdk__deployment__is_created_scaled_and_deleted(journey: Journey) -> None:
    count, model, tags = journey.answers["deployments.scale"]
    assert journey.answers["deployments.create"] == ("red", 1, "Succeeded")
    assert (count, model.endswith("/delivery-risk/versions/25"), tags) == (3, True, {"origin": "sdk"})
    assert journey.answers["deployments.delete"] == ["blue", "green"]


def test_sdk__endpoint__is_created_and_deleted(journey: Journey) -> None:
    name, traffic, scoring_uri = journey.answers["endpoints.create"]
    assert (name, traffic) == ("made-by-sdk", {})
    assert scoring_uri.endswith("/scoring/westeurope/made-by-sdk/score")
    assert journey.answers["endpoints.delete"] == ["checkout-risk", "photo-triage", "shadowed"]


def test_sdk__every_request__was_served(journey: Journey) -> None:
    # A creation first looks whether something is there: those 404 are its question's answer.
    failed = [
        r for r in journey.requests if r["status"] is None or (r["status"] >= 400 and r["method"] != "GET")
    ]
    assert failed == []


@pytest.mark.contract
@pytest.mark.parametrize(
    "operation",
    sorted(set(SPECIFIED.values()) - {"OnlineEndpoints_Update.request", "OnlineDeployments_Update.request"}),
)
def test_sdk__every_request_with_a_body__validates(facts: Path, journey: Journey, operation: str) -> None:
    sent = journey.sent(operation)

    wrong = [Contract(facts, item["api_version"]).errors(operation, item["body"]) for item in sent]

    assert sent, "The SDK sent no such request: the journey misses an operation."
    assert wrong == [[] for _ in sent]


def test_sdk__traffic_change__asks_what_was_measured(journey: Journey) -> None:
    """Seven requests, as the wire list has it: who changes the emulator or the SDK learns it here."""
    puts = [i for i, r in enumerate(journey.requests) if r["method"] == "PUT"]
    first = puts[0]
    told = [_short(item) for item in journey.requests[first - 3 : first + 4]]
    assert told == [
        "GET onlineEndpoints/*",
        "GET onlineEndpoints/*/deployments",
        "GET workspaces/*",
        "PUT onlineEndpoints/*",
        "GET mfeOperationsStatus/*",
        "GET mfeOperationsStatus/*",
        "GET onlineEndpoints/*",
    ]


def _short(request: dict[str, Any]) -> str:
    found = re.search(
        r"(onlineEndpoints/[^/]+(/deployments)?|workspaces/[^/]+|mfeOperationsStatus/[^/]+)$", request["path"]
    )
    path = found[1] if found else request["path"]
    return f"{request['method']} " + re.sub(
        r"(onlineEndpoints|workspaces|mfeOperationsStatus)/[^/]+", r"\1/*", path
    )
