"""The queue of cases: what waits for me, what is open, what presses, what is closed. By key, most urgent first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from endpoints.access.policies import Action, Principal, decide, may_anywhere
from endpoints.challenges.lifecycle import State
from endpoints.challenges.models import Case
from endpoints.challenges.selectors.case_rows import CaseRow, case_workspaces, row_of, with_names
from endpoints.dispatch import db_now

NEVER = datetime(9999, 12, 31, tzinfo=UTC)


class Tab(StrEnum):
    """`MINE`: assigned to me, or waiting for my confirmation."""

    MINE = "mine"
    OPEN = "open"
    DUE = "due"
    CLOSED = "closed"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class QueueFilters:
    """All that are given must hold."""

    workspace_id: int | None = None
    endpoint_id: int | None = None
    model: str = ""
    reference: str = ""
    asked_id: str = ""


@dataclass(frozen=True, slots=True)
class QueuePage:
    """Rows, and the case to ask for the following ones with; None when these are the last."""

    rows: tuple[CaseRow, ...]
    next: int | None


def queue(
    principal: Principal,
    *,
    tab: Tab = Tab.OPEN,
    filters: QueueFilters = QueueFilters(),
    after: int | None = None,
    limit: int = 50,
) -> QueuePage:
    """A page of the cases that the principal may see; `after`: those that follow this case in the tab's order.

    Open ones stand by when they press, closed ones and all of them newest first.
    """
    found = _filtered(_in_tab(principal, tab), filters)
    newest_first = tab in (Tab.CLOSED, Tab.ALL)
    ordered = _newest_first(found, after) if newest_first else _urgent_first(found, after)
    cases: list[Case] = list(with_names(ordered)[: limit + 1])
    rows = tuple(row_of(case) for case in cases[:limit])
    return QueuePage(rows, rows[-1].id if len(cases) > limit else None)


def _newest_first(found: QuerySet[Case], after: int | None) -> QuerySet[Case]:
    return (found if after is None else found.filter(pk__lt=after)).order_by("-pk")


def _urgent_first(found: QuerySet[Case], after: int | None) -> QuerySet[Any]:
    """Those without a clock last."""
    presses = Coalesce(F("next_due_at"), Value(NEVER))
    placed = found.annotate(presses=presses)
    if after is not None:
        pivot = Case.objects.filter(pk=after).values_list(presses, flat=True).first()
        if pivot is None:
            return placed.none()
        placed = placed.filter(Q(presses__gt=pivot) | Q(presses=pivot, pk__gt=after))
    return placed.order_by("presses", "pk")


def waiting_count(principal: Principal) -> int:
    """How many cases wait for this principal: the number beside the menu's entry."""
    if not may_anywhere(principal, Action.CASE_WORK):
        return 0
    return _mine(principal).count()


def due_count(principal: Principal) -> int:
    """How many open cases press, or are late."""
    return _in_tab(principal, Tab.DUE).count()


def _in_tab(principal: Principal, tab: Tab) -> QuerySet[Case]:
    if tab is Tab.MINE:
        return _mine(principal)
    found = Case.objects.filter(workspace__in=case_workspaces(principal))
    match tab:
        case Tab.OPEN:
            return found.filter(closed_at=None)
        case Tab.DUE:
            return found.filter(closed_at=None, next_due_at__lte=db_now())
        case Tab.CLOSED:
            return found.filter(closed_at__isnull=False)
    return found


def _mine(principal: Principal) -> QuerySet[Case]:
    """Assigned to this human, or decided by another one and waiting for somebody like this one to confirm."""
    me = {one for one in (*principal.same_person, principal.user_id) if one is not None}
    where = case_workspaces(principal)
    may_confirm = [one for one in where if decide(principal, Action.CASE_DECIDE, workspace_id=one)]
    to_confirm = Q(state=State.DECIDED, workspace__in=may_confirm) & ~Q(
        decided_by__in=[f"user:{one}" for one in sorted(me)]
    )
    assigned = Q(state=State.OPEN, assigned_to__in=me)
    return Case.objects.filter(assigned | to_confirm, workspace__in=where, closed_at=None)


def _filtered(found: QuerySet[Case], filters: QueueFilters) -> QuerySet[Case]:
    equal = {
        name: value
        for name in ("workspace_id", "endpoint_id", "model", "reference", "asked_id")
        if (value := getattr(filters, name)) not in (None, "")
    }
    return found.filter(**equal)
