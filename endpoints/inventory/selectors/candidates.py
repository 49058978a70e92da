"""Of many endpoints or deployments at once: the revisions that can decide about a moment, and how far reads cover.

One query for the revisions and one for the cover, whatever their number. Each owner's are found by the index that has
its revisions in order: how long its history is does not count.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from endpoints.core.ids import arm_key
from endpoints.inventory.models import (
    Deployment,
    DeploymentRevision,
    Endpoint,
    EndpointRevision,
    Revision,
    SyncRun,
)

Moments = dict[int, "datetime | None"]
_DEPLOYMENTS = "/deployments"


# What may have begun by a moment comes right after it: a state never began before the reading that still showed the one
# before it, so that intervals reach no further than into their neighbours.
_NEIGHBOURS = 16
_CANDIDATES = """
SELECT r.* FROM unnest(%(ids)s::bigint[]) owners (id) CROSS JOIN LATERAL (
    (SELECT {columns} FROM {table} WHERE {owner} = owners.id AND latest <= %(at)s AND {known}
        ORDER BY latest DESC, id DESC LIMIT 1)
    UNION ALL
    (SELECT {columns} FROM (
        SELECT *, row_number() OVER (ORDER BY latest, id) AS place FROM (
            SELECT * FROM {table} WHERE {owner} = owners.id AND latest > %(at)s AND {known}
            ORDER BY latest, id LIMIT %(neighbours)s) following) numbered
        WHERE place = 1 OR earliest IS NULL OR earliest < %(at)s)) r
"""


def of_endpoints(ids: Collection[int], at: datetime, known: datetime | None) -> dict[int, list[Any]]:
    """By endpoint: the newest state that began by `at`, all that may have, and the next one."""
    return _candidates(EndpointRevision, "endpoint_id", ids, at, known)


def of_deployments(ids: Collection[int], at: datetime, known: datetime | None) -> dict[int, list[Any]]:
    """Likewise by deployment."""
    return _candidates(DeploymentRevision, "deployment_id", ids, at, known)


# As `covering` has it: the later of the own reading and the newest run that ended while the thing could be read.
# GREATEST and LEAST pass over NULL.
_NEWEST_RUN = """
LEFT JOIN LATERAL (SELECT reads_began FROM inventory_sync_run WHERE workspace_id = e.workspace_id
    AND reads_ended IS NOT NULL AND reads_ended <= coalesce({unreadable}, 'infinity')
    ORDER BY reads_ended DESC LIMIT 1) r ON true
"""
_ENDPOINTS_COVER = """
SELECT e.id, greatest(e.last_read_began, r.reads_began) FROM inventory_endpoint e
{newest_run} WHERE e.id = ANY (%s::bigint[])
""".format(newest_run=_NEWEST_RUN.format(unreadable="e.unreadable_since"))
_DEPLOYMENTS_COVER = """
SELECT d.id, greatest(d.last_read_began, r.reads_began)
FROM inventory_deployment d JOIN inventory_endpoint e ON e.id = d.endpoint_id
{newest_run} WHERE d.id = ANY (%s::bigint[])
""".format(newest_run=_NEWEST_RUN.format(unreadable="least(d.unreadable_since, e.unreadable_since)"))


def _covered(statement: str, ids: list[int]) -> Moments:
    with connection.cursor() as cursor:
        cursor.execute(statement, [ids])
        return dict(cursor.fetchall())


def cover_of_endpoints(rows: Iterable[Endpoint], known: datetime | None) -> Moments:
    """By endpoint: when the last reading began that bears its newest state out; None: no such reading is known.

    `known`: the last one that had ended by then, as its run tells.
    """
    found = list(rows)
    if known is None:
        return _covered(_ENDPOINTS_COVER, [row.pk for row in found])
    return _by_runs({row.pk: (row.workspace_id, _items(row.arm_id)) for row in found}, known)


def cover_of_deployments(rows: Iterable[Deployment], known: datetime | None) -> Moments:
    """Likewise by deployment; rows come with their endpoints."""
    found = list(rows)
    if known is None:
        return _covered(_DEPLOYMENTS_COVER, [row.pk for row in found])
    wanted = {
        row.pk: (row.endpoint.workspace_id, (*_items(row.endpoint.arm_id), arm_key(row.arm_id)))
        for row in found
    }
    return _by_runs(wanted, known)


def _candidates(
    model: type[Revision], owner: str, ids: Collection[int], at: datetime, known: datetime | None
) -> dict[int, list[Any]]:
    columns = [field.attname for field in model._meta.concrete_fields]
    statement = _CANDIDATES.format(
        table=model._meta.db_table,
        owner=owner,
        columns=", ".join(columns),
        known="true" if known is None else "known_at <= %(known)s",
    )
    values = {"ids": list(ids), "at": at, "known": known, "neighbours": _NEIGHBOURS}
    found: dict[int, list[Any]] = defaultdict(list)
    for row in model._default_manager.raw(statement, values):
        found[getattr(row, owner)].append(row)
    return dict(found)


def _items(arm_id: str) -> tuple[str, ...]:
    """Under which names a run tells that an endpoint, or the list of its deployments, could not be read."""
    key = arm_key(arm_id)
    return key, key + _DEPLOYMENTS


_NEWEST_BY = """
SELECT r.* FROM unnest(%(ids)s::bigint[]) places (id) CROSS JOIN LATERAL (
    SELECT * FROM inventory_sync_run WHERE workspace_id = places.id AND reads_ended <= %(known)s
    ORDER BY reads_ended DESC LIMIT 1) r
"""


def _by_runs(wanted: Mapping[int, tuple[int, tuple[str, ...]]], known: datetime) -> Moments:
    """Out of the runs that had ended by `known`, passing over those that could not read the thing itself."""
    runs = SyncRun.objects.filter(reads_ended__lte=known)
    places = list({place for place, _ in wanted.values()})
    latest = {
        row.workspace_id: row for row in SyncRun.objects.raw(_NEWEST_BY, {"ids": places, "known": known})
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
