"""The room's tasks. Rows say what is due: a task that comes twice, late or never changes nothing but delay.

Rollouts and rollbacks need none of them: the executor is a process of its own.
"""

from __future__ import annotations

from celery import shared_task

from endpoints.changes.services import readiness


@shared_task(name="changes.refresh_readiness")
def refresh_readiness() -> None:
    """Look anew at the lights that are older than some minutes."""
    readiness.refresh()
