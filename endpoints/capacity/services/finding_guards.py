"""What must be true each time somebody acts on a finding: it is theirs to see, they may, and said what is needed."""

from __future__ import annotations

from datetime import UTC, date, timedelta

from endpoints.access.policies import Action, Principal, require, visible_workspaces
from endpoints.access.selectors import workspace
from endpoints.capacity.models import Finding
from endpoints.capacity.services.finding_moves import as_seen
from endpoints.core.errors import Invalid, NotFound, Refused
from endpoints.dispatch import db_now

TEXT_LIMIT = 2000
LONGEST = timedelta(days=366)
"""So far ahead a finding can be due or postponed: what nobody looks at for longer is dismissed, with a reason."""


def lock_finding(finding_id: int, principal: Principal, seen: int | None = None) -> Finding:
    """The finding, locked until this transaction ends, for who may work on it; NotFound for who may not even see it."""
    row = Finding.objects.select_for_update(no_key=True).filter(pk=finding_id).first()
    if row is None or row.workspace_id not in visible_workspaces(principal, Action.CAPACITY_VIEW):
        raise NotFound(f"There is no SV-{finding_id}, or not for you.")
    permit(principal, Action.FINDING_WORK, row.workspace_id)
    as_seen(row, seen)
    return row


def permit(principal: Principal, action: Action, workspace_id: int) -> None:
    """Refused, with the reason, when policy says no to this person on this workspace."""
    require(principal, action, workspace_id=workspace_id, workspace=workspace(workspace_id).slug)


def person_id(principal: Principal) -> int:
    """The account behind the principal."""
    if principal.user_id is None:
        raise Refused("Sign in to do this.")
    return principal.user_id


def said(text: str, field: str, missing: str) -> str:
    """What a person must give in words. Invalid for the field when it is missing or too long."""
    words = within(text, field)
    if not words:
        raise Invalid({field: [f"{missing} Nothing was stored."]})
    return words


def within(text: str, field: str) -> str:
    """Words that may be missing, and are not too long."""
    words = text.strip()
    if len(words) > TEXT_LIMIT:
        raise Invalid({field: [f"At most {TEXT_LIMIT} characters; these are {len(words)}."]})
    return words


def ahead(day: date, field: str, *, today: bool) -> date:
    """A UTC day that is still to come (`today`: or this one), and not out of sight."""
    now = db_now().astimezone(UTC).date()
    if day < now or (day == now and not today):
        raise Invalid({field: ["Give a day that is still to come. Nothing was stored."]})
    if day > now + LONGEST:
        raise Invalid({field: ["Give a day within a year. Nothing was stored."]})
    return day
