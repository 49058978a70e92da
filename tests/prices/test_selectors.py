"""What is answered of prices and quota, and what is said where they are not known."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from endpoints.azure_gateway.errors import Forbidden
from endpoints.core.errors import Invalid
from endpoints.core.money import Money
from endpoints.prices.models import PriceReading
from endpoints.prices.selectors import cost_of, cost_per_hour, price_of, prices_of, sizes
from tests.inventory.support import make_workspace
from tests.prices.support import PLACE, REGION, SUBSCRIPTION, listing, price, read, size, usage

pytestmark = pytest.mark.django_db
SKU = "Standard_DS3_v2"


def test_cost__of_instances__is_the_price_times_their_number() -> None:
    read(listing([size(SKU, price("0.1"))]))
    assert cost_per_hour(*PLACE, SKU.upper(), 3) == Money(Decimal("0.3"), "USD")
    assert cost_per_hour(*PLACE, SKU, 0) == Money(Decimal(0), "USD")


def test_cost__of_an_unknown_number_or_size__is_unknown_and_not_nothing() -> None:
    read(listing([size(SKU, price("0.1"))]))
    assert cost_per_hour(*PLACE, SKU, None) is None
    assert cost_per_hour(*PLACE, "Standard_Other", 3) is None
    assert cost_per_hour(SUBSCRIPTION, "northeurope", SKU, 3) is None


def test_cost__with_all_that_is_around_it__has_size_and_quota_and_nothing_to_explain() -> None:
    read(listing([size(SKU, price("0.1"))]), listing([usage()]))
    found = cost_of(*PLACE, SKU, 2)
    assert found.per_hour == Money(Decimal("0.2"), "USD")
    assert found.size is not None and found.size.name == SKU
    assert found.quota is not None and found.quota.left == 88
    assert (found.why_no_price, found.why_no_quota) == ("", "")


def test_cost__not_known__says_why() -> None:
    assert cost_of(*PLACE, SKU, 2).why_no_price == "Prices of westeurope were never read."
    read(Forbidden("It may not read sizes."), Forbidden("It may not read usages."))
    refused = cost_of(*PLACE, SKU, 2)
    assert refused.why_no_price == "Prices of westeurope were never read. It may not read sizes."
    assert refused.why_no_quota == "Quota was never read here. It may not read usages."

    read(listing([size("A"), size("B", family=""), size("C", price(tier="Spot"))]), listing())
    assert cost_of(*PLACE, SKU, 2).why_no_price == f"Azure's list of sizes of westeurope does not have {SKU}."
    assert cost_of(*PLACE, "A", 2).why_no_price == "Azure names no price for this size here."
    assert cost_of(*PLACE, "C", 2).why_no_price.startswith("Azure names prices for Linux Spot only")
    assert cost_of(*PLACE, "A", 2).why_no_quota.startswith("Azure's list of usages has no quota of")
    assert cost_of(*PLACE, "B", 2).why_no_quota.startswith("Azure has not said to which family")

    read(listing([size("A")]))
    assert cost_of(*PLACE, "C", 2).why_no_price == "Azure does not list C in westeurope any more."
    assert cost_of(SUBSCRIPTION, "", SKU, 2).why_no_price == "Azure has not said in which region it runs."
    assert cost_of(*PLACE, "", 2).why_no_price.startswith("Azure has not said which size")


def test_prices__of_many_sizes__take_three_queries() -> None:
    read(listing([size(f"S{number}", price(f"0.{number}")) for number in range(1, 9)]))
    with CaptureQueriesContext(
        connection,
    ) as queries:
        found = prices_of(*PLACE, [f"s{number}" for number in range(20)])
    assert len(queries) == 3
    assert {name: one.amount for name, one in found.items()} == {
        f"s{number}": Decimal(f"0.{number}") for number in range(1, 9)
    }


def test_sizes__by_pages__hold_each_once_in_order_with_price_and_quota() -> None:
    workspace = make_workspace()
    names = [f"Standard_{letter}" for letter in "CABED"]
    read(
        listing([size(name, price("0.2")) for name in names] + [size("Standard_X", for_endpoints=False)]),
        listing([usage()]),
    )
    pages, cursor = [], ""
    while True:
        page = sizes(workspace.pk, cursor=cursor, limit=2)
        pages.append(page)
        if not (cursor := page.next_cursor):
            break
    rows = [row for page in pages for row in page.rows]
    assert [row.size.name for row in rows] == sorted(names)
    assert [len(page.rows) for page in pages] == [2, 2, 1]
    assert all(row.price and row.quota and row.region == REGION for row in rows)
    assert [one.region for one in pages[0].readings] == [REGION]
    everything = sizes(workspace.pk, for_endpoints=False)
    assert everything.rows[-1].size.name == "Standard_X"


def test_sizes__of_a_region_without_the_workspace__are_not_listed() -> None:
    workspace = make_workspace()
    read(listing([size(SKU, price())]), region="northeurope")
    assert PriceReading.objects.get().region == "northeurope"
    assert price_of(SUBSCRIPTION, "northeurope", SKU) is not None
    assert sizes(workspace.pk).rows == ()


def test_sizes__asked_for_a_page_that_does_not_exist__say_so() -> None:
    with pytest.raises(Invalid, match="start at the first one"):
        sizes(make_workspace().pk, cursor="nonsense")
