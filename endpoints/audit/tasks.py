"""What the room does by the clock. A task that comes twice, late or never changes nothing but delay."""

from __future__ import annotations

from celery import shared_task

from endpoints.audit.services import make_due_checkpoint


@shared_task(name="audit.checkpoint")
def checkpoint() -> None:
    """Seal and anchor what is due."""
    make_due_checkpoint()
