"""The room's tasks. Rows carry the time: a task that comes twice, late or never changes nothing but delay."""

from __future__ import annotations

from celery import shared_task

from endpoints.inventory.services import targets
from endpoints.inventory.services.attribution import attribute_drift as look_who
from endpoints.inventory.services.discovery import discover as look_into
from endpoints.inventory.services.sync import sync_shard as read_shard


@shared_task(name="inventory.sync_due")
def sync_due() -> None:
    """Ask for a reading of every subscription that has something due and nobody at it."""
    targets.add_missing()
    for workspace_id in targets.due_shards():
        # Dropped if nobody takes it soon: the next look at what is due asks again.
        sync_shard.apply_async(args=(workspace_id,), expires=10, retry=False)


@shared_task(name=targets.SYNC_SHARD)
def sync_shard(workspace_id: int) -> None:
    """Read what is due in this workspace's subscription."""
    read_shard(workspace_id=workspace_id)


@shared_task(name="inventory.discover")
def discover() -> None:
    """Ask Resource Graph what the connected subscriptions hold."""
    look_into()


@shared_task(name="inventory.attribute_drift")
def attribute_drift() -> None:
    """Look in the activity log for who made the drift that is not explained yet."""
    look_who()
