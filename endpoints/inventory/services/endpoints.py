"""Take an answer about an endpoint into the mirror: the one way in for every read, the executor's
included.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from endpoints.azure_gateway.records import EndpointRecord, Reading
from endpoints.dispatch import db_now
from endpoints.inventory import drift, normalise, succession, timeline
from endpoints.inventory.models import Deployment, Drift, Endpoint, EndpointRevision
from endpoints.inventory.normalise import Seen
from endpoints.inventory.selectors import covering
from endpoints.inventory.selectors.covering import Covered
from endpoints.inventory.services import documents, drifts, expectations, projection
from endpoints.inventory.services.deployments import bury
from endpoints.inventory.services.observation import Answer, Observation
from endpoints.inventory.succession import Step

DRIFT = "drift"


@dataclass(frozen=True, slots=True)
class _Arrival:
    """An answer on its way in."""

    workspace_id: int
    seen: Seen
    answer: Answer
    record: EndpointRecord
    operation_ended: datetime | None


def observe_endpoint(
    *, workspace_id: int, reading: Reading[EndpointRecord], operation_ended: datetime | None = None
) -> Observation:
    """Compare an answer with the record and keep what is new: a revision, and drift when nobody here
    ordered it.

    Raises ValueError for a record that can't be kept. `operation_ended` is when our own write is known to
    have ended; it narrows when the new state began.
    """
    seen = normalise.endpoint(reading.value)
    arrival = _Arrival(workspace_id, seen, Answer.to(reading), reading.value, operation_ended)
    try:
        with transaction.atomic():
            return _accept(arrival)
    except IntegrityError:
        # Somebody else saw it first, at the same time: now it is on record, and this is a second look.
        with transaction.atomic():
            return _accept(arrival)


@transaction.atomic
def observe_endpoint_deleted(*, endpoint_id: int, answer: Answer) -> Observation:
    """A complete answer that began at `answer.began` does not contain this endpoint."""
    row = _lock().get(pk=endpoint_id)
    covered = covering.of_newest_run(row)
    match succession.absent(_recorded(row, covered), began=answer.began):
        case Step.UNCHANGED:
            return _unchanged(row)
        case Step.STALE:
            return Observation(row.pk, row.latest_revision_id, stale=True)
    now = db_now()
    found = _delete(row, covered, answer, now)
    if found is None:
        return Observation(row.pk, row.latest_revision_id, changed=True)
    drifts.to_ledger(found, answer.azure_request_id)
    return Observation(row.pk, row.latest_revision_id, changed=True, drifted=True)


def _accept(arrival: _Arrival) -> Observation:
    row = _newest(arrival)
    covered = covering.of_newest_run(row) if row else None
    recorded = _recorded(row, covered) if row and covered else None
    seen = arrival.seen
    step = succession.step(
        recorded, state_hash=seen.state_hash, created_at=seen.created_at, began=arrival.answer.began
    )
    if row is None or covered is None:
        return _first(arrival, _last_seen_absent(arrival.workspace_id), db_now())
    match step:
        case Step.UNCHANGED:
            projection.was_read(row, arrival.answer)
            row.save(update_fields=["last_read_began", "last_read_ended"])
            return _unchanged(row)
        case Step.STALE:
            return Observation(row.pk, row.latest_revision_id, stale=True)
        case Step.SUCCESSOR:
            return _successor(arrival, row, covered)
        case Step.RETURNED:
            return _returned(arrival, row, covered)
    return _changed(arrival, row, covered)


def _changed(arrival: _Arrival, row: Endpoint, covered: Covered) -> Observation:
    now, answer = db_now(), arrival.answer
    old = row.latest_revision.state if row.latest_revision else {}
    orders = expectations.open_between(row.pk, covered.began, answer.ended, expectations.PUT_SPLIT)
    verdict = drift.decide(old, arrival.seen.state, orders)
    matched = verdict.matched
    cause = matched.cause if matched else DRIFT if verdict.drifted else ""
    revision = _add_revision(arrival, row, covered.began, now, cause, matched)
    found = _judge(row, revision, verdict, now)
    _project(arrival, row, revision)
    if matched:
        expectations.matched(matched, revision, now)
    if found:
        drifts.to_ledger(found, answer.azure_request_id)
    return Observation(
        row.pk, revision.pk, changed=True, drifted=bool(found), cause=matched.cause if matched else ""
    )


def _judge(row: Endpoint, revision: EndpointRevision, verdict: drift.Verdict, now: datetime) -> Drift | None:
    """Record drift, and keep `open_drift` at the newest one that neither we nor the old state has
    replaced.
    """
    standing = row.open_drift
    undone = standing is not None and _is_undone(standing, revision.state)
    if verdict.matched or undone:
        row.open_drift = None
    if not verdict.drifted:
        return None
    found = drifts.record_endpoint(
        row, revision, verdict.kind, verdict.before or {}, verdict.after or {}, now
    )
    if not undone:
        row.open_drift = found
    return found


def _is_undone(standing: Drift, state: dict[str, Any]) -> bool:
    return standing.deployment_id is None and all(
        state.get(name) == value for name, value in standing.before.items()
    )


def _first(arrival: _Arrival, absent_at: datetime | None, now: datetime) -> Observation:
    answer, seen = arrival.answer, arrival.seen
    row = Endpoint(
        workspace_id=arrival.workspace_id,
        first_seen_at=now,
        last_read_began=answer.began,
        last_read_ended=answer.ended,
    )
    projection.endpoint_columns(row, seen, answer)
    row.save(force_insert=True)
    revision = _add_revision(arrival, row, absent_at, now, "", None)
    _project(arrival, row, revision)
    return Observation(row.pk, revision.pk, changed=True)


def _successor(arrival: _Arrival, row: Endpoint, covered: Covered) -> Observation:
    """Another one of the same name: the former was deleted some time since it was last read."""
    now = db_now()
    found = None if row.deleted_at else _delete(row, covered, arrival.answer, now)
    observation = _first(arrival, covered.began, now)
    if found:
        drifts.to_ledger(found, arrival.answer.azure_request_id)
    return observation


def _returned(arrival: _Arrival, row: Endpoint, covered: Covered) -> Observation:
    revision = _add_revision(arrival, row, covered.began, db_now(), "", None)
    _project(arrival, row, revision)
    return Observation(row.pk, revision.pk, changed=True)


def _delete(row: Endpoint, covered: Covered, answer: Answer, now: datetime) -> Drift | None:
    """It is gone, with its deployments. Returns the drift, which the caller writes to the ledger last."""
    orders = expectations.open_between(row.pk, covered.began, answer.ended, expectations.DELETE_ENDPOINT)
    earliest, latest = timeline.interval(covered.began, answer.ended)
    revision = EndpointRevision.objects.create(
        endpoint=row,
        earliest=earliest,
        latest=latest,
        known_at=now,
        state_hash="",
        state={},
        deleted=True,
        cause=orders[0].cause if orders else DRIFT,
        azure_request_id=answer.azure_request_id,
    )
    for deployment in Deployment.objects.filter(endpoint=row, deleted_at=None).select_related("endpoint"):
        bury(deployment, answer, now, cause=orders[0].cause if orders else DRIFT)
    before = {"traffic": row.traffic, "mirror_traffic": row.mirror_traffic}
    row.latest_revision, row.deleted_at, row.state_hash = revision, now, ""
    projection.was_read(row, answer)
    row.save()
    if orders:
        expectations.matched(orders[0], revision, now)
        return None
    return drifts.record_endpoint(row, revision, drift.Kind.ENDPOINT, before, {}, now)


def _add_revision(
    arrival: _Arrival,
    row: Endpoint,
    last_old_read: datetime | None,
    now: datetime,
    cause: str,
    matched: drift.Expected | None,
) -> EndpointRevision:
    earliest, latest = timeline.interval(
        last_old_read,
        arrival.answer.ended,
        ordered_at=matched.ordered_at if matched else None,
        ended_at=arrival.operation_ended if matched else None,
    )
    return EndpointRevision.objects.create(
        endpoint=row,
        earliest=earliest,
        latest=latest,
        known_at=now,
        state_hash=arrival.seen.state_hash,
        state=arrival.seen.state,
        document_id=documents.keep(arrival.record.raw),
        cause=cause,
        modified_by=arrival.record.last_modified_by,
        azure_request_id=arrival.answer.azure_request_id,
    )


def _project(arrival: _Arrival, row: Endpoint, revision: EndpointRevision) -> None:
    row.latest_revision = revision
    projection.endpoint_columns(row, arrival.seen, arrival.answer)
    projection.refresh_marks(row)
    row.save()


def _newest(arrival: _Arrival) -> Endpoint | None:
    """The living endpoint of that name, locked; else the one that was deleted last."""
    named = _lock().filter(workspace_id=arrival.workspace_id, name_key=arrival.seen.name.lower())
    return named.filter(deleted_at=None).first() or named.order_by("-deleted_at").first()


def _lock() -> QuerySet[Endpoint]:
    return Endpoint.objects.select_related("latest_revision", "open_drift").select_for_update(
        of=("self",), no_key=True
    )


def _last_seen_absent(workspace_id: int) -> datetime | None:
    """When the newest reading began that was complete, and therefore showed that this one did not exist."""
    run = covering.newest_run(workspace_id)
    return run.reads_began if run and not run.unreadable else None


def _recorded(row: Endpoint, covered: Covered) -> succession.Recorded:
    return succession.Recorded(
        row.state_hash, row.azure_created_at, row.deleted_at is not None, covered.ended
    )


def _unchanged(row: Endpoint) -> Observation:
    return Observation(row.pk, row.latest_revision_id)
