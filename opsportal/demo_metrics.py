"""The demo's metrics: latency budgets, business figures, and the order to read a month of the past."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from endpoints.access.selectors import principal_now, user_id_by_name, workspace_id_by_slug
from endpoints.audit.actors import SYSTEM_COMMAND
from endpoints.core.errors import OpsportalError
from endpoints.dispatch import db_now
from endpoints.inventory.selectors import endpoint_id_by_name
from endpoints.metrics.figures import MOST_AT_ONCE, Definition, Kind, Value
from endpoints.metrics.selectors import budget_at
from endpoints.metrics.services import define_figure, order_backfill, propose_budget, write_figures
from endpoints.metrics.services.collectors import add_missing
from opsportal import demo

DAYS = 30
# A day of 2,000 endpoints with 3 deployments is 170 million values: half an hour in the background, on two cores.
DAYS_OF_FLEET = 1


@dataclass(frozen=True, slots=True)
class Budget:
    """What an endpoint's callers were promised: p95 in milliseconds, and the share of requests that may fail."""

    workspace: str
    endpoint: str
    p95_ms: float
    failure_share: float
    reason: str


BUDGETS = (
    Budget(
        demo.PROD_WEU, "checkout-risk", 90, 0.01, "Checkout waits 120 ms for the answer, network included."
    ),
    Budget(demo.PROD_WEU, "fraud-cards", 60, 0.01, "The acquirer's limit is 80 ms."),
    Budget(demo.PROD_WEU, "home-recs", 220, 0.02, "The page renders without it after 250 ms."),
    Budget(demo.PROD_WEU, "photo-triage", 900, 0.02, "Sellers see a spinner after one second."),
    Budget(demo.PROD_WEU, "search-rank", 180, 0.01, "Search promises its first results in 400 ms."),
    Budget(demo.PROD_WEU, "parcel-eta", 45, 0.01, "The tracking page asks for twenty of them in a row."),
)


def make_metrics() -> list[str]:
    """Set the budgets that are missing and order the past; a line about each. Needs a synced fleet."""
    lines = [_safely(budget) for budget in BUDGETS]
    return [*lines, _figures(), _past()]


def order_past() -> list[str]:
    """The past alone, for a fleet of which nobody knows what it promised: what its lists show of it."""
    return [_past(DAYS_OF_FLEET)]


def _past(days: int = DAYS) -> str:
    add_missing()
    made = order_backfill(actor=SYSTEM_COMMAND, days=days)
    return f"  metrics of {days * 24} hours are read in the background, by {len(made)} collectors"


def _safely(budget: Budget) -> str:
    try:
        return f"  budget of {budget.endpoint}: {_set(budget)}"
    except OpsportalError as error:
        return f"  budget of {budget.endpoint}: left out. {error.message}"


def _set(budget: Budget) -> str:
    endpoint_id = endpoint_id_by_name(workspace_id_by_slug(budget.workspace), budget.endpoint)
    if budget_at(endpoint_id) is not None:
        return "in force already"
    propose_budget(
        principal=principal_now(user_id_by_name("admin")),
        endpoint_id=endpoint_id,
        p95_ms=budget.p95_ms,
        failure_share=budget.failure_share,
        reason=budget.reason,
    )
    return f"p95 {budget.p95_ms:g} ms"


CLICKS = Definition("click-through", "Click-through", Kind.RATE)
_HOURS_OF_FIGURES = 6


def _figures() -> str:
    """What the shop sent of its recommendations in the last hours: the newer model is clicked a little more."""
    try:
        principal = principal_now(user_id_by_name("silva"))
        endpoint_id = endpoint_id_by_name(workspace_id_by_slug(demo.PROD_WEU), "home-recs")
        define_figure(principal=principal, endpoint_id=endpoint_id, wanted=CLICKS)
        values = list(_clicks())
        for first in range(0, len(values), MOST_AT_ONCE):
            write_figures(
                principal=principal, endpoint_id=endpoint_id, values=values[first : first + MOST_AT_ONCE]
            )
    except OpsportalError as error:
        return f"  business figure of home-recs: left out. {error.message}"
    return f"  business figure of home-recs: {len(values)} minutes of {CLICKS.label.lower()}"


def _clicks() -> Iterator[Value]:
    chance, newest = random.Random(2026), db_now().replace(second=0, microsecond=0)  # noqa: S311 - made-up data
    for back in range(1, _HOURS_OF_FIGURES * 60):
        for deployment, share, shown in (("control", 0.041, 180), ("treatment", 0.044, 520)):
            count = chance.randint(shown * 3 // 4, shown)
            clicked = sum(chance.random() < share for _ in range(count))
            yield Value(CLICKS.name, deployment, newest - timedelta(minutes=back), count, float(clicked))
