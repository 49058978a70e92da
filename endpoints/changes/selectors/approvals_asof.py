"""Who could approve a change at a moment, and where its approvals stood: by the powers, rules and tags of that time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from endpoints.access import selectors as access
from endpoints.access.policies import ANONYMOUS, Action, Principal, decide
from endpoints.access.roles import TITLES, Role
from endpoints.access.selectors import PersonThen
from endpoints.changes.lifecycle import Kind, State
from endpoints.changes.models import ApprovalRule, Change, ChangeRevision, Decision
from endpoints.changes.plan import base_from_json, steps_from_json
from endpoints.changes.quorum import Approval, Quorum, Rule, Subject, highest, matching, quorum
from endpoints.changes.selectors.quorum import rule_of
from endpoints.holds.scope import Target
from endpoints.inventory.selectors.labels import labels_on_record


@dataclass(frozen=True, slots=True)
class CouldApprove:
    """Somebody with a role on the workspace then. `reason`: why they could not have approved; "" when they could."""

    user_id: int
    name: str
    roles: tuple[str, ...]
    reason: str


def rules_then(workspace_id: int, at: datetime) -> list[Rule]:
    """The approval rules that were in force, oldest first."""
    decided = ApprovalRule.objects.filter(
        Q(ended_at__isnull=True) | Q(ended_at__gt=at),
        workspace=workspace_id,
        accepted=True,
        ends_rule=None,
        decided_at__lte=at,
    )
    return [rule_of(row) for row in decided.order_by("pk")]


def could_approve(change: Change, editors: frozenset[int], at: datetime) -> tuple[CouldApprove, ...]:
    """Everybody with a role on the workspace then; those who could approve first."""
    found = [
        CouldApprove(
            user_id=one.user_id,
            name=one.name,
            roles=tuple(TITLES[role] for role in one.roles),
            reason=_why_not(one, change, editors),
        )
        for one in access.people_then(change.workspace_id, at)
    ]
    return tuple(sorted(found, key=lambda one: (bool(one.reason), one.name)))


def _why_not(person: PersonThen, change: Change, editors: frozenset[int]) -> str:
    """In words about somebody else; the policy's own are for the person."""
    own, involved = person.principal.is_any_of([change.author_id]), person.principal.is_any_of(editors)
    if _may_approve(person.principal, change, editors):
        return ""
    if own or involved:
        return "wrote it" if own else "edited it"
    if person.principal.kind != "person":
        return "is a service account"
    if Role.REVIEWER not in person.roles:
        return "was no release reviewer"
    if person.principal.held_back:
        return "had a password that somebody else had set less than 24 hours before"
    return "had taken the role themselves less than 24 hours before"


def _may_approve(principal: Principal, change: Change, editors: frozenset[int]) -> bool:
    return decide(
        principal,
        Action.APPROVE,
        workspace_id=change.workspace_id,
        own=principal.is_any_of([change.author_id]),
        involved=principal.is_any_of(editors),
    ).allowed


_COUNTS = frozenset({State.IN_REVIEW, State.APPROVED, State.SCHEDULED})


def quorum_then(
    change: Change,
    revision: ChangeRevision,
    editors: frozenset[int],
    state: State,
    at: datetime,
) -> tuple[Quorum | None, str]:
    """Where approvals stood, by the rules, powers and tags of that time; and in words why nobody can tell.

    Both are empty while approvals did not count.
    """
    if state not in _COUNTS or change.kind == Kind.ROLLBACK:
        return None, ""
    labels = labels_on_record(change.endpoint_id, at)
    if labels is None:
        return None, "Which rules it had to meet can't be told: nothing of its endpoint was on record then."
    target = Target(labels.workspace_id, labels.name, labels.owner, labels.tags)
    subject = Subject(target, highest(base_from_json(revision.base), steps_from_json(revision.plan)))
    met = matching(rules_then(change.workspace_id, at), subject)
    named = frozenset(one for rule in met for one in rule.named)
    found = quorum(
        met,
        _approvals(change, revision, editors, at),
        content_hash=revision.content_hash,
        at=at,
        longest=timedelta(hours=settings.OPSPORTAL.approval_ttl_hours),
        names={pk: name for pk, name in access.users_by_ids(named).items() if pk is not None},
    )
    return found, ""


def _approvals(
    change: Change, revision: ChangeRevision, editors: frozenset[int], at: datetime
) -> list[Approval]:
    rows = list(
        Decision.objects.filter(change=change, revision=revision.number, approved=True, at__lte=at).order_by(
            "pk"
        )
    )
    powers = access.principals_then([row.reviewer_id for row in rows], change.workspace_id, at)
    found = []
    for row in rows:
        reviewer = powers.get(row.reviewer_id, ANONYMOUS)
        allowed = reviewer is not ANONYMOUS and _may_approve(reviewer, change, editors)
        found.append(
            Approval(
                reviewer_id=row.reviewer_id,
                accounts=reviewer.same_person | {row.reviewer_id},
                content_hash=row.content_hash,
                at=row.at,
                accepted=frozenset(row.accepted),
                refusal="" if allowed else "They could not approve at that moment.",
            )
        )
    return found
