"""What a thousand predictions of each endpoint cost, and what they leave where somebody said what one is worth."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponseBase
from django.urls import reverse

from endpoints.capacity.selectors.money import UnitCost, UnitCostPage, unit_costs
from endpoints.core.errors import Invalid
from endpoints.web.capacity_money import cents
from endpoints.web.capacity_scope import STRETCHES, pages_of, scope_of, stretch, tabs
from endpoints.web.numbers import MISSING
from endpoints.web.pages import SIGNED_IN, PageRequest, page, render
from endpoints.web.wording import UNKNOWN

LIMIT = 50
PLACES = Decimal("0.0001")
"""A prediction costs fractions of a cent: a thousand of them are told to a hundredth of one."""


@dataclass(frozen=True, slots=True)
class Line:
    """One endpoint's. `loses`: its predictions cost more than they are worth."""

    row: UnitCost
    href: str
    days_href: str
    cost: str
    requests: str
    per_thousand: str
    value: str
    margin: str
    loses: bool


@page(SIGNED_IN)
def unit_costs_page(request: PageRequest) -> HttpResponseBase:
    """The endpoint that cost most first."""
    scope, after = scope_of(request), request.GET.get("after", "")[:60]
    days, since, until = stretch(request.GET.get("days", "").strip())
    found: UnitCostPage
    try:
        found = unit_costs(scope.ids, since, until, cursor=after, limit=LIMIT)
    except Invalid:
        after, found = "", unit_costs(scope.ids, since, until, limit=LIMIT)
    given = scope.query | {"days": str(days)}
    here = reverse("web:capacity_unit_costs")
    context: dict[str, Any] = {
        "tab_items": tabs("capacity_unit_costs", scope.query),
        "scope": scope,
        "days": days,
        "since": since,
        "until": until,
        "stretches": [(one, f"{here}?{urlencode(scope.query | {'days': str(one)})}") for one in STRETCHES],
        "lines": [_line(row, {"since": f"{since}", "until": f"{until}"}) for row in found.rows],
        "pages": pages_of("capacity_unit_costs", given, after, found.next_cursor),
    }
    return render(request, "capacity/unit_costs.html", context, section="capacity")


def _line(row: UnitCost, when: dict[str, str]) -> Line:
    asked = when | {"ws": row.workspace, "endpoint": row.endpoint}
    return Line(
        row=row,
        href=reverse("web:endpoint", kwargs={"ws": row.workspace, "name": row.endpoint}),
        days_href=f"{reverse('web:capacity_days')}?{urlencode(asked)}",
        cost=cents(row.cost),
        requests=UNKNOWN if row.requests is None else f"{row.requests:,.0f}".replace(",", "\u202f"),
        per_thousand=_fine(row.per_thousand, UNKNOWN),
        value=_fine(row.value_per_thousand, MISSING),
        margin=_fine(row.margin, MISSING if row.value_per_thousand is None else UNKNOWN),
        loses=row.margin is not None and row.margin < 0,
    )


def _fine(amount: Decimal | None, missing: str) -> str:
    return missing if amount is None else f"{amount.quantize(PLACES):,f}".replace(",", "\u202f")
