"""Another content of a change than the current one: what somebody had before them when it was edited."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from endpoints.access.policies import Principal, visible_workspaces
from endpoints.changes.models import ChangeRevision
from endpoints.changes.plan import Base, Step, base_from_json, steps_from_json
from endpoints.changes.terms import Terms, terms_from_json


@dataclass(frozen=True, slots=True)
class Content:
    """What one revision says."""

    number: int
    editor_id: int | None
    at: datetime
    base: Base
    steps: tuple[Step, ...]
    terms: Terms


def content_seen(principal: Principal, change_id: int, content_hash: str) -> Content | None:
    """The content of that hash, of a change that the principal may see; None when there is none."""
    row = ChangeRevision.objects.filter(
        change=change_id, content_hash=content_hash, change__workspace__in=visible_workspaces(principal)
    ).first()
    if row is None:
        return None
    return Content(
        number=row.number,
        editor_id=row.editor_id,
        at=row.created_at,
        base=base_from_json(row.base),
        steps=steps_from_json(row.plan),
        terms=terms_from_json(row.terms),
    )
