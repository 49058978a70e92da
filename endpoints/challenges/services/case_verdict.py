"""Decide a case, by one person or by two, and take it up again."""

from __future__ import annotations

from django.db import transaction

from endpoints.access.policies import Action, Principal
from endpoints.challenges.clocks import dues_from_json, dues_to_json, presses_at, restarted
from endpoints.challenges.lifecycle import Kind, Outcome, State
from endpoints.challenges.models import Case, Evidence
from endpoints.challenges.selectors.evidence import evidence_of
from endpoints.challenges.selectors.policies import policy_of
from endpoints.challenges.services.case_evidence import pin, release
from endpoints.challenges.services.case_guards import lock_case, permit, said, user_of
from endpoints.challenges.services.case_moves import as_seen, happen, moved_on
from endpoints.challenges.services.case_notices import tell_of
from endpoints.core.errors import Invalid, Refused
from endpoints.dispatch import db_now

_WHY = "Say why: whoever asked gets this reason, and whoever looks back needs it."


@transaction.atomic
def decide(*, principal: Principal, case_id: int, seen_version: int, outcome: str, reason: str) -> State:
    """The verdict with its reason, on the case as the caller saw it; the state afterwards.

    Closed at once where one person is enough; otherwise decided, and another person confirms it or sends it back.
    """
    case = lock_case(case_id, principal)
    permit(principal, Action.CASE_DECIDE, case.workspace_id)
    verdict, words = _outcome(outcome), said(reason, "reason", _WHY)
    if case.state != State.OPEN:
        raise moved_on(case)
    as_seen(case, seen_version)
    tell_of(case, "case.decided", also=str(case.version + 1), outcome=verdict.value)
    if not case.two_roles:
        release(case, principal.actor, f"CH-{case.pk} was decided.")
    happen(
        case=case,
        kind=Kind.DECIDED,
        actor=principal.actor,
        data={"outcome": verdict.value, **_stood_on(case)},
        texts={"reason": words},
        outcome=verdict,
        decided_by=principal.ref,
        decided_at=db_now(),
    )
    return State(case.state)


@transaction.atomic
def confirm(*, principal: Principal, case_id: int, seen_version: int, comment: str = "") -> None:
    """Agree with somebody else's decision, which closes the case. Nobody confirms their own, from whatever account."""
    case = _to_confirm(principal, case_id, seen_version)
    words = comment.strip()
    if words:
        words = said(words, "comment", "")
    release(case, principal.actor, f"CH-{case.pk} was decided.")
    happen(
        case=case,
        kind=Kind.CONFIRMED,
        actor=principal.actor,
        data={"outcome": case.outcome, "decided_by": case.decided_by},
        texts={"comment": words},
        confirmed_by=principal.ref,
    )


@transaction.atomic
def send_back(*, principal: Principal, case_id: int, seen_version: int, reason: str) -> None:
    """Not confirmed: the case is open again, and its decision does not count."""
    case = _to_confirm(principal, case_id, seen_version)
    words = said(reason, "reason", "Say what is wrong with the decision: whoever made it needs that.")
    happen(
        case=case,
        kind=Kind.SENT_BACK,
        actor=principal.actor,
        data={"outcome": case.outcome, "decided_by": case.decided_by},
        texts={"reason": words},
        outcome="",
        decided_by="",
        decided_at=None,
    )


@transaction.atomic
def reopen(*, principal: Principal, case_id: int, seen_version: int, reason: str) -> None:
    """Take a closed case up again. Its decision stays on record and does not count; the house's clocks begin anew."""
    case = lock_case(case_id, principal)
    permit(principal, Action.CASE_WORK, case.workspace_id)
    words = said(reason, "reason", "Say what is new: that is why it is opened again.")
    if case.state != State.CLOSED:
        raise moved_on(case)
    as_seen(case, seen_version)
    policy = policy_of(case.workspace_id)
    dues = restarted(dues_from_json(case.due), policy.clocks, db_now())
    newest = next(iter(evidence_of(case.pk)), None)
    if newest is not None and newest.passport is not None:
        pin(case, newest.passport, principal.actor)
    happen(
        case=case,
        kind=Kind.REOPENED,
        actor=principal.actor,
        data={"outcome": case.outcome, "decided_by": case.decided_by, "confirmed_by": case.confirmed_by},
        texts={"reason": words},
        outcome="",
        decided_by="",
        decided_at=None,
        confirmed_by="",
        closed_at=None,
        two_roles=policy.two_roles,
        due=dues_to_json(dues),
        next_due_at=presses_at(dues),
    )


def _to_confirm(principal: Principal, case_id: int, seen_version: int) -> Case:
    case = lock_case(case_id, principal)
    permit(principal, Action.CASE_DECIDE, case.workspace_id)
    if case.state != State.DECIDED:
        raise moved_on(case)
    if principal.is_any_of([user_of(case.decided_by)]):
        raise Refused("You decided this case, so somebody else has to confirm it.")
    as_seen(case, seen_version)
    return case


def _outcome(text: str) -> Outcome:
    try:
        return Outcome(text)
    except ValueError:
        named = ", ".join(one.value for one in Outcome)
        raise Invalid({"outcome": [f"Choose one of: {named}. Nothing was stored."]}) from None


def _stood_on(case: Case) -> dict[str, int | str]:
    """The evidence that whoever decided had before them."""
    newest = Evidence.objects.filter(case=case).order_by("-number").values("number", "sha256").first()
    return {"evidence": newest["number"], "sha256": newest["sha256"]} if newest else {"evidence": 0}
