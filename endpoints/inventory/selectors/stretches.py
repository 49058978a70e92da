"""When in a stretch which split was in force, with the certainty of each part; and when models were being changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from django.db.models import F, OuterRef, Q, Subquery

from endpoints.core import traffic
from endpoints.core.errors import NotFound
from endpoints.core.traffic import Split
from endpoints.inventory import timeline
from endpoints.inventory.models import DeploymentRevision, Endpoint, EndpointRevision
from endpoints.inventory.selectors import covering

# A change makes two or three; a day that has more is told as far as these reach.
MOST = 1000
_FIELDS = ("deleted", "earliest", "latest", "known_at")
_SPLIT = {"live": F("state__traffic"), "mirror": F("state__mirror_traffic")}


@dataclass(frozen=True, slots=True)
class SplitStretch:
    """From `since` up to `until` one of `splits` (live, mirrored) was in force; none: it is not known."""

    since: datetime
    until: datetime
    splits: tuple[tuple[Split, Split], ...]


@dataclass(frozen=True, slots=True)
class ModelSwitch:
    """Between `since` and `until`, at some moment, a deployment (lower-case name) got another model, or went."""

    name: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class _State:
    split: tuple[Split, Split]
    deleted: bool
    earliest: datetime | None
    latest: datetime
    known_at: datetime


def split_stretches(endpoint_id: int, since: datetime, until: datetime) -> tuple[SplitStretch, ...]:
    """The whole stretch, oldest first, without gaps, as `timeline.as_of` answers in each part of it."""
    row = Endpoint.objects.filter(pk=endpoint_id).select_related("workspace").first()
    if row is None:
        raise NotFound("There is no such endpoint.")
    states = _states(endpoint_id, since, until)
    covered = covering.of_newest_run(row).began
    bounds = {since, until, covered} | {one.latest for one in states}
    bounds |= {one.earliest for one in states if one.earliest is not None}
    edges = sorted(edge for edge in bounds if since <= edge <= until)
    found: list[SplitStretch] = []
    for begin, end in pairwise(edges):
        splits = _splits(states, begin + (end - begin) / 2, covered)
        if found and found[-1].splits == splits:
            found[-1] = SplitStretch(found[-1].since, end, splits)
        else:
            found.append(SplitStretch(begin, end, splits))
    return tuple(found)


def model_switches(endpoint_id: int, since: datetime, until: datetime) -> tuple[ModelSwitch, ...]:
    """Those of which some part lies in the stretch, in order."""
    rows = DeploymentRevision.objects.filter(deployment__endpoint_id=endpoint_id)
    before = DeploymentRevision.objects.filter(
        deployment=OuterRef("deployment"), latest__lt=OuterRef("latest")
    ).order_by("-latest", "-pk")
    touched = rows.filter(latest__gt=since, earliest__lt=until).annotate(
        former=Subquery(before.values("state__model")[:1])
    )
    fields = touched.order_by("latest", "pk").values_list(
        "deployment__name_key", "earliest", "latest", "deleted", "state__model", "former"
    )[:MOST]
    return tuple(
        ModelSwitch(name, max(since, earliest), min(until, latest))
        for name, earliest, latest, deleted, model, former in fields
        if earliest is not None and (deleted or model != former)
    )


def _states(endpoint_id: int, since: datetime, until: datetime) -> list[_State]:
    rows = EndpointRevision.objects.filter(endpoint_id=endpoint_id)
    within = rows.filter(Q(earliest__isnull=True) | Q(earliest__lt=until), latest__gt=since)
    parts = (
        rows.filter(latest__lte=since).order_by("-latest", "-pk")[:1],
        within.order_by("latest", "pk")[:MOST],
        rows.filter(latest__gt=until).order_by("latest", "pk")[:1],
    )
    found: dict[int, _State] = {}
    for part in parts:
        fields: Any = part.values("pk", *_FIELDS, **_SPLIT)
        found |= {row["pk"]: _state(row) for row in fields}
    return list(found.values())


def _state(row: dict[str, Any]) -> _State:
    split = traffic.normalise(row["live"]), traffic.normalise(row["mirror"])
    return _State(split, row["deleted"], row["earliest"], row["latest"], row["known_at"])


def _splits(states: list[_State], at: datetime, covered: datetime | None) -> tuple[tuple[Split, Split], ...]:
    """Two states that route alike are one; of an endpoint that was, or may have been, deleted nothing is said."""
    answer = timeline.as_of(states, at, covered_until=covered)
    if any(one.deleted for one in answer.candidates):
        return ()
    distinct: list[tuple[Split, Split]] = []
    for one in answer.candidates:
        if one.split not in distinct:
            distinct.append(one.split)
    return tuple(distinct)
