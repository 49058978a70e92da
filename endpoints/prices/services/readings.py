"""Which places are due, who reads them, and when they are due again. A place is a subscription in a region."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from django.db import connection
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Least, Lower

from endpoints.access.models import Workspace
from endpoints.dispatch import db_now
from endpoints.prices.models import PriceReading

READ = "prices.read"
AGAIN = timedelta(minutes=10)
"""After a failure."""
TAKEN = timedelta(minutes=5)
"""Longer than a reading takes; a place whose reader was killed waits this long."""
_LONGEST_REASON = 1000
_ADD = """
INSERT INTO prices_reading (subscription, region,
    sizes_due_at, sizes_reason, quotas_due_at, quotas_reason, retail_due_at, retail_reason)
SELECT DISTINCT lower(place.subscription), place.region,
    clock_timestamp(), '', clock_timestamp(), '', clock_timestamp(), '' FROM (
    SELECT w.subscription_id AS subscription, lower(replace(w.region, ' ', '')) AS region FROM access_workspace w
    WHERE w.disconnected_at IS NULL
    UNION SELECT w.subscription_id, lower(replace(e.location, ' ', ''))
    FROM inventory_endpoint e JOIN access_workspace w ON w.id = e.workspace_id
    WHERE e.deleted_at IS NULL AND w.disconnected_at IS NULL) place
WHERE place.region <> ''
ON CONFLICT (subscription, region) DO NOTHING
"""


class Part(StrEnum):
    """What is read at its own pace."""

    SIZES = "sizes"
    QUOTAS = "quotas"
    RETAIL = "retail"


# A new price holds for weeks; of quota, somebody's next deployment takes its part.
EVERY = {Part.SIZES: timedelta(days=1), Part.QUOTAS: timedelta(hours=1), Part.RETAIL: timedelta(days=1)}


def add_missing() -> None:
    """A row for every place in which a connected workspace or a living endpoint is; it is due at once."""
    with connection.cursor() as cursor:
        cursor.execute(_ADD)


def due_readings() -> list[int]:
    """Places of connected subscriptions of which a part is due, the longest due first."""
    now = db_now()
    connected = Workspace.objects.filter(disconnected_at=None).annotate(key=Lower("subscription_id"))
    due = PriceReading.objects.filter(
        Q(sizes_due_at__lte=now) | Q(quotas_due_at__lte=now) | Q(retail_due_at__lte=now),
        Exists(connected.filter(key=OuterRef("subscription"))),
    )
    return list(
        due.order_by(Least("sizes_due_at", "quotas_due_at", "retail_due_at"), "pk").values_list(
            "pk", flat=True
        )
    )


def take(subscription: str, region: str, part: Part) -> bool:
    """Whether this part is due and now ours to read."""
    now = db_now()
    due = {f"{part}_due_at__lte": now}
    mine = PriceReading.objects.filter(subscription=subscription, region=region, **due)
    return mine.update(**{f"{part}_due_at": now + TAKEN}) == 1


def failed(
    subscription: str, region: str, part: Part, reason: str, *, retry_after: float | None = None
) -> None:
    """What was known stays, with its age; the reason says why it is not known better."""
    now = db_now()
    wait = max(AGAIN, timedelta(seconds=retry_after or 0.0))
    _note(subscription, region, part, failed_at=now, reason=reason[:_LONGEST_REASON], due_at=now + wait)


def succeeded(subscription: str, region: str, part: Part, *, read_at: datetime, reason: str) -> None:
    """`reason`: what of the list could not be understood, "" when all could."""
    _note(
        subscription,
        region,
        part,
        read_at=read_at,
        failed_at=None,
        reason=reason[:_LONGEST_REASON],
        due_at=db_now() + EVERY[part],
    )


def _note(subscription: str, region: str, part: Part, **told: object) -> None:
    place = PriceReading.objects.filter(subscription=subscription, region=region)
    place.update(**{f"{part}_{name}": value for name, value in told.items()})
