"""The budget that an endpoint was held against at any time, and what is asked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, OuterRef, QuerySet, Subquery

from endpoints.metrics.budgets import Limits
from endpoints.metrics.models import Budget, BudgetProposal


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """In force from `since` up to `until` (None: still). `set_by` asked for it; `confirmed_by` agreed, or "".

    Both limits None: the budget was withdrawn, and nothing was held against the endpoint.
    """

    id: int
    endpoint_id: int
    p95_ms: float | None
    failure_share: float | None
    since: datetime
    until: datetime | None
    set_by: str
    confirmed_by: str
    reason: str

    @property
    def limits(self) -> Limits:
        return Limits(self.p95_ms, self.failure_share)


@dataclass(frozen=True, slots=True)
class ProposalRow:
    """A budget that waits for somebody who may decide."""

    id: int
    endpoint_id: int
    p95_ms: float | None
    failure_share: float | None
    reason: str
    proposed_by: str
    proposed_at: datetime

    @property
    def limits(self) -> Limits:
        return Limits(self.p95_ms, self.failure_share)


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """A proposal in a list of many endpoints. `before`: the limits in force now, None where there are none."""

    proposal: ProposalRow
    workspace_id: int
    workspace: str
    endpoint: str
    before: Limits | None


@dataclass(frozen=True, slots=True)
class WaitingPage:
    """`next_after` is None on the last page."""

    rows: tuple[WaitingRow, ...]
    next_after: int | None


_BUDGET = ("id", "endpoint_id", "p95_ms", "failure_share", "since", "set_by", "confirmed_by")
_PROPOSAL = ("id", "endpoint_id", "p95_ms", "failure_share", "reason", "proposed_by", "proposed_at")


def budget_at(endpoint_id: int, at: datetime | None = None) -> BudgetRow | None:
    """The budget in force now, or at a moment; None when there was none."""
    return budgets_at([endpoint_id], at).get(endpoint_id)


def budgets_at(endpoint_ids: Iterable[int], at: datetime | None = None) -> dict[int, BudgetRow]:
    """Those of many endpoints. One query."""
    found = Budget.objects.filter(endpoint_id__in=list(endpoint_ids))
    if at is not None:
        found = found.filter(since__lte=at)
    newest = found.order_by("endpoint_id", "-since", "-pk").distinct("endpoint_id")
    rows = {row["endpoint_id"]: _budget(row) for row in _with_next(newest)}
    return {endpoint_id: row for endpoint_id, row in rows.items() if not row.limits.is_empty}


def budgets_between(endpoint_id: int, since: datetime, until: datetime) -> tuple[BudgetRow, ...]:
    """Every budget that was in force at any time of the stretch, oldest first; stretches without one are left out."""
    rows = Budget.objects.filter(endpoint_id=endpoint_id, since__lt=until).order_by("since", "pk")
    found = [_budget(row) for row in _with_next(rows)]
    return tuple(row for row in found if (row.until is None or row.until > since) and not row.limits.is_empty)


def budget_history(endpoint_id: int, *, limit: int = 50) -> tuple[BudgetRow, ...]:
    """All budgets, newest first, withdrawals included."""
    rows = Budget.objects.filter(endpoint_id=endpoint_id).order_by("-since", "-pk")[:limit]
    return tuple(_budget(row) for row in _with_next(rows))


def open_proposal(endpoint_id: int) -> ProposalRow | None:
    """The proposal that nobody has decided on; there is at most one."""
    return open_proposals([endpoint_id]).get(endpoint_id)


def open_proposals(endpoint_ids: Iterable[int]) -> dict[int, ProposalRow]:
    """Those of many endpoints. One query."""
    undecided = BudgetProposal.objects.filter(endpoint_id__in=list(endpoint_ids), decision__isnull=True)
    rows = undecided.order_by("endpoint_id", "proposed_at", "pk").values(*_PROPOSAL)
    return {row["endpoint_id"]: ProposalRow(**row) for row in rows}


def waiting_proposals(workspace_ids: Iterable[int], *, after: int = 0, limit: int = 50) -> WaitingPage:
    """What waits for a decision in these workspaces, what waits longest first. Two queries."""
    undecided = BudgetProposal.objects.filter(
        endpoint__workspace_id__in=list(workspace_ids),
        endpoint__deleted_at__isnull=True,
        decision__isnull=True,
        pk__gt=after,
    )
    place = {
        "workspace_id": F("endpoint__workspace_id"),
        "workspace": F("endpoint__workspace__slug"),
        "endpoint_name": F("endpoint__name"),
    }
    found = [dict(row) for row in undecided.order_by("pk").values(*_PROPOSAL, **place)[: limit + 1]]
    budgets = budgets_at(row["endpoint_id"] for row in found[:limit])
    rows = tuple(_waiting(row, budgets.get(row["endpoint_id"])) for row in found[:limit])
    return WaitingPage(rows, rows[-1].proposal.id if len(found) > limit else None)


def _waiting(row: dict[str, Any], budget: BudgetRow | None) -> WaitingRow:
    return WaitingRow(
        proposal=ProposalRow(**{name: row[name] for name in _PROPOSAL}),
        workspace_id=row["workspace_id"],
        workspace=row["workspace"],
        endpoint=row["endpoint_name"],
        before=budget.limits if budget else None,
    )


def _with_next(rows: QuerySet[Budget]) -> list[dict[str, Any]]:
    """Rows with the moment at which a later one took over."""
    later = Budget.objects.filter(endpoint_id=OuterRef("endpoint_id"), since__gt=OuterRef("since"))
    until = Subquery(later.order_by("since").values("since")[:1])
    found = rows.annotate(until=until, reason=F("proposal__reason"))
    return [dict(row) for row in found.values(*_BUDGET, "until", "reason")]


def _budget(row: dict[str, Any]) -> BudgetRow:
    return BudgetRow(**row)
