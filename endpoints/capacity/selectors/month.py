"""A month of paid capacity in each currency: what was spent, how it will end, and what was planned for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from endpoints.capacity.forecast import LOOKS_BACK, forecast
from endpoints.capacity.selectors.inputs import PlanRow, plans
from endpoints.capacity.selectors.ledger import Ledger, fleet_ledger

DAY = timedelta(days=1)
_UNPRICED = "No price is known, so no amount is."


@dataclass(frozen=True, slots=True)
class Month:
    """`spent` and its parts are of the hours that are over and priced; `days` of the month are in the ledger.

    `unpriced_seconds` of paid time have no price and are in no amount; where none has one, `currency` is "" and amounts
    are None. The forecast is of the whole month, None where nothing is known to go by; `words` say how it was worked
    out. `plan` is the sum of the workspaces' plans in this currency; None: one of them has none.
    """

    currency: str
    month: date
    spent: Decimal | None
    unserved: Decimal | None
    over: Decimal | None
    unknown: Decimal | None
    unpriced_seconds: int
    days: int
    forecast_low: Decimal | None
    forecast: Decimal | None
    forecast_high: Decimal | None
    words: str
    plan: Decimal | None


def month_of(workspace_ids: Collection[int], today: date) -> tuple[Month, ...]:
    """The month that `today` (UTC) is in; the currency in which most was spent first."""
    begin = today.replace(day=1)
    since = begin - LOOKS_BACK * DAY
    whole = {one.currency: one for one in fleet_ledger(workspace_ids, since=since, until=today)}
    so_far = fleet_ledger(workspace_ids, since=begin, until=today + DAY)
    planned = _planned(workspace_ids, plans(workspace_ids))
    return tuple(_month(one, whole.get(one.currency), begin, today, planned) for one in so_far)


def today_of(at: datetime) -> date:
    """The ledger's day of a moment."""
    return at.astimezone(UTC).date()


def _month(
    ledger: Ledger, whole: Ledger | None, begin: date, today: date, planned: dict[str, Decimal]
) -> Month:
    days = {day: sums.amounts["paid"] for day, sums in whole.days.items()} if whole else {}
    ahead = forecast(days, begin, today) if ledger.currency else None
    amounts: Mapping[str, Decimal] = ledger.total.amounts if ledger.currency else {}
    return Month(
        currency=ledger.currency,
        month=begin,
        spent=amounts.get("paid"),
        unserved=amounts.get("unserved"),
        over=amounts.get("over"),
        unknown=amounts.get("unknown"),
        unpriced_seconds=ledger.total.unpriced_seconds,
        days=len(ledger.days),
        forecast_low=ahead.low if ahead else None,
        forecast=ahead.middle if ahead else None,
        forecast_high=ahead.high if ahead else None,
        words=ahead.words if ahead else _UNPRICED,
        plan=planned.get(ledger.currency),
    )


def _planned(workspace_ids: Collection[int], rows: Collection[PlanRow]) -> dict[str, Decimal]:
    """By currency, where each of the workspaces has a plan as a whole."""
    whole = [row for row in rows if not row.team]
    found: dict[str, Decimal] = {}
    for currency in {row.currency for row in whole}:
        of_it = {row.workspace_id: row.amount for row in whole if row.currency == currency}
        if set(workspace_ids) <= set(of_it):
            found[currency] = sum(of_it.values(), Decimal(0))
    return found
