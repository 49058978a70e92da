"""Evidence for a case: which record it is about, and a passport's canonical bytes, kept as they were collected.

Evidence is never replaced. Collected again, it stands beside what was collected before, and differences are shown.
"""

from __future__ import annotations

from datetime import date, timedelta
from hashlib import sha256

from django.db import transaction

from endpoints.access.policies import Action, Principal
from endpoints.audit.actors import Actor
from endpoints.audit.canonical import canonical
from endpoints.challenges.facts import Passport
from endpoints.challenges.facts_json import document
from endpoints.challenges.lifecycle import Kind
from endpoints.challenges.linking import deployments_of, model_of
from endpoints.challenges.models import Case, Evidence
from endpoints.challenges.seen import SeenRow
from endpoints.challenges.selectors.lookup import seen
from endpoints.challenges.selectors.passport import passport_at, passport_of
from endpoints.challenges.services.case_guards import lock_case, permit
from endpoints.challenges.services.case_moves import as_seen, happen
from endpoints.core.errors import Conflict, Invalid, NotFound
from endpoints.core.ids import ref
from endpoints.dispatch import db_now
from endpoints.holds.services import protect, unprotect
from endpoints.metrics.services import keep

MOST_EVIDENCE = 100
# Of the minutes before and after the request.
KEPT_AROUND = timedelta(hours=1)
NOTHING_TO_COLLECT = (
    "The portal has no record of this request, and neither its endpoint nor its time is known, so there is nothing "
    "to collect."
)


@transaction.atomic
def choose_record(
    *,
    principal: Principal,
    case_id: int,
    endpoint_id: int,
    day: date,
    key: str,
    seen_version: int | None = None,
) -> None:
    """Say which record of its workspace the case is about, and collect the evidence for it."""
    case = lock_case(case_id, principal)
    permit(principal, Action.CASE_WORK, case.workspace_id)
    as_seen(case, seen_version)
    row = record_of(endpoint_id, day, key, workspace_id=case.workspace_id)
    release(case, principal.actor, "Another record was chosen.")
    happen(
        case=case,
        kind=Kind.CHOSEN,
        actor=principal.actor,
        data={"day": row.day.isoformat(), "key": row.key},
        endpoint_id=row.endpoint_id,
        day=row.day,
        key=row.key,
        model="",
    )
    collect(case, principal.actor)


@transaction.atomic
def collect_evidence(*, principal: Principal, case_id: int, seen_version: int | None = None) -> int:
    """Collect once more what is known now, and return the evidence's number; what was collected before stays."""
    case = lock_case(case_id, principal)
    permit(principal, Action.CASE_WORK, case.workspace_id)
    as_seen(case, seen_version)
    number = collect(case, principal.actor)
    if number is None:
        raise Conflict(f"{NOTHING_TO_COLLECT} Choose a record, or name endpoint and time in a new case.")
    return number


def collect(case: Case, actor: Actor) -> int | None:
    """The number of the new evidence; None when there is neither a record nor an endpoint and a time."""
    passport = _passport(case)
    if passport is None:
        return None
    body = canonical(document(passport))
    number = Evidence.objects.filter(case=case).count() + 1
    if number > MOST_EVIDENCE:
        raise Conflict(f"Evidence was collected {MOST_EVIDENCE} times for this case. Nothing was stored.")
    digest = sha256(body).hexdigest()
    Evidence.objects.create(
        case=case,
        number=number,
        document=body,
        sha256=digest,
        collected_by=actor.ref,
        collected_at=db_now(),
    )
    pin(case, passport, actor)
    happen(
        case=case,
        kind=Kind.COLLECTED,
        actor=actor,
        data={"number": number, "sha256": digest, "sure": passport.sure.value},
        model=model_of(passport),
    )
    return number


def pin(case: Case, passport: Passport, actor: Actor) -> None:
    """Keep what the case stands on: the minutes around the request, and the deployments that may have answered it."""
    keep(
        endpoint_id=passport.endpoint_id,
        since=passport.at - KEPT_AROUND,
        until=passport.at + KEPT_AROUND,
        cause=ref("case", case.pk),
    )
    for name in deployments_of(passport):
        protect(
            actor=actor,
            endpoint_id=passport.endpoint_id,
            cause=ref("case", case.pk),
            reason=f"CH-{case.pk} is about a request that it may have answered.",
            deployment=name,
        )


def release(case: Case, actor: Actor, reason: str) -> None:
    """End what the case protects."""
    if case.endpoint_id is not None:
        unprotect(actor=actor, cause=ref("case", case.pk), endpoint_id=case.endpoint_id, reason=reason)


def record_of(endpoint_id: int, day: date, key: str, *, workspace_id: int) -> SeenRow:
    """The record of that address within the workspace; Invalid when there is none."""
    try:
        row = seen(endpoint_id, day, key)
    except NotFound as error:
        raise Invalid({"record": [f"{error.message} Nothing was stored."]}) from error
    if row.workspace_id != workspace_id:
        raise Invalid({"record": ["There is no such record in this workspace. Nothing was stored."]})
    return row


def _passport(case: Case) -> Passport | None:
    if case.endpoint_id is None:
        return None
    if case.key and case.day is not None:
        return passport_of(seen(case.endpoint_id, case.day, case.key))
    return passport_at(case.endpoint_id, case.asked_at) if case.asked_at is not None else None
