"""Propose a latency budget and decide on it. Who may decide sets what loosens nothing at once; to loosen takes two.

A budget is never changed: a new one takes over. Proposals stay, each with what became of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from endpoints.access.policies import Action, Principal, decide, require
from endpoints.access.selectors import workspace
from endpoints.audit.services import record
from endpoints.core.errors import Conflict, Invalid, NotFound, Refused
from endpoints.core.ids import ref, split_ref
from endpoints.dispatch import db_now
from endpoints.inventory.selectors import EndpointFacts, endpoint_facts
from endpoints.metrics.budgets import Effect, Limits, checked, describe, effect, needs_second_person
from endpoints.metrics.models import Budget, BudgetDecision, BudgetProposal
from endpoints.metrics.selectors.budget import budget_at, open_proposal

REASON_LIMIT = 2000
# Two who propose for one endpoint, or one who proposes while another decides, take turns.
_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended('metrics.budget:' || %s::text, 0))"


@dataclass(frozen=True, slots=True)
class Proposed:
    """What came of a proposal. `in_force`: nobody else is needed, and it counts from now on."""

    proposal_id: int
    effect: Effect
    in_force: bool


def propose_budget(
    *,
    principal: Principal,
    endpoint_id: int,
    p95_ms: float | None,
    failure_share: float | None,
    reason: str,
) -> Proposed:
    """Ask for these limits (None: no limit on this figure). One's own open proposal is replaced.

    Invalid for limits that can't be and for those in force already; Conflict while another person's proposal is open,
    unless the new limits count at once.
    """
    facts = endpoint_facts(endpoint_id)
    _permit(principal, Action.BUDGET_PROPOSE, facts)
    limits, words = checked(Limits(p95_ms, failure_share)), _reason(reason)
    with transaction.atomic():
        _lock(endpoint_id)
        before = _in_force(endpoint_id)
        found = effect(before, limits)
        if found is Effect.SAME:
            raise Invalid({"": [f"This is in force already: {describe(limits)}. Nothing was proposed."]})
        at_once = not needs_second_person(found) and _may_decide(principal, facts)
        replaced = _make_room(principal, endpoint_id, at_once)
        proposal = _propose(principal, endpoint_id, limits, words)
        if at_once:
            _accept(proposal, principal, confirmed_by="")
        # The ledger comes last: from there to the commit every other writer waits.
        if replaced:
            _record_withdrawal(replaced, principal, facts, before)
        _record(
            "budget.set" if at_once else "budget.proposed", proposal, principal, facts, before, limits, words
        )
    return Proposed(proposal.pk, found, at_once)


def decide_budget(
    *, principal: Principal, endpoint_id: int, proposal_id: int, accept: bool, comment: str = ""
) -> None:
    """Put a proposal in force, or reject it. Refused for who proposed it, whatever account they use."""
    facts, proposal = endpoint_facts(endpoint_id), _proposal(endpoint_id, proposal_id)
    _permit(principal, Action.BUDGET_DECIDE, facts, own=_wrote(principal, proposal.proposed_by))
    words = _comment(comment)
    with transaction.atomic():
        _lock(endpoint_id)
        _still_open(proposal_id)
        before, limits = _in_force(endpoint_id), Limits(proposal.p95_ms, proposal.failure_share)
        if accept and effect(before, limits) is Effect.SAME:
            raise Conflict(
                f"{describe(limits)} is in force by now. Nothing was decided; reject the proposal."
            )
        if accept:
            _accept(proposal, principal, confirmed_by=principal.ref)
        else:
            _close(proposal, principal)
        _record(
            "budget.set" if accept else "budget.rejected", proposal, principal, facts, before, limits, words
        )


def withdraw_budget(*, principal: Principal, endpoint_id: int, proposal_id: int) -> None:
    """Take one's own open proposal back."""
    facts, proposal = endpoint_facts(endpoint_id), _proposal(endpoint_id, proposal_id)
    _permit(principal, Action.BUDGET_PROPOSE, facts)
    if not _wrote(principal, proposal.proposed_by):
        raise Refused("Somebody else proposed this, so you cannot withdraw it.")
    with transaction.atomic():
        _lock(endpoint_id)
        _still_open(proposal_id)
        _close(proposal, principal)
        _record_withdrawal(proposal, principal, facts, _in_force(endpoint_id))


def _permit(principal: Principal, action: Action, facts: EndpointFacts, *, own: bool | None = None) -> None:
    if facts.deleted_at is not None:
        raise NotFound("There is no such endpoint, or it was deleted.")
    slug = workspace(facts.workspace_id).slug
    require(principal, action, workspace_id=facts.workspace_id, workspace=slug, own=own)


def _may_decide(principal: Principal, facts: EndpointFacts) -> bool:
    """Whether the principal could decide on such a proposal, had another person made it."""
    return bool(decide(principal, Action.BUDGET_DECIDE, workspace_id=facts.workspace_id, own=False))


def _lock(endpoint_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_ONE_AT_A_TIME, [endpoint_id])


def _in_force(endpoint_id: int) -> Limits | None:
    row = budget_at(endpoint_id)
    return row.limits if row else None


def _make_room(principal: Principal, endpoint_id: int, at_once: bool) -> BudgetProposal | None:
    """No two proposals wait at once: one's own is closed and returned.

    Limits that count at once leave another person's proposal to be decided.
    """
    waiting = open_proposal(endpoint_id)
    if waiting is None:
        return None
    if _wrote(principal, waiting.proposed_by):
        mine = _proposal(endpoint_id, waiting.id)
        _close(mine, principal)
        return mine
    if not at_once:
        raise Conflict(
            f"Another proposal waits for a decision: {describe(waiting.limits)}. Nothing was proposed."
        )
    return None


def _propose(principal: Principal, endpoint_id: int, limits: Limits, words: str) -> BudgetProposal:
    return BudgetProposal.objects.create(
        endpoint_id=endpoint_id,
        p95_ms=limits.p95_ms,
        failure_share=limits.failure_share,
        reason=words,
        proposed_by=principal.ref,
        proposed_at=db_now(),
    )


def _accept(proposal: BudgetProposal, principal: Principal, *, confirmed_by: str) -> None:
    now = db_now()
    BudgetDecision.objects.create(proposal=proposal, accepted=True, decided_by=principal.ref, decided_at=now)
    Budget.objects.create(
        endpoint_id=proposal.endpoint_id,
        proposal=proposal,
        p95_ms=proposal.p95_ms,
        failure_share=proposal.failure_share,
        since=now,
        set_by=proposal.proposed_by,
        confirmed_by=confirmed_by,
    )


def _close(proposal: BudgetProposal, principal: Principal) -> None:
    BudgetDecision.objects.create(
        proposal=proposal, accepted=False, decided_by=principal.ref, decided_at=db_now()
    )


def _record_withdrawal(
    proposal: BudgetProposal, principal: Principal, facts: EndpointFacts, before: Limits | None
) -> None:
    limits = Limits(proposal.p95_ms, proposal.failure_share)
    _record("budget.withdrawn", proposal, principal, facts, before, limits, "")


def _proposal(endpoint_id: int, proposal_id: int) -> BudgetProposal:
    found = BudgetProposal.objects.filter(pk=proposal_id, endpoint_id=endpoint_id).first()
    if found is None:
        raise NotFound("There is no such proposal for this endpoint.")
    return found


def _still_open(proposal_id: int) -> None:
    decision = BudgetDecision.objects.filter(proposal_id=proposal_id).first()
    if decision is not None:
        became = "accepted" if decision.accepted else "rejected or withdrawn"
        raise Conflict(f"This proposal was {became} by now. Nothing was decided again.")


def _wrote(principal: Principal, proposed_by: str) -> bool:
    kind, number = split_ref(proposed_by)
    return kind == "user" and number.isdecimal() and principal.is_any_of([int(number)])


def _reason(text: str) -> str:
    words = text.strip()
    if not words:
        raise Invalid({"reason": ["Say why: whoever decides, and whoever looks back, needs it."]})
    return _fitting(words, "reason")


def _comment(text: str) -> str:
    return _fitting(text.strip(), "comment")


def _fitting(words: str, field: str) -> str:
    if len(words) > REASON_LIMIT:
        raise Invalid({field: [f"At most {REASON_LIMIT} characters; these are {len(words)}."]})
    return words


def _record(
    action: str,
    proposal: BudgetProposal,
    principal: Principal,
    facts: EndpointFacts,
    before: Limits | None,
    after: Limits,
    words: str,
) -> None:
    said = "reason" if action == "budget.proposed" or proposal.proposed_by == principal.ref else "comment"
    record(
        actor=principal.actor,
        action=action,
        subject=ref("budget", proposal.pk),
        workspace_id=facts.workspace_id,
        endpoint=ref("endpoint", facts.id),
        before=_facts(before) if before else None,
        after=_facts(after),
        personal={said: words},
    )


def _facts(limits: Limits) -> dict[str, Any]:
    """The ledger takes no fractions: limits as text, None where there is no limit."""
    return {"p95_ms": _text(limits.p95_ms), "failure_share": _text(limits.failure_share)}


def _text(limit: float | None) -> str | None:
    return None if limit is None else f"{limit:.10g}"
