"""Set by which rules a workspace's capacity is looked at from now on. What was set before stays on record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from endpoints.access.policies import Action, Principal, visible_workspaces
from endpoints.access.selectors import workspace
from endpoints.audit.services import record
from endpoints.capacity import ruleset
from endpoints.capacity.models import RuleSet
from endpoints.capacity.ruleproblems import problems
from endpoints.capacity.selectors.rules import rules_of
from endpoints.capacity.services.finding_guards import permit, said
from endpoints.core.errors import Conflict, Invalid, NotFound
from endpoints.core.ids import ref
from endpoints.dispatch import db_now


@transaction.atomic
def set_rules(
    *,
    principal: Principal,
    workspace_id: int,
    document: Mapping[str, Any],
    reason: str,
    seen: int | None = None,
) -> int:
    """The new set's number; what `document` does not say is as usual. `seen`: the number that the caller looked at.

    Days of the ledger and findings are made anew by it.
    """
    if workspace_id not in visible_workspaces(principal, Action.CAPACITY_VIEW):
        raise NotFound(f"There is no workspace {workspace(workspace_id).slug}, or you have no role on it.")
    permit(principal, Action.CAPACITY_RULES, workspace_id)
    words = said(reason, "reason", "Say why the rules change.")
    if wrong := problems(document):
        raise Invalid(wrong)
    wanted, before = ruleset.from_json(document), rules_of(workspace_id)
    if seen is not None and seen != before.number:
        raise Conflict(
            "Somebody set other rules after you opened them. Nothing was changed; look at them first."
        )
    if wanted == before.rules:
        raise Conflict("This is how it is already. Nothing was changed.")
    number = before.number + 1
    made, is_new = RuleSet.objects.get_or_create(
        workspace_id=workspace_id,
        number=number,
        defaults={
            "document": ruleset.as_json(wanted),
            "reason": words,
            "made_by": principal.ref,
            "made_at": db_now(),
        },
    )
    if not is_new:
        raise Conflict("Somebody set other rules at the same time. Nothing was changed; look at them first.")
    record(
        actor=principal.actor,
        action="capacity.rules_set",
        subject=ref("workspace", workspace_id),
        workspace_id=workspace_id,
        before=ruleset.as_facts(before.rules),
        after=ruleset.as_facts(wanted) | {"number": number},
        personal={"reason": words},
    )
    return made.number
