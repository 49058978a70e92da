"""Plans that are kept to be used again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from endpoints.access.policies import Action, Principal, decide
from endpoints.changes.models import RolloutTemplate
from endpoints.changes.terms import Terms, terms_from_json
from endpoints.core.errors import NotFound


@dataclass(frozen=True, slots=True)
class TemplateRow:
    """`steps`: percent, bake in seconds, click; as `draft.walk` takes them. `ended_at` set: offered no more."""

    id: int
    workspace_id: int
    name: str
    steps: tuple[tuple[int, int, bool], ...]
    terms: Terms
    made_by: int
    made_at: datetime
    ended_by: int | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class TemplatePage:
    """Rows, and the number to ask for older ones with; None when these are the last."""

    rows: tuple[TemplateRow, ...]
    older: int | None


def templates(
    principal: Principal,
    workspace_id: int,
    *,
    ended: bool = False,
    before: int | None = None,
    limit: int = 50,
) -> TemplatePage:
    """Those of a workspace, newest first; `ended`: those that are offered no more. NotFound for who may not see it."""
    if not decide(principal, Action.RULES_VIEW, workspace_id=workspace_id):
        raise NotFound("There is no such workspace, or not for you.")
    found = RolloutTemplate.objects.filter(workspace=workspace_id, ended_at__isnull=not ended)
    if before is not None:
        found = found.filter(pk__lt=before)
    newest = [_row(row) for row in found.order_by("-pk")[: limit + 1]]
    rows = tuple(newest[:limit])
    return TemplatePage(rows, rows[-1].id if len(newest) > limit else None)


def template(principal: Principal, template_id: int) -> TemplateRow:
    """One template, ended or not; NotFound as above."""
    row = RolloutTemplate.objects.filter(pk=template_id).first()
    if row is None or not decide(principal, Action.RULES_VIEW, workspace_id=row.workspace_id):
        raise NotFound("There is no such template, or not for you.")
    return _row(row)


def _row(row: RolloutTemplate) -> TemplateRow:
    return TemplateRow(
        id=row.pk,
        workspace_id=row.workspace_id,
        name=row.name,
        steps=tuple((step["weight"], step["bake"], step["click"]) for step in row.steps),
        terms=terms_from_json(row.terms),
        made_by=row.made_by_id,
        made_at=row.made_at,
        ended_by=row.ended_by_id,
        ended_at=row.ended_at,
    )
