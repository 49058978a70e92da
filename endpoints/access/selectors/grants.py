"""Grants, in force now or at any moment before."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from endpoints.access.models import Grant
from endpoints.access.policies import Action, Principal, require
from endpoints.access.roles import Role
from endpoints.access.rows import GrantRow
from endpoints.dispatch import db_now


def active_grants() -> QuerySet[Grant]:
    """Grants in force at this statement."""
    return Grant.objects.filter(Q(until__isnull=True) | Q(until__gt=Now()), since__lte=Now())


def grants(principal: Principal, *, user_id: int | None = None, at: datetime | None = None) -> list[GrantRow]:
    """Grants in force (at `at`, by default now). One's own are always visible; others' need `access.view`."""
    if user_id is None or user_id != principal.user_id:
        require(principal, Action.ACCESS_VIEW)
    moment = at or db_now()
    found = Grant.objects.filter(Q(until__isnull=True) | Q(until__gt=moment), since__lte=moment)
    if user_id is not None:
        found = found.filter(user_id=user_id)
    rows = found.select_related("user", "workspace", "granted_by").order_by(
        "user__username", "workspace__slug"
    )
    return [_grant_row(row) for row in rows]


def _grant_row(row: Grant) -> GrantRow:
    return GrantRow(
        id=row.pk,
        user_id=row.user_id,
        user_name=row.user.display_name,
        workspace_id=row.workspace_id,
        workspace=row.workspace.slug if row.workspace else "",
        role=Role(row.role),
        since=row.since,
        until=row.until,
        granted_by=row.granted_by.display_name if row.granted_by else "command line",
        reason=row.reason,
    )
