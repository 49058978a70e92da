"""How the cases of a workspace are dealt with, now and before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from endpoints.access.policies import Action, Principal, decide
from endpoints.access.selectors import workspace
from endpoints.challenges.clocks import USUAL, Clock, from_json
from endpoints.challenges.models import Policy
from endpoints.core.errors import NotFound


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """One policy, in force from `since`. `id` 0 and no `since`: nobody set one, and this is what counts then.

    `band`: confidence below it wants review; None: no band.
    """

    id: int
    workspace_id: int
    clocks: tuple[Clock, ...]
    two_roles: bool
    band: float | None
    since: datetime | None
    set_by: str


@dataclass(frozen=True, slots=True)
class PolicyPage:
    """Policies, newest first, and the number to ask for older ones with; None when these are the last."""

    rows: tuple[PolicyRow, ...]
    older: int | None


def policy_of(workspace_id: int, at: datetime | None = None) -> PolicyRow:
    """What counts in the workspace now, or what counted then."""
    found = Policy.objects.filter(workspace_id=workspace_id)
    if at is not None:
        found = found.filter(since__lte=at)
    newest = found.order_by("-since", "-pk").first()
    return _row(newest) if newest else PolicyRow(0, workspace_id, USUAL, False, None, None, "")


def policy_history(
    principal: Principal, workspace_id: int, *, before: int | None = None, limit: int = 20
) -> PolicyPage:
    """Every policy that the workspace had, for whoever works by them or sets them."""
    visible_policy(principal, workspace_id)
    found = Policy.objects.filter(workspace_id=workspace_id)
    if before is not None:
        found = found.filter(pk__lt=before)
    newest = list(found.order_by("-pk")[: limit + 1])
    rows = tuple(_row(one) for one in newest[:limit])
    return PolicyPage(rows, rows[-1].id if len(newest) > limit else None)


def visible_policy(principal: Principal, workspace_id: int) -> None:
    """NotFound for who neither sees the workspace's cases nor sets their policy."""
    may = (Action.PREDICTIONS_VIEW, Action.CASE_POLICY, Action.VIEW)
    if not any(decide(principal, action, workspace_id=workspace_id) for action in may):
        raise NotFound(f"There is no workspace {workspace(workspace_id).slug}, or you have no role on it.")


def _row(policy: Policy) -> PolicyRow:
    return PolicyRow(
        policy.pk,
        policy.workspace_id,
        from_json(policy.clocks),
        policy.two_roles,
        policy.band,
        policy.since,
        policy.set_by,
    )
