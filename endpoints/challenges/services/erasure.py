"""Forget the person behind a case: its texts are emptied, here and in the ledger. Two people.

What happened, when and by whom of the staff, the verdict and the evidence stay: they hold no word about the person.
"""

from __future__ import annotations

from django.db import transaction

from endpoints.access.policies import Action, Principal
from endpoints.audit import services as ledger
from endpoints.challenges.lifecycle import Kind, State
from endpoints.challenges.models import Case, Erasure, Note
from endpoints.challenges.selectors.erasures import personal_entries
from endpoints.challenges.services.case_guards import lock_case, permit, said, user_of
from endpoints.challenges.services.case_moves import happen
from endpoints.core.errors import Conflict, Refused
from endpoints.core.ids import ref
from endpoints.dispatch import db_now


@transaction.atomic
def ask_erasure(*, principal: Principal, case_id: int, reason: str) -> int:
    """Ask that the texts of a closed case be erased; the erasure's number. Another person has to agree."""
    case = _erasable(principal, case_id)
    words = said(reason, "reason", "Say who or what demands it, without a name.")
    if _waiting(case) is not None:
        raise Conflict(f"Erasing the texts of CH-{case.pk} was asked for already. Nothing was stored.")
    made = Erasure.objects.create(
        workspace_id=case.workspace_id,
        subject=ref("case", case.pk),
        reason=words,
        asked_by=principal.ref,
        asked_at=db_now(),
    )
    happen(case=case, kind=Kind.ERASURE_ASKED, actor=principal.actor, data={"erasure": made.pk})
    return made.pk


@transaction.atomic
def agree_erasure(*, principal: Principal, case_id: int) -> int:
    """Erase, and return how many texts went. It can't be undone. Whoever asked for it can't agree to it."""
    case = _erasable(principal, case_id)
    asked = _asked(case)
    if principal.is_any_of([user_of(asked.asked_by)]):
        raise Refused("You asked for this erasure, so somebody else has to agree to it.")
    now = db_now()
    emptied = Note.objects.filter(case=case).exclude(text="").update(text="", erased_at=now)
    entries = personal_entries(ref("case", case.pk))
    Erasure.objects.filter(pk=asked.pk).update(
        agreed_by=principal.ref, agreed_at=now, texts=emptied + len(entries)
    )
    if entries:
        ledger.erase(
            actor=principal.actor,
            entries=entries,
            subject=ref("case", case.pk),
            workspace_id=case.workspace_id,
        )
    happen(
        case=case,
        kind=Kind.ERASED,
        actor=principal.actor,
        data={"erasure": asked.pk, "asked_by": asked.asked_by, "notes": emptied, "entries": len(entries)},
        reference="",
    )
    return emptied + len(entries)


@transaction.atomic
def withdraw_erasure(*, principal: Principal, case_id: int) -> None:
    """Take back, or turn down, an erasure that nobody agreed to yet. Nothing is erased."""
    case = lock_case(case_id, principal)
    permit(principal, Action.ERASE, case.workspace_id)
    asked = _asked(case)
    Erasure.objects.filter(pk=asked.pk).update(withdrawn_at=db_now())
    happen(case=case, kind=Kind.ERASURE_WITHDRAWN, actor=principal.actor, data={"erasure": asked.pk})


def _erasable(principal: Principal, case_id: int) -> Case:
    """The case, when nothing stands against erasing its texts."""
    case = lock_case(case_id, principal)
    permit(principal, Action.ERASE, case.workspace_id)
    if case.legal_hold:
        raise Conflict(f"CH-{case.pk} is under a legal hold, which comes first. Nothing was erased.")
    if case.state != State.CLOSED:
        raise Conflict(f"CH-{case.pk} is not closed: it needs its texts until then. Nothing was erased.")
    return case


def _waiting(case: Case) -> Erasure | None:
    found = Erasure.objects.filter(subject=ref("case", case.pk), agreed_at=None, withdrawn_at=None)
    return found.order_by("-pk").first()


def _asked(case: Case) -> Erasure:
    found = _waiting(case)
    if found is None:
        raise Conflict(f"Nobody asked to erase the texts of CH-{case.pk}, or it is done. Nothing was erased.")
    return found
