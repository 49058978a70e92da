"""Microsoft's own examples and schemas: records keep them unchanged, and what goes back is what Azure takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from endpoints.azure_gateway import codec, documents

pytestmark = pytest.mark.contract

ENDPOINTS, DEPLOYMENTS = "2022-02-01-preview", "2023-04-01-preview"


def bodies(folder: Path, version: str, resource: str) -> list[tuple[str, dict[str, Any]]]:
    """Every resource document in the responses of the examples, with the name of its file."""
    found = []
    for file in sorted((folder / "examples" / version / resource).rglob("*.json")):
        for response in json.loads(file.read_text())["responses"].values():
            body = response.get("body") or {}
            items = body.get("value", [body]) if isinstance(body, dict) else []
            found += [(file.name, item) for item in items if isinstance(item, dict) and "properties" in item]
    return found


def without(document: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in names}


def schema(folder: Path, version: str, operation: str) -> dict[str, Any]:
    document = json.loads((folder / "schemas" / f"online-{version}.schema.json").read_text())
    return {**document, "$ref": document["x-operations"][operation]["$ref"]}


def test_endpoint_records__of_every_example__keep_the_document_unchanged(facts: Path) -> None:
    examples = bodies(facts, ENDPOINTS, "OnlineEndpoint")
    assert len(examples) >= 4
    for _, document in examples:
        record = codec.endpoint(document)
        assert record.raw == document
        assert record.traffic == {"string": 1}
        assert record.auth_mode == document["properties"]["authMode"]
        assert record.identity is not None


def test_deployment_records__of_every_example__keep_all_but_the_values_of_variables(facts: Path) -> None:
    examples = bodies(facts, DEPLOYMENTS, "OnlineDeployment")
    assert len(examples) >= 6
    for _, document in examples:
        record = codec.deployment(document)
        assert without(record.raw["properties"], "environmentVariables") == without(
            document["properties"], "environmentVariables"
        )
        assert without(dict(record.raw), "properties") == without(document, "properties")
        assert record.environment_variable_names == ("string",)
        assert record.instance_count == 1


def test_endpoint_body__of_every_example__is_a_request_that_azures_schema_takes(facts: Path) -> None:
    validator = jsonschema.Draft202012Validator(
        schema(facts, ENDPOINTS, "OnlineEndpoints_CreateOrUpdate.request")
    )
    for _, document in bodies(facts, ENDPOINTS, "OnlineEndpoint"):
        body = documents.endpoint_body(
            document, traffic={"string": 40, "other": 60}, mirror_traffic={"x": 10}
        )
        validator.validate(body)
        assert body["properties"]["traffic"] == {"string": 40, "other": 60}
        kept = without(document["properties"], "traffic", "provisioningState", "scoringUri", "swaggerUri")
        assert without(body["properties"], "traffic", "mirrorTraffic") == kept


def test_capacity_body__is_a_request_that_azures_schema_takes(facts: Path) -> None:
    operation = schema(facts, DEPLOYMENTS, "OnlineDeployments_Update.request")
    jsonschema.Draft202012Validator(operation).validate(documents.capacity_body(3))
