"""What a record of one request is held against: the deployments of a name, the split in force, the readings around it.

Each is found by an index, however long the endpoint's history is.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

from django.db import connection
from django.db.models import F, QuerySet

from endpoints.core import traffic
from endpoints.core.errors import NotFound
from endpoints.core.ids import arm_key
from endpoints.core.traffic import Split
from endpoints.inventory.assets import short
from endpoints.inventory.models import Endpoint, EndpointRevision, SyncRun
from endpoints.inventory.selectors.asof import (
    DeploymentThen,
    EndpointThen,
    deployments_of,
    endpoints_as_of,
)
from endpoints.inventory.selectors.facts import EndpointFacts, facts_of

# Revisions of one endpoint to walk through for the one that brought a split; a tag that moves makes one, too.
_MOST_WALKED = 1000
_NEAR, _STEP = 10, 200
_SPLIT = {"live": F("state__traffic"), "mirror": F("state__mirror_traffic")}


@dataclass(frozen=True, slots=True)
class SplitRun:
    """A split from the revision that brought it on. It began between `earliest` and `latest`, by `cause`.

    `until`: when the next split was in force for certain; None: it still is. `earliest` None: not known.
    """

    revision_id: int
    cause: str
    earliest: datetime | None
    latest: datetime
    until: datetime | None
    known_at: datetime


@dataclass(frozen=True, slots=True)
class Readings:
    """The end of the last reading before a moment, and the beginning of the first one after; None: none is kept."""

    before: datetime | None
    after: datetime | None


def endpoint_then(
    endpoint_id: int, at: datetime, *, known: datetime | None = None
) -> tuple[EndpointFacts, EndpointThen]:
    """What identifies an endpoint, and its state at a moment; NotFound when there is none."""
    row = Endpoint.objects.filter(pk=endpoint_id).first()
    if row is None:
        raise NotFound("There is no such endpoint.")
    return facts_of(row), endpoints_as_of([row], at, known=known)[row.pk]


def deployments_named(
    endpoint_id: int, names: Collection[str], at: datetime, *, known: datetime | None = None
) -> tuple[DeploymentThen, ...]:
    """Every deployment that ever had one of these names (lower case), as it was at `at`."""
    if not names:
        return ()
    return deployments_of([endpoint_id], at, known=known, names=names).get(endpoint_id, ())


def split_run(endpoint_id: int, latest: datetime, *, known: datetime | None = None) -> SplitRun | None:
    """Of the split that the newest revision with this `latest`, or an earlier one, shows. None: there is none.

    None also where so many revisions keep one split that the one which brought it is not found.
    """
    rows = EndpointRevision.objects.filter(endpoint_id=endpoint_id)
    if known is not None:
        rows = rows.filter(known_at__lte=known)
    earlier = rows.filter(latest__lte=latest).order_by("-latest", "-pk")
    later = rows.filter(latest__gt=latest).order_by("latest", "pk")
    # Mostly the neighbours will do, of both sides in one query.
    near = list(_fields(earlier)[:_NEAR].union(_fields(later)[:_NEAR], all=True))
    before = sorted((row for row in near if row["latest"] <= latest), key=_place, reverse=True)
    after = sorted((row for row in near if row["latest"] > latest), key=_place)
    held, walked = _first_of_same(chain(before, _walked(earlier, len(before))))
    if held is None or walked >= _MOST_WALKED:
        return None
    following = chain(after, _walked(later, len(after)))
    until = next((row["latest"] for row in following if not _same(held, row)), None)
    return SplitRun(held["pk"], held["cause"], held["earliest"], held["latest"], until, held["known_at"])


def _first_of_same(newest_first: Iterable[dict[str, Any]]) -> tuple[dict[str, Any] | None, int]:
    """The oldest in a row of revisions that route as the newest does, and how many these are."""
    held: dict[str, Any] | None = None
    walked = 0
    for row in newest_first:
        if held is not None and not _same(held, row):
            break
        held, walked = row, walked + 1
    return held, walked


_AROUND = """
(SELECT true, reads_ended, unreadable FROM inventory_sync_run WHERE workspace_id = %(workspace)s
    AND reads_ended <= least(%(at)s, %(known)s::timestamptz) ORDER BY reads_ended DESC LIMIT %(look)s)
UNION ALL
(SELECT false, reads_began, unreadable FROM inventory_sync_run WHERE workspace_id = %(workspace)s
    AND reads_ended > %(at)s AND reads_ended <= coalesce(%(known)s::timestamptz, 'infinity') AND reads_began >= %(at)s
    ORDER BY reads_ended LIMIT %(look)s)
"""


def readings_around(
    workspace_id: int, arm_id: str, at: datetime, *, known: datetime | None = None
) -> Readings:
    """Of runs that read the endpoint; those that list it as unreadable are passed over."""
    # Mostly the nearest two will do.
    for look in (1, _LOOK_BACK):
        values: dict[str, Any] = {"workspace": workspace_id, "at": at, "known": known, "look": look}
        with connection.cursor() as cursor:
            cursor.execute(_AROUND, values)
            rows = [(is_before, moment, json.loads(told)) for is_before, moment, told in cursor.fetchall()]
        good = [(is_before, moment) for is_before, moment, told in rows if not _failed(told, arm_id)]
        if len(good) == len(rows):
            break
    before = max((moment for is_before, moment in good if is_before), default=None)
    after = min((moment for is_before, moment in good if not is_before), default=None)
    return Readings(before, after)


def runs_between(
    workspace_id: int, arm_id: str, since: datetime, until: datetime
) -> tuple[tuple[datetime, datetime], ...]:
    """When each run that read the endpoint began and ended to read, oldest first; one on each side included."""
    runs = SyncRun.objects.filter(workspace_id=workspace_id, reads_ended__isnull=False)
    within = runs.filter(reads_ended__gt=since, reads_ended__lte=until).order_by("reads_ended")
    before = runs.filter(reads_ended__lte=since).order_by("-reads_ended")[:1]
    after = runs.filter(reads_ended__gt=until).order_by("reads_ended")[:1]
    fields = ("reads_began", "reads_ended", "unreadable")
    found = [
        row
        for part in (before, within, after)
        for row in part.values_list(*fields)
        if not _failed(row[2], arm_id)
    ]
    return tuple((began, ended) for began, ended, _ in found)


@dataclass(frozen=True, slots=True)
class ModelThen:
    """A deployment's model (`risk:7`) from one revision on, and when that began."""

    model: str
    earliest: datetime | None
    latest: datetime


_OF_MODEL = """
SELECT state ->> 'model' AS model, earliest, latest, id FROM inventory_deployment_revision
WHERE deployment_id = %(deployment)s AND known_at <= coalesce(%(known)s::timestamptz, 'infinity')
"""
_MODELS = f"""
SELECT model, earliest, latest FROM (
    ({_OF_MODEL} AND latest <= %(since)s ORDER BY latest DESC, id DESC LIMIT 1)
    UNION ALL
    ({_OF_MODEL} AND latest > %(since)s AND latest <= %(until)s ORDER BY latest, id LIMIT %(most)s)
    UNION ALL
    ({_OF_MODEL} AND latest > %(until)s ORDER BY latest, id LIMIT 1)) found
ORDER BY latest, id
"""  # noqa: S608 - our own text


def models_between(
    deployment_id: int, since: datetime, until: datetime, *, known: datetime | None = None
) -> tuple[ModelThen, ...]:
    """What a deployment had at any time of a stretch, oldest first, the one before it included."""
    values: dict[str, Any] = {
        "deployment": deployment_id,
        "since": since,
        "until": until,
        "known": known,
        "most": _MOST_WALKED,
    }
    with connection.cursor() as cursor:
        cursor.execute(_MODELS, values)
        return tuple(
            ModelThen(short(model or ""), earliest, latest) for model, earliest, latest in cursor.fetchall()
        )


def _fields(rows: QuerySet[EndpointRevision]) -> Any:
    return rows.values("pk", "deleted", "earliest", "latest", "known_at", "cause", **_SPLIT)


def _place(row: dict[str, Any]) -> tuple[datetime, int]:
    return row["latest"], row["pk"]


def _walked(rows: QuerySet[EndpointRevision], done: int) -> Iterator[dict[str, Any]]:
    """Those after the first `done`, which were read already; nothing where these were all."""
    if done < _NEAR:
        return
    while done < _MOST_WALKED:
        part = list(_fields(rows)[done : done + _STEP])
        yield from part
        if len(part) < _STEP:
            return
        done += _STEP


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return bool(one["deleted"] == other["deleted"]) and _splits(one) == _splits(other)


def _splits(row: dict[str, Any]) -> tuple[Split, Split]:
    return traffic.normalise(row["live"]), traffic.normalise(row["mirror"])


# Runs to look through for one that read the endpoint.
_LOOK_BACK = 20


def _failed(unreadable: Iterable[dict[str, str]], arm_id: str) -> bool:
    """Whether a run could not read the endpoint, or something that may have been it."""
    key = arm_key(arm_id)
    items = [one["item"] for one in unreadable]
    return any(not item.startswith("/") or f"{arm_key(item)}/".startswith(f"{key}/") for item in items)
