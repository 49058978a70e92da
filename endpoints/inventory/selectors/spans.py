"""Which split was in force when, for as long as it is certain: what requests are held against."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F

from endpoints.core import traffic
from endpoints.core.errors import NotFound
from endpoints.core.traffic import Split
from endpoints.inventory import timeline
from endpoints.inventory.models import Deployment, Endpoint, EndpointRevision
from endpoints.inventory.selectors import covering

# Newest first; a change makes two or three.
_LOOK_BACK = 1000
_SPLIT = {"live": F("state__traffic"), "mirror": F("state__mirror_traffic")}


@dataclass(frozen=True, slots=True)
class SplitSpan:
    """The split that Azure certainly had in force from `since` up to `until`. Names are lower case, without zeros."""

    traffic: Split
    mirror_traffic: Split
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class DeploymentLife:
    """A deployment that there was: `first_seen_at` is when the portal first read it."""

    id: int
    name: str
    name_key: str
    azure_created_at: datetime | None
    first_seen_at: datetime
    deleted_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Split:
    traffic: Split
    mirror_traffic: Split
    deleted: bool
    earliest: datetime | None
    latest: datetime
    known_at: datetime


def split_spans(endpoint_id: int, *, since: datetime, until: datetime) -> tuple[SplitSpan, ...]:
    """The parts of a stretch in which the split is certain, oldest first; between them it was being changed."""
    row = Endpoint.objects.filter(pk=endpoint_id).select_related("workspace").first()
    if row is None:
        raise NotFound("There is no such endpoint.")
    spans = timeline.certain_spans(
        _splits(endpoint_id), _same, covered_until=covering.of_newest_run(row).began
    )
    return tuple(
        SplitSpan(
            span.revision.traffic,
            span.revision.mirror_traffic,
            max(since, span.since),
            min(until, span.until),
        )
        for span in spans
        if span.since < until and span.until > since and not span.revision.deleted
    )


def deployments_between(endpoint_id: int, *, since: datetime, until: datetime) -> tuple[DeploymentLife, ...]:
    """All deployments that were there at any time of a stretch, by name, the newest of one name first.

    Azure's own creation counts where it is known: the portal may have seen one later.
    """
    found = Deployment.objects.filter(endpoint_id=endpoint_id).order_by("name_key", "-pk")
    lives = [
        DeploymentLife(*row)
        for row in found.values_list(
            "pk", "name", "name_key", "azure_created_at", "first_seen_at", "deleted_at"
        )
    ]
    return tuple(life for life in lives if _overlaps(life, since, until))


def _overlaps(life: DeploymentLife, since: datetime, until: datetime) -> bool:
    began = min(life.first_seen_at, life.azure_created_at or life.first_seen_at)
    return began < until and (life.deleted_at is None or life.deleted_at > since)


def _splits(endpoint_id: int) -> list[_Split]:
    rows = EndpointRevision.objects.filter(endpoint_id=endpoint_id).order_by("-latest", "-pk")
    fields: Any = rows.values("deleted", "earliest", "latest", "known_at", **_SPLIT)[:_LOOK_BACK]
    return [
        _Split(
            traffic.normalise(row["live"]),
            traffic.normalise(row["mirror"]),
            row["deleted"],
            row["earliest"],
            row["latest"],
            row["known_at"],
        )
        for row in fields
    ]


def _same(one: _Split, other: _Split) -> bool:
    return (one.traffic, one.mirror_traffic, one.deleted) == (
        other.traffic,
        other.mirror_traffic,
        other.deleted,
    )
