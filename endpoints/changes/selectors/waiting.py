"""What waits for a person, and the pulse that the frame of every page shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, OuterRef, QuerySet
from django.db.models.functions import JSONObject, Now

from endpoints.access.policies import Action, Principal, decide, visible_workspaces
from endpoints.changes.lifecycle import State
from endpoints.changes.models import Change, ChangeRevision, Executor
from endpoints.changes.selectors.executor import ExecutorState

MOST_WAITING = 500
_EDITORS = ChangeRevision.objects.filter(change=OuterRef("pk")).values("editor_id")
# What `_waits_for` judges by.
_JUDGED: dict[str, Any] = {
    "number": F("pk"),
    "now": F("state"),
    "place": F("workspace_id"),
    "writer": F("author_id"),
    "writers": ArraySubquery(_EDITORS),
}


@dataclass(frozen=True, slots=True)
class Pulse:
    """Whether somebody carries out what was approved, and how many changes wait for the principal."""

    executor: ExecutorState
    waiting: int


def waiting_ids(principal: Principal) -> list[int]:
    """Changes whose next act this principal may do and is expected to, newest first."""
    rows = _waiting(principal).values_list(JSONObject(**_JUDGED), flat=True)
    return [row["number"] for row in rows if _waits_for(principal, row)]


def waiting_count(principal: Principal) -> int:
    """How many changes wait for this principal: the number beside the menu's entry."""
    return len(waiting_ids(principal))


def pulse(principal: Principal) -> Pulse:
    """What the frame of every page tells, in one query (two where no executor ever ran)."""
    waiting = ArraySubquery(_waiting(principal).values(told=JSONObject(**_JUDGED)))
    newest = Executor.objects.order_by("-beat_at").values_list("beat_at", Now(), waiting).first()
    if newest is None:
        return Pulse(ExecutorState(None), waiting_count(principal))
    beat_at, now, rows = newest
    state = ExecutorState((now - beat_at).total_seconds())
    return Pulse(state, sum(_waits_for(principal, row) for row in rows))


def _waiting(principal: Principal) -> QuerySet[Change]:
    """Changes that wait for somebody in what this principal may see, newest first."""
    open_ones = Change.objects.filter(
        workspace__in=visible_workspaces(principal),
        state__in=[State.IN_REVIEW, State.APPROVED, State.DRIFTED, State.CHECK_FAILED],
    )
    return open_ones.order_by("-pk")[:MOST_WAITING]


def _waits_for(principal: Principal, row: Mapping[str, Any]) -> bool:
    own = principal.is_any_of([row["writer"]])
    if row["now"] in (State.DRIFTED, State.CHECK_FAILED):
        return own
    action = Action.APPROVE if row["now"] == State.IN_REVIEW else Action.START
    involved = principal.is_any_of([row["writer"], *row["writers"]])
    return bool(decide(principal, action, workspace_id=row["place"], own=own, involved=involved))
