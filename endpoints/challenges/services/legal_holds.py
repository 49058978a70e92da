"""A legal hold for a case: what is on record of its endpoint around the request outlives retention. Two people.

One person asks and another one agrees. It ends when somebody says so, with a reason; nothing ends it by itself.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from endpoints.access.policies import Action, Principal
from endpoints.challenges.lifecycle import Kind
from endpoints.challenges.models import Case, LegalHold
from endpoints.challenges.services.case_guards import lock_case, permit, said, user_of
from endpoints.challenges.services.case_moves import happen
from endpoints.core.errors import Conflict, Invalid, NotFound, Refused
from endpoints.core.ids import ref
from endpoints.dispatch import db_now

LONGEST = timedelta(days=366)


@transaction.atomic
def ask_hold(*, principal: Principal, case_id: int, since: datetime, until: datetime, reason: str) -> int:
    """Ask for a hold of the endpoint's records from `since` up to `until`; its number. Another person has to agree."""
    case = lock_case(case_id, principal)
    permit(principal, Action.LEGAL_HOLD, case.workspace_id)
    words = said(reason, "reason", "Say what it is for: without a reason nobody can agree to it.")
    _window(since, until)
    if case.endpoint_id is None:
        raise Conflict(
            f"The endpoint of CH-{case.pk} is not known, so there is nothing to hold. Nothing was stored."
        )
    if LegalHold.objects.filter(cause=ref("case", case.pk), ended_at=None).exists():
        raise Conflict(f"CH-{case.pk} has a legal hold already, or one that waits. Nothing was stored.")
    made = LegalHold.objects.create(
        endpoint_id=case.endpoint_id,
        since=since,
        until=until,
        cause=ref("case", case.pk),
        reason=words,
        asked_by=principal.ref,
        asked_at=db_now(),
    )
    happen(
        case=case,
        kind=Kind.HOLD_ASKED,
        actor=principal.actor,
        data={"hold": made.pk, "since": since.isoformat(), "until": until.isoformat()},
        texts={"reason": words},
    )
    return made.pk


@transaction.atomic
def agree_hold(*, principal: Principal, case_id: int, hold_id: int) -> None:
    """Put it in force. Whoever asked for it can't, from whatever account."""
    case, hold = _locked(principal, case_id, hold_id)
    if hold.agreed_at is not None:
        raise Conflict(f"This legal hold of CH-{case.pk} is in force already. Nothing was changed.")
    if principal.is_any_of([user_of(hold.asked_by)]):
        raise Refused("You asked for this legal hold, so somebody else has to agree to it.")
    LegalHold.objects.filter(pk=hold.pk).update(agreed_by=principal.ref, agreed_at=db_now())
    happen(
        case=case,
        kind=Kind.HELD,
        actor=principal.actor,
        data={"hold": hold.pk, "asked_by": hold.asked_by},
        legal_hold=True,
    )


@transaction.atomic
def end_hold(*, principal: Principal, case_id: int, hold_id: int, reason: str) -> None:
    """End a hold, or turn down one that was asked for. What it kept follows the usual retention from then on."""
    case, hold = _locked(principal, case_id, hold_id)
    words = said(reason, "reason", "Say why it is not needed any more.")
    LegalHold.objects.filter(pk=hold.pk).update(ended_by=principal.ref, ended_at=db_now())
    happen(
        case=case,
        kind=Kind.RELEASED,
        actor=principal.actor,
        data={"hold": hold.pk, "was_in_force": hold.agreed_at is not None},
        texts={"reason": words},
        legal_hold=False,
    )


def _locked(principal: Principal, case_id: int, hold_id: int) -> tuple[Case, LegalHold]:
    case = lock_case(case_id, principal)
    permit(principal, Action.LEGAL_HOLD, case.workspace_id)
    hold = LegalHold.objects.filter(pk=hold_id, cause=ref("case", case.pk)).first()
    if hold is None:
        raise NotFound(f"CH-{case.pk} has no legal hold {hold_id}.")
    if hold.ended_at is not None:
        raise Conflict(f"This legal hold of CH-{case.pk} has ended. Nothing was changed.")
    return case, hold


def _window(since: datetime, until: datetime) -> None:
    if since >= until:
        raise Invalid({"until": ["It ends before it begins. Nothing was stored."]})
    if until - since > LONGEST:
        raise Invalid({"until": [f"A hold spans at most {LONGEST.days} days. Nothing was stored."]})
