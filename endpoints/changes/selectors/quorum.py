"""Whether enough people approve a change at a moment: their decisions, judged by the powers they have now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from endpoints.access.policies import Action, decide
from endpoints.access.selectors import principal_now, users_by_ids, workspace
from endpoints.changes.models import ApprovalRule, Change, ChangeRevision, Decision
from endpoints.changes.plan import base_from_json, steps_from_json
from endpoints.changes.quorum import Approval, Quorum, Rule, Subject, highest, matching, quorum
from endpoints.core.errors import NotFound
from endpoints.dispatch import db_now
from endpoints.holds.scope import Scope, Target
from endpoints.inventory.selectors.labels import endpoint_labels


@dataclass(frozen=True, slots=True)
class Writers:
    """Whose change it is: its author, and everybody who wrote any part of it."""

    author_id: int | None
    editors: frozenset[int]


def writers_of(change: Change) -> Writers:
    """Out of all its revisions; a rollback that the portal ordered by itself has none."""
    editors = {change.author_id, *change.revisions.values_list("editor_id", flat=True)}
    return Writers(change.author_id, frozenset(one for one in editors if one is not None))


def quorum_of(change: Change, revision: ChangeRevision, *, at: datetime | None = None) -> Quorum:
    """Where the approvals of this content stand now; `at`: by their age then, with the powers and rules of now."""
    rules = matching(rules_in_force(change.workspace_id), _subject(change, revision))
    named = frozenset(one for rule in rules for one in rule.named)
    return quorum(
        rules,
        _approvals(change, revision),
        content_hash=revision.content_hash,
        at=at or db_now(),
        longest=timedelta(hours=settings.OPSPORTAL.approval_ttl_hours),
        names=_names(named),
    )


def rules_in_force(workspace_id: int) -> list[Rule]:
    """What was decided for this workspace and not ended, oldest first."""
    rows = ApprovalRule.objects.filter(
        workspace=workspace_id, accepted=True, ended_at=None, ends_rule=None
    ).order_by("pk")
    return [rule_of(row) for row in rows]


def rule_of(row: ApprovalRule) -> Rule:
    """A stored rule as the pure ones read it."""
    tag = f"{row.tag}={row.tag_value}" if row.tag and row.tag_value else row.tag
    return Rule(
        title=row.title,
        scope=Scope(row.workspace_id, row.endpoint_pattern, "", tag),
        risk_weight=row.risk_weight,
        required=row.required,
        named=frozenset(row.named),
    )


def _subject(change: Change, revision: ChangeRevision) -> Subject:
    found = endpoint_labels([change.endpoint_id]).get(change.endpoint_id)
    if found is None:
        raise NotFound("There is no such endpoint.")
    target = Target(found.workspace_id, found.name, found.owner, found.tags)
    return Subject(target, highest(base_from_json(revision.base), steps_from_json(revision.plan)))


def _approvals(change: Change, revision: ChangeRevision) -> list[Approval]:
    rows = Decision.objects.filter(change=change, revision=revision.number, approved=True).order_by("pk")
    return _judged(change, list(rows)) if rows else []


def _judged(change: Change, rows: Iterable[Decision]) -> list[Approval]:
    writers, slug = writers_of(change), workspace(change.workspace_id).slug
    found = []
    for row in rows:
        reviewer = principal_now(row.reviewer_id)
        allowed = decide(
            reviewer,
            Action.APPROVE,
            workspace_id=change.workspace_id,
            own=reviewer.is_any_of([writers.author_id]),
            involved=reviewer.is_any_of(writers.editors),
            workspace=slug,
        )
        found.append(
            Approval(
                reviewer_id=row.reviewer_id,
                accounts=reviewer.same_person,
                content_hash=row.content_hash,
                at=row.at,
                accepted=frozenset(row.accepted),
                refusal=allowed.reason,
            )
        )
    return found


def _names(ids: frozenset[int]) -> dict[int, str]:
    return {one: name for one, name in users_by_ids(ids).items() if one is not None} if ids else {}
