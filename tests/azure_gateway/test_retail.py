"""The public price list: asked without a credential, read whole, refused where there is none."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

import pytest
from aiohttp import web

from endpoints.azure_gateway import errors, retail
from endpoints.azure_gateway.client import connect
from endpoints.azure_gateway.records import RetailPrice
from endpoints.azure_gateway.settings import CLOUDS, CloudSettings, GatewaySettings
from tests.azure_gateway.certificates import Certificates
from tests.azure_gateway.fakes import FakeArm, serve

pytestmark = pytest.mark.asyncio
SIZE = "Standard_DS3_v2"


def row(**fields: Any) -> dict[str, Any]:
    return {
        "currencyCode": "EUR",
        "tierMinimumUnits": 0.0,
        "retailPrice": 0.236555,
        "armRegionName": "westeurope",
        "effectiveStartDate": "2022-04-01T00:00:00Z",
        "meterName": "DS3 v2",
        "productName": "Virtual Machines DSv2 Series",
        "skuName": "DS3 v2",
        "unitOfMeasure": "1 Hour",
        "type": "Consumption",
        "isPrimaryMeterRegion": True,
        "armSkuName": SIZE,
        **fields,
    }


def page(*rows: Any, following: Any = None) -> web.Response:
    return web.json_response({"BillingCurrency": "EUR", "Items": list(rows), "NextPageLink": following})


def settings(fake: FakeArm, certificates: Certificates) -> GatewaySettings:
    """A cloud whose list has a path of its own; nobody could get a token."""
    cloud = CloudSettings(
        name="TestCloud",
        resource_manager="https://localhost:1",
        authority="https://localhost:1",
        prices=f"{fake.url}/retail",
        ca_bundle=str(certificates.ca_bundle),
    )
    return GatewaySettings(cloud=cloud)


async def asked(fake: FakeArm, certificates: Certificates, size: str = SIZE) -> Any:
    async with connect(settings(fake, certificates)) as azure:
        return await azure.list_retail_prices("West Europe", size, currency="EUR")


async def test_prices__of_a_size__are_asked_for_without_a_credential_and_read_exactly(
    certificates: Certificates,
) -> None:
    async def answer(request: web.Request) -> web.Response:
        if "$skip" in request.query:
            return page(row(skuName="DS3 v2 Spot", isPrimaryMeterRegion=False))
        return page(row(), following=f"{fake.url}/retail/api/retail/prices?$skip=1")

    async with serve(certificates, answer) as fake:
        listing = await asked(fake, certificates)

    assert [item.sku for item in listing] == ["DS3 v2", "DS3 v2 Spot"]
    assert listing.items[0] == RetailPrice(
        size=SIZE,
        region="westeurope",
        amount=Decimal("0.236555"),
        currency="EUR",
        unit="1 Hour",
        kind="Consumption",
        product="Virtual Machines DSv2 Series",
        sku="DS3 v2",
        meter="DS3 v2",
        from_units=Decimal("0.0"),
        primary=True,
        effective_at=datetime(2022, 4, 1, tzinfo=UTC),
    )
    assert listing.items[1].primary is False
    assert [call.path for call in fake.calls] == 2 * ["/retail/api/retail/prices"]
    assert not any("authorization" in {name.lower() for name in call.headers} for call in fake.calls)
    query = parse_qs(fake.calls[0].query)
    assert query["currencyCode"] == ["'EUR'"]
    assert query["$filter"] == [
        "serviceName eq 'Virtual Machines' and armRegionName eq 'westeurope' and armSkuName eq 'Standard_DS3_v2'"
        " and priceType eq 'Consumption'"
    ]


async def test_prices__with_a_link_to_another_host__are_malformed_and_nothing_is_sent_there(
    certificates: Certificates,
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return page(row(), following="https://evil.example/api/retail/prices?$skip=1")

    async with serve(certificates, answer) as fake:
        with pytest.raises(errors.Malformed, match="nothing was sent there"):
            await asked(fake, certificates)
        assert len(fake.calls) == 1


@pytest.mark.parametrize(
    ("status", "headers", "error"),
    [
        (429, {"Retry-After": "30"}, errors.Throttled),
        (400, {}, errors.Rejected),
        (503, {}, errors.ServerError),
    ],
)
async def test_prices__that_are_refused__are_an_error_that_says_how(
    certificates: Certificates, status: int, headers: dict[str, str], error: type[errors.GatewayError]
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"Error": {"Code": "X"}}, status=status, headers=headers)

    async with serve(certificates, answer) as fake:
        with pytest.raises(error) as raised:
            await asked(fake, certificates)
    assert getattr(raised.value, "retry_after", None) == (30.0 if status == 429 else None)


@pytest.mark.parametrize("name", ["AzureChinaCloud", "AzureUSGovernment"])
async def test_prices__in_a_sovereign_cloud__are_refused_and_nothing_is_sent(name: str) -> None:
    async with connect(GatewaySettings(cloud=CLOUDS[name])) as azure:
        with pytest.raises(errors.PricesRefused, match=f"{name} names no retail price list"):
            await azure.list_retail_prices("westeurope", SIZE)


@pytest.mark.parametrize(
    ("region", "size", "currency"),
    [("west'europe", SIZE, "USD"), ("westeurope", "x' or 'a' eq 'a", "USD"), ("westeurope", SIZE, "usd")],
)
async def test_prices__that_can_not_be_asked_for__are_a_mistake(
    region: str, size: str, currency: str
) -> None:
    async with connect(GatewaySettings()) as azure:
        with pytest.raises(ValueError, match="is not"):
            await azure.list_retail_prices(region, size, currency=currency)


@pytest.mark.parametrize(
    "odd",
    [
        {"retailPrice": None},
        {"retailPrice": -1},
        {"currencyCode": ""},
        {"unitOfMeasure": None},
        {"effectiveStartDate": "soon"},
    ],
)
async def test_a_row__that_says_too_little__is_malformed(odd: dict[str, Any]) -> None:
    with pytest.raises(errors.Malformed):
        retail.price({**row(retailPrice=Decimal(1), tierMinimumUnits=Decimal(0)), **odd})
