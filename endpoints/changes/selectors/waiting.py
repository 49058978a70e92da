"""What waits for a person, and the pulse that the frame of every page shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import JSONObject, Now

from endpoints.access.policies import Action, Principal, decide, visible_workspaces
from endpoints.changes.lifecycle import State
from endpoints.changes.models import AfterReview, Change, ChangeRevision, Decision, Executor, Note
from endpoints.changes.selectors.after_review import EMERGENCY
from endpoints.changes.selectors.executor import ExecutorState

MOST_WAITING = 500
_EDITORS = ChangeRevision.objects.filter(change=OuterRef("pk")).values("editor_id")
_DECIDED = Decision.objects.filter(change=OuterRef("pk"), revision=OuterRef("revision")).values("reviewer_id")
_BREAKERS = Note.objects.filter(change=OuterRef("pk"), kind=EMERGENCY).values("author_id")
_UNREVIEWED = AfterReview.objects.filter(change=OuterRef("pk"), at=None)
# The acts that open changes wait for; drifted ones and those that checks hold wait for their author.
_AWAITED = {State.IN_REVIEW: Action.APPROVE, State.APPROVED: Action.START, State.HELD: Action.START}
_ITS_AUTHORS = frozenset({State.DRIFTED, State.CHECK_FAILED})
# What `_waits_for` judges by.
_JUDGED: dict[str, Any] = {
    "number": F("pk"),
    "now": F("state"),
    "place": F("workspace_id"),
    "writer": F("author_id"),
    "writers": ArraySubquery(_EDITORS),
    "decided": ArraySubquery(_DECIDED),
    "breakers": ArraySubquery(_BREAKERS),
    "starter": F("started_by_id"),
    "unreviewed": Exists(_UNREVIEWED),
}


@dataclass(frozen=True, slots=True)
class Pulse:
    """Whether somebody carries out what was approved, how many changes wait for the principal, how many are at work."""

    executor: ExecutorState
    waiting: int
    running: int


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
    running = ArraySubquery(_running(principal).values("pk"))
    newest = Executor.objects.order_by("-beat_at").values_list("beat_at", Now(), waiting, running).first()
    if newest is None:
        return Pulse(ExecutorState(None), waiting_count(principal), _running(principal).count())
    beat_at, now, rows, at_work = newest
    state = ExecutorState((now - beat_at).total_seconds())
    return Pulse(state, sum(_waits_for(principal, row) for row in rows), len(at_work))


def _running(principal: Principal) -> QuerySet[Change]:
    """Changes at work in what this principal may see."""
    return Change.objects.filter(
        started_at__isnull=False, ended_at__isnull=True, workspace__in=visible_workspaces(principal)
    )


def _waiting(principal: Principal) -> QuerySet[Change]:
    """Changes that wait for somebody in what this principal may see, newest first."""
    awaited = Q(state__in=[*_AWAITED, *_ITS_AUTHORS]) | Q(after_review__isnull=False, after_review__at=None)
    found = Change.objects.filter(awaited, workspace__in=visible_workspaces(principal))
    return found.order_by("-pk")[:MOST_WAITING]


def _waits_for(principal: Principal, row: Mapping[str, Any]) -> bool:
    return _next_act(principal, row) or _review_after(principal, row)


def _next_act(principal: Principal, row: Mapping[str, Any]) -> bool:
    if row["now"] in _ITS_AUTHORS:
        return principal.is_any_of([row["writer"]])
    action = _AWAITED.get(row["now"])
    if action is None or (action is Action.APPROVE and principal.is_any_of(row["decided"])):
        return False
    return _may(principal, action, row)


def _review_after(principal: Principal, row: Mapping[str, Any]) -> bool:
    """Whether it was started in an emergency and this principal could say whether that was sound."""
    if not row["unreviewed"] or principal.is_any_of([row["starter"], *row["breakers"]]):
        return False
    return _may(principal, Action.APPROVE, row)


def _may(principal: Principal, action: Action, row: Mapping[str, Any]) -> bool:
    own, involved = (
        principal.is_any_of([row["writer"]]),
        principal.is_any_of([row["writer"], *row["writers"]]),
    )
    return bool(decide(principal, action, workspace_id=row["place"], own=own, involved=involved))
