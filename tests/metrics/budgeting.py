"""Budgets of the past, which no service can make."""

from __future__ import annotations

from datetime import datetime

from endpoints.metrics.models import Budget, BudgetDecision, BudgetProposal


def budget_since(
    endpoint_id: int, since: datetime, p95_ms: float | None, failure_share: float | None = None
) -> None:
    """In force from then on, until a later one."""
    proposal = BudgetProposal.objects.create(
        endpoint_id=endpoint_id,
        p95_ms=p95_ms,
        failure_share=failure_share,
        reason="We promised it.",
        proposed_by="user:1",
        proposed_at=since,
    )
    BudgetDecision.objects.create(proposal=proposal, accepted=True, decided_by="user:1", decided_at=since)
    Budget.objects.create(
        endpoint_id=endpoint_id,
        proposal=proposal,
        p95_ms=p95_ms,
        failure_share=failure_share,
        since=since,
        set_by="user:1",
    )
