"""An ordinary load for endpoints in tests: light, measured, and well within what their replicas can carry."""

from __future__ import annotations

from datetime import UTC, timedelta

from endpoints.dispatch import db_now
from endpoints.inventory.models import Deployment
from endpoints.metrics.services import write_minutes
from tests.metrics.storing import row

MINUTES = 40
BUSY = {
    "instances": 2,
    "requests": 100,
    "status_5xx": 0,
    "model_errors": 0,
    "status_429": 0,
    "p95": 50,
    "cpu_max": 12,
}
IDLE = {"requests": 0}


def serve(endpoint_id: int, **busy: float) -> None:
    """The last minutes of every deployment that stands, two hours ago: the first one BUSY (or `busy`)."""
    begin = db_now().astimezone(UTC).replace(second=0, microsecond=0) - timedelta(minutes=120 + MINUTES)
    numbers = Deployment.objects.filter(endpoint=endpoint_id, deleted_at=None).order_by("name_key")
    write_minutes(
        row(number, begin + minute * timedelta(minutes=1), **(BUSY | busy if place == 0 else IDLE))
        for place, number in enumerate(numbers.values_list("pk", flat=True))
        for minute in range(MINUTES)
    )
