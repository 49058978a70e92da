"""Sizes with price and quota through the API: by pages, unknown as null with the reason, bad input refused."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from endpoints.access.models import User, Workspace
from endpoints.azure_gateway.errors import Forbidden
from endpoints.prices.models import SkuPrice
from tests.api.api import Api
from tests.prices.support import listing, price, read, size, usage

pytestmark = pytest.mark.django_db
PRICES = "/workspaces/mlw-prod-weu/prices"


def get(user: User, query: str = "") -> Any:
    answer = Api(user).get(PRICES + query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_prices__of_a_size__are_text_with_date_source_and_quota(workspace: Workspace, finops: User) -> None:
    read(listing([size("Standard_DS3_v2", price("0.2930"))]), listing([usage(12, 100)]))
    (item,) = get(finops)["items"]
    assert (item["name"], item["region"], item["vcpus"]) == ("Standard_DS3_v2", "westeurope", 4)
    assert (item["price"]["amount"], item["price"]["currency"]) == ("0.293", "USD")
    assert item["price"]["source"] == "vm_sizes"
    assert item["price"]["earliest"] is None
    assert item["price"]["seen_at"] == item["price"]["confirmed_at"] == item["seen_at"]
    assert (item["quota"]["used"], item["quota"]["limit"], item["quota"]["left"]) == (12, 100, 88)


def test_prices__of_two_lists_that_differ__have_the_other_one_beside(
    workspace: Workspace, finops: User
) -> None:
    read(listing([size("Standard_DS3_v2", price("0.2930"))]))
    own = SkuPrice.objects.get()
    since = datetime(2022, 4, 1, tzinfo=UTC)
    SkuPrice.objects.create(
        subscription=own.subscription, region=own.region, sku=own.sku, amount=Decimal("0.35"), currency="USD",
        source="retail", seen_at=own.seen_at, effective_at=since,
    )  # fmt: skip
    (item,) = get(finops)["items"]
    assert (item["price"]["amount"], item["price"]["effective_at"]) == ("0.293", None)
    beside = item["price"]["beside"]
    assert (beside["amount"], beside["source"], beside["effective_at"]) == (
        "0.35",
        "retail",
        "2022-04-01T00:00:00Z",
    )


def test_prices__not_known__are_null_with_the_reason(workspace: Workspace, finops: User) -> None:
    read(listing([size("Standard_DS3_v2")]), Forbidden("It may not read usages."))
    found = get(finops)
    assert found["items"][0]["price"] is None
    assert found["items"][0]["price_note"] == "Azure names no price for this size here."
    assert found["items"][0]["quota"] is None
    assert found["readings"][0]["quotas_reason"] == "It may not read usages."
    assert found["readings"][0]["quotas_read_at"] is None


def test_prices__by_pages__come_each_once(workspace: Workspace, finops: User) -> None:
    read(
        listing([size(f"Standard_{letter}") for letter in "ABC"] + [size("Standard_T", for_endpoints=False)])
    )
    first = get(finops, "?limit=2")
    second = Api(finops).client.get(first["next"]).json()
    assert [item["name"] for item in first["items"] + second["items"]] == [
        "Standard_A",
        "Standard_B",
        "Standard_C",
    ]
    assert second["next"] is None
    assert len(get(finops, "?all=true")["items"]) == 4


@pytest.mark.parametrize("query", ["?cursor=nonsense", "?cursor=/", "?limit=0", "?all=perhaps", "?region=x"])
def test_prices__asked_for_what_there_is_not__is_a_problem(
    workspace: Workspace, finops: User, query: str
) -> None:
    assert Api(finops).get(PRICES + query).status_code == 422
