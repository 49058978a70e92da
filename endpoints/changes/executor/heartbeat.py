"""The row by which pages know that an executor lives."""

from __future__ import annotations

from datetime import timedelta

from endpoints.changes.models import Executor
from endpoints.dispatch import db_now

FORGET_AFTER = timedelta(hours=1)


def beat(name: str) -> None:
    """Say that this process lives; rows of long dead ones go."""
    now = db_now()
    Executor.objects.update_or_create(
        name=name, defaults={"beat_at": now}, create_defaults={"beat_at": now, "started_at": now}
    )
    Executor.objects.filter(beat_at__lt=now - FORGET_AFTER).delete()
