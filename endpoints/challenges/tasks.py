"""What the worker does from time to time."""

from __future__ import annotations

from celery import shared_task

from endpoints.challenges.services import aggregate as counting
from endpoints.challenges.services import retention
from endpoints.challenges.services.case_clocks import tell_due
from endpoints.challenges.services.collect_logs import collect_due


@shared_task(name="challenges.aggregate")
def aggregate() -> None:
    """Count the minutes anew whose records changed."""
    counting.aggregate()


@shared_task(name="challenges.make_partitions")
def make_partitions() -> None:
    """Make the partitions of the months to come."""
    retention.make_ahead()


@shared_task(name="challenges.drop_old")
def drop_old() -> None:
    """Drop records past their retention."""
    retention.drop_old()


@shared_task(name="challenges.collect_logs")
def collect_logs() -> None:
    """Read the traffic logs that are due."""
    collect_due()


@shared_task(name="challenges.tell_due")
def tell_of_due_cases() -> None:
    """Tell of cases whose clocks press or are over."""
    tell_due()
