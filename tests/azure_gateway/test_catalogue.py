"""Sizes, prices and quota: amounts are exact, and what Azure does not say is unknown, never zero."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web

from endpoints.azure_gateway import catalogue, errors
from endpoints.azure_gateway.catalogue import family_key
from tests.azure_gateway import samples
from tests.azure_gateway.certificates import Certificates
from tests.azure_gateway.fakes import Handler, gateway

LOCATION = f"/subscriptions/{samples.SUBSCRIPTION}/providers/Microsoft.MachineLearningServices/locations"


def size(**fields: Any) -> dict[str, Any]:
    return {
        "name": "Standard_DS3_v2",
        "family": "standardDSv2Family",
        "vCPUs": 4,
        "gpus": 0,
        "memoryGB": Decimal("14.0"),
        "supportedComputeTypes": ["AmlCompute", "MIR"],
        "estimatedVMPrices": prices(Decimal("0.293")),
        **fields,
    }


def prices(*amounts: Any, **fields: Any) -> dict[str, Any]:
    return {
        "billingCurrency": "USD",
        "unitOfMeasure": "OneHour",
        "values": [
            {"retailPrice": amount, "osType": "Linux", "vmTier": f"Tier{number}"}
            for number, amount in enumerate(amounts)
        ],
        **fields,
    }


def usage(**fields: Any) -> dict[str, Any]:
    name = "Standard DSv2 Family Cluster Dedicated vCPUs"
    return {
        "id": f"/subscriptions/{samples.SUBSCRIPTION}/usages/Standard_DSv2_Family_Cluster_Dedicated_vCPUs",
        "type": "Microsoft.MachineLearningServices/vmFamily/usages",
        "currentValue": 24,
        "limit": 100,
        "name": {"value": name, "localizedValue": name},
        "unit": "Count",
        **fields,
    }


def answers(text: str) -> Handler:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=text, content_type="application/json")

    return answer


@pytest.mark.parametrize("field", ["vCPUs", "gpus", "memoryGB", "estimatedVMPrices", "supportedComputeTypes"])
@pytest.mark.parametrize("absent", [True, False])
def test_size__of_which_azure_does_not_say_all__has_no_zeros_in_it(field: str, absent: bool) -> None:
    document = size(**{field: None})
    if absent:
        del document[field]
    record = catalogue.vm_size(document)
    told = {
        "vCPUs": record.vcpus,
        "gpus": record.gpus,
        "memoryGB": record.memory_gb,
        "estimatedVMPrices": record.prices or None,
        "supportedComputeTypes": record.for_endpoints or None,
    }
    assert told[field] is None


def test_size__with_a_price_that_has_no_amount__lacks_that_price_only() -> None:
    record = catalogue.vm_size(size(estimatedVMPrices=prices(None, Decimal("0.1"))))
    assert [(price.tier, price.amount) for price in record.prices] == [("Tier1", Decimal("0.1"))]


@pytest.mark.parametrize(
    "fields",
    [
        {"name": None},
        {"name": 3},
        {"vCPUs": "4"},
        {"vCPUs": True},
        {"vCPUs": -1},
        {"gpus": Decimal("0.5")},
        {"memoryGB": float("nan")},
        {"memoryGB": Decimal(-1)},
        {"supportedComputeTypes": "MIR"},
        {"estimatedVMPrices": []},
        {"estimatedVMPrices": prices(float("inf"))},
        {"estimatedVMPrices": prices(Decimal("-0.1"))},
        {"estimatedVMPrices": prices(Decimal("1e999"))},
        {"estimatedVMPrices": prices("0.1")},
        {"estimatedVMPrices": prices(Decimal(1), billingCurrency=None)},
        {"estimatedVMPrices": prices(Decimal(1), unitOfMeasure="")},
        {"estimatedVMPrices": prices(values={"retailPrice": 1})},
        {"estimatedVMPrices": prices(values=["0.1"])},
        {"estimatedVMPrices": prices(values=2 * [{"retailPrice": Decimal(1), "osType": "Linux"}])},
    ],
    ids=str,
)
def test_size__that_can_not_be__is_malformed(fields: dict[str, Any]) -> None:
    with pytest.raises(errors.Malformed):
        catalogue.vm_size(size(**fields))


@pytest.mark.parametrize("document", [None, [], "Standard_DS3_v2", 3])
def test_size__that_is_no_object__is_malformed(document: Any) -> None:
    with pytest.raises(errors.Malformed):
        catalogue.vm_size(document)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("standardDSv2Family", "standarddsv2family"),
        ("Standard DSv2 Family Cluster Dedicated vCPUs", "standarddsv2family"),
        ("Standard_DSv2_Family_Cluster_Dedicated_vCPUs", "standarddsv2family"),
        ("Standard NCASv3_T4 Family Cluster Dedicated vCPUs", family_key("Standard NCASv3_T4Family")),
        ("", ""),
    ],
)
def test_family__however_it_is_spelled__has_one_key(name: str, key: str) -> None:
    assert family_key(name) == key


def test_usage__of_a_family__is_compared_with_the_familys_sizes() -> None:
    record = catalogue.usage(usage())
    assert record.family == catalogue.vm_size(size()).family
    assert (record.used, record.limit, record.unit) == (24, 100, "Count")


def test_usage__without_a_limit_of_its_own__has_none_not_minus_one() -> None:
    assert catalogue.usage(usage(limit=-1)).limit is None


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "Microsoft.MachineLearningServices/dedicatedCores/usages"},
        {"name": {"value": "Standard DSv2 Family Cluster LowPriority vCPUs"}},
        {
            "name": {
                "value": "standardDSv2Family",
                "localizedValue": "Standard DSv2 Family Low Priority vCPUs",
            }
        },
    ],
    ids=str,
)
def test_usage__of_anything_but_dedicated_cores_of_a_family__is_of_no_family(fields: dict[str, Any]) -> None:
    assert catalogue.usage(usage(**fields)).family == ""


@pytest.mark.parametrize(
    "fields",
    [
        {"currentValue": None},
        {"currentValue": -1},
        {"currentValue": "24"},
        {"limit": None},
        {"limit": Decimal("0.5")},
        {"name": None},
        {"name": "x"},
        {"name": {"value": ""}},
        {"type": 3},
    ],
    ids=str,
)
def test_usage__that_can_not_be__is_malformed(fields: dict[str, Any]) -> None:
    with pytest.raises(errors.Malformed):
        catalogue.usage(usage(**fields))


@pytest.mark.asyncio
async def test_list_vm_sizes__with_prices_no_float_can_hold__has_them_exactly(
    certificates: Certificates,
) -> None:
    text = """{"value": [{"name": "Standard_F2s_v2\\u00e9", "memoryGB": 3.5, "estimatedVMPrices":
        {"billingCurrency": "USD", "unitOfMeasure": "OneHour", "values": [
            {"retailPrice": 0.08460000000000000001, "osType": "Linux", "vmTier": "Standard"},
            {"retailPrice": 1, "osType": "Windows", "vmTier": "Standard"}]}},
        {"name": "odd", "vCPUs": -2}]}"""
    async with gateway(certificates, answers(text)) as (fake, azure):
        listing = await azure.list_vm_sizes(samples.SUBSCRIPTION, "East US 2")
    (record,) = listing
    assert [str(price.amount) for price in record.prices] == ["0.08460000000000000001", "1"]
    assert record.memory_gb == 3.5
    assert listing.unreadable[0].item == f"item 1 of page 1 of {LOCATION}/eastus2/vmSizes"
    assert (fake.calls[0].path, fake.calls[0].query) == (
        f"{LOCATION}/eastus2/vmSizes",
        "api-version=2023-08-01-preview",
    )


@pytest.mark.asyncio
async def test_list_usages__on_several_pages__leaves_out_shares_of_workspaces(
    certificates: Certificates,
) -> None:
    share = usage(
        id=f"{samples.WORKSPACE}/usages/x", type="Microsoft.MachineLearningServices/workspaces/usages"
    )

    async def answer(request: web.Request) -> web.Response:
        if "page" in request.query:
            return web.json_response({"value": [share, usage(currentValue=None), 7]})
        following = str(request.url.update_query(page="2"))
        return web.json_response({"value": [usage(), share], "nextLink": following})

    async with gateway(certificates, answer) as (fake, azure):
        listing = await azure.list_usages(samples.SUBSCRIPTION, "westeurope")
    assert [record.used for record in listing] == [24]
    assert (len(listing.unreadable), listing.calls) == (2, 2)
    assert fake.calls[0].path == f"{LOCATION}/westeurope/usages"


@pytest.mark.asyncio
@pytest.mark.parametrize("region", ["", "../x", "west/europe", "a", "x" * 41])
async def test_list_vm_sizes__of_what_is_no_region__sends_nothing(
    certificates: Certificates, region: str
) -> None:
    async with gateway(certificates, answers("{}")) as (fake, azure):
        with pytest.raises(ValueError, match="not the name of an Azure region"):
            await azure.list_vm_sizes(samples.SUBSCRIPTION, region)
    assert fake.calls == []
