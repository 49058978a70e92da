"""Which reading last confirmed what is on record, counting the syncs that found nothing new and wrote
no row.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import DateTimeField, Func, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce, Least

from endpoints.inventory.models import Deployment, Endpoint, Mirrored, SyncRun


@dataclass(frozen=True, slots=True)
class Covered:
    """The last accepted reading of one thing: what is on record was true at a moment between these two."""

    began: datetime
    ended: datetime


def newest_run(workspace_id: int, *, before: datetime | None = None) -> SyncRun | None:
    """The newest run that read the workspace; `before`: the newest that had ended by then."""
    runs = SyncRun.objects.filter(workspace_id=workspace_id, reads_ended__isnull=False)
    if before is not None:
        runs = runs.filter(reads_ended__lte=before)
    return runs.order_by("-reads_ended").first()


def of_newest_run(row: Endpoint | Deployment) -> Covered:
    """The last reading of a row, with the run looked up."""
    workspace_id = row.workspace_id if isinstance(row, Endpoint) else row.endpoint.workspace_id
    run = newest_run(workspace_id, before=_unreadable_since(row))
    return _covered(row, run.reads_began, run.reads_ended) if run else _covered(row, None, None)


def endpoints_with_run() -> QuerySet[Endpoint]:
    """Endpoints, each with what `of_annotated` asks: the run that last confirmed it, without a query for each."""
    return Endpoint.objects.annotate(**_run("workspace_id", OuterRef("unreadable_since")))


def deployments_with_run() -> QuerySet[Deployment]:
    """Deployments likewise. One that can't be listed is not confirmed, nor one whose endpoint can't be."""
    # LEAST passes over NULL, which means readable.
    since = Least(OuterRef("unreadable_since"), OuterRef("endpoint__unreadable_since"))
    return Deployment.objects.annotate(**_run("endpoint__workspace_id", since))


def of_annotated(row: Any) -> Covered:
    """The last reading of a row of `endpoints_with_run` or `deployments_with_run`."""
    return _covered(row, row.run_began, row.run_ended)


def _run(workspace: str, unreadable_since: Any) -> dict[str, Subquery]:
    """The newest run that read the workspace while this could be read."""
    by_then = Coalesce(unreadable_since, _Infinity(), output_field=DateTimeField())
    runs = SyncRun.objects.filter(workspace_id=OuterRef(workspace), reads_ended__lte=by_then)
    newest = runs.filter(reads_ended__isnull=False).order_by("-reads_ended")
    return {
        "run_began": Subquery(newest.values("reads_began")[:1]),
        "run_ended": Subquery(newest.values("reads_ended")[:1]),
    }


class _Infinity(Func):
    """Later than every moment."""

    template = "'infinity'::timestamptz"
    arity = 0


def _unreadable_since(row: Endpoint | Deployment) -> datetime | None:
    moments = [row.unreadable_since]
    if isinstance(row, Deployment):
        moments.append(row.endpoint.unreadable_since)
    return min((at for at in moments if at is not None), default=None)


def _covered(row: Mirrored, run_began: datetime | None, run_ended: datetime | None) -> Covered:
    began, ended = row.last_read_began, row.last_read_ended
    if run_began is None or run_ended is None:
        return Covered(began, ended)
    return Covered(max(began, run_began), max(ended, run_ended))
