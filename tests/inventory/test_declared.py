"""YAML files of repositories against what is live: field by field, honest about templates, safe with anything."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from endpoints.inventory.declared import Comparison, Declared, Outcome, compare, declarations
from endpoints.inventory.yamlfile import MOST_BYTES, read

AZURE = Path(os.environ.get("OPSPORTAL_AZURE_FACTS", Path(__file__).parents[3] / "shared" / "azure"))
EXAMPLES = AZURE / "yaml"
WORKSPACE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
BLUE: dict[str, Any] = {
    "kind": "Managed",
    "compute_type": "Managed",
    "model": f"{WORKSPACE}/models/my-model/versions/1",
    "environment": f"{WORKSPACE}/environments/my-env/versions/2",
    "code_id": f"{WORKSPACE}/codes/c/versions/1",
    "scoring_script": "score.py",
    "instance_type": "Standard_DS3_v2",
    "instance_count": 2,
    "provisioning_state": "Succeeded",
    "environment_variable_names": ["LEVEL"],
    "request_settings": {"requestTimeout": "PT5S", "maxConcurrentRequestsPerInstance": 1},
    "liveness_probe": {"initialDelay": "PT10S", "period": "PT10S", "failureThreshold": 30},
    "scale_settings": {"scaleType": "Default"},
}
ENDPOINT: dict[str, Any] = {
    "kind": "Managed",
    "auth_mode": "AMLToken",
    "traffic": {"blue": 90, "green": 10},
    "mirror_traffic": {},
    "public_network_access": "Enabled",
    "tags": {"owner": "fraud"},
}


def one(text: str) -> Declared:
    found = declarations("blue.yml", text)
    assert len(found) == 1
    return found[0]


def outcomes(found: Comparison) -> dict[str, str]:
    return {line.field: str(line.outcome) for line in found.lines}


def deployed(text: str) -> Comparison:
    return compare(one(text), "checkout-risk", [BLUE])


def test_deployment__of_registered_assets__is_compared_field_by_field() -> None:
    found = deployed(
        """
        $schema: https://azuremlschemas.azureedge.net/latest/managedOnlineDeployment.schema.json
        name: blue
        endpoint_name: Checkout-Risk
        model: azureml:my-model:1
        environment: azureml:my-env:1
        code_configuration: {code: ../../model-1/onlinescoring/, scoring_script: score.py}
        instance_type: standard_ds3_v2
        instance_count: 1
        environment_variables: {LEVEL: debug}
        request_settings: {request_timeout_ms: 5000, max_queue_wait_ms: 500}
        liveness_probe: {initial_delay: 10, failure_threshold: 3}
        """
    )
    assert outcomes(found) == {
        "endpoint_name": "same",
        "model": "same",
        "environment": "differs",
        "code_configuration.code": "unknown",
        "code_configuration.scoring_script": "same",
        "instance_type": "same",
        "instance_count": "differs",
        "environment_variables": "same",
        "request_settings.request_timeout_ms": "same",
        "request_settings.max_queue_wait_ms": "unknown",
        "liveness_probe.initial_delay": "same",
        "liveness_probe.failure_threshold": "differs",
    }
    assert found.outcome is Outcome.DIFFERS


def test_endpoint__with_traffic_and_tags__is_compared_as_azure_means_them() -> None:
    declared = one(
        "name: x\nauth_mode: aml_token\ntraffic: {Blue: 90, green: 10, red: 0}\ntags: {owner: shop}\n"
    )
    found = compare(declared, "x", [ENDPOINT])
    assert outcomes(found) == {"auth_mode": "same", "traffic": "same", "tags": "differs"}


@pytest.mark.parametrize(
    ("model", "why"),
    [
        ("{path: ../../model-1/model/}", "made from files"),
        ("azureml:my-model@latest", "label"),
        ("azureml:my-model", "no version"),
        ("azureml:my-model:{{VERSION}}", "{{VERSION}}"),
        ("azureml:my-model:${{ inputs.version }}", "${{ inputs.version }}"),
        ("azureml:my-model:$VERSION", "$VERSION"),
        ('"azureml:my-model:<version>"', "<version>"),
    ],
)
def test_a_model__that_the_file_does_not_settle__can_not_be_told(model: str, why: str) -> None:
    found = deployed(f"endpoint_name: checkout-risk\nname: blue\nmodel: {model}\n")
    line = next(line for line in found.lines if line.field == "model")
    assert line.outcome is Outcome.UNKNOWN
    assert why in line.reason
    assert found.outcome is Outcome.UNKNOWN


def test_a_template__that_is_no_yaml__is_read_as_far_as_it_goes() -> None:
    found = one(
        "name: blue\nendpoint_name: {{ENDPOINT_NAME}}\n{% if gpu %}\ninstance_type: NC6\n{% endif %}\n"
    )
    assert found.kind == "deployment"
    assert found.fields == {"endpoint_name": "{{ENDPOINT_NAME}}", "instance_type": "NC6"}
    assert "{{ENDPOINT_NAME}}" in found.unknown["endpoint_name"]
    assert "passed over, with what they add: 3, 5" in found.problems[0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "It is empty"),
        ("# nothing\n", "It is empty"),
        ("- a\n- b\n", "list or a text"),
        ("hello: world\n", "neither an online endpoint's file"),
        ("$schema: https://x/batchEndpoint.schema.json\nname: b\n", "neither"),
        ("name: [unclosed\n", "no YAML"),
        ("name: !!python/object/apply:os.system [ls]\n", "no YAML"),
        ("a: " + "[" * 30000, "nested too deeply"),
        ("x" * (MOST_BYTES + 1), "larger than"),
        ("a: 2026-13-45\n", "can't be"),
        ("a: \x00\n", "no YAML"),
        ("a: &a [*a]\n", "contains itself"),
        ("---\n" * 0 + "".join(f"--- {n}\n" for n in range(30)), "more than 20 documents"),
    ],
)  # fmt: skip
def test_a_file__that_can_not_be_used__says_why(text: str, says: str) -> None:
    found = declarations("x.yml", text)
    assert says in " ".join(problem for each in found for problem in each.problems)
    assert {each.kind for each in found} == {""}


@pytest.mark.parametrize("merged", [False, True], ids=["aliases", "merge keys"])
def test_a_bomb__of_aliases__is_not_set_off(merged: bool) -> None:
    if merged:
        lines = ["l0: &l0 {a: 1}"]
        lines += [f"l{n}: &l{n} {{<<: [*l{n - 1}, *l{n - 1}, *l{n - 1}]}}" for n in range(1, 40)]
    else:
        lines = ["l0: &l0 [x]", *(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 40))]
    found = read("\n".join(lines))
    assert found.documents == ()
    assert "Written out it holds more than" in found.problems[0]


def test_several_documents__of_one_file__are_told_apart() -> None:
    found = declarations("all.yml", "name: e\nauth_mode: key\n---\nname: blue\nendpoint_name: e\n")
    assert [(each.kind, each.name) for each in found] == [("endpoint", "e"), ("deployment", "blue")]


def test_nothing_live__is_no_difference_and_no_pass() -> None:
    found = compare(one("name: blue\nendpoint_name: e\n"), "e", [])
    assert found.outcome is Outcome.UNKNOWN
    assert found.lines == ()


def test_kubernetes__resources__are_compared() -> None:
    text = "name: blue\nendpoint_name: e\ntype: kubernetes\nresources: {requests: {cpu: '1', memory: 2Gi}}\n"
    state = {
        "kind": "Kubernetes",
        "container_resources": {"containerResourceRequests": {"cpu": "1", "memory": "4Gi"}},
    }
    assert outcomes(compare(one(text), "e", [state])) == {
        "endpoint_name": "same",
        "resources.requests.cpu": "same",
        "resources.requests.memory": "differs",
    }


def test_every_real_file__is_read_or_says_what_it_is_not() -> None:
    if not EXAMPLES.is_dir():
        reason = f"The folder of real files, {EXAMPLES}, is not here; OPSPORTAL_AZURE_FACTS names another."
        if os.environ.get("OPSPORTAL_REQUIRE_ALL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    files = sorted(EXAMPLES.rglob("*.yml"))
    assert len(files) >= 10
    for path in files:
        for each in declarations(path.name, path.read_text()):
            assert each.kind == ("endpoint" if "endpoint.yml" in path.name else "deployment"), path
            assert each.name
            found = compare(each, "my-endpoint", [ENDPOINT if each.kind == "endpoint" else BLUE])
            assert found.lines, path


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=400))
def test_any_text__never_fails(text: str) -> None:
    for each in declarations("x.yml", text):
        compare(each, "e", [BLUE])


_keys = st.sampled_from(
    ["name", "model", "traffic", "environment", "tags", "instance_count", "scale_settings", "identity", "x"]
)
_values: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(_keys | st.integers() | st.none(), inner, max_size=3)
    ),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(_keys, _values, max_size=6))
def test_any_document__compared_with_anything__never_fails(document: dict[str, Any]) -> None:
    for each in declarations("x.yml", yaml.safe_dump(document)):
        assert compare(each, "e", [BLUE]).outcome in Outcome
        assert compare(each, "e", [ENDPOINT]).outcome in Outcome
