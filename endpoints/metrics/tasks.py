"""What the room does by the clock. Every task may come twice, late or never: rows and partitions say what is due."""

from __future__ import annotations

from celery import shared_task

from endpoints.metrics import services


@shared_task(name="metrics.make_partitions")
def make_partitions() -> None:
    """Make the partitions of the days to come."""
    services.make_ahead()


@shared_task(name="metrics.roll_up")
def roll_up() -> None:
    """Make the hours that are due, and their days."""
    services.roll_up_all()


@shared_task(name="metrics.find_missed_hours")
def find_missed_hours() -> None:
    """Make due the hours that have minutes and no rollup."""
    services.find_missed_hours()


@shared_task(name="metrics.drop_old")
def drop_old() -> None:
    """Drop minutes and hours past their retention."""
    services.drop_old()


@shared_task(name="metrics.pack_hours")
def pack_hours() -> None:
    """Pack the hours of months that nothing changes any more."""
    services.pack_hours()
