"""What predictions of each endpoint cost in a stretch of days, dearest first, by pages."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from endpoints.capacity.selectors.inputs import values
from endpoints.capacity.selectors.keys import place
from endpoints.capacity.unitcost import THOUSAND, unit
from endpoints.capacity.worth import NANO
from endpoints.core.errors import Invalid
from endpoints.core.money import Money

MOST_DAYS = 400


@dataclass(frozen=True, slots=True)
class UnitCost:
    """One endpoint's, in one currency. `cost`: all that was paid, None where a price is missing. Amounts are exact.

    `per_thousand`, `value_per_thousand` and `margin` are of 1,000 predictions; None: not known, or (the value) not
    said. `words` say why a number is missing.
    """

    endpoint_id: int
    endpoint: str
    workspace: str
    currency: str
    cost: Decimal | None
    requests: float | None
    per_thousand: Decimal | None
    value_per_thousand: Decimal | None
    margin: Decimal | None
    words: str


@dataclass(frozen=True, slots=True)
class UnitCostPage:
    """`next_cursor` is "" on the last page."""

    rows: tuple[UnitCost, ...]
    next_cursor: str


# Requests are those of the days in the ledger; the money of time without known requests is told beside.
_PAGE = """
WITH paid AS (
    SELECT d.endpoint_id, max(d.currency) AS currency, count(DISTINCT nullif(d.currency, '')) AS currencies,
        sum(d.paid_nanos) AS nanos, sum(d.unknown_nanos) AS unknown, sum(d.unpriced_seconds) AS unpriced,
        sum(d.hours_without_count) AS uncounted, sum(m.requests) AS requests
    FROM capacity_day d LEFT JOIN metrics_day m ON m.deployment_id = d.deployment_id AND m.day = d.day
    WHERE d.workspace_id = ANY (%(workspaces)s) AND d.day >= %(since)s AND d.day < %(until)s
    GROUP BY 1)
SELECT p.endpoint_id, e.name, w.slug, p.currency, p.nanos, p.unknown, p.unpriced, p.uncounted, p.requests, p.currencies
FROM paid p JOIN inventory_endpoint e ON e.id = p.endpoint_id JOIN access_workspace w ON w.id = e.workspace_id
WHERE %(nanos)s::bigint IS NULL OR (p.nanos, -p.endpoint_id) < (%(nanos)s, -%(after)s)
ORDER BY p.nanos DESC, p.endpoint_id LIMIT %(limit)s
"""


def unit_costs(
    workspace_ids: Collection[int], since: date, until: date, *, cursor: str = "", limit: int = 50
) -> UnitCostPage:
    """Of UTC days from `since` until before `until`; the endpoint that cost most first."""
    if until - since > timedelta(days=MOST_DAYS):
        raise Invalid({"since": [f"Ask for {MOST_DAYS} days at most."]})
    nanos, after = place(cursor) if cursor else (None, 0)
    with connection.cursor() as db:
        db.execute(
            _PAGE,
            {
                "workspaces": list(workspace_ids),
                "since": since,
                "until": until,
                "nanos": nanos,
                "after": after,
                "limit": limit + 1,
            },
        )
        found = db.fetchall()
    worths = {row.endpoint_id: Money(row.amount, row.currency) for row in values(workspace_ids)}
    rows = tuple(_row(one, worths.get(one[0])) for one in found[:limit])
    last = found[limit - 1] if len(found) > limit else None
    return UnitCostPage(rows, f"{int(last[4])}.{last[0]}" if last else "")


def _row(found: tuple[Any, ...], value: Money | None) -> UnitCost:
    endpoint_id, name, workspace, currency, nanos, unknown, unpriced, uncounted, requests, currencies = found
    whole = bool(currency) and not unpriced and not uncounted and currencies == 1
    cost = int(nanos) * NANO if whole else None
    told = unit(cost, int(unknown) * NANO, currency, requests, value)
    return UnitCost(
        endpoint_id=endpoint_id,
        endpoint=name,
        workspace=workspace,
        currency=currency,
        cost=cost,
        requests=requests,
        per_thousand=told.per_thousand,
        value_per_thousand=value.amount * THOUSAND if value and value.currency == currency else None,
        margin=told.margin,
        words=told.words,
    )
