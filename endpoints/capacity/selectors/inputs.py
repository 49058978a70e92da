"""What people told the portal about money: plans, agreements, and what a prediction is worth. What counts now."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from endpoints.capacity.models import Agreement, PredictionValue, SpendPlan


@dataclass(frozen=True, slots=True)
class PlanRow:
    """What may be spent a month in a workspace, or by one `team` of it ("": all)."""

    id: int
    workspace_id: int
    workspace: str
    team: str
    amount: Decimal
    currency: str
    reason: str
    made_by: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class AgreementRow:
    """A `share` (0.15 is 15 percent) off list prices of a `sku` in a `region`, "" for all, from `since` until `until`.

    `ended_at`: somebody ended it then.
    """

    id: int
    workspace_id: int
    workspace: str
    sku: str
    region: str
    share: Decimal
    since: datetime
    until: datetime | None
    reason: str
    made_by: str
    made_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class ValueRow:
    """What one prediction of an endpoint is worth, as FinOps was told."""

    endpoint_id: int
    endpoint: str
    workspace_id: int
    workspace: str
    amount: Decimal
    currency: str
    reason: str
    made_by: str
    made_at: datetime


def plans(workspace_ids: Collection[int]) -> tuple[PlanRow, ...]:
    """The newest of each workspace, team and currency; one that was taken back is none."""
    rows = SpendPlan.objects.filter(workspace_id__in=list(workspace_ids)).select_related("workspace")
    newest = rows.order_by("workspace_id", "team", "currency", "-pk").distinct(
        "workspace_id", "team", "currency"
    )
    return tuple(
        PlanRow(
            row.pk,
            row.workspace_id,
            row.workspace.slug,
            row.team,
            row.amount,
            row.currency,
            row.reason,
            row.made_by,
            row.made_at,
        )
        for row in newest
        if row.amount is not None
    )


def agreements(workspace_ids: Collection[int]) -> tuple[AgreementRow, ...]:
    """All of them, those that are over too, newest first."""
    rows = Agreement.objects.filter(workspace_id__in=list(workspace_ids)).select_related("workspace")
    return tuple(
        AgreementRow(
            row.pk,
            row.workspace_id,
            row.workspace.slug,
            row.sku,
            row.region,
            row.share,
            row.since,
            row.until,
            row.reason,
            row.made_by,
            row.made_at,
            row.ended_at,
        )
        for row in rows.order_by("-pk")
    )


def values(workspace_ids: Collection[int]) -> tuple[ValueRow, ...]:
    """The newest of each endpoint; one that was taken back is none."""
    rows = PredictionValue.objects.filter(endpoint__workspace_id__in=list(workspace_ids))
    newest = rows.select_related("endpoint__workspace").order_by("endpoint_id", "-pk").distinct("endpoint_id")
    return tuple(
        ValueRow(
            row.endpoint_id,
            row.endpoint.name,
            row.endpoint.workspace_id,
            row.endpoint.workspace.slug,
            row.amount,
            row.currency,
            row.reason,
            row.made_by,
            row.made_at,
        )
        for row in newest
        if row.amount is not None
    )
