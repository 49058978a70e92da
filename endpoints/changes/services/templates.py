"""Keep a plan to be used again, and put it away. A template decides nothing: what is made of it is reviewed as ever."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from django.db import IntegrityError, transaction

from endpoints.access.policies import Action, Principal, decide, require
from endpoints.audit.services import record
from endpoints.changes.draft import planned, walk
from endpoints.changes.models import RolloutTemplate
from endpoints.changes.plan import duration
from endpoints.changes.plan import problems as plan_problems
from endpoints.changes.services.people import person_id, workspace_slug
from endpoints.changes.services.request import MOST_STEPS
from endpoints.changes.terms import Terms
from endpoints.changes.terms import problems as terms_problems
from endpoints.core.errors import Conflict, Invalid, NotFound
from endpoints.core.ids import ref
from endpoints.dispatch import db_now

NAME_LIMIT = 80
MOST_TEMPLATES = 200

Walk = Sequence[tuple[int, int, bool]]
"""Percent of the candidate, bake in seconds, and whether a person clicks then."""


def make_template(*, principal: Principal, workspace_id: int, name: str, steps: Walk, terms: Terms) -> int:
    """The new template's number. Invalid with all that is wrong with it; Conflict when the name is taken."""
    _permit(principal, workspace_id)
    title = name.strip()
    if not 0 < len(title) <= NAME_LIMIT:
        raise Invalid({"name": [f"Give it a name of at most {NAME_LIMIT} characters."]})
    _check(steps, terms)
    try:
        with transaction.atomic():
            return _make(principal, workspace_id, title, steps, terms)
    except IntegrityError as error:
        raise Conflict(f"There is a template {title} already. End it first; nothing was stored.") from error


@transaction.atomic
def end_template(*, principal: Principal, template_id: int) -> None:
    """Offer it no more. Changes that were made of it stay as they are."""
    row = RolloutTemplate.objects.select_for_update().filter(pk=template_id).first()
    if row is None or not decide(principal, Action.RULES_VIEW, workspace_id=row.workspace_id):
        raise NotFound("There is no such template, or not for you.")
    _permit(principal, row.workspace_id)
    if row.ended_at is not None:
        raise Conflict("This template was ended by now. Nothing was stored.")
    row.ended_by_id, row.ended_at = person_id(principal), db_now()
    row.save(update_fields=["ended_by", "ended_at"])
    _record("template.ended", row, principal, None)


def _make(principal: Principal, workspace_id: int, title: str, steps: Walk, wanted: Terms) -> int:
    if RolloutTemplate.objects.filter(workspace=workspace_id, ended_at=None).count() >= MOST_TEMPLATES:
        raise Conflict(f"There are {MOST_TEMPLATES} templates already. Nothing was stored.")
    row = RolloutTemplate.objects.create(
        workspace_id=workspace_id,
        name=title,
        steps=[{"weight": weight, "bake": bake, "click": click} for weight, bake, click in steps],
        terms=wanted.as_json(),
        made_by_id=person_id(principal),
        made_at=db_now(),
    )
    _record("template.made", row, principal, {"steps": row.steps, "terms": wanted.for_ledger()})
    return row.pk


def _permit(principal: Principal, workspace_id: int) -> None:
    if not decide(principal, Action.RULES_VIEW, workspace_id=workspace_id):
        raise NotFound("There is no such workspace, or not for you.")
    slug = workspace_slug(workspace_id)
    require(principal, Action.RULES_PROPOSE, workspace_id=workspace_id, workspace=slug)


def _check(steps: Walk, wanted: Terms) -> None:
    """As a plan for an endpoint with one stable deployment would be checked."""
    if not 1 <= len(steps) <= MOST_STEPS:
        raise Invalid({"steps": [f"A plan has from 1 to {MOST_STEPS} steps; this one has {len(steps)}."]})
    weights = [weight for weight, _, _ in steps]
    found = [
        f"Step {number} gives {weight} %; whole percents from 1 to 100 can be given."
        for number, weight in enumerate(weights, start=1)
        if not 1 <= weight <= 100
    ]
    found += [
        f"Step {number + 1} gives as much as step {number}."
        for number, (before, weight) in enumerate(pairwise(weights), start=1)
        if before == weight
    ]
    if found:
        raise Invalid({"steps": found})
    made = planned(walk({"stable": 100}, "candidate", steps, wanted), {})
    told = {
        "steps": plan_problems(made),
        "terms": terms_problems(wanted, least=duration(made, wanted)),
    }
    if any(told.values()):
        raise Invalid({field: problems for field, problems in told.items() if problems})


def _record(action: str, row: RolloutTemplate, principal: Principal, after: dict[str, Any] | None) -> None:
    record(
        actor=principal.actor,
        action=action,
        subject=ref("template", row.pk),
        workspace_id=row.workspace_id,
        after=after,
    )
