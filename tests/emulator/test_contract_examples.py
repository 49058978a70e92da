"""Microsoft's own examples go through the emulator's codec unchanged."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from emulator.documents import rendered, stored
from emulator.fold import Kind, Record, Who, fold
from tests.emulator.arm import CHECKOUT, DEPLOYMENTS_VERSION, ENDPOINTS_VERSION
from tests.emulator.contract import Contract

pytestmark = pytest.mark.contract

EXAMPLES = {
    "endpoint": ("endpoint", ENDPOINTS_VERSION, "OnlineEndpoint/createOrUpdate.json"),
    "managed deployment": (
        "deployment",
        DEPLOYMENTS_VERSION,
        "OnlineDeployment/ManagedOnlineDeployment/createOrUpdate.json",
    ),
    "kubernetes deployment": (
        "deployment",
        DEPLOYMENTS_VERSION,
        "OnlineDeployment/KubernetesOnlineDeployment/createOrUpdate.json",
    ),
}
FOLDERS = {
    "endpoint": (ENDPOINTS_VERSION, "OnlineEndpoint"),
    "deployment": (DEPLOYMENTS_VERSION, "OnlineDeployment"),
}
READ_ONLY = {
    "endpoint": {"id", "name", "type", "systemData"},
    "deployment": {"id", "name", "type", "systemData"},
}


def through(kind: Kind, body: dict[str, Any]) -> dict[str, Any]:
    """The body as a GET shows it after a PUT of it has succeeded."""
    resource = CHECKOUT if kind == "endpoint" else f"{CHECKOUT}/deployments/blue"
    at = "2026-11-23T12:00:00.000000+00:00"
    record = Record(
        1, at, Who("id", "name"), "put", "applied", resource, kind, "Succeeded", stored(kind, body)
    )
    world = fold([record])
    found = world.find(resource)
    assert found is not None
    return rendered(found, found.body, base="https://127.0.0.1:8443", seed=1)


def lost(sent: Any, got: Any, path: str = "") -> list[str]:
    """Where `got` does not hold what was sent. What was added is no loss."""
    if isinstance(sent, dict) and isinstance(got, dict):
        return [text for name in sent for text in lost(sent[name], got.get(name, "absent"), f"{path}.{name}")]
    return [] if sent == got else [f"{path}: sent {sent!r}, got {got!r}"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_codec__example_put__keeps_every_sent_field(facts: Path, name: str) -> None:
    kind, version, path = EXAMPLES[name]
    body = Contract(facts, version).example(path)["parameters"]["body"]

    got = through(kind, copy.deepcopy(body))

    assert lost(body, got) == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_codec__example_put__reads_back_as_the_schema_wants(facts: Path, name: str) -> None:
    kind, version, path = EXAMPLES[name]
    contract = Contract(facts, version)
    operation = "OnlineEndpoints_Get.200" if kind == "endpoint" else "OnlineDeployments_Get.200"

    assert contract.errors(operation, through(kind, contract.example(path)["parameters"]["body"])) == []


def answered(facts: Path, kind: Kind) -> list[tuple[str, dict[str, Any]]]:
    """Every resource in the answers of every example, lists and patches too, with its file's name."""
    version, folder = FOLDERS[kind]
    found = []
    for file in sorted((facts / "examples" / version / folder).rglob("*.json")):
        for answer in json.loads(file.read_text())["responses"].values():
            body = answer.get("body") or {}
            items = body.get("value", [body]) if isinstance(body, dict) else []
            found += [(file.name, one) for one in items if isinstance(one, dict) and "properties" in one]
    return found


@pytest.mark.parametrize(("kind", "least"), [("endpoint", 4), ("deployment", 6)])
def test_codec__answer_of_every_example_sent_back__keeps_every_field_but_read_only_ones(
    facts: Path, kind: Kind, least: int
) -> None:
    documents = answered(facts, kind)
    assert len(documents) >= least
    for name, document in documents:
        written = copy.deepcopy({key: value for key, value in document.items() if key not in READ_ONLY[kind]})
        for read_only in ("provisioningState", "scoringUri", "swaggerUri"):
            written["properties"].pop(read_only, None)
        written["identity"].pop("principalId")
        written["identity"].pop("tenantId")
        written["identity"]["userAssignedIdentities"] = {"string": {}}

        assert lost(written, through(kind, document)) == [], name
