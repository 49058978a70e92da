"""What about money a person should look at: one sentence each, and the key by which it is told once. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from endpoints.capacity.worth import CENT, written


class Kind(StrEnum):
    """The values are stored."""

    OVER_PLAN = "over_plan"
    WILL_PASS_PLAN = "will_pass_plan"
    DUPLICATE = "duplicate"
    REBOUND = "rebound"
    UNPRICED = "unpriced"


TOPICS: Mapping[Kind, str] = {
    Kind.OVER_PLAN: "capacity.budget",
    Kind.WILL_PASS_PLAN: "capacity.budget",
    Kind.DUPLICATE: "capacity.duplicate",
    Kind.REBOUND: "capacity.rebound",
}
"""What is told outside the portal too. That a size has no price stays on its pages."""
DUPLICATE_DAYS = 7
"""So many days in a row make a canary permanent."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """An alert that should stand now. `data`: facts for programs, text and whole numbers."""

    kind: Kind
    key: str
    words: str
    data: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Spending:
    """Of a workspace or a team of it ("" is all), this month: what was planned, spent and is expected."""

    team: str
    month: date
    currency: str
    plan: Decimal
    spent: Decimal
    expected: Decimal | None
    unpriced_seconds: int = 0


def of_plan(one: Spending) -> Wanted | None:
    """Spent more than planned, or on the way to; None: neither, as far as is known.

    Both have one key each month: that a plan was passed after it was said that it would be is told again.
    """
    whose = f"Team {one.team}" if one.team else "This workspace"
    month, plan = f"{one.month:%B %Y}", _amount(one.plan, one.currency)
    data = {
        "team": one.team,
        "month": f"{one.month:%Y-%m}",
        "plan": f"{one.plan:.2f}",
        "spent": f"{one.spent.quantize(CENT)}",
        "currency": one.currency,
    }
    place = f"{one.team}:{one.month:%Y-%m}:{one.currency}"
    if one.spent > one.plan:
        words = (
            f"{whose} has spent {_amount(one.spent, one.currency)} in {month}: more than the {plan} planned."
        )
        return Wanted(Kind.OVER_PLAN, f"over:{place}", words + _more(one), data)
    if one.expected is not None and one.expected > one.plan:
        expected = _amount(one.expected, one.currency)
        words = f"{whose} is on the way to {expected} in {month}: more than the {plan} planned."
        data |= {"expected": f"{one.expected.quantize(CENT)}"}
        return Wanted(Kind.WILL_PASS_PLAN, f"ahead:{place}", words + _more(one), data)
    return None


def of_duplicate(
    deployment_id: int, endpoint: str, deployment: str, days: int, amount: Decimal | None, currency: str
) -> Wanted | None:
    """A canary, or what it replaced, that was idle on each of the last days; None: not on all of them."""
    if days < DUPLICATE_DAYS:
        return None
    cost = f", {_amount(amount, currency)} so far" if amount is not None and currency else ""
    words = (
        f"{deployment} of {endpoint} stands beside another one and served nobody on each of the last"
        f" {DUPLICATE_DAYS} days{cost}: capacity that is paid for twice."
    )
    return Wanted(
        Kind.DUPLICATE, f"duplicate:{deployment_id}", words, {"endpoint": endpoint, "deployment": deployment}
    )


def of_unpriced(sku: str, region: str, seconds: int) -> Wanted:
    """Paid time of a size of which no price is known."""
    words = (
        f"No price is known for {sku or 'a size that Azure does not name'} in {region}: {seconds / 3600:.1f}"
        " instance-hours of this month are in no amount."
    )
    return Wanted(Kind.UNPRICED, f"unpriced:{sku}", words, {"sku": sku, "region": region})


def _more(one: Spending) -> str:
    if not one.unpriced_seconds:
        return ""
    return f" {one.unpriced_seconds / 3600:.1f} instance-hours without a price come on top."


def _amount(amount: Decimal, currency: str) -> str:
    return f"{written(amount)} {currency}"
