"""What FinOps of the demo told about money: a contract, what the month may cost, what answers are worth."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from endpoints.access.selectors import workspace_id_by_slug
from endpoints.capacity.selectors.inputs import agreements, plans, values
from endpoints.capacity.services import agree, set_plan, set_value
from endpoints.dispatch import db_now
from opsportal import demo
from opsportal.demo_acts import endpoint, person

CURRENCY = "USD"
"""Azure Machine Learning's own list of sizes names this one everywhere."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What may be spent each month, by a team of a workspace or ("") in all of it."""

    workspace: str
    team: str
    amount: str
    reason: str


PLANS = (
    Plan(demo.PROD_WEU, "", "36000", "Budget of the year, a twelfth of it."),
    Plan(demo.PROD_NEU, "", "8000", "Budget of the year, a twelfth of it."),
    Plan(demo.GOV_WEU, "", "8000", "Voted in the city's budget."),
    Plan(
        demo.PROD_WEU, "recommendations", "3000", "Two models beside each other in the experiment, not three."
    ),
)


@dataclass(frozen=True, slots=True)
class Value:
    """What one answer is worth."""

    workspace: str
    endpoint: str
    amount: str
    reason: str


VALUES = (
    Value(demo.PROD_WEU, "checkout-risk", "0.0004", "Losses avoided last quarter, by decisions."),
    Value(demo.PROD_NEU, "loan-precheck", "0.02", "A telephone call of a minute that nobody has to make."),
    Value(demo.GOV_WEU, "tax-anomaly", "0.001", "What a sample by hand found before, by letters."),
)


def agree_on_prices() -> str:
    """The contract of the north, for the whole year."""
    number = workspace_id_by_slug(demo.PROD_NEU)
    if not agreements([number]):
        year = db_now().year
        agree(
            principal=person("costa"),
            workspace_id=number,
            share=Decimal("0.12"),
            since=datetime(year, 1, 1, tzinfo=UTC),
            until=datetime(year + 1, 1, 1, tzinfo=UTC),
            reason=f"Framework contract of {year}: 12 percent off everything in the north.",
        )
    return "12 percent off in the north"


def plan_the_month() -> str:
    """One of them is too small for what the team runs: that is told before the month is over."""
    there = {(row.workspace, row.team) for row in plans(_everywhere())}
    for plan in PLANS:
        if (plan.workspace, plan.team) not in there:
            set_plan(
                principal=person("costa"),
                workspace_id=workspace_id_by_slug(plan.workspace),
                team=plan.team,
                amount=Decimal(plan.amount),
                currency=CURRENCY,
                reason=plan.reason,
            )
    return f"{len(PLANS)} plans"


def say_what_predictions_are_worth() -> str:
    """One endpoint costs more than its answers are worth."""
    there = {(row.workspace, row.endpoint) for row in values(_everywhere())}
    for value in VALUES:
        if (value.workspace, value.endpoint) not in there:
            set_value(
                principal=person("costa"),
                endpoint_id=endpoint(value.workspace, value.endpoint),
                amount=Decimal(value.amount),
                currency=CURRENCY,
                reason=value.reason,
            )
    return f"of {len(VALUES)} endpoints"


def _everywhere() -> list[int]:
    return [workspace_id_by_slug(slug) for slug in demo.EVERYWHERE]
