"""A day in the ledger without metrics and prices, for what reads it."""

from __future__ import annotations

from datetime import UTC, date, timedelta
from decimal import Decimal

from endpoints.capacity.causes import Cause, Found
from endpoints.capacity.day import PARTS, Day
from endpoints.capacity.models import Agreement
from endpoints.capacity.services import rows
from endpoints.dispatch import db_now
from endpoints.inventory.models import Deployment
from endpoints.inventory.selectors.paid import PaidLife

SECONDS = 172_800
PAID = Decimal("14.064")
"""Two instances for a day, at 0.293 an hour."""


def yesterday() -> date:
    return db_now().astimezone(UTC).date() - timedelta(days=1)


def ledgered(*deployments: Deployment, day: date | None = None, currency: str = "USD") -> date:
    """One workspace's day: two instances each, for which nobody asked. An empty currency: no price is known."""
    place = deployments[0].endpoint.workspace_id
    amount = PAID if currency else Decimal(0)
    nothing = dict.fromkeys(PARTS, 0)
    told = Day(
        seconds=nothing | {"paid": SECONDS, "unserved": SECONDS},
        amounts=dict.fromkeys(PARTS, Decimal(0)) | {"paid": amount, "unserved": amount},
        currency=currency,
        unpriced=0 if currency else SECONDS,
        hours_without_count=0,
        causes={Found(Cause.FORGOTTEN_CANARY, "change:1"): (SECONDS, amount)},
    )
    when = day or yesterday()
    rows.replace(place, when, [(_life(row), "standard_ds3_v2", told) for row in deployments])
    return when


def _life(row: Deployment) -> PaidLife:
    endpoint = row.endpoint
    return PaidLife(row.pk, endpoint.pk, row.name_key, row.first_seen_at, None, endpoint.owner, endpoint.tags)


def agreed(workspace_id: int) -> Agreement:
    """A tenth off every list price, since a while ago."""
    now = db_now()
    return Agreement.objects.create(
        workspace_id=workspace_id, share=Decimal("0.1"), since=now - timedelta(days=90), reason="A contract.",
        made_by="system:command", made_at=now - timedelta(days=90),
    )  # fmt: skip
