"""Checkpoints and where outside the database they are kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min, Q

from endpoints.audit.cadence import URGENT, Unsealed
from endpoints.audit.models import Anchoring, Checkpoint, Entry
from endpoints.core.errors import NotFound

PAGE = 50
LARGEST_PAGE = 500
LOG = "log"
"""A line of the log is no anchor: nobody here knows whether it is kept."""


@dataclass(frozen=True, slots=True)
class CheckpointRow:
    """One checkpoint. `places`: where outside the database it arrived."""

    size: int
    at: datetime
    root: str
    head: str
    note: str
    places: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckpointPage:
    """`cursor` is given back to get the next, older page; None: this was the last."""

    rows: tuple[CheckpointRow, ...]
    cursor: int | None


@dataclass(frozen=True, slots=True)
class LastAnchor:
    """The newest checkpoint that arrived somewhere outside, since when it is there, and where."""

    size: int
    at: datetime
    places: tuple[str, ...]


def newest_checkpoint() -> CheckpointRow | None:
    """None: nothing was ever sealed."""
    found = _rows(Checkpoint.objects.order_by("-size")[:1])
    return found[0] if found else None


def checkpoints(cursor: int | None = None, limit: int = PAGE) -> CheckpointPage:
    """A page of checkpoints, newest first; `cursor` comes from the page before."""
    limit = max(1, min(limit, LARGEST_PAGE))
    found = Checkpoint.objects.order_by("-size")
    if cursor is not None:
        found = found.filter(size__lt=cursor)
    rows = _rows(found[: limit + 1])
    return CheckpointPage(rows[:limit], rows[limit - 1].size if len(rows) > limit else None)


def checkpoint(size: int) -> CheckpointRow:
    """The checkpoint of so many entries; NotFound when there is none."""
    found = _rows(Checkpoint.objects.filter(size=size))
    if not found:
        raise NotFound(f"There is no checkpoint of {size} entries.")
    return found[0]


def checkpoints_after(size: int, limit: int = 100) -> tuple[CheckpointRow, ...]:
    """Those of more than `size` entries, oldest first: for whoever carries them outside."""
    return _rows(Checkpoint.objects.filter(size__gt=size).order_by("size")[:limit])


def last_anchor() -> LastAnchor | None:
    """None: nothing outside the database vouches for the ledger."""
    outside = Anchoring.objects.filter(ok=True).exclude(place=LOG)
    newest = outside.order_by("-checkpoint_id", "id").first()
    if newest is None:
        return None
    places = outside.filter(checkpoint_id=newest.checkpoint_id).values_list("place", flat=True)
    return LastAnchor(newest.checkpoint_id, newest.at, tuple(sorted(set(places))))


def unsealed(size: int) -> Unsealed:
    """The entries behind the first `size`."""
    behind = Entry.objects.filter(seq__gt=size)
    found = behind.aggregate(
        count=Count("seq"), oldest=Min("at"), urgent=Count("seq", filter=Q(action__in=URGENT))
    )
    return Unsealed(found["count"], found["oldest"], bool(found["urgent"]))


def _rows(found: Iterable[Checkpoint]) -> tuple[CheckpointRow, ...]:
    rows = list(found)
    places = _places([row.size for row in rows])
    return tuple(
        CheckpointRow(
            row.size,
            row.at,
            bytes(row.root).hex(),
            bytes(row.head).hex(),
            row.note,
            tuple(sorted(places.get(row.size, ()))),
        )
        for row in rows
    )


def _places(sizes: Sequence[int]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    arrived = Anchoring.objects.filter(checkpoint_id__in=sizes, ok=True).exclude(place=LOG)
    for size, place in arrived.values_list("checkpoint_id", "place"):
        found.setdefault(size, set()).add(place)
    return found
