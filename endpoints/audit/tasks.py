"""What the room does by the clock. A task that comes twice, late or never changes nothing but delay."""

from __future__ import annotations

from celery import shared_task

from endpoints.audit.services import make_due_checkpoint, remember_verification

_ASKED_BY = "system:audit"


@shared_task(name="audit.checkpoint")
def checkpoint() -> None:
    """Seal and anchor what is due."""
    make_due_checkpoint()


@shared_task(name="audit.verify")
def verify() -> None:
    """Check the whole ledger though nobody asked: who alters it should not have to be met by chance."""
    remember_verification(asked_by=_ASKED_BY)
