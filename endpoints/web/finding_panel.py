"""What a change's finding says, for whoever decides on it: also for those who may not see what capacity costs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from endpoints.access.policies import Action, Principal, decide
from endpoints.capacity.selectors.findings import FindingDetail, Told, finding
from endpoints.changes.selectors import ChangeRow
from endpoints.core.errors import NotFound
from endpoints.core.money import Money
from endpoints.web.wording import NBSP, UNKNOWN

ORIGIN = "finding:"


@dataclass(frozen=True, slots=True)
class Evidence:
    """`href` is "" for who may not open the finding; `changed`: what it stands on is not what it was when filed."""

    number: str
    href: str
    why: str
    saving: str
    formula: str
    price_date: datetime | None
    days: str
    sure: str
    risk: str
    effect: str
    evidence: tuple[str, ...]
    others: tuple[str, ...]
    changed: bool


def evidence_of(me: Principal, row: ChangeRow) -> Evidence | None:
    """The finding that this change was filed from; None for a change that a person asked for by themselves."""
    number = row.origin.removeprefix(ORIGIN)
    if not row.origin.startswith(ORIGIN) or not number.isdecimal():
        return None
    try:
        found = finding([row.workspace_id], int(number))
    except NotFound:
        return None
    may = decide(me, Action.CAPACITY_VIEW, workspace_id=row.workspace_id, workspace=row.workspace)
    return _told(found, f"/capacity/findings/{number}" if may else "")


def _told(found: FindingDetail, href: str) -> Evidence:
    told = found.row.told
    return Evidence(
        number=found.row.number,
        href=href,
        why=found.row.why,
        saving=saving(told.low, told.high),
        formula=told.formula or "not known",
        price_date=told.price_date,
        days=_days(told),
        sure=told.sure,
        risk=told.risk,
        effect=told.effect or "not known",
        evidence=told.evidence,
        others=tuple(_other(kind, amount) for kind, amount in told.others),
        changed=found.facts_changed,
    )


def saving(low: Money | None, high: Money | None) -> str:
    """`190.22 to 214.00 USD`, to the cent; unknown where no price is."""
    if high is None:
        return f"{UNKNOWN}: its price is not known"
    amount = f"{high.amount:,.2f}{NBSP}{high.currency}".replace(",", "\u202f")
    if low is None or low.currency != high.currency or low.amount == high.amount:
        return amount
    return f"{low.amount:,.2f}".replace(",", "\u202f") + f" to {amount}"


def _days(told: Told) -> str:
    return f"{told.since:%Y-%m-%d} to {told.until:%Y-%m-%d}"


def _other(kind: str, amount: Money | None) -> str:
    worth = f", {saving(None, amount)} a month" if amount else ""
    return f"Noted beside it and not added: {kind.replace('_', ' ')}{worth}."
