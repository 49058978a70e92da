"""Cost rows in the shape of FOCUS: names as the specification has them, and amounts that are the ledger's."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from endpoints.access.models import Workspace
from endpoints.capacity import focus
from endpoints.capacity.selectors import fleet_ledger
from endpoints.capacity.selectors.daily import Wanted
from endpoints.capacity.selectors.exports import focus_for_file
from opsportal.embedded.fingerprint import ROOT
from tests.capacity.test_day_rows import priced, rolled, scaled
from tests.capacity.test_roll_up import DAY, deployed, hours, place, yesterday

__all__ = ["place"]

# Column IDs of FOCUS 1.2 by feature level, and those that must have a value.
MANDATORY = [
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ContractedCost",
    "EffectiveCost",
    "InvoiceIssuerName",
    "ListCost",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "ServiceCategory",
    "ServiceName",
]
RECOMMENDED = ["AvailabilityZone", "ChargeFrequency", "InvoiceId", "ServiceSubcategory"]
CONDITIONAL = [
    "BillingAccountType",
    "CapacityReservationId",
    "CapacityReservationStatus",
    "CommitmentDiscountCategory",
    "CommitmentDiscountId",
    "CommitmentDiscountName",
    "CommitmentDiscountQuantity",
    "CommitmentDiscountStatus",
    "CommitmentDiscountType",
    "CommitmentDiscountUnit",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedUnitPrice",
    "ListUnitPrice",
    "PricingCategory",
    "PricingCurrency",
    "PricingCurrencyContractedUnitPrice",
    "PricingCurrencyEffectiveCost",
    "PricingCurrencyListUnitPrice",
    "RegionId",
    "RegionName",
    "ResourceId",
    "ResourceName",
    "ResourceType",
    "SkuId",
    "SkuMeter",
    "SkuPriceDetails",
    "SkuPriceId",
    "SubAccountId",
    "SubAccountName",
    "SubAccountType",
    "Tags",
]
WITHOUT_NULL = [
    "BilledCost",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ContractedCost",
    "EffectiveCost",
    "InvoiceIssuerName",
    "ListCost",
    "ProviderName",
    "PublisherName",
    "ServiceCategory",
    "ServiceName",
    "ServiceSubcategory",
]
"""Of a row with a known price. BillingAccountId, which the specification asks for too, is not read from Azure."""


def rows(place: Workspace, **asked: Any) -> list[dict[str, Any]]:
    since = (yesterday() - DAY).date()
    return list(focus_for_file(Wanted([place.pk], since, since + timedelta(days=3), **asked)))


def billed(found: list[dict[str, Any]], column: str = "BilledCost") -> Decimal:
    return sum((Decimal(row[column]) for row in found if row[column] is not None), Decimal(0))


def paid(place: Workspace) -> Decimal:
    since = (yesterday() - DAY).date()
    (ledger,) = fleet_ledger([place.pk], since=since, until=since + timedelta(days=3))
    return ledger.total.amounts["paid"]


def test_columns__are_the_specifications_by_its_spelling_and_then_ours() -> None:
    known = {*MANDATORY, *RECOMMENDED, *CONDITIONAL}
    assert len(known) == 57
    assert set(focus.COLUMNS) <= known
    assert {*MANDATORY, *RECOMMENDED} <= set(focus.COLUMNS)
    assert list(focus.COLUMNS) == sorted(focus.COLUMNS)
    assert all(name.startswith("x_") and name[2:].isalnum() and len(name) <= 50 for name in focus.OWN)
    assert list(focus.OWN) == sorted(focus.OWN)
    assert len(set(focus.HEADER)) == len(focus.HEADER)


def test_page__tells_what_every_column_holds_and_none_that_is_not_there() -> None:
    page = (ROOT / "docs" / "reference" / "focus.md").read_text()
    told = [line.split("|")[1].strip() for line in page.splitlines() if line.startswith("| ")]
    assert [name for name in told if name != "Column"] == list(focus.HEADER)


@pytest.mark.parametrize(
    ("day", "begin", "end"),
    [
        (date(2026, 2, 28), "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"),
        (date(2026, 12, 31), "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        (date(2026, 11, 1), "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"),
    ],
)
def test_billing_period__of_a_day__is_its_month_in_utc(day: date, begin: str, end: str) -> None:
    assert focus.billing_period(day) == (begin, end)


@pytest.mark.django_db
def test_row__of_a_day_at_one_price__says_what_was_charged_and_why(place: Workspace) -> None:
    row = deployed(place)
    hours(row, 0, 8, requests=0)
    hours(row, 8, 24, requests=600)
    rolled(place)
    (found,) = rows(place)
    assert set(found) <= set(focus.HEADER)
    assert [name for name in WITHOUT_NULL if found[name] in (None, "")] == []
    day = yesterday()
    assert (found["ChargePeriodStart"], found["ChargePeriodEnd"]) == (
        focus.moment(day),
        focus.moment(day + DAY),
    )
    assert (found["BilledCost"], found["ListUnitPrice"], found["PricingQuantity"]) == (
        "14.064",
        "0.293",
        "48",
    )
    assert found["BilledCost"] == found["ContractedCost"] == found["EffectiveCost"] == found["ListCost"]
    assert (found["ResourceId"], found["ResourceName"], found["SkuId"]) == ("blue", "blue", "standard_ds3_v2")
    assert found["SubAccountId"] == f"/subscriptions/{place.subscription_id}"
    assert found["Tags"] == {"team": "risk"}
    assert (found["x_OpsportalUnservedCost"], found["x_OpsportalUnservedHours"]) == ("4.688", "16")
    assert (found["x_Cause"], found["x_OpsportalCauses"]) == ("no-requests", {"no-requests": "16"})
    assert (found["x_OpsportalOwner"], found["x_OpsportalPriceSource"]) == ("risk@example.org", "vm_sizes")
    assert [found.get(name) for name in ("BillingAccountId", "InvoiceId", "ChargeClass", "SkuPriceId")] == [
        None
    ] * 4


@pytest.mark.django_db
def test_rows__of_all_kinds_of_days__are_billed_what_the_ledger_says(place: Workspace) -> None:
    blue, green = deployed(place), deployed(place, "green", instances=3)
    scaled(blue, 6, 4)
    scaled(green, 5, None)
    scaled(green, 7, 1)
    priced(place, "0.3333333333", 14)
    hours(blue, 15, 17, requests=0, instances=2.5)
    for back in range(2):
        rolled(place, back=back)
    found = rows(place)
    assert billed(found) == paid(place)
    parts = [f"x_Opsportal{name}Cost" for name in ("Useful", "Unserved", "Over", "Unknown")]
    assert sum(billed(found, name) for name in parts) == paid(place)
    split = [
        row
        for row in found
        if row["ResourceName"] == "blue" and row["ChargePeriodStart"] >= focus.moment(yesterday())
    ]
    assert len({row["ListUnitPrice"] for row in split}) == 2
    assert [row["ChargePeriodEnd"] for row in split[:-1]] == [row["ChargePeriodStart"] for row in split[1:]]
    for row in found:
        if row["ListUnitPrice"] is not None and row["PricingQuantity"] is not None:
            product = Decimal(row["ListUnitPrice"]) * Decimal(row["PricingQuantity"])
            assert abs(product - Decimal(row["ListCost"])) < Decimal("0.0000002")
    unknown = [row for row in found if row["x_OpsportalHoursWithoutCount"]]
    assert [(row["BilledCost"], row["ConsumedQuantity"]) for row in unknown] == [(None, None)]


@pytest.mark.django_db
def test_row__without_a_price__is_not_known_rather_than_free(place: Workspace) -> None:
    row = deployed(place)
    scaled(row, -1, 2, sku="Standard_NC6s_v3")
    rolled(place)
    (found,) = rows(place)
    costs = [name for name in focus.HEADER if name.endswith(("Cost", "Price"))]
    assert {found.get(name) for name in costs} == {None}
    assert (found["BillingCurrency"], found["PricingQuantity"]) == (None, None)
    assert (found["ConsumedQuantity"], found["x_OpsportalUnpricedHours"]) == ("48", "48")


@pytest.mark.django_db
def test_row__whose_price_is_another_one_by_now__keeps_its_amount_and_names_no_price(
    place: Workspace,
) -> None:
    deployed(place)
    rolled(place)
    priced(place, "0.5", -24)
    (found,) = rows(place)
    assert (found["BilledCost"], found["ListUnitPrice"], found["x_OpsportalPriceSource"]) == (
        "14.064",
        None,
        None,
    )
    assert billed([found]) == paid(place)
