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


@shared_task(name="capacity.begin")
def begin() -> None:
    """Make the ledger of workspaces that have none yet."""
    services.begin_ledger()


@shared_task(name="capacity.find")
def find() -> None:
    """Look what could be saved, where that is due."""
    services.look_due()


@shared_task(name="capacity.follow")
def follow() -> None:
    """See what became of the changes that findings were filed as."""
    services.follow_changes()


@shared_task(name="capacity.judge")
def judge() -> None:
    """Measure what acts on findings saved."""
    services.judge_savings()


@shared_task(name="capacity.watch")
def watch() -> None:
    """Say when money needs a person."""
    services.watch_money()


@shared_task(name="capacity.report")
def report() -> None:
    """Hand over the weekly reports that are due."""
    services.publish_reports()
