"""The room's tasks. A task that comes twice or late makes the same days and reads what is due."""

from __future__ import annotations

from celery import shared_task

from endpoints.capacity import services


@shared_task(name="capacity.roll_up")
def roll_up() -> None:
    """Make the newest days of the ledger anew, and those that are missing."""
    services.roll_up_due()


@shared_task(name="capacity.read_autoscale")
def read_autoscale() -> None:
    """Read the autoscale settings of the subscriptions that are due."""
    services.read_autoscale()
