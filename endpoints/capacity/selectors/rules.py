"""By which rules a workspace's capacity is looked at: the newest, and all before it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from endpoints.capacity import ruleset
from endpoints.capacity.models import RuleSet


@dataclass(frozen=True, slots=True)
class RuleSetRow:
    """One set of rules. `number` 0: nobody set any, and the usual ones count."""

    number: int
    rules: ruleset.Rules
    reason: str
    made_by: str
    made_at: datetime | None


USUAL = RuleSetRow(0, ruleset.USUAL, "", "", None)


def rules_of(workspace_id: int) -> RuleSetRow:
    """What counts now."""
    newest = RuleSet.objects.filter(workspace_id=workspace_id).order_by("-number").first()
    return _row(newest) if newest else USUAL


def rules_of_many(workspace_ids: Collection[int]) -> dict[int, RuleSetRow]:
    """What counts now, by workspace. One query."""
    newest = RuleSet.objects.filter(workspace_id__in=set(workspace_ids)).order_by("workspace_id", "-number")
    found = {row.workspace_id: _row(row) for row in newest.distinct("workspace_id")}
    return {workspace_id: found.get(workspace_id, USUAL) for workspace_id in workspace_ids}


def rules_history(workspace_id: int) -> tuple[RuleSetRow, ...]:
    """Every set that the workspace had, newest first; the usual ones are not among them."""
    return tuple(map(_row, RuleSet.objects.filter(workspace_id=workspace_id).order_by("-number")))


def _row(row: RuleSet) -> RuleSetRow:
    return RuleSetRow(row.number, ruleset.from_json(row.document), row.reason, row.made_by, row.made_at)
