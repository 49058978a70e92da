"""What the worker does from time to time. What is due stands in rows: a task that is lost costs a delay."""

from __future__ import annotations

from celery import shared_task

from endpoints.notices import services


@shared_task(name="notices.deliver_due")
def deliver_due() -> None:
    """Send what is due."""
    services.deliver_due()


@shared_task(name="notices.tell_of_ledger")
def tell_of_ledger() -> None:
    """Send the newest checkpoint out of the house, and say when the ledger is broken."""
    services.tell_checkpoint()
    services.tell_broken()
