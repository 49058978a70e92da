"""Approval rules and proposals of a workspace, newest first, with what became of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from endpoints.access.policies import Action, Decision, Principal, decide
from endpoints.changes.models import ApprovalRule
from endpoints.changes.quorum import Rule
from endpoints.changes.selectors.quorum import rule_of
from endpoints.core.errors import NotFound


class RuleState(StrEnum):
    """`PROPOSED` waits for a decision; `REJECTED` was rejected or withdrawn."""

    PROPOSED = "proposed"
    IN_FORCE = "in force"
    REJECTED = "rejected"
    ENDED = "ended"
    DONE = "done"  # a proposal to end a rule that was accepted


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule, or with `ends_id` the proposal to end that one. `may_decide`: whether the reader may, and why not."""

    id: int
    workspace_id: int
    state: RuleState
    rule: Rule
    reason: str
    proposed_by: int
    proposed_at: datetime
    ends_id: int | None
    decided_by: int | None
    decided_at: datetime | None
    ended_at: datetime | None
    may_decide: Decision


@dataclass(frozen=True, slots=True)
class RulePage:
    """Rows, and the number to ask for older ones with; None when these are the last."""

    rows: tuple[RuleRow, ...]
    older: int | None


def approval_rules(
    principal: Principal,
    workspace_id: int,
    *,
    alive: bool = False,
    before: int | None = None,
    limit: int = 50,
) -> RulePage:
    """`alive`: only what is in force or waits for a decision. NotFound for who may not see the workspace's rules."""
    if not decide(principal, Action.RULES_VIEW, workspace_id=workspace_id):
        raise NotFound("There is no such workspace, or not for you.")
    found = ApprovalRule.objects.filter(workspace=workspace_id)
    if alive:
        found = found.exclude(accepted=False).filter(ended_at=None)
        found = found.exclude(ends_rule__isnull=False, decided_at__isnull=False)
    if before is not None:
        found = found.filter(pk__lt=before)
    newest = [_row(row, principal) for row in found.order_by("-pk")[: limit + 1]]
    rows = tuple(newest[:limit])
    return RulePage(rows, rows[-1].id if len(newest) > limit else None)


def approval_rule(principal: Principal, rule_id: int) -> RuleRow:
    """One rule or proposal; NotFound as above."""
    row = ApprovalRule.objects.filter(pk=rule_id).first()
    if row is None or not decide(principal, Action.RULES_VIEW, workspace_id=row.workspace_id):
        raise NotFound("There is no such rule, or not for you.")
    return _row(row, principal)


def _row(row: ApprovalRule, principal: Principal) -> RuleRow:
    own = principal.is_any_of([row.proposed_by_id])
    return RuleRow(
        id=row.pk,
        workspace_id=row.workspace_id,
        state=_state(row),
        rule=rule_of(row),
        reason=row.reason,
        proposed_by=row.proposed_by_id,
        proposed_at=row.proposed_at,
        ends_id=row.ends_rule_id,
        decided_by=row.decided_by_id,
        decided_at=row.decided_at,
        ended_at=row.ended_at,
        may_decide=decide(principal, Action.RULES_DECIDE, workspace_id=row.workspace_id, own=own),
    )


def _state(row: ApprovalRule) -> RuleState:
    if row.accepted is None:
        return RuleState.PROPOSED
    if not row.accepted:
        return RuleState.REJECTED
    if row.ends_rule_id is not None:
        return RuleState.DONE
    return RuleState.IN_FORCE if row.ended_at is None else RuleState.ENDED
