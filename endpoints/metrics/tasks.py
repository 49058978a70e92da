"""What the room does by the clock. Every task may come twice, late or never: rows and partitions say what is due."""

from __future__ import annotations

from celery import shared_task

from endpoints.metrics import services
from endpoints.metrics.services import backfill, collectors, diagnostics
from endpoints.metrics.services.collect import collect as read_collector


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


@shared_task(name="metrics.collect_due")
def collect_due() -> None:
    """Ask for a reading of every collector that is due and that nobody reads."""
    collectors.add_missing()
    for collector_id in collectors.due_collectors():
        # Dropped if nobody takes it soon: the next look at what is due asks again.
        collect.apply_async(args=(collector_id,), expires=10, retry=False)


@shared_task(name=collectors.COLLECT)
def collect(collector_id: int) -> None:
    """Read one collector."""
    read_collector(collector_id=collector_id)


@shared_task(name="metrics.backfill_due")
def backfill_due() -> None:
    """Read a slice of the past, of the order whose turn it is."""
    for backfill_id in backfill.due_backfills()[:1]:
        backfill.do_slice(backfill_id=backfill_id)


@shared_task(name="metrics.read_diagnostics")
def read_diagnostics() -> None:
    """Look which endpoints export their logs, a few at a time."""
    diagnostics.read_diagnostics()
