"""Liveness and readiness for load balancers, supervisors and the demo's start. Counts and ages only."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Max
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from psycopg_pool import PoolTimeout

from endpoints.access.models import Workspace
from endpoints.changes.models import Executor
from endpoints.dispatch import db_now
from endpoints.inventory.models import SyncTarget

# A workspace whose last full read is older than so many of its cadences is not in sync.
_MISSED_CADENCES = 2
# An executor that has not said anything for so many of its polls is not running.
_MISSED_POLLS = 5


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """The process answers. Asks nothing of anybody, so that a slow database does not get it killed."""
    return JsonResponse({"status": "alive"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when pages can be served, else 503.

    A silent executor or an old mirror do not take the pages away, which show both and offer the way by hand.
    """
    try:
        connection.ensure_connection()
        return JsonResponse({"status": "ready", "executor": _executor(), "fleet": _fleet()})
    except (DatabaseError, PoolTimeout):
        return JsonResponse({"status": "no database"}, status=503)


def _executor() -> dict[str, Any]:
    last = Executor.objects.aggregate(last=Max("beat_at"))["last"]
    if last is None:
        return {"alive": False, "silent_seconds": None}
    silent = (db_now() - last).total_seconds()
    bound = max(settings.OPSPORTAL.executor_poll_seconds, 1) * _MISSED_POLLS
    return {"alive": silent <= bound, "silent_seconds": round(silent, 1)}


def _fleet() -> dict[str, Any]:
    """How many workspaces are connected and in sync, and the age of the oldest data in seconds."""
    connected = Workspace.objects.filter(disconnected_at__isnull=True)
    now, usual = db_now(), settings.OPSPORTAL.sync_cadence_seconds
    ages = [
        ((now - ended).total_seconds(), cadence or usual)
        for ended, cadence in SyncTarget.objects.filter(workspace__in=connected).values_list(
            "covered_by__reads_ended", "cadence_seconds"
        )
        if ended is not None
    ]
    total = connected.count()
    in_sync = sum(age <= cadence * _MISSED_CADENCES for age, cadence in ages)
    return {
        "synced": total > 0 and in_sync == total,
        "workspaces": total,
        "in_sync": in_sync,
        "never_read": total - len(ages),
        "oldest_seconds": round(max(age for age, _ in ages), 1) if ages else None,
    }
