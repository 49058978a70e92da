"""A workspace's very first reading, in a dozen statements instead of one by one: thousands arrive at once then.

It may only say what item-by-item observation would have said. A workspace that was ever read takes that road,
and so does a first reading of which anything can't be kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.db import DataError, IntegrityError, connection, models, transaction

from endpoints.azure_gateway.fleet import WorkspaceReading
from endpoints.azure_gateway.records import DeploymentRecord, EndpointRecord
from endpoints.dispatch import db_now
from endpoints.inventory import normalise
from endpoints.inventory.models import (
    Deployment,
    DeploymentRevision,
    Endpoint,
    EndpointRevision,
    Revision,
)
from endpoints.inventory.normalise import Seen
from endpoints.inventory.services import documents, projection
from endpoints.inventory.services.observation import Answer

M = TypeVar("M", bound=models.Model)

_BATCH = 500
# Each has exactly one revision at this moment.
_LINK = """
UPDATE inventory_{kind} AS e SET latest_revision_id = r.id
FROM inventory_{kind}_revision AS r WHERE r.{kind}_id = e.id AND e.id = ANY(%s)
"""


@dataclass(frozen=True, slots=True)
class _Item:
    """One resource of the reading, with the row that it becomes."""

    row: Any
    seen: Seen
    record: EndpointRecord | DeploymentRecord
    answer: Answer


def take_whole(workspace_id: int, reading: WorkspaceReading) -> int | None:
    """Keep a first reading and return how many things it held; None: not a first one, or not in this way."""
    if reading.unreadable or Endpoint.objects.filter(workspace_id=workspace_id).exists():
        return None
    try:
        endpoints, deployments = _rows(workspace_id, reading, now := db_now())
        with transaction.atomic():
            _insert(Endpoint, (item.row for item in endpoints))
            _insert(Deployment, (item.row for item in deployments))
            _add_revisions(EndpointRevision, "endpoint", endpoints, now)
            _add_revisions(DeploymentRevision, "deployment", deployments, now)
    except (ValueError, DataError, IntegrityError):
        return None
    return len(endpoints) + len(deployments)


def _rows(workspace_id: int, reading: WorkspaceReading, now: datetime) -> tuple[list[_Item], list[_Item]]:
    """Endpoints and deployments, ready to insert. Made before the transaction, which must not wait for it."""
    whole = Answer(reading.request_began, reading.response_ended, reading.azure_request_id)
    endpoints: list[_Item] = []
    deployments: list[_Item] = []
    for one in reading.endpoints:
        endpoint = _endpoint(workspace_id, one.endpoint, whole, now)
        below: list[_Item] = []
        if one.deployments is not None:
            listed = Answer.to(one.deployments)
            below = [_deployment(endpoint.row, record, listed, now) for record in one.deployments]
        endpoint.row.deployments_seen_at = now
        projection.set_marks(endpoint.row, [item.row for item in below])
        endpoints.append(endpoint)
        deployments += below
    return endpoints, deployments


def _endpoint(workspace_id: int, record: EndpointRecord, answer: Answer, now: datetime) -> _Item:
    seen = normalise.endpoint(record)
    row = Endpoint(
        workspace_id=workspace_id,
        first_seen_at=now,
        last_read_began=answer.began,
        last_read_ended=answer.ended,
    )
    projection.endpoint_columns(row, seen, answer)
    return _Item(row, seen, record, answer)


def _deployment(endpoint: Endpoint, record: DeploymentRecord, answer: Answer, now: datetime) -> _Item:
    seen = normalise.deployment(record)
    row = Deployment(
        endpoint=endpoint, first_seen_at=now, last_read_began=answer.began, last_read_ended=answer.ended
    )
    projection.deployment_columns(row, seen, answer)
    return _Item(row, seen, record, answer)


def _add_revisions(model: type[Revision], kind: str, items: Sequence[_Item], now: datetime) -> None:
    kept = documents.keep_all(item.record.raw for item in items)
    revisions = [
        model(
            **{kind: item.row},
            earliest=None,
            latest=item.answer.ended,
            known_at=now,
            state_hash=item.seen.state_hash,
            state=item.seen.state,
            document_id=key,
            modified_by=item.record.last_modified_by,
            azure_request_id=item.answer.azure_request_id,
        )
        for item, key in zip(items, kept, strict=True)
    ]
    _insert(model, revisions)
    with connection.cursor() as cursor:
        cursor.execute(_LINK.format(kind=kind), [[item.row.pk for item in items]])


def _insert(model: type[M], rows: Iterable[M]) -> None:
    model._default_manager.bulk_create(rows, batch_size=_BATCH)
