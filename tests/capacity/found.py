"""A finding as a look would have stored it, for what reads and moves them."""

from __future__ import annotations

from datetime import date
from typing import Any

from endpoints.capacity.models import Finding
from endpoints.capacity.told import Told, as_json
from endpoints.capacity.worth import nanos
from endpoints.core.money import Money
from endpoints.dispatch import db_now
from endpoints.inventory.models import Deployment, Endpoint


def told(**more: Any) -> Told:
    usual: dict[str, Any] = {
        "to": "2 instances", "instances": 2, "sku": "", "low": None, "high": None, "sure": "high", "risk": "low",
        "formula": "1 of 3 instances x 730 h x 0.293 USD.", "evidence": ("It takes 2.",), "effect": "None.",
        "price_date": None, "since": date(2026, 10, 27), "until": date(2026, 11, 26), "others": (),
        "now_sku": "standard_ds3_v2", "now_instances": 3,
    }  # fmt: skip
    return Told(**usual | more)


def found(
    deployment: Deployment | None = None,
    *,
    endpoint: Endpoint | None = None,
    kind: str = "shrink",
    state: str = "open",
    high: Money | None = None,
    why: str = "No request in 30 days.",
    advice: Told | None = None,
    **more: Any,
) -> Finding:
    """Of a deployment, or of an endpoint as a whole."""
    now = db_now()
    where = deployment.endpoint if deployment else endpoint
    assert where is not None
    amount = nanos(high.amount) if high else None
    return Finding.objects.create(
        workspace_id=where.workspace_id, endpoint=where, deployment=deployment, kind=kind, state=state, rules=1,
        currency=high.currency if high else "", low_nanos=amount, high_nanos=amount, facts="f",
        advice=as_json(advice or told(low=high, high=high)) | {"why": why}, found_at=now, seen_at=now, **more,
    )  # fmt: skip
