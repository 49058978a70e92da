"""Release records: what a change left behind, as files that `az ml` itself takes."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
import yaml

from endpoints.access.models import User
from endpoints.changes.release import deployment_file, endpoint_file
from endpoints.changes.selectors import Release, release_of
from endpoints.core.errors import Conflict, NotFound
from endpoints.inventory.declared import Outcome, compare, declarations
from tests.changes.desk import ALL_GREEN, Desk
from tests.inventory.support import at
from tests.support.people import make_endpoint, principal

GROUP = "/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/g"
WORKSPACE = f"{GROUP}/providers/Microsoft.MachineLearningServices/workspaces/w"
ENDPOINT: dict[str, Any] = {
    "kind": "Managed",
    "auth_mode": "AMLToken",
    "public_network_access": "Disabled",
    "traffic": {"blue": 90, "green": 10},
    "mirror_traffic": {"red": 5},
    "tags": {"owner": "fraud", "note": "a: b # c\n- d"},
    "description": "Scores «checkouts»",
    "identity": {"type": "UserAssigned", "assigned": [f"{WORKSPACE.lower()}/x"]},
}
DEPLOYMENT: dict[str, Any] = {
    "kind": "Managed",
    "compute_type": "Managed",
    "model": f"{WORKSPACE}/models/risk/versions/7",
    "environment": "azureml://registries/fraud/environments/sklearn/versions/3",
    "code_id": f"{WORKSPACE}/codes/c/versions/1",
    "scoring_script": "score.py",
    "instance_type": "Standard_DS3_v2",
    "instance_count": 2,
    "scale_settings": {
        "scaleType": "TargetUtilization",
        "minInstances": 1,
        "maxInstances": 3,
        "pollingInterval": "PT1S",
        "targetUtilizationPercentage": 70,
    },
    "request_settings": {
        "requestTimeout": "PT5S",
        "maxQueueWait": "PT0.5S",
        "maxConcurrentRequestsPerInstance": 2,
    },
    "liveness_probe": {"initialDelay": "PT10S", "period": "PT10S", "timeout": "PT2S", "failureThreshold": 30},
    "readiness_probe": {"initialDelay": "PT1M30S", "period": "PT10S"},
    "startup_probe": {"period": "PT10S"},
    "app_insights_enabled": True,
    "egress_public_network_access": "Enabled",
    "environment_variable_names": ["LEVEL", "TOKEN"],
    "data_collector": {
        "collections": {"model_inputs": {"dataCollectionMode": "Enabled", "samplingRate": 0.5}},
        "rollingRate": "Hour",
    },
}


def loaded(tmp_path: Path, text: str, kind: str) -> Any:
    """What azure-ai-ml makes of a file; its own warnings, of what it is built on, are none of ours."""
    path = tmp_path / "file.yml"
    path.write_text(text)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from azure.ai import ml

        return (ml.load_online_endpoint if kind == "endpoint" else ml.load_online_deployment)(path)


def test_endpoint_file__is_taken_by_az_ml_and_says_the_same(tmp_path: Path) -> None:
    file = endpoint_file("CR-7", at(0), "checkout-risk", ENDPOINT)
    found = loaded(tmp_path, file.text, "endpoint")

    assert (found.name, found.auth_mode, found.public_network_access) == (
        "checkout-risk",
        "aml_token",
        "disabled",
    )
    assert (found.traffic, found.mirror_traffic) == ({"blue": 90, "green": 10}, {"red": 5})
    assert found.tags == ENDPOINT["tags"]
    assert found.identity.user_assigned_identities[0].resource_id == f"{WORKSPACE.lower()}/x"
    assert file.left_out == ()


def test_deployment_file__is_taken_by_az_ml_and_names_what_it_can_not_hold(tmp_path: Path) -> None:
    file = deployment_file("CR-7", at(0), "checkout-risk", "blue", DEPLOYMENT)
    found = loaded(tmp_path, file.text, "deployment")

    assert found.model == f"{WORKSPACE}/models/risk/versions/7"
    assert found.environment == "azureml://registries/fraud/environments/sklearn/versions/3"
    assert (found.instance_type, found.instance_count) == ("Standard_DS3_v2", 2)
    assert (found.request_settings.request_timeout_ms, found.request_settings.max_queue_wait_ms) == (
        5000,
        500,
    )
    assert (found.liveness_probe.initial_delay, found.readiness_probe.initial_delay) == (10, 90)
    assert (found.scale_settings.max_instances, found.scale_settings.polling_interval) == (3, 1)
    assert found.code_configuration.scoring_script == "score.py"
    assert found.data_collector.collections["model_inputs"].enabled == "true"
    told = " ".join(file.left_out)
    assert "LEVEL, TOKEN" in told
    assert "startup probe" in told
    assert "# Not in this file: The values of environment variables" in file.text


def test_kubernetes_file__is_taken_by_az_ml(tmp_path: Path) -> None:
    state = {
        "kind": "Kubernetes",
        "compute_type": "Kubernetes",
        "instance_count": 1,
        "model": "azureml:risk:7",
        "container_resources": {
            "containerResourceRequests": {"cpu": "1", "memory": "2Gi"},
            "containerResourceLimits": {"cpu": "2", "gpu": None},
        },
    }
    file = deployment_file("CR-7", at(0), "checkout-risk", "blue", state)
    found = loaded(tmp_path, file.text, "deployment")
    assert type(found).__name__ == "KubernetesOnlineDeployment"
    assert (found.resources.requests.memory, found.resources.limits.cpu) == ("2Gi", "2")


def test_a_file__held_against_its_own_state__differs_nowhere() -> None:
    for text, name, state in (
        (endpoint_file("CR-7", at(0), "x", ENDPOINT).text, "x", ENDPOINT),
        (deployment_file("CR-7", at(0), "x", "blue", DEPLOYMENT).text, "x", DEPLOYMENT),
    ):
        (declared,) = declarations("file.yml", text)
        found = compare(declared, name, [state])
        assert {line.field: line.outcome for line in found.lines if line.outcome is not Outcome.SAME} == {}


def test_a_comment__whatever_a_name_holds__stays_a_comment() -> None:
    state = {"instance_count": 1, "environment_variable_names": ["A\nname: other"]}
    text = deployment_file("CR-7", at(0), "x", "blue", state).text
    assert yaml.safe_load(text)["name"] == "blue"


def ended(desk: Desk) -> int:
    """A change that succeeded: Azure shows its split, and was read again after that."""
    change_id = desk.started(ALL_GREEN)
    make_endpoint(desk.workspace, traffic=ALL_GREEN)
    make_endpoint(desk.workspace, traffic=ALL_GREEN)
    desk.finish(change_id, "succeeded")
    return change_id


def release(desk: Desk, change_id: int) -> Release:
    return release_of(principal(desk.operator), change_id)


def test_release__of_a_change_that_succeeded__has_files_versions_and_the_command(
    desk: Desk, tmp_path: Path
) -> None:
    found = release(desk, ended(desk))

    assert sorted(one.name for one in found.files) == ["blue.yml", "endpoint.yml", "green.yml"]
    assert [(one.deployment, one.weight, one.model) for one in found.versions] == [
        ("green", 100, "risk:8"),
        ("blue", 0, "risk:7"),
    ]
    assert '--traffic "blue=0 green=100"' in found.command
    assert [one.reviewer_id for one in found.change.decided] == [desk.reviewer.pk]
    for one in found.files:
        assert loaded(tmp_path, one.text, "endpoint" if one.name == "endpoint.yml" else "deployment").name


def test_release__not_read_after_the_end__says_when_it_was_read(desk: Desk) -> None:
    found = release(desk, ended(desk))
    assert found.read_at < found.at


def test_release__of_a_change_at_work__is_a_conflict(desk: Desk) -> None:
    with pytest.raises(Conflict, match="it is not over"):
        release(desk, desk.started())


def test_release__of_what_never_reached_azure__is_a_conflict(desk: Desk) -> None:
    change_id = desk.request()
    desk.reject(change_id)
    with pytest.raises(Conflict, match="never reached Azure"):
        release(desk, change_id)


def test_release__of_another_workspace__is_not_found(desk: Desk, outsider: User) -> None:
    change_id = ended(desk)
    with pytest.raises(NotFound):
        release_of(principal(outsider), change_id)
