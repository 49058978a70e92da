"""Raise a case: somebody challenges a prediction. Whatever is on record about it is collected at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db import IntegrityError, transaction

from endpoints.access.policies import Action, Principal
from endpoints.challenges.clocks import dues_to_json, presses_at, started
from endpoints.challenges.lifecycle import Kind, State
from endpoints.challenges.models import Case, Note
from endpoints.challenges.seen import SeenRow
from endpoints.challenges.selectors.lookup import lookup
from endpoints.challenges.selectors.policies import policy_of
from endpoints.challenges.services.case_evidence import collect, record_of
from endpoints.challenges.services.case_guards import (
    NAME_LIMIT,
    REFERENCE_LIMIT,
    permit,
    person_id,
    said,
    within,
)
from endpoints.challenges.services.case_moves import tell
from endpoints.challenges.services.case_notices import tell_of
from endpoints.core.errors import Conflict, Invalid
from endpoints.dispatch import db_now
from endpoints.inventory.selectors import endpoint_facts

ID_LIMIT = 200
KEY_TAKEN = "This idempotency key was used for another case. Nothing was stored; use a fresh one."


@dataclass(frozen=True, slots=True)
class Challenge:
    """What is challenged, in the words of whoever brings it.

    `asked_id` is the id as it was given; `endpoint_id` and `asked_at` are needed where no record has it, as far as
    they are known. `record` names one of several records: its endpoint, day and key.
    """

    question: str
    asked_id: str = ""
    endpoint_id: int | None = None
    asked_at: datetime | None = None
    record: tuple[int, date, str] | None = None
    reference: str = ""
    claimant: str = ""


def raise_case(
    *,
    principal: Principal,
    workspace_id: int,
    challenge: Challenge,
    via: str = "page",
    idempotency_key: str = "",
) -> int:
    """The new case's number; asked twice with one key, the first one's. Invalid names what is missing, by field.

    One record under the id is chosen at once; of several a person chooses later, and nothing is guessed.
    """
    permit(principal, Action.CASE_WORK, workspace_id)
    wanted = _checked(challenge, workspace_id)
    try:
        with transaction.atomic():
            earlier = _earlier(principal, idempotency_key)
            if earlier is not None:
                return _same_order(earlier, workspace_id, wanted)
            return _write_down(principal, workspace_id, wanted, via, idempotency_key)
    except IntegrityError as error:
        raise Conflict(KEY_TAKEN) from error  # used at this very moment


def _checked(challenge: Challenge, workspace_id: int) -> Challenge:
    """The words within their limits, and an endpoint of this workspace."""
    asked_id = within(challenge.asked_id, "asked_id", limit=ID_LIMIT)
    if not asked_id and (challenge.endpoint_id is None or challenge.asked_at is None):
        raise Invalid(
            {"asked_id": ["Give the request's id, or else its endpoint and time. Nothing was stored."]}
        )
    if (
        challenge.endpoint_id is not None
        and endpoint_facts(challenge.endpoint_id).workspace_id != workspace_id
    ):
        raise Invalid({"endpoint": ["There is no such endpoint in this workspace. Nothing was stored."]})
    if challenge.asked_at is not None and challenge.asked_at > db_now():
        raise Invalid({"asked_at": ["This time has not come yet. Nothing was stored."]})
    return Challenge(
        question=said(challenge.question, "question", "Write what is asked: the case is about that."),
        asked_id=asked_id,
        endpoint_id=challenge.endpoint_id,
        asked_at=challenge.asked_at,
        record=challenge.record,
        reference=within(challenge.reference, "reference", limit=REFERENCE_LIMIT),
        claimant=within(challenge.claimant, "claimant", limit=NAME_LIMIT),
    )


def _earlier(principal: Principal, key: str) -> Case | None:
    if not key:
        return None
    return Case.objects.filter(raised_by=principal.ref, idempotency_key=key).first()


def _same_order(earlier: Case, workspace_id: int, wanted: Challenge) -> int:
    question = Note.objects.filter(case=earlier, kind="question").order_by("pk").first()
    same = (
        earlier.workspace_id == workspace_id
        and earlier.asked_id == wanted.asked_id
        and (question is None or question.erased_at is not None or question.text == wanted.question)
    )
    if not same:
        raise Conflict(KEY_TAKEN)
    return earlier.pk


def _write_down(
    principal: Principal, workspace_id: int, wanted: Challenge, via: str, idempotency_key: str
) -> int:
    now, policy, row = db_now(), policy_of(workspace_id), _record(wanted, workspace_id)
    dues = started(policy.clocks, now)
    person_id(principal)
    case = Case.objects.create(
        workspace_id=workspace_id,
        endpoint_id=row.endpoint_id if row else wanted.endpoint_id,
        asked_id=wanted.asked_id,
        asked_at=wanted.asked_at,
        day=row.day if row else None,
        key=row.key if row else "",
        reference=wanted.reference,
        state=State.OPEN,
        via=via,
        idempotency_key=idempotency_key,
        raised_by=principal.ref,
        raised_at=now,
        due=dues_to_json(dues),
        next_due_at=presses_at(dues),
        two_roles=policy.two_roles,
    )
    tell_of(case, "case.raised")
    tell(
        case,
        Kind.RAISED,
        None,
        principal.actor,
        {"asked": wanted.asked_id, "record": case.key, "via": via, "policy": policy.id},
        {"question": wanted.question, "claimant": wanted.claimant},
    )
    collect(case, principal.actor)
    return case.pk


def _record(wanted: Challenge, workspace_id: int) -> SeenRow | None:
    """The record that the case is about: the one that was named, or the only one under the id."""
    if wanted.record is not None:
        return record_of(*wanted.record, workspace_id=workspace_id)
    if not wanted.asked_id:
        return None
    found = [
        row
        for row in lookup(wanted.asked_id, workspace_ids=[workspace_id], near=wanted.asked_at).found
        if wanted.endpoint_id in (None, row.endpoint_id)
    ]
    return found[0] if len(found) == 1 else None
