"""What a finding says, as it is stored: one document, exact amounts as text. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from endpoints.core.money import Money


@dataclass(frozen=True, slots=True)
class Told:
    """A proposal with all that it stands on. Money is a month's; None: the price is not known.

    `since` and `until` are the days that were looked at. `others`: kinds that would save on the same instances; they
    are noted and never added. `now_instances` None: Azure does not say.
    """

    to: str
    instances: int | None
    sku: str
    low: Money | None
    high: Money | None
    sure: str
    risk: str
    formula: str
    evidence: tuple[str, ...]
    effect: str
    price_date: datetime | None
    since: date
    until: date
    others: tuple[tuple[str, Money | None], ...]
    now_sku: str
    now_instances: int | None


def as_json(told: Told) -> dict[str, Any]:
    """The document as it is stored."""
    return {
        "to": told.to,
        "instances": told.instances,
        "sku": told.sku,
        "low": _money(told.low),
        "high": _money(told.high),
        "sure": told.sure,
        "risk": told.risk,
        "formula": told.formula,
        "evidence": list(told.evidence),
        "effect": told.effect,
        "price_date": told.price_date.isoformat() if told.price_date else None,
        "since": told.since.isoformat(),
        "until": told.until.isoformat(),
        "others": [[kind, _money(high)] for kind, high in told.others],
        "now_sku": told.now_sku,
        "now_instances": told.now_instances,
    }


def from_json(document: Mapping[str, Any]) -> Told:
    """What was stored."""
    dated = document["price_date"]
    return Told(
        to=document["to"],
        instances=document["instances"],
        sku=document["sku"],
        low=_amount(document["low"]),
        high=_amount(document["high"]),
        sure=document["sure"],
        risk=document["risk"],
        formula=document["formula"],
        evidence=tuple(document["evidence"]),
        effect=document["effect"],
        price_date=datetime.fromisoformat(dated) if dated else None,
        since=date.fromisoformat(document["since"]),
        until=date.fromisoformat(document["until"]),
        others=tuple((kind, _amount(high)) for kind, high in document["others"]),
        now_sku=document["now_sku"],
        now_instances=document["now_instances"],
    )


def _money(money: Money | None) -> list[str] | None:
    return None if money is None else [f"{money.amount:f}", money.currency]


def _amount(raw: list[str] | None) -> Money | None:
    return None if raw is None else Money(Decimal(raw[0]), raw[1])
