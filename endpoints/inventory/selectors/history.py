"""What an endpoint and its deployments were: every revision with what moved, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import F, JSONField, Q, QuerySet, Window
from django.db.models.functions import Lag

from endpoints.core.errors import Invalid
from endpoints.inventory import differences
from endpoints.inventory.differences import FieldChange
from endpoints.inventory.models import DeploymentRevision, Drift, EndpointRevision
from endpoints.inventory.selectors.attribution import AttributionRow, attributions_of
from endpoints.inventory.selectors.endpoint import DriftRow, drift_rows


@dataclass(frozen=True, slots=True)
class HistoryItem:
    """One state that began. `deployment` is "" for the endpoint itself; `is_first`: nothing was read before.

    It began between `earliest` (None: unknown) and `latest`; the portal knew at `known_at`. `cause` is
    "change:42", "drift" or "". `attribution` tells who made a drift, as far as anybody knows.
    """

    revision_id: int
    deployment: str
    earliest: datetime | None
    latest: datetime
    known_at: datetime
    cause: str
    modified_by: str
    azure_request_id: str
    is_first: bool
    is_deletion: bool
    changes: tuple[FieldChange, ...]
    attribution: AttributionRow | None = None


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """`next_cursor` is "" on the last page."""

    items: tuple[HistoryItem, ...]
    next_cursor: str


def history(endpoint_id: int, *, cursor: str = "", limit: int = 50) -> HistoryPage:
    """Revisions of an endpoint and of all deployments it ever had. Invalid for a cursor that no page gave."""
    before = _Place.parse(cursor) if cursor else None
    own = EndpointRevision.objects.filter(endpoint_id=endpoint_id)
    theirs = DeploymentRevision.objects.filter(deployment__endpoint_id=endpoint_id)
    found = [(_Place(row["latest"], 1, row["pk"]), row) for row in _newest(own, "endpoint", before, 1, limit)]
    found += [
        (_Place(row["latest"], 0, row["pk"]), row)
        for row in _newest(theirs, "deployment", before, 0, limit, "deployment__name")
    ]
    found.sort(key=lambda one: one[0], reverse=True)
    items = _with_attributions([row for _, row in found[:limit]])
    return HistoryPage(items, str(found[limit - 1][0]) if len(found) > limit else "")


def drifts(endpoint_id: int, *, limit: int = 20) -> tuple[DriftRow, ...]:
    """What others changed, newest first."""
    rows = Drift.objects.filter(endpoint_id=endpoint_id).select_related("deployment")
    return drift_rows(list(rows.order_by("-latest", "-pk")[:limit]))


_FIELDS = (
    "pk",
    "earliest",
    "latest",
    "known_at",
    "cause",
    "modified_by",
    "azure_request_id",
    "deleted",
    "state",
)


@dataclass(frozen=True, slots=True, order=True)
class _Place:
    """Where a row stands in the order of all: by time, endpoints (rank 1) before deployments (rank 0)."""

    latest: datetime
    rank: int
    number: int

    def __str__(self) -> str:
        return f"{self.rank}.{self.number}.{self.latest.isoformat()}"

    @classmethod
    def parse(cls, cursor: str) -> _Place:
        try:
            rank, number, latest = cursor.split(".", 2)
            moment = datetime.fromisoformat(latest)
            return cls(moment if moment.tzinfo else moment.replace(tzinfo=UTC), int(rank), int(number))
        except ValueError:
            raise Invalid("This page of the history does not exist; start at the first one.") from None

    def older(self, rank: int) -> Q:
        """Rows of that rank which come after this place in the list."""
        if rank == self.rank:
            return Q(latest__lt=self.latest) | Q(latest=self.latest, pk__lt=self.number)
        return Q(latest__lte=self.latest) if rank < self.rank else Q(latest__lt=self.latest)


def _newest(
    revisions: QuerySet[Any, Any], owner: str, before: _Place | None, rank: int, limit: int, *more: str
) -> list[dict[str, Any]]:
    """The newest, each with the state before it, which is older and therefore never filtered away."""
    former = Window(
        Lag("state", output_field=JSONField()), partition_by=[F(owner)], order_by=["latest", "pk"]
    )
    found = revisions.filter(before.older(rank)) if before else revisions
    ordered = found.annotate(former=former).order_by("-latest", "-pk")
    rows: list[dict[str, Any]] = list(ordered.values(*_FIELDS, "former", *more)[: limit + 1])
    return rows


def _with_attributions(rows: list[dict[str, Any]]) -> tuple[HistoryItem, ...]:
    drifted = [row for row in rows if row["cause"] == "drift"]
    own, theirs = attributions_of(
        (row["pk"] for row in drifted if "deployment__name" not in row),
        (row["pk"] for row in drifted if "deployment__name" in row),
    )
    items = []
    for row in rows:
        told = theirs if "deployment__name" in row else own
        # A number is one of two tables': it means something only where the row drifted.
        items.append(_item(row, told.get(row["pk"]) if row["cause"] == "drift" else None))
    return tuple(items)


def _item(row: dict[str, Any], attribution: AttributionRow | None) -> HistoryItem:
    is_first = row["former"] is None
    return HistoryItem(
        revision_id=row["pk"],
        deployment=row.get("deployment__name", ""),
        earliest=row["earliest"],
        latest=row["latest"],
        known_at=row["known_at"],
        cause=row["cause"],
        modified_by=row["modified_by"],
        azure_request_id=row["azure_request_id"],
        is_first=is_first,
        is_deletion=row["deleted"],
        changes=() if row["deleted"] else differences.between(row["former"] or {}, row["state"]),
        attribution=attribution,
    )
