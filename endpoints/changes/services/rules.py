"""Propose an approval rule, or that one ends, and decide on it. More people may be asked for by one; fewer takes two.

A rule only ever adds people, for each that matches must be met: to make one is to tighten, to end one is to loosen.
A rule is never edited. Proposals stay, each with what became of it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from endpoints.access.policies import Action, Principal, decide, require
from endpoints.access.roles import Role
from endpoints.access.selectors import holders, principal_now
from endpoints.audit.services import record
from endpoints.changes.models import ApprovalRule
from endpoints.changes.quorum import humans
from endpoints.changes.services.people import person_id, workspace_slug
from endpoints.changes.services.revise import clean_reason
from endpoints.core.errors import Conflict, Invalid, NotFound, Refused
from endpoints.core.ids import ref
from endpoints.dispatch import db_now
from endpoints.holds.scope import Scope, checked

MOST_REQUIRED = 10
MOST_NAMED = 50
MOST_RULES = 100
TITLE_LIMIT = 120
TAG_LIMIT = 120
VALUE_LIMIT = 250
# Two who propose or decide for one workspace take turns.
_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended('changes.rules:' || %s::text, 0))"


@dataclass(frozen=True, slots=True)
class RuleDraft:
    """A wanted rule. `tag_value` "": any value of the tag. `risk_weight`: from this percent on; 0: whatever it is."""

    title: str
    endpoint_pattern: str = ""
    tag: str = ""
    tag_value: str = ""
    risk_weight: int = 0
    required: int = 1
    named: Collection[int] = ()


@dataclass(frozen=True, slots=True)
class ProposedRule:
    """What came of a proposal. `in_force`: nobody else is needed, and it counts from now on."""

    rule_id: int
    in_force: bool


@transaction.atomic
def propose_rule(*, principal: Principal, workspace_id: int, draft: RuleDraft, reason: str) -> ProposedRule:
    """Ask for one more rule; by who decides on rules, it is in force at once. Invalid for what nobody could meet."""
    _permit(principal, Action.RULES_PROPOSE, workspace_id)
    words, fields = clean_reason(reason), _checked(workspace_id, draft)
    _lock(workspace_id)
    _room_for_more(workspace_id)
    at_once = bool(decide(principal, Action.RULES_DECIDE, workspace_id=workspace_id, own=False))
    me, now = person_id(principal), db_now()
    decided: dict[str, Any] = {"decided_by_id": me, "decided_at": now, "accepted": True} if at_once else {}
    row = ApprovalRule.objects.create(
        workspace_id=workspace_id, reason=words, proposed_by_id=me, proposed_at=now, **fields, **decided
    )
    _record("rule.made" if at_once else "rule.proposed", row, principal, {"reason": words})
    return ProposedRule(row.pk, at_once)


@transaction.atomic
def propose_rule_end(*, principal: Principal, rule_id: int, reason: str) -> ProposedRule:
    """Ask that a rule in force ends. That always takes a second person."""
    rule = _visible(principal, rule_id)
    _permit(principal, Action.RULES_PROPOSE, rule.workspace_id)
    words = clean_reason(reason)
    _lock(rule.workspace_id)
    rule.refresh_from_db()
    _in_force(rule)
    if ApprovalRule.objects.filter(ends_rule=rule, decided_at=None).exists():
        raise Conflict("Somebody proposed this already, and it waits for a decision. Nothing was proposed.")
    row = ApprovalRule.objects.create(
        workspace_id=rule.workspace_id,
        title=rule.title,
        ends_rule=rule,
        reason=words,
        proposed_by_id=person_id(principal),
        proposed_at=db_now(),
    )
    _record("rule.end_proposed", row, principal, {"reason": words})
    return ProposedRule(row.pk, False)


@transaction.atomic
def decide_rule(*, principal: Principal, rule_id: int, accept: bool, comment: str = "") -> None:
    """Accept or reject a proposal of somebody else."""
    row = _visible(principal, rule_id)
    _permit(principal, Action.RULES_DECIDE, row.workspace_id, own=principal.is_any_of([row.proposed_by_id]))
    words = clean_reason(comment, field="comment") if comment.strip() else ""
    _lock(row.workspace_id)
    row = ApprovalRule.objects.select_for_update().get(pk=row.pk)
    _still_open(row)
    if accept:
        _put_in_force(row)
    _close(row, principal, accepted=accept)
    _record(_became(row, accept), row, principal, {"comment": words})


@transaction.atomic
def withdraw_rule(*, principal: Principal, rule_id: int) -> None:
    """Take one's own open proposal back."""
    row = _visible(principal, rule_id)
    _permit(principal, Action.RULES_PROPOSE, row.workspace_id)
    if not principal.is_any_of([row.proposed_by_id]):
        raise Refused("Somebody else proposed this, so you cannot withdraw it.")
    _lock(row.workspace_id)
    row = ApprovalRule.objects.select_for_update().get(pk=row.pk)
    _still_open(row)
    _close(row, principal, accepted=False)
    _record("rule.withdrawn", row, principal, {})


def _permit(principal: Principal, action: Action, workspace_id: int, *, own: bool | None = None) -> None:
    """NotFound for who may not even see the workspace's rules; Refused, with the reason, for the rest."""
    if not decide(principal, Action.RULES_VIEW, workspace_id=workspace_id):
        raise NotFound("There is no such workspace, or not for you.")
    slug = workspace_slug(workspace_id)
    require(principal, action, workspace_id=workspace_id, workspace=slug, own=own)


def _visible(principal: Principal, rule_id: int) -> ApprovalRule:
    row = ApprovalRule.objects.filter(pk=rule_id).first()
    if row is None or not decide(principal, Action.RULES_VIEW, workspace_id=row.workspace_id):
        raise NotFound("There is no such rule, or not for you.")
    return row


def _lock(workspace_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_ONE_AT_A_TIME, [workspace_id])


def _room_for_more(workspace_id: int) -> None:
    alive = ApprovalRule.objects.filter(workspace=workspace_id, ended_at=None, ends_rule=None)
    if alive.exclude(accepted=False).count() >= MOST_RULES:
        raise Conflict(f"There are {MOST_RULES} rules and proposals already. Nothing was proposed.")


def _in_force(rule: ApprovalRule) -> None:
    if rule.ends_rule_id is not None or not rule.accepted or rule.ended_at is not None:
        raise Conflict("This rule is not in force. Nothing was proposed.")


def _still_open(row: ApprovalRule) -> None:
    if row.decided_at is not None:
        became = "accepted" if row.accepted else "rejected or withdrawn"
        raise Conflict(f"This proposal was {became} by now. Nothing was decided again.")


def _put_in_force(row: ApprovalRule) -> None:
    """A rule counts by its decision; the end of one is set on the rule that ends."""
    if row.ends_rule_id is None:
        _people(row.workspace_id, frozenset(row.named), row.required)
        return
    ended = ApprovalRule.objects.filter(pk=row.ends_rule_id, ended_at=None).update(ended_at=db_now())
    if not ended:
        raise Conflict("This rule has ended by now. Nothing was decided; reject the proposal.")


def _close(row: ApprovalRule, principal: Principal, *, accepted: bool) -> None:
    row.decided_by_id, row.decided_at, row.accepted = person_id(principal), db_now(), accepted
    row.save(update_fields=["decided_by", "decided_at", "accepted"])


def _became(row: ApprovalRule, accepted: bool) -> str:
    if not accepted:
        return "rule.rejected"
    return "rule.ended" if row.ends_rule_id else "rule.made"


def _checked(workspace_id: int, draft: RuleDraft) -> dict[str, Any]:
    """The rule's fields, or Invalid with what is wrong with each."""
    scope = _scope(workspace_id, draft)
    fields = {
        "title": draft.title.strip(),
        "endpoint_pattern": scope.name_pattern,
        "tag": scope.tag,
        "tag_value": draft.tag_value.strip(),
        "risk_weight": draft.risk_weight,
        "required": draft.required,
        "named": sorted(frozenset(draft.named)),
    }
    found: dict[str, list[str]] = {}
    for field, is_right, words in _rules(draft, fields):
        if not is_right:
            found.setdefault(field, []).append(words)
    if found:
        raise Invalid(found)
    _people(workspace_id, frozenset(draft.named), draft.required)
    return fields


def _scope(workspace_id: int, draft: RuleDraft) -> Scope:
    """What the rule takes in; problems by the names that a rule has for its fields."""
    try:
        return checked(Scope(workspace_id, draft.endpoint_pattern, "", draft.tag))
    except Invalid as error:
        names = {"name_pattern": "endpoint_pattern"}
        raise Invalid({names.get(name, name): texts for name, texts in error.fields.items()}) from error


def _rules(draft: RuleDraft, fields: dict[str, Any]) -> list[tuple[str, bool, str]]:
    """Field, whether it keeps to its rule, and the rule in words."""
    title, tag, value = fields["title"], fields["tag"], fields["tag_value"]
    return [
        ("title", 0 < len(title) <= TITLE_LIMIT, f"Give it a title of at most {TITLE_LIMIT} characters."),
        ("tag", "=" not in tag, "Give the tag's name here, and its value by itself."),
        ("tag", len(tag) <= TAG_LIMIT, f"At most {TAG_LIMIT} characters."),
        ("tag_value", len(value) <= VALUE_LIMIT, f"At most {VALUE_LIMIT} characters."),
        ("tag_value", bool(tag) or not value, "Say of which tag this is the value."),
        ("risk_weight", 0 <= draft.risk_weight <= 100, "Give a percent from 0 to 100."),
        ("required", 1 <= draft.required <= MOST_REQUIRED, f"From 1 to {MOST_REQUIRED} people."),
        ("named", len(fields["named"]) <= MOST_NAMED, f"At most {MOST_NAMED} people."),
    ]


def _people(workspace_id: int, named: frozenset[int], required: int) -> None:
    """Invalid when those who are named could not give so many approvals, whatever they wanted."""
    if not named:
        return
    reviewers = {person.id for person in holders(workspace_id, Role.REVIEWER)}
    if named - reviewers:
        raise Invalid({"named": ["Not everybody named is a release reviewer of this workspace."]})
    if len(humans({one: principal_now(one).same_person for one in named})) < required:
        raise Invalid({"required": [f"{required} are asked for, more than the different people named."]})


def _record(action: str, row: ApprovalRule, principal: Principal, personal: dict[str, str]) -> None:
    record(
        actor=principal.actor,
        action=action,
        subject=ref("rule", row.pk),
        workspace_id=row.workspace_id,
        after=_facts(row),
        personal={field: text for field, text in personal.items() if text},
    )


def _facts(row: ApprovalRule) -> dict[str, Any]:
    if row.ends_rule_id is not None:
        return {"ends": ref("rule", row.ends_rule_id)}
    return {
        "endpoints": row.endpoint_pattern,
        "tag": f"{row.tag}={row.tag_value}" if row.tag_value else row.tag,
        "risk_weight": row.risk_weight,
        "required": row.required,
        "named": [ref("user", one) for one in row.named],
    }
