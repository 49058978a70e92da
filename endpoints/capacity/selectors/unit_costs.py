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
    """One endpoint's, in one currency. `cost`: what was paid on its deployments' days of which instances and prices are
    known, and `requests` are of the same days. Where most days are not, it is None, and they are of all days. Amounts
    are exact.

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


# Requests are those of the days in the ledger whose cost is known; the money of time without known requests is told
# beside. A day with a part that is not known is left out whole: its requests belong to no known cost.
_PAGE = """
WITH paid AS (
    SELECT d.endpoint_id, max(d.currency) AS currency, count(DISTINCT nullif(d.currency, '')) AS currencies,
        sum(d.paid_nanos) AS nanos, sum(d.paid_nanos) FILTER (WHERE k.known) AS known,
        sum(d.unknown_nanos) FILTER (WHERE k.known) AS unknown, sum(m.requests) FILTER (WHERE k.known) AS requests,
        sum(m.requests) AS asked, count(*) AS days, count(*) FILTER (WHERE NOT k.known) AS left_out
    FROM capacity_day d LEFT JOIN metrics_day m ON m.deployment_id = d.deployment_id AND m.day = d.day,
    LATERAL (SELECT d.unpriced_seconds = 0 AND d.hours_without_count = 0 AS known) k
    WHERE d.workspace_id = ANY (%(workspaces)s) AND d.day >= %(since)s AND d.day < %(until)s
    GROUP BY 1)
SELECT p.endpoint_id, e.name, w.slug, p.currency, p.nanos, p.known, p.unknown, p.requests, p.asked,
    p.currencies, p.days, p.left_out
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
    endpoint_id, name, workspace, currency, _, known, unknown, requests, asked, currencies, days, left_out = (
        found
    )
    whole = bool(currency) and currencies == 1 and known is not None and left_out * 2 <= days
    cost = int(known) * NANO if whole else None
    told = unit(cost, int(unknown or 0) * NANO, currency, requests if whole else None, value)
    left = (
        f"Without {left_out} of its {days} days of deployments, whose cost is not known." if left_out else ""
    )
    return UnitCost(
        endpoint_id=endpoint_id,
        endpoint=name,
        workspace=workspace,
        currency=currency,
        cost=cost,
        requests=requests if whole else asked,
        per_thousand=told.per_thousand,
        value_per_thousand=value.amount * THOUSAND if value and value.currency == currency else None,
        margin=told.margin,
        words=f"{told.words} {left}".strip() if whole else told.words,
    )
