"""Keep every endpoint's readiness light fresh: what lists show. Nothing is decided by what is kept here."""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.db import DatabaseError
from django.db.models import F, OuterRef, Q, Subquery

from endpoints.changes.models import Readiness
from endpoints.changes.readiness import Light, as_json
from endpoints.changes.selectors.readiness import readiness_of
from endpoints.core.errors import OpsportalError
from endpoints.dispatch import db_now
from endpoints.inventory.models import Endpoint

log = structlog.get_logger(__name__)

EVERY = timedelta(minutes=5)
BATCH = 100


def refresh(*, limit: int = BATCH) -> int:
    """Look at those that were not looked at for the longest, and return how many were. One that fails is left out."""
    return sum(_refresh_if_possible(endpoint_id) for endpoint_id in _due(limit))


def _due(limit: int) -> list[int]:
    living = Endpoint.objects.filter(deleted_at=None, latest_revision__isnull=False)
    looked = Readiness.objects.filter(endpoint=OuterRef("pk")).values("at")
    due = living.annotate(looked_at=Subquery(looked)).filter(
        Q(looked_at=None) | Q(looked_at__lte=db_now() - EVERY)
    )
    return list(due.order_by(F("looked_at").asc(nulls_first=True), "pk").values_list("pk", flat=True)[:limit])


def _refresh_if_possible(endpoint_id: int) -> int:
    try:
        keep_light(endpoint_id, readiness_of(endpoint_id))
    except (DatabaseError, OpsportalError) as error:
        log.warning("readiness_not_looked_at", endpoint=endpoint_id, cause=str(error).strip())
        return 0
    return 1


def keep_light(endpoint_id: int, light: Light) -> None:
    """Write down what was just looked at."""
    Readiness.objects.update_or_create(
        endpoint_id=endpoint_id,
        defaults={
            "outcome": light.outcome,
            "reasons": [as_json(verdict) for verdict in light.reasons],
            "at": light.at,
        },
    )
