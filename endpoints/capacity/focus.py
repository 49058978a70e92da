"""The columns of a cost table in the shape of FOCUS 1.2 (the FinOps Open Cost and Usage Specification). Pure.

The specification's columns come first, by name, then ours, which begin with x_. What each holds here, and where this
table departs from the specification, is in docs/reference/focus.md.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache

VERSION = "1.2"
COLUMNS = (
    "AvailabilityZone",
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedCost",
    "ContractedUnitPrice",
    "EffectiveCost",
    "InvoiceId",
    "InvoiceIssuerName",
    "ListCost",
    "ListUnitPrice",
    "PricingCategory",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "RegionId",
    "RegionName",
    "ResourceId",
    "ResourceName",
    "ResourceType",
    "ServiceCategory",
    "ServiceName",
    "ServiceSubcategory",
    "SkuId",
    "SkuPriceId",
    "SubAccountId",
    "SubAccountName",
    "SubAccountType",
    "Tags",
)
OWN = (
    "x_Cause",
    "x_CauseRef",
    "x_OpsportalAgreement",
    "x_OpsportalAgreementShare",
    "x_OpsportalCauses",
    "x_OpsportalEndpoint",
    "x_OpsportalEstimate",
    "x_OpsportalHoursWithoutCount",
    "x_OpsportalOverCost",
    "x_OpsportalOverHours",
    "x_OpsportalOwner",
    "x_OpsportalPriceReadAt",
    "x_OpsportalPriceSource",
    "x_OpsportalTeam",
    "x_OpsportalUnknownCost",
    "x_OpsportalUnknownHours",
    "x_OpsportalUnpricedHours",
    "x_OpsportalUnservedCost",
    "x_OpsportalUnservedHours",
    "x_OpsportalUsefulCost",
    "x_OpsportalUsefulHours",
    "x_OpsportalWorkspace",
)
HEADER = COLUMNS + OWN
ALIKE = {
    "ChargeCategory": "Usage",
    "ChargeFrequency": "Usage-Based",
    "InvoiceIssuerName": "Microsoft",
    "ProviderName": "Microsoft",
    "PublisherName": "Microsoft",
    "ResourceType": "Online deployment",
    "ServiceCategory": "AI and Machine Learning",
    "ServiceName": "Azure Machine Learning",
    "ServiceSubcategory": "Machine Learning",
    "SubAccountType": "Subscription",
    "x_OpsportalEstimate": "true",
}
"""What every row says. The estimate is one: no invoice was read."""
UNIT_CONSUMED, UNIT_PRICED = "Instance-Hours", "Hours"
_HOUR = Decimal(3600)
_FINEST = Decimal("0.000000000001")


@lru_cache(maxsize=1024)
def moment(at: datetime) -> str:
    """As the specification writes date and time: UTC, to the second."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


@lru_cache(maxsize=1024)
def billing_period(day: date) -> tuple[str, str]:
    """The calendar month of a day, in UTC: begin, and end exclusive."""
    first = datetime(day.year, day.month, 1, tzinfo=UTC)
    after = datetime(day.year + day.month // 12, day.month % 12 + 1, 1, tzinfo=UTC)
    return moment(first), moment(after)


def number(value: Decimal | None) -> str | None:
    """Without exponent, sign of plus or needless zeros. None: not known."""
    return None if value is None else f"{value.normalize():f}"


def hours(seconds: int) -> Decimal:
    """Instance-seconds as instance-hours, to a trillionth."""
    return (seconds / _HOUR).quantize(_FINEST)
