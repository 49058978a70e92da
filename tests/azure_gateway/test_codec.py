"""Documents to records: what is kept, what is dropped, what is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from endpoints.azure_gateway import codec
from endpoints.azure_gateway.errors import Malformed
from tests.azure_gateway import samples


def test_endpoint__as_azure_sends_it__becomes_a_record() -> None:
    document = samples.endpoint()
    record = codec.endpoint(document)
    assert record.arm_id == samples.ENDPOINT
    assert (record.name, record.location, record.kind) == ("checkout-risk", "eastus2", "Managed")
    assert record.traffic == {"blue": 90, "green": 10}
    assert record.mirror_traffic == {"shadow": 20}
    assert record.identity is not None
    assert record.identity.type == "SystemAssigned,UserAssigned"
    assert record.identity.user_assigned == (samples.ASSIGNED.lower(),)
    assert record.created_at == datetime(2026, 4, 17, 16, 55, 44, 738923, tzinfo=UTC)
    assert record.last_modified_at == datetime(2026, 4, 18, 16, 55, 44, 738923, tzinfo=UTC)
    assert (record.created_by, record.last_modified_by) == ("Ada", "Grace")
    assert record.operation_uri.endswith("?t=1&s=signed")
    assert record.properties == {"team": "risk", "azureml.onlineendpointid": samples.ENDPOINT.lower()}


def test_endpoint__keys_on_the_wire__are_nowhere_in_the_record() -> None:
    document = samples.endpoint(keys={"primaryKey": "very-secret", "secondaryKey": "very-secret"})
    record = codec.endpoint(document)
    assert "very-secret" not in repr(record)
    assert "keys" not in record.raw["properties"]


def test_deployment__environment_variables__keep_names_and_lose_values() -> None:
    record = codec.deployment(samples.deployment())
    assert record.environment_variable_names == ("API_TOKEN", "MODE")
    assert "very-secret" not in repr(record)
    assert record.raw["properties"]["environmentVariables"] == {"API_TOKEN": None, "MODE": None}


def test_deployment__as_azure_sends_it__becomes_a_record() -> None:
    record = codec.deployment(
        samples.deployment(startupProbe={"period": "PT1S"}, dataCollector={"rollingRate": "Hour"})
    )
    assert record.endpoint_arm_id == samples.ENDPOINT
    assert (record.instance_type, record.instance_count) == ("Standard_DS3_v2", 3)
    assert (record.sku_name, record.sku_tier) == ("Default", "Standard")
    assert record.model.endswith("/models/risk/versions/7")
    assert record.model_mount_path == "/var/model"
    assert (record.code_id[-2:], record.scoring_script) == ("/1", "score.py")
    assert record.startup_probe == {"period": "PT1S"}
    assert record.data_collector == {"rollingRate": "Hour"}
    assert record.app_insights_enabled is False
    assert record.properties == {}


@pytest.mark.parametrize("absent", ["tags", "identity", "systemData", "kind", "location", "name"])
def test_endpoint__optional_field_null_or_absent__reads_the_same(absent: str) -> None:
    nulled, missing = samples.endpoint(), samples.endpoint()
    nulled[absent] = None
    del missing[absent]
    one, other = codec.endpoint(nulled), codec.endpoint(missing)
    assert one.name == other.name == "checkout-risk"
    assert (one.tags, one.identity, one.created_at) == (other.tags, other.identity, other.created_at)


def test_endpoint__unknown_state_and_mode__are_kept_as_they_are() -> None:
    record = codec.endpoint(samples.endpoint(provisioningState="Hibernating", authMode="Telepathy"))
    assert (record.provisioning_state, record.auth_mode) == ("Hibernating", "Telepathy")


def test_endpoint__no_state_at_all__is_unknown_not_fine() -> None:
    assert codec.endpoint(samples.endpoint(provisioningState=None)).provisioning_state == "Unknown"


def test_deployment__without_capacity__has_an_unknown_count() -> None:
    document = samples.deployment()
    document["sku"] = None
    assert codec.deployment(document).instance_count is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"traffic": {"blue": 99.5}}, "whole number"),
        ({"traffic": {"blue": True}}, "whole number"),
        ({"traffic": {"Blue": 50, "blue": 50}}, "names one deployment twice"),
        ({"traffic": [1]}, "traffic is list"),
        ({"properties": "x"}, "properties is str"),
        ({"scoringUri": 7}, "scoringUri is int"),
    ],
)
def test_endpoint__impossible_value__is_malformed_and_names_the_endpoint(
    change: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Malformed, match=reason) as caught:
        codec.endpoint(samples.endpoint(**change))
    assert caught.value.item == samples.ENDPOINT


@pytest.mark.parametrize(
    "document", [None, 7, [], {}, {"id": ""}, {"id": 7}, {"id": "/x"}, {"id": "/x", "properties": []}]
)
def test_endpoint__no_document_at_all__is_malformed(document: Any) -> None:
    with pytest.raises(Malformed):
        codec.endpoint(document)


def test_endpoint__time_that_is_none__is_malformed() -> None:
    document = samples.endpoint()
    document["systemData"]["createdAt"] = "yesterday"
    with pytest.raises(Malformed, match="not a time"):
        codec.endpoint(document)


def test_parse_all__one_bad_among_good__spoils_only_itself() -> None:
    good, bad = samples.endpoint(), samples.endpoint(f"{samples.ENDPOINT}-x", traffic=7)
    records, unreadable = codec.parse_all([good, bad, None, good], codec.endpoint, where="the list")
    assert len(records) == 2
    assert [item.item for item in unreadable] == [f"{samples.ENDPOINT}-x", "item 2 of the list"]


def test_raw__of_an_endpoint__is_the_document_less_keys() -> None:
    document = samples.endpoint()
    before = json.dumps(document)
    raw = codec.endpoint(document).raw
    assert json.dumps(document) == before
    expected = json.loads(before)
    del expected["properties"]["keys"]
    assert raw == expected


@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "\udc00\ud800"])
def test_storable__characters_that_no_database_holds__are_malformed(text: str) -> None:
    document = samples.endpoint()
    document["tags"] = {"note": text}
    with pytest.raises(Malformed, match="NUL or half a character") as caught:
        codec.storable(codec.endpoint)(document)
    assert caught.value.item == samples.ENDPOINT


@pytest.mark.parametrize("text", ["ž", "😀", "\\u0000", "\\\\u0000", "\t"])
def test_storable__odd_but_whole_characters__pass(text: str) -> None:
    document = samples.endpoint()
    document["tags"] = {"note": text}
    assert codec.storable(codec.endpoint)(document).tags == {"note": text}
