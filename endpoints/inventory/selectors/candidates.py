"""Of many endpoints or deployments at once: the revisions that can decide about a moment, and how far reads cover.

Three queries for the revisions whatever their number, and a few for the cover.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from endpoints.core.ids import arm_key
from endpoints.inventory.models import Deployment, DeploymentRevision, Endpoint, EndpointRevision, SyncRun
from endpoints.inventory.selectors import covering

Moments = dict[int, "datetime | None"]
_DEPLOYMENTS = "/deployments"


def of_endpoints(ids: Collection[int], at: datetime, known: datetime | None) -> dict[int, list[Any]]:
    """By endpoint: the newest state that began by `at`, all that may have, and the next one."""
    return _candidates(EndpointRevision.objects.filter(endpoint_id__in=ids), "endpoint_id", at, known)


def of_deployments(ids: Collection[int], at: datetime, known: datetime | None) -> dict[int, list[Any]]:
    """Likewise by deployment."""
    return _candidates(DeploymentRevision.objects.filter(deployment_id__in=ids), "deployment_id", at, known)


def cover_of_endpoints(rows: Iterable[Endpoint], known: datetime | None) -> Moments:
    """By endpoint: when the last reading began that bears its newest state out; None: no such reading is known.

    `known`: the last one that had ended by then, as its run tells.
    """
    found = list(rows)
    if known is None:
        with_run = covering.endpoints_with_run().filter(pk__in=[row.pk for row in found])
        return {row.pk: covering.of_annotated(row).began for row in with_run}
    return _by_runs({row.pk: (row.workspace_id, _items(row.arm_id)) for row in found}, known)


def cover_of_deployments(rows: Iterable[Deployment], known: datetime | None) -> Moments:
    """Likewise by deployment; rows come with their endpoints."""
    found = list(rows)
    if known is None:
        with_run = covering.deployments_with_run().filter(pk__in=[row.pk for row in found])
        return {row.pk: covering.of_annotated(row).began for row in with_run.select_related("endpoint")}
    wanted = {
        row.pk: (row.endpoint.workspace_id, (*_items(row.endpoint.arm_id), arm_key(row.arm_id)))
        for row in found
    }
    return _by_runs(wanted, known)


def _candidates(
    revisions: QuerySet[Any], owner: str, at: datetime, known: datetime | None
) -> dict[int, list[Any]]:
    if known is not None:
        revisions = revisions.filter(known_at__lte=known)
    later = revisions.filter(latest__gt=at)
    begun = revisions.filter(latest__lte=at).order_by(owner, "-latest", "-pk").distinct(owner)
    following = later.order_by(owner, "latest", "pk").distinct(owner)
    maybe = later.filter(Q(earliest__isnull=True) | Q(earliest__lt=at))
    found: dict[int, dict[int, Any]] = defaultdict(dict)
    for row in (*begun, *maybe, *following):
        found[getattr(row, owner)][row.pk] = row
    return {number: list(rows.values()) for number, rows in found.items()}


def _items(arm_id: str) -> tuple[str, ...]:
    """Under which names a run tells that an endpoint, or the list of its deployments, could not be read."""
    key = arm_key(arm_id)
    return key, key + _DEPLOYMENTS


def _by_runs(wanted: Mapping[int, tuple[int, tuple[str, ...]]], known: datetime) -> Moments:
    """Out of the runs that had ended by `known`, passing over those that could not read the thing itself."""
    runs = SyncRun.objects.filter(reads_ended__lte=known)
    newest = runs.filter(workspace_id__in={place for place, _ in wanted.values()})
    latest = {
        row.workspace_id: row
        for row in newest.order_by("workspace_id", "-reads_ended").distinct("workspace_id")
    }
    found: Moments = {}
    for number, (workspace_id, items) in wanted.items():
        run = latest.get(workspace_id)
        if run is not None and _could_not(run, items):
            run = _earlier(runs, run, items)
        found[number] = run.reads_began if run else None
    return found


def _could_not(run: SyncRun, items: tuple[str, ...]) -> bool:
    """An item without an id may be anything."""
    told = [one["item"] for one in run.unreadable]
    return any(not item.startswith("/") or arm_key(item) in items for item in told)


# Runs to look through for one that read a thing; beyond it counts as not read.
_LOOK_BACK = 200


def _earlier(runs: QuerySet[SyncRun], run: SyncRun, items: tuple[str, ...]) -> SyncRun | None:
    before = runs.filter(workspace_id=run.workspace_id, reads_ended__lt=run.reads_ended)
    for one in before.order_by("-reads_ended")[:_LOOK_BACK]:
        if not _could_not(one, items):
            return one
    return None
