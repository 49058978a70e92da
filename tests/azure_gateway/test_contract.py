"""Microsoft's own examples and schemas: records keep them unchanged, and what goes back is what Azure takes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from endpoints.azure_gateway import activity, catalogue, codec, documents
from endpoints.azure_gateway.records import VmPrice

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


def values(folder: Path, example: str) -> list[dict[str, Any]]:
    """The items of a list, with fractions as exact as they stand in the file."""
    document = json.loads((folder / "examples" / example).read_text(), parse_float=Decimal)
    found: list[dict[str, Any]] = document["responses"]["200"]["body"]["value"]
    return found


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


def test_sizes__of_the_example__have_every_price_to_the_cent(facts: Path) -> None:
    documents = values(facts, f"{ENDPOINTS}/VirtualMachineSize/list.json")
    sizes = {size.name: size for size in map(catalogue.vm_size, documents)}
    assert len(sizes) == len(documents) == 9
    ds2 = sizes["Standard_DS2_v2"]
    assert (ds2.vcpus, ds2.gpus, ds2.memory_gb, ds2.for_endpoints) == (2, 0, 7.0, True)
    assert VmPrice("Linux", "Standard", Decimal("0.15"), "USD", "OneHour") in ds2.prices
    assert len(ds2.prices) == 4
    assert not sizes["Standard_DS1_v2"].for_endpoints
    told = [str(price["retailPrice"]) for item in documents for price in item["estimatedVMPrices"]["values"]]
    assert [str(price.amount) for size in sizes.values() for price in size.prices] == told


def test_usages__of_the_example__count_each_dedicated_family_once(facts: Path) -> None:
    documents = values(facts, f"{ENDPOINTS}/Usage/list.json")
    usages = [catalogue.usage(item) for item in documents if catalogue.of_subscription(item)]
    families = [usage.family for usage in usages if usage.family]
    assert len(usages) < len(documents)
    assert len(families) == len(set(families)) == 10
    (ds,) = (usage for usage in usages if usage.family == "standarddsv2family")
    assert (ds.used, ds.limit, ds.label) == (2, 24, "Standard DSv2 Family Cluster Dedicated vCPUs")
    unlimited = [usage for usage in usages if usage.limit is None]
    assert unlimited
    assert all("LowPriority" in usage.label and usage.family == "" for usage in unlimited)


def test_families__of_both_examples__are_spelled_alike(facts: Path) -> None:
    sizes = map(catalogue.vm_size, values(facts, f"{ENDPOINTS}/VirtualMachineSize/list.json"))
    usages = map(catalogue.usage, values(facts, f"{ENDPOINTS}/Usage/list.json"))
    assert {size.family for size in sizes} <= {usage.family for usage in usages}


def test_event__of_the_example__says_who_did_what_to_what(facts: Path) -> None:
    (document,) = values(facts, "monitor/GetActivityLogsFiltered.json")
    event = activity.event(document)
    assert event.event_id == "44ade6b4-3813-45e6-ae27-7420a95fa2f8"
    assert event.at == datetime(2015, 1, 21, 22, 14, 26, 979277, tzinfo=UTC)
    assert (event.caller, event.status) == ("admin@contoso.com", "Succeeded")
    assert event.operation == "microsoft.support/supporttickets/write"
    assert event.resource_id == document["authorization"]["scope"].lower()
    assert event.correlation_id == document["correlationId"]
    assert event.client_request_id == document["httpRequest"]["clientRequestId"]
    assert event.app_id == document["claims"]["appid"]
    assert event.object_id == "2468adf0-8211-44e3-95xq-85137af64708"
