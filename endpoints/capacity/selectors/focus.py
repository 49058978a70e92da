"""The ledger's rows as cost rows in the shape of FOCUS: one for a deployment and day, or for the hours of one price.

Costs are the ledger's exact amounts: the sum of BilledCost is what the ledger says was paid.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any

from endpoints.capacity import focus
from endpoints.capacity.day import PARTS
from endpoints.capacity.formula import Price
from endpoints.capacity.selectors.daily import DayRow, Explained
from endpoints.capacity.selectors.day_rows import worked_out
from endpoints.capacity.selectors.told_prices import ToldPrices
from endpoints.capacity.worth import NANO
from endpoints.inventory.models import Deployment

FocusRow = dict[str, Any]
_DAY = timedelta(days=1)
# A day's amount is rounded once an hour for each of its parts.
_ROUNDING = 24 * len(PARTS) * NANO


@dataclass(frozen=True, slots=True)
class _Charge:
    """What one row charges. `price` None: not known, or not any more. Amounts None: not known."""

    since: datetime
    until: datetime
    seconds: Mapping[str, int]
    amounts: Mapping[str, Decimal | None]
    unpriced: int
    without_count: int
    price: Price | None
    causes: Sequence[Explained]


@dataclass(frozen=True, slots=True)
class _Place:
    """Of a deployment: its own id in Azure, the subscription's, and the endpoint's tags."""

    arm_id: str
    subscription: str
    tags: Mapping[str, Any]


def focus_rows(rows: Iterable[DayRow], *, at_once: int = 1000) -> Iterator[FocusRow]:
    """In the order of `rows`, of which so many are looked at together."""
    waiting: list[DayRow] = []
    for row in rows:
        waiting.append(row)
        if len(waiting) == at_once:
            yield from _together(waiting)
            waiting = []
    yield from _together(waiting)


def _together(rows: Sequence[DayRow]) -> Iterator[FocusRow]:
    places = _places({row.deployment_id for row in rows})
    prices: dict[int, ToldPrices] = {}
    for workspace_id in sorted({row.workspace_id for row in rows}):
        skus = {row.sku for row in rows if row.workspace_id == workspace_id}
        prices[workspace_id] = ToldPrices(workspace_id, skus)
    for _, same_day in groupby(rows, key=lambda row: row.day):
        yield from _of_a_day(list(same_day), prices, places)


def _of_a_day(
    rows: Sequence[DayRow], prices: Mapping[int, ToldPrices], places: Mapping[int, _Place]
) -> Iterator[FocusRow]:
    begin = datetime.combine(rows[0].day, time(), tzinfo=UTC)
    several: dict[int, list[DayRow]] = {}
    for row in rows:
        if row.currency and not prices[row.workspace_id].one_price(row.sku, begin, begin + _DAY):
            several.setdefault(row.workspace_id, []).append(row)
    split = {
        told.row.deployment_id: told
        for group in several.values()
        for told in worked_out(group)
        if told.agrees
    }
    for row in rows:
        told = split.get(row.deployment_id)
        if told is None:
            charges = [_whole(row, begin, prices[row.workspace_id])]
        else:
            charges = [
                _Charge(
                    line.since,
                    line.until,
                    line.seconds,
                    line.amounts
                    if line.amounts and line.instances is not None
                    else dict.fromkeys(row.amounts),
                    0 if line.price else line.seconds["paid"],
                    0
                    if line.instances is not None
                    else round((line.until - line.since) / timedelta(hours=1)),
                    line.price,
                    [(found.cause, found.ref, seconds, amount) for found, seconds, amount in line.causes],
                )
                for line in told.lines
            ]
        yield from (_row(row, charge, places[row.deployment_id]) for charge in charges)


def _whole(row: DayRow, begin: datetime, prices: ToldPrices) -> _Charge:
    """The whole day. Its price is told where it makes the row's amount: else the row is from other knowledge."""
    price, paid = prices.at(row.sku, begin), row.amounts["paid"]
    priced = focus.hours(row.seconds["paid"] - row.unpriced_seconds)
    if price is not None and (
        paid is None
        or price.paid.currency != row.currency
        or abs(price.paid.amount * priced - paid) > _ROUNDING
    ):
        price = None
    return _Charge(
        begin, begin + _DAY, row.seconds, row.amounts, row.unpriced_seconds, row.hours_without_count, price, row.causes
    )  # fmt: skip


def _row(row: DayRow, charge: _Charge, place: _Place) -> FocusRow:
    return (
        focus.ALIKE | _what(row, charge, place) | _costs(row, charge) | _parts(charge) | _whose(row, charge)
    )


def _what(row: DayRow, charge: _Charge, place: _Place) -> FocusRow:
    begin, end = focus.billing_period(row.day)
    hours = focus.number(focus.hours(charge.seconds["paid"]))
    return {
        "BillingPeriodStart": begin,
        "BillingPeriodEnd": end,
        "ChargePeriodStart": focus.moment(charge.since),
        "ChargePeriodEnd": focus.moment(charge.until),
        "ChargeDescription": f"{hours} instance-hours of {row.sku} for the online deployment {row.deployment}"
        f" of {row.endpoint}, estimated from list prices",
        "RegionId": row.region or None,
        "RegionName": row.region or None,
        "ResourceId": place.arm_id,
        "ResourceName": row.deployment,
        "SkuId": row.sku or None,
        "SubAccountId": f"/subscriptions/{place.subscription}",
        "Tags": place.tags or None,
    }


def _costs(row: DayRow, charge: _Charge) -> FocusRow:
    """Nothing is billed but what an agreement leaves of the list price."""
    paid, price = charge.amounts["paid"], charge.price
    consumed = focus.hours(charge.seconds["paid"])
    known = not charge.without_count or charge.seconds["paid"]
    priced = focus.hours(charge.seconds["paid"] - charge.unpriced) if paid is not None else None
    listed = paid
    if price is not None and priced is not None and price.listed != price.paid:
        listed = (price.listed.amount * priced).quantize(NANO)
    billed = focus.number(paid)
    return {
        "BilledCost": billed,
        "BillingCurrency": row.currency or None,
        "ConsumedQuantity": focus.number(consumed) if known else None,
        "ConsumedUnit": focus.UNIT_CONSUMED if known else None,
        "ContractedCost": billed,
        "ContractedUnitPrice": focus.number(price.paid.amount) if price else None,
        "EffectiveCost": billed,
        "ListCost": focus.number(listed),
        "ListUnitPrice": focus.number(price.listed.amount) if price else None,
        "PricingCategory": "Standard",
        "PricingQuantity": focus.number(priced),
        "PricingUnit": focus.UNIT_PRICED if priced is not None else None,
    }


def _parts(charge: _Charge) -> FocusRow:
    costs = {f"x_Opsportal{name.title()}Cost": focus.number(charge.amounts[name]) for name in PARTS}
    hours = {
        f"x_Opsportal{name.title()}Hours": focus.number(focus.hours(charge.seconds[name])) for name in PARTS
    }
    return costs | hours


def _whose(row: DayRow, charge: _Charge) -> FocusRow:
    most = max(charge.causes, key=lambda cause: cause[2], default=None)
    by_cause: Counter[str] = Counter()
    for cause, _, seconds, _ in charge.causes:
        by_cause[cause] += seconds
    price = charge.price
    return {
        "x_Cause": most[0] if most else None,
        "x_CauseRef": (most[1] or None) if most else None,
        "x_OpsportalCauses": {
            cause: focus.number(focus.hours(seconds)) for cause, seconds in sorted(by_cause.items())
        }
        or None,
        "x_OpsportalAgreement": (price.agreement or None) if price else None,
        "x_OpsportalAgreementShare": focus.number(price.share) if price and price.agreement else None,
        "x_OpsportalEndpoint": row.endpoint,
        "x_OpsportalHoursWithoutCount": charge.without_count,
        "x_OpsportalOwner": row.owner or None,
        "x_OpsportalPriceReadAt": focus.moment(price.read_at) if price and price.read_at else None,
        "x_OpsportalPriceSource": (price.source or None) if price else None,
        "x_OpsportalTeam": row.team or None,
        "x_OpsportalUnpricedHours": focus.number(focus.hours(charge.unpriced)),
        "x_OpsportalWorkspace": row.workspace,
    }


def _places(deployment_ids: Iterable[int]) -> dict[int, _Place]:
    rows = Deployment.objects.filter(pk__in=list(deployment_ids)).values_list(
        "pk", "arm_id", "endpoint__workspace__subscription_id", "endpoint__tags"
    )
    return {number: _Place(arm_id, subscription, tags) for number, arm_id, subscription, tags in rows}
