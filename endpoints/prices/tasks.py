"""The room's tasks. Rows carry the time: a task that comes twice, late or never changes nothing but delay."""

from __future__ import annotations

from celery import shared_task

from endpoints.prices.models import PriceReading
from endpoints.prices.services import add_missing, due_readings, read_prices
from endpoints.prices.services.readings import READ


@shared_task(name="prices.read_due")
def read_due() -> None:
    """Ask for a reading of every subscription and region that has something due."""
    add_missing()
    for reading_id in due_readings():
        # Dropped if nobody takes it soon: the next look at what is due asks again.
        read.apply_async(args=(reading_id,), expires=60, retry=False)


@shared_task(name=READ)
def read(reading_id: int) -> None:
    """Read what is due of one subscription and region."""
    place = PriceReading.objects.get(pk=reading_id)
    read_prices(subscription=place.subscription, region=place.region)
